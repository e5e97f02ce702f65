/* SPDX-License-Identifier: MIT */
/*
 * An engine with real databases in a directory of its own and a clock that the test sets; what a
 * turn hands out is gathered as text.
 */
#include "engine_world.h"

#include "db/fields.h"
#include "engine/stats.h"
#include "mail/context.h"
#include "mail/mail_tokens.h"
#include "records/customers.h"
#include "spool/spool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const no_relays[] = {NULL};

static void set_defaults(struct world *w)
{
	struct settings *s = &w->settings;
	s->redis.outcomes = "jobs:outcomes";
	s->redis.dead = "jobs:dead";
	s->redis.dispatch = "jobs:dispatch";
	s->redis.max_event_size = 262144;
	s->customers.grace_ms = 60000;
	s->spool.keep_ms = 90LL * 86400000;
	s->mail.from = "Example Hauling <dispatch@example.com>";
	s->mail.max_age_ms = 14LL * 86400000;
	s->smtp.relay = no_relays;
	s->rules.timezone = "UTC";
	s->office.email = "office@example.com";
	s->bounce.group = s->bounce.address = s->bounce.key_file = "";
	s->bounce.delimiter = "+";
	s->center.url = "";
	s->company.name = s->company.phone = s->company.website = "";
	s->gate.hold_max_ms = 7LL * 86400000;
	for (int i = 0; i < JOB_STATE_COUNT; i++) {
		bool end = i == JOB_COMPLETED || i == JOB_FAILED;
		s->notify[i].shelf_life_ms = end ? 7LL * 86400000 : 12LL * 3600000;
		s->notify[i].outside_hours = i == JOB_FAILED ? HOURS_SEND : HOURS_DEFER;
	}
}

static void open_engine(struct world *w)
{
	struct error err;
	w->engine = engine_open(&w->settings, w->now, &err);
	if (w->engine == NULL)
		fail_msg("%s", err.text);
}

struct world *world_new(const char *now)
{
	struct world *w = mem_alloc(sizeof *w);
	/* In memory where there is such a place: a turn waits for the disk, and there are thousands
	 * of them.
	 */
	(void)snprintf(w->directory, sizeof w->directory, "%s/dispatchd-engine-XXXXXX",
	               access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(w->directory));
	set_defaults(w);
	char path[128];
	(void)snprintf(path, sizeof path, "%s/customers.db", w->directory);
	w->settings.customers.path = mem_strdup(path);
	(void)snprintf(path, sizeof path, "%s/spool.db", w->directory);
	w->settings.spool.path = mem_strdup(path);
	w->room = 16;
	world_at(w, now);
	open_engine(w);
	return w;
}

void world_free(struct world *w)
{
	char command[128];
	engine_close(w->engine);
	buf_free(&w->outcomes);
	buf_free(&w->fields);
	buf_free(&w->jobs);
	(void)snprintf(command, sizeof command, "rm -rf %s", w->directory);
	assert_int_equal(system(command), 0);
	free((char *)(uintptr_t)w->settings.customers.path);
	free((char *)(uintptr_t)w->settings.spool.path);
	free(w);
}

void world_sql(struct world *w, const char *sql)
{
	struct error err;
	struct customers *customers = customers_open(w->settings.customers.path, DB_WRITE, &err);
	assert_non_null(customers);
	if (!db_exec(customers_db(customers), sql, &err))
		fail_msg("%s: %s", sql, err.text);
	customers_close(customers);
}

void world_at(struct world *w, const char *now)
{
	assert_true(instant_parse(now, &w->now));
}

void world_at_after(struct world *w, const char *now, int seconds)
{
	world_at(w, now);
	w->tick.ms += seconds * 1000LL;
}

void world_crash(struct world *w)
{
	engine_close(w->engine);
	w->n_in_flight = 0;
	open_engine(w);
}

void world_reopen(struct world *w)
{
	world_crash(w);
	world_turn(w);
}

static void note_fields(struct world *w, const struct entry_field *fields, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_printf(&w->fields, "%.*s=%.*s%c", (int)fields[i].name_len, fields[i].name,
		           (int)fields[i].value_len, fields[i].value, i + 1 < n ? '\t' : '\n');
}

static void note_outcome(struct world *w, const struct entry_field *fields, size_t n)
{
	const char *status = fields_find(fields, n, "status"), *due = fields_find(fields, n, "due");
	bool waits = strcmp(status, status_name(STATUS_DEFERRED)) == 0 ||
	             strcmp(status, status_name(STATUS_RETRYING)) == 0;
	buf_printf(&w->outcomes, "%s %s %s%s%s\n", status, fields_find(fields, n, "reason"),
	           fields_find(fields, n, "job"), waits ? " " : "", waits ? due : "");
}

static void note_publications(struct world *w, const struct publications *publications)
{
	for (size_t i = 0; publications != NULL && i < publications->n; i++) {
		const struct publication *row = &publications->rows[i];
		const struct entry_field *fields = row->fields + 1; /* behind the id */
		size_t n = row->n_fields - 1;
		bool is_dead = strcmp(row->stream, w->settings.redis.dead) == 0;
		w->published = row->seq;
		note_fields(w, fields, n);
		if (!is_dead && strcmp(row->stream, w->settings.redis.outcomes) != 0) {
			for (size_t k = 0; k < n; k++)
				buf_printf(&w->jobs, "%s=%s ", fields[k].name, fields[k].value);
			buf_printf(&w->jobs, "-> %s\n", row->stream);
			continue;
		}
		(void)snprintf(w->last_id, sizeof w->last_id, "%s", row->fields[0].value);
		if (is_dead)
			buf_printf(&w->outcomes, "dead %s\n",
			           fields_find(fields, n, "dead_reason"));
		else
			note_outcome(w, fields, n);
	}
}

