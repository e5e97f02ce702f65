/* SPDX-License-Identifier: MIT */
/*
 * What the daemon has to write into customers.db: addresses that were refused, customers from the
 * feed. Each is a row of the spool first; a thread of its own carries them out, in order and
 * idempotently, with its own connection (invariant 6).
 *
 *   engine: row ─▶ handed out ─▶ chores_run() ─▶ result ─▶ engine: row removed
 */
#include "engine/engine_private.h"

#include "base/jsontext.h"
#include "engine/known.h"
#include "records/records.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <syslog.h>

enum { CHORES_MAX = 256, REFUSALS_MAX = 1000 };

/* ---- On the engine's side ---- */

static void add_refusal(struct engine *engine, int64_t contact, const char *address, struct instant at)
{
	struct refusal *refusal = arena_alloc(engine->arena, sizeof *refusal);
	refusal->contact = contact;
	refusal->address = arena_strdup(engine->arena, address);
	refusal->at = at;
	refusal->next = engine->refusals;
	engine->refusals = refusal;
}

/* Marks that wait to be made in customers.db, as of the beginning of a turn. */
void engine_load_refusals(struct engine *engine)
{
	size_t n;
	struct spool_chore *chores = spool_refusals(engine->spool, REFUSALS_MAX, engine->arena, &n);
	engine->refusals = NULL;
	for (size_t i = 0; i < n; i++) {
		json_int_t contact = 0;
		const char *address = NULL;
		json_t *detail = json_loads(chores[i].detail, 0, NULL);
		if (detail &&
		    json_unpack(detail, "{s:I, s:s}", "contact", &contact, "address", &address) == 0)
			add_refusal(engine, contact, address, chores[i].time);
		json_decref(detail);
	}
}

static void mark(struct contact *contact, const struct refusal *refusal)
{
	if (contact->id != refusal->contact)
		return;
	if (strcmp(contact->email, refusal->address) == 0)
		contact->email_invalid = refusal->at;
	if (strcmp(contact->alt_email, refusal->address) == 0)
		contact->alt_email_invalid = refusal->at;
}

/* The customer with those marks; a copy, up the chain, where there are any at all. */
const struct customer *engine_with_refusals(struct engine *engine, const struct customer *customer)
{
	if (engine->refusals == NULL || customer == NULL)
		return customer;
	struct customer *copy = arena_alloc(engine->arena, sizeof *copy);
	struct contact *contacts = arena_new_array(engine->arena, customer->n_contacts, struct contact);
	*copy = *customer;
	copy->contacts = contacts;
	copy->parent = engine_with_refusals(engine, customer->parent);
	for (size_t i = 0; i < customer->n_contacts; i++) {
		contacts[i] = customer->contacts[i];
		for (const struct refusal *r = engine->refusals; r != NULL; r = r->next)
			mark(&contacts[i], r);
	}
	return copy;
}

void engine_refuse_address(struct engine *engine, int64_t contact, const char *address, const char *reply)
{
	json_t *detail = json_pack("{s:I, s:s, s:s}", "contact", (json_int_t)contact, "address", address,
	                           "reply", reply);
	char *text = detail ? json_dumps(detail, JSON_COMPACT) : NULL;
	if (text == NULL)
		bug("a refused address that is no text");
	struct spool_chore chore = {.kind = "refused", .time = engine->now, .detail = text, .entry = ""};
	spool_chore_add(engine->spool, &chore);
	free(text);
	json_decref(detail);
	add_refusal(engine, contact, address, engine->now);
	memset(engine->slots, 0, sizeof engine->slots); /* loaded again, with the mark */
	engine->n_slots = 0;
	engine_report_often(engine, REPORT_ADDRESS, LOG_NOTICE,
	                    "address refused contact=%lld to=%s reply=\"%s\"", (long long)contact, address,
	                    reply);
}

void engine_refuse_unread(struct engine *engine, const struct entry *entry)
{
	engine_dead_letter(
	        engine, entry, REASON_MALFORMED,
	        "the entry is too large to be read from Redis; its fields are left where they are");
}

void engine_take_customer(struct engine *engine, const struct entry *entry)
{
	if (entry->unread) {
		engine_refuse_unread(engine, entry);
		return;
	}
	if (entry->n_fields != 1 || entry->fields[0].name_len != 8 ||
	    memcmp(entry->fields[0].name, "customer", 8) != 0) {
		engine_dead_letter(engine, entry, REASON_MALFORMED,
		                   "an entry of the customers feed has one field, customer");
		return;
	}
	struct error err;
	json_t *json = jsontext_read(entry->fields[0].value, entry->fields[0].value_len, &err);
	if (!json_is_object(json)) {
		engine_dead_letter(engine, entry, REASON_MALFORMED,
		                   json ? "customer is no JSON object" : err.text);
	} else {
		const struct entry_field *field = &entry->fields[0];
		struct spool_chore chore = {
		        .kind = "customer",
		        .time = entry_time(entry),
		        .detail = arena_strndup(engine->arena, field->value, field->value_len),
		        .entry = entry->id,
		};
		spool_chore_add(engine->spool, &chore);
	}
	json_decref(json);
}

void engine_take_feed(struct engine *engine)
{
	for (size_t i = 0; i < engine->turn->n_entries; i++) {
		if (engine->turn->entries[i]->feed == FEED_CUSTOMERS)
			engine_take_customer(engine, engine->turn->entries[i]);
	}
	engine->feed_oldest = spool_feed_oldest(engine->spool);
	if (engine->turn->feed_unread)
		engine->feed_oldest.ms = 0; /* there may be older ones in Redis */
}

