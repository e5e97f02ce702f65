/* SPDX-License-Identifier: MIT */
/*
 * How many events a second the engine decides, commits and sees delivered, in batches as they come
 * from Redis: alone, and with a journal that seals and keeps each turn, as a cluster's owner has it
 * before Redis; and how many a second a standby follows. One line an answer: "NAME NUMBER UNIT".
 */
#include "engine/engine.h"
#include "engine/replica.h"
#include "records/customers.h"
#include "spool/spool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CUSTOMERS = 500, BATCH = 256 };

static int events = 20000;

static const char *const no_relays[] = {NULL};

static double seconds(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void give_up(const struct error *err)
{
	(void)fprintf(stderr, "%s\n", err->text);
	exit(1);
}

static void fill(const char *path)
{
	struct error err;
	struct customers *customers = customers_open(path, DB_WRITE, &err);
	struct buf sql = {0};
	if (customers == NULL)
		give_up(&err);
	buf_adds(&sql, "BEGIN;");
	for (int i = 1; i <= CUSTOMERS; i++)
		buf_printf(
		        &sql,
		        "INSERT INTO customer (id, number, name, timezone) VALUES (%d, '%d', "
		        "'Customer %d', "
		        "'America/Denver'); INSERT INTO contact (customer, name, email) VALUES "
		        "(%d, 'Ann', "
		        "'c%d@example.com'); INSERT INTO hours_week VALUES (%d, 0, '00:00-24:00');",
		        i, 1000 + i, i, i, i, i);
	buf_adds(&sql, "COMMIT");
	if (!db_exec(customers_db(customers), buf_text(&sql), &err))
		give_up(&err);
	buf_free(&sql);
	customers_close(customers);
}

static struct entry_field field(struct arena *arena, const char *name, const char *value)
{
	(void)arena;
	return (struct entry_field){name, strlen(name), value, strlen(value)};
}

static struct entry *entry_new(struct arena *arena, int i, struct instant now)
{
	struct entry *entry = arena_alloc(arena, sizeof *entry);
	struct entry_field *f = arena_new_array(arena, 7, struct entry_field);
	f[0] = field(arena, "id", arena_printf(arena, "e%d", i));
	f[1] = field(arena, "type", "job.completed");
	f[2] = field(arena, "job", arena_printf(arena, "J%d", i));
	f[3] = field(arena, "customer", arena_printf(arena, "%d", 1001 + i % CUSTOMERS));
	f[4] = field(arena, "driver", "Sam");
	f[5] = field(arena, "reference", "PO 12345");
	f[6] = field(arena, "scheduled", "2026-06-01T15:00:00Z");
	*entry = (struct entry){
	        FEED_EVENTS, arena_printf(arena, "%lld-0", (long long)now.ms), f, 7, now, false,
	        false};
	return entry;
}

/* Each turn takes a batch of events, the results of the mails of the turn before, and gives new
 * ones. */
static double run(struct engine *engine, struct instant now)
{
	struct arena *arena = arena_new();
	struct delivery_result *results = calloc(BATCH * 2, sizeof *results);
	size_t n_results = 0;
	int64_t published = 0;
	struct error err;
	double began = seconds();
	for (int i = 0; i < events || n_results > 0;) {
		const struct entry *entries[BATCH];
		struct turn_output out;
		struct turn_input in = {
		        .now = now, .entries = entries, .results = results, .n_results = n_results};
		for (; in.n_entries < BATCH && i < events; i++)
			entries[in.n_entries++] = entry_new(arena, i, now);
		in.room = BATCH * 2;
		in.outcomes_max = 4096;
		in.published = published;
		if (!engine_turn(engine, &in, &out, &err))
			give_up(&err);
		for (n_results = 0; n_results < out.n_outgoing; n_results++)
			results[n_results] =
			        (struct delivery_result){.mail = out.outgoing[n_results]->mail,
			                                 .delivery = DELIVERY_SENT,
			                                 .reply = "250 2.0.0 Ok"};
		if (out.publications != NULL)
			published = out.publications->rows[out.publications->n - 1].seq;
		turn_output_clear(&out);
		arena_reset(arena);
	}
	free(results);
	arena_free(arena);
	return seconds() - began;
}

/* ---- a cluster's journal ---- */

enum { ENTRIES_MAX = 100000 };

struct sealed {
	struct journal_entry *entries;
	size_t n;
	int64_t bytes;
	struct journal_key key;
};

static bool append(void *arg, const struct journal_position *before, struct journal_entry *entry,
                   struct error *err)
{
	struct sealed *sealed = arg;
	(void)err;
	entry->epoch = 1;
	journal_seal(&sealed->key, before, entry);
	sealed->bytes += (int64_t)entry->len;
	if (sealed->n == ENTRIES_MAX)
		exit(1);
	char *body = malloc(entry->len);
	if (body == NULL)
		exit(1);
	memcpy(body, entry->body, entry->len);
	sealed->entries[sealed->n] = *entry;
	sealed->entries[sealed->n++].body = body;
	return true;
}

/* From the first entry on, in files that had the same beginning. */
static void follow(const struct settings *settings, struct sealed *sealed)
{
	struct error err;
	struct replica *replica = replica_open(settings, &err);
	if (replica == NULL)
		give_up(&err);
	double began = seconds();
	for (size_t i = 0; i < sealed->n; i++)
		if (!replica_apply(replica, &sealed->key, &sealed->entries[i], 1, &err))
			give_up(&err);
	(void)printf("engine.followed %.0f events a second\n", events / (seconds() - began));
	replica_close(replica);
}

static void copy(const char *from, const char *to)
{
	struct error err;
	char command[160];
	(void)snprintf(command, sizeof command, "cp %s %s", from, to);
	if (system(command) != 0) {
		error_set(&err, 1, "%s failed", command);
		give_up(&err);
	}
}

static void measure(bool journaled)
{
	char directory[] = "/tmp/dispatchd-bench-XXXXXX", customers[64], spool[64], command[64];
	struct error err;
	struct instant now = {1780315200000}; /* 2026-06-01T12:00:00Z, a Monday */
	if (mkdtemp(directory) == NULL)
		exit(1);
	(void)snprintf(customers, sizeof customers, "%s/customers.db", directory);
	(void)snprintf(spool, sizeof spool, "%s/spool.db", directory);
	struct settings settings = {
	        .redis = {.outcomes = "o", .dead = "d", .dispatch = "j", .max_event_size = 262144},
	        .customers = {.path = customers, .grace_ms = 60000},
	        .spool = {.path = spool, .keep_ms = 90LL * 86400000},
	        .mail = {.from = "dispatch@example.com", .max_age_ms = 86400000},
	        .smtp = {.relay = no_relays},
	        .rules = {.timezone = ""},
	        .office = {.email = ""},
	        .bounce = {.address = ""},
	        .center = {.url = ""},
	        .company = {"", "", ""},
	};
	for (int i = 0; i < JOB_STATE_COUNT; i++)
		settings.notify[i].shelf_life_ms = 86400000;
	fill(customers);
	struct sealed sealed = {.entries = calloc(ENTRIES_MAX, sizeof *sealed.entries)};
	char standby[64], its_customers[64];
	(void)snprintf(standby, sizeof standby, "%s/standby.db", directory);
	(void)snprintf(its_customers, sizeof its_customers, "%s/standby-customers.db", directory);
	spool_close(spool_open(spool, DB_WRITE, &err));
	copy(spool, standby);
	copy(customers, its_customers);
	const struct engine_journal journal = {append, &sealed};
	struct engine *engine =
	        engine_open_journaled(&settings, journaled ? &journal : NULL, now, &err);
	if (engine == NULL)
		give_up(&err);
	double took = run(engine, now);
	(void)printf("engine.%s %.0f a second, each one mail made, handed out and sent\n",
	             journaled ? "journaled" : "events", events / took);
	if (journaled)
		(void)printf("engine.journal %.0f bytes an event\n", (double)sealed.bytes / events);
	engine_close(engine);
	settings.spool.path = standby;
	settings.customers.path = its_customers;
	if (journaled)
		follow(&settings, &sealed);
	for (size_t i = 0; i < sealed.n; i++)
		free((void *)(uintptr_t)sealed.entries[i].body);
	free(sealed.entries);
	(void)snprintf(command, sizeof command, "rm -rf %s", directory);
	if (system(command) != 0)
		exit(1);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		events = atoi(argv[1]);
	measure(false);
	measure(true);
	return 0;
}