/* As templates see it. */
static void note_context(struct world *w, const char *context)
{
	struct arena *arena = arena_new();
	struct error err = {0};
	const struct jsonview *view = context_read(arena, context, &err);
	if (view == NULL)
		fail_msg("%s: %s", context, err.text);
	json_t *json = mail_tokens_seen(arena, view);
	char *text = json_dumps(json, JSON_COMPACT);
	(void)snprintf(w->contexts[w->n_in_flight], sizeof w->contexts[0], "%s", text);
	free(text);
	json_decref(json);
	arena_free(arena);
}

static void gather_outgoing(struct world *w, const struct turn_output *out)
{
	for (size_t i = 0; i < out->n_outgoing; i++) {
		struct delivery_result *r = &w->in_flight[w->n_in_flight];
		*r = (struct delivery_result){.mail = out->outgoing[i]->mail};
		(void)snprintf(r->to, sizeof r->to, "%s", out->outgoing[i]->to);
		(void)snprintf(w->templates[w->n_in_flight], 16, "%s", out->outgoing[i]->template);
		note_context(w, out->outgoing[i]->context);
		(void)snprintf(w->message_ids[w->n_in_flight], 128, "%s",
		               out->outgoing[i]->message_id);
		(void)snprintf(w->thread_ids[w->n_in_flight], 128, "%s",
		               out->outgoing[i]->thread_id);
		w->n_in_flight++;
	}
}

static void turn(struct world *w, struct turn_input *in)
{
	struct turn_output out;
	struct error err;
	buf_reset(&w->outcomes);
	buf_reset(&w->fields);
	buf_reset(&w->jobs);
	in->now = w->now;
	in->tick = w->tick;
	in->room = w->room - w->n_in_flight;
	in->outcomes_max = 1000;
	in->published = w->published;
	if (!engine_turn(w->engine, in, &out, &err))
		fail_msg("%s", err.text);
	note_publications(w, out.publications);
	gather_outgoing(w, &out);
	turn_output_clear(&out);
}

void world_turn(struct world *w)
{
	struct turn_input in = {0};
	turn(w, &in);
}

void world_entry(struct world *w, enum entry_feed feed, const char *const *fields)
{
	struct entry_field packed[16];
	char ms[48];
	(void)snprintf(ms, sizeof ms, "%lld-0", (long long)w->now.ms);
	struct entry entry = {.feed = feed, .id = ms, .fields = packed, .received = w->now};
	for (; fields[0] != NULL; fields += 2) {
		if (fields[1] != NULL)
			packed[entry.n_fields++] = (struct entry_field){
			        fields[0], strlen(fields[0]), fields[1], strlen(fields[1])};
	}
	const struct entry *entries[] = {&entry};
	struct turn_input in = {.entries = entries, .n_entries = 1};
	turn(w, &in);
}

void world_request(struct world *w, const char *type, const char *job, const char *customer,
                   const char *id, const char *const *more)
{
	const char *fields[24] = {"id", id, "type", type, "job", job, "customer", customer};
	for (size_t i = 8; more != NULL && *more != NULL && i < 22; i++)
		fields[i] = *more++;
	world_entry(w, FEED_REQUESTS, fields);
}

void world_event(struct world *w, const char *type, const char *job, const char *customer,
                 const char *time, const char *id)
{
	char new_id[32];
	(void)snprintf(new_id, sizeof new_id, "e%d", ++w->next_id);
	const char *fields[] = {"id",     id ? id : new_id, "type", type,   "job", job, "customer",
	                        customer, "driver",         "Sam",  "time", time,  NULL};
	world_entry(w, FEED_EVENTS, fields);
}

void world_json(struct world *w, const char *json)
{
	world_entry(w, FEED_EVENTS, (const char *const[]){"event", json, NULL});
}

void world_customer(struct world *w, const char *json)
{
	world_entry(w, FEED_CUSTOMERS, (const char *const[]){"customer", json, NULL});
}

void world_deliver(struct world *w, enum delivery delivery)
{
	struct delivery_result results[64];
	struct turn_input in = {.results = results, .n_results = w->n_in_flight};
	for (size_t i = 0; i < w->n_in_flight; i++) {
		results[i] = w->in_flight[i];
		results[i].delivery = delivery;
		results[i].at = w->now;
		(void)strcpy(results[i].reply,
		             delivery == DELIVERY_SENT ? "250 ok" : "550 5.1.1 unknown");
	}
	w->n_in_flight = 0;
	turn(w, &in);
}

int64_t world_mails(struct world *w, enum status status)
{
	struct error err;
	struct spool *spool = spool_open(w->settings.spool.path, DB_READ, &err);
	assert_non_null(spool);
	int64_t n = spool_mail_count(spool, status);
	spool_close(spool);
	return n;
}

char *world_command(struct world *w, const char *text)
{
	struct error err;
	char *reply = engine_command(w->engine, text, w->now, &err);
	assert_non_null(reply);
	return reply;
}

void world_metrics(struct world *w, struct buf *out)
{
	struct figures figures;
	engine_figures(w->engine, &figures);
	figures_print(&figures, w->now, out);
}