static void feed_refused(struct engine *engine, const struct spool_chore *chore, const char *text)
{
	struct entry_field field = {"customer", 8, chore->detail, strlen(chore->detail)};
	struct entry entry = {.feed = FEED_CUSTOMERS,
	                      .id = chore->entry,
	                      .fields = &field,
	                      .n_fields = 1,
	                      .received = chore->time};
	engine_dead_letter(engine, &entry, REASON_MALFORMED, text);
}

void engine_take_chores(struct engine *engine)
{
	const struct turn *turn = engine->turn;
	for (size_t i = 0; i < turn->n_chores_done; i++) {
		const struct chore_result *result = &turn->chores_done[i];
		struct spool_chore chore;
		if (!result->refused || !spool_chore_load(engine->spool, result->seq, engine->arena, &chore))
			continue;
		if (strcmp(chore.kind, "customer") == 0)
			feed_refused(engine, &chore, result->text);
		else
			engine_report(engine, LOG_ERR, "chore %lld (%s): %s", (long long)chore.seq,
			              chore.kind, result->text);
	}
	if (turn->n_chores_done > 0)
		spool_chores_done(engine->spool, turn->chores_done[turn->n_chores_done - 1].seq);
}

void engine_hand_chores(struct engine *engine)
{
	struct turn *turn = engine->turn;
	if (turn->chores_wanted)
		turn->chores = spool_chores(engine->spool, CHORES_MAX, turn->arena, &turn->n_chores);
}

/* ---- On the chores' thread ---- */

struct chores {
	struct customers *customers;
};

/* Some seconds of a processor: the longest that is known takes a hundredth of that. */
enum { STEPS_MAX = 500 * 1000 * 1000 };

struct chores *chores_open(const char *path, const char *spool_path, struct error *err)
{
	struct customers *customers = known_open(path, spool_path, DB_WRITE, err);
	if (customers == NULL)
		return NULL;
	struct chores *chores = mem_alloc(sizeof *chores);
	chores->customers = customers;
	chores_set_stop(chores, NULL);
	return chores;
}

void chores_set_stop(struct chores *chores, const atomic_bool *stop)
{
	db_set_limit(customers_db(chores->customers), STEPS_MAX, stop);
}

struct chores *chores_close(struct chores *chores)
{
	if (chores != NULL)
		customers_close(chores->customers);
	free(chores);
	return NULL;
}

static bool run_refused(struct chores *chores, const struct spool_chore *row, struct error *err)
{
	json_int_t contact = 0;
	const char *address = "", *reply = "";
	json_t *detail = jsontext_read(row->detail, strlen(row->detail), err);
	bool ok = detail != NULL;
	if (ok && json_unpack(detail, "{s:I, s:s, s:s}", "contact", &contact, "address", &address, "reply",
	                      &reply) != 0)
		ok = error_set(err, EX_DATAERR, "chore %lld is damaged", (long long)row->seq);
	ok = ok && customers_mark_invalid(chores->customers, contact, address, row->time, reply, err);
	json_decref(detail);
	return ok;
}

static void refuse(struct chore_result *result, const struct error *why)
{
	result->refused = true;
	memcpy(result->text, why->text, sizeof result->text - 1);
}

/* The feed comes from the firm's own systems: it may do what a manager may. */
static bool run_feed(struct chores *chores, const struct spool_chore *rows, size_t n, struct instant now,
                     struct chore_result *ret, struct error *err)
{
	struct change_context context = {
	        .store = chores->customers, .actor = {.user = "feed", .manager = true}, .when = now};
	struct records_upsert *upserts = mem_alloc(n * sizeof *upserts);
	for (size_t i = 0; i < n; i++)
		upserts[i] = (struct records_upsert){.json = rows[i].detail, .len = strlen(rows[i].detail)};
	bool ok = records_upsert(&context, upserts, n, err);
	for (size_t i = 0; ok && i < n; i++) {
		if (upserts[i].refused)
			refuse(&ret[i], &upserts[i].err);
	}
	free(upserts);
	return ok;
}

/* An address; or all entries of the feed up to the next address, so that the order stays. */
static size_t run_some(struct chores *chores, const struct spool_chore *rows, size_t n, struct instant now,
                       struct chore_result *ret, struct error *err)
{
	bool clean;
	size_t some = 0;
	while (some < n && strcmp(rows[some].kind, "customer") == 0)
		some++;
	db_answer_clear(customers_db(chores->customers));
	if (db_gone(customers_db(chores->customers)) ||
	    db_replaced(customers_db(chores->customers), &clean)) { /* what is written now would go with it */
		error_set(err, EX_TEMPFAIL, "%s was removed or replaced",
		          db_path(customers_db(chores->customers)));
		return 0;
	}
	if (some > 0)
		return run_feed(chores, rows, some, now, ret, err) ? some : 0;
	if (run_refused(chores, rows, err))
		return 1;
	if (!db_input_fault(customers_db(chores->customers), err))
		return 0;
	refuse(ret, err);
	return 1;
}

size_t chores_run(struct chores *chores, const struct spool_chore *rows, size_t n, struct instant now,
                  struct chore_result *ret, struct error *err)
{
	size_t done = 0;
	for (size_t i = 0; i < n; i++)
		ret[i] = (struct chore_result){.seq = rows[i].seq};
	while (done < n) {
		size_t some = run_some(chores, rows + done, n - done, now, ret + done, err);
		if (some == 0)
			break;
		done += some;
	}
	return done;
}
