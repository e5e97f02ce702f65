/* SPDX-License-Identifier: MIT */
/*
 * What an engine costs that has much: a small case and a big one by turns, in one run.
 *
 *	bench_growth DIRECTORY [CUSTOMERS [WAITING [ENDED]]]
 *
 * Fills DIRECTORY/big unless it is there (some minutes and 3 GB for a million, a million and half a
 * million), and DIRECTORY/small and DIRECTORY/away each time, then prints one answer a line: "NAME
 * NUMBER UNIT". Times are those of this thread on a processor unless they say "wall".
 * tests/bench/growth.py runs it.
 */
#include "engine/engine.h"
#include "records/customers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	BATCH = 256,
	FILL_BATCH = 2000,
	ROUND = 10000, /* events of one measurement */
	ROUNDS = 3,
	BACKLOG = 300000,
	SMALL = 1000,
};

/* Half of the customers are open round the clock, half for an hour in three days: the directory is
 * good until then. */
static struct instant now;
static const char *const no_relays[] = {NULL};
static long next_event;

struct bench {
	struct settings settings;
	char customers_path[300], spool_path[300];
	struct engine *engine;
	long customers;
	long among; /* events are of the first so many */
	int64_t published;
};

static double clock_s(clockid_t which)
{
	struct timespec t;
	(void)clock_gettime(which, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu_s(void)
{
	return clock_s(CLOCK_THREAD_CPUTIME_ID);
}

static void give_up(const struct error *err)
{
	(void)fprintf(stderr, "%s\n", err->text);
	exit(1);
}

/* Others in each run, since a directory serves several. */
static long below(long n)
{
	static uint64_t state;
	if (state == 0)
		state = (uint64_t)now.ms;
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (long)((state >> 33) % (uint64_t)n);
}

/* ---- What is there ---- */

static void sql(struct bench *b, const char *text)
{
	struct error err;
	struct customers *customers = customers_open(b->customers_path, DB_WRITE, &err);
	if (customers == NULL || !db_exec(customers_db(customers), text, &err))
		give_up(&err);
	customers_close(customers);
}

static void fill_customers(struct bench *b)
{
	struct buf text = {0};
	buf_printf(&text,
	           "BEGIN; CREATE TEMP TABLE n (i INTEGER PRIMARY KEY);"
	           "WITH RECURSIVE r (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM r WHERE i < "
	           "%ld) INSERT INTO n SELECT i FROM r;"
	           "INSERT INTO customer (id, number, name, timezone, address, city) SELECT i, 'C' "
	           "|| i, 'Customer ' || i, 'America/Denver', i || ' Main Street', 'Denver' FROM n;"
	           "INSERT INTO contact (customer, name, email) SELECT i, 'Ann', 'c' || i || "
	           "'@example.com' FROM n;"
	           "INSERT INTO hours_week SELECT i, %d, '02:00-03:00' FROM n WHERE i %% 2 = 1; "
	           "COMMIT",
	           b->customers, (int)((now.ms / 86400000 + 3 + 3) % 7)); /* 1970 began on day 3 */
	sql(b, buf_text(&text));
	buf_free(&text);
}

/* Of an open customer or of a closed one. */
static struct entry *entry_new(struct bench *b, struct arena *arena, bool open)
{
	static const char *const names[] = {"id",     "type",      "job",     "customer",
	                                    "driver", "reference", "address", "scheduled"};
	struct entry *entry = arena_alloc(arena, sizeof *entry);
	struct entry_field *f = arena_new_array(arena, 8, struct entry_field);
	long i = ++next_event, customer = below(b->among / 2) * 2 + (open ? 2 : 1);
	const char *values[] = {arena_printf(arena, "%08lx-%ld", below(1 << 30), i),
	                        "job.completed",
	                        arena_printf(arena, "J%ld", i),
	                        arena_printf(arena, "C%ld", customer),
	                        "Sam",
	                        "PO 12345",
	                        "1 Main Street, Denver",
	                        "2026-06-01T15:00:00Z"};
	for (int k = 0; k < 8; k++)
		f[k] = (struct entry_field){names[k], strlen(names[k]), values[k],
		                            strlen(values[k])};
	*entry = (struct entry){
	        FEED_EVENTS, arena_printf(arena, "%lld-0", (long long)now.ms), f, 8, now, false,
	        false};
	return entry;
}

/* ---- Turns ---- */

struct in_flight {
	struct delivery_result *results;
	size_t n;
};

static bool turn(struct bench *b, struct turn_input *in, struct in_flight *in_flight)
{
	struct turn_output out;
	struct error err;
	in->now = now;
	in->outcomes_max = 1 << 20;
	in->published = b->published;
	if (!engine_turn(b->engine, in, &out, &err))
		give_up(&err);
	in_flight->n = 0;
	for (size_t i = 0; i < out.n_outgoing; i++)
		in_flight->results[in_flight->n++] =
		        (struct delivery_result){.mail = out.outgoing[i]->mail,
		                                 .delivery = DELIVERY_SENT,
		                                 .at = now,
		                                 .reply = "250 2.0.0 Ok"};
	if (out.publications != NULL)
		b->published = out.publications->rows[out.publications->n - 1].seq;
	bool more = out.more;
	turn_output_clear(&out);
	return more;
}

/* `n` events and all that comes of them; `room` for mails. */
static void run(struct bench *b, long n, size_t batch, bool open, size_t room)
{
	struct arena *arena = arena_new();
	const struct entry **entries = calloc(batch, sizeof *entries);
	struct in_flight in_flight = {calloc(room + 1, sizeof *in_flight.results), 0};
	bool more = true;
	for (long i = 0; i < n || in_flight.n > 0 || more;) {
		struct turn_input in = {.entries = entries, .results = in_flight.results};
		in.n_results = in_flight.n;
		in.room = room;
		for (; in.n_entries < batch && i < n; i++)
			entries[in.n_entries++] = entry_new(b, arena, open);
		more = turn(b, &in, &in_flight);
		arena_reset(arena);
	}
	free(entries);
	free(in_flight.results);
	arena_free(arena);
}

/* Turns until nothing is left to do at once; how long the longest took. */
static int settle(struct bench *b, double *ret_longest_s)
{
	struct in_flight in_flight = {calloc(BATCH, sizeof *in_flight.results), 0};
	int turns = 0;
	bool more = true;
	*ret_longest_s = 0;
	for (; more || in_flight.n > 0; turns++) {
		struct turn_input in = {.results = in_flight.results, .n_results = in_flight.n};
		double began = cpu_s();
		in.room = BATCH;
		more = turn(b, &in, &in_flight);
		double took = cpu_s() - began;
		*ret_longest_s = took > *ret_longest_s ? took : *ret_longest_s;
	}
	free(in_flight.results);
	return turns;
}

/* ---- A case ---- */

static void open_engine(struct bench *b)
{
	struct error err;
	b->engine = engine_open(&b->settings, now, &err);
	if (b->engine == NULL)
		give_up(&err);
}

static void set_up(struct bench *b, const char *directory, const char *name, long customers)
{
	(void)snprintf(b->customers_path, sizeof b->customers_path, "%s/%s/customers.db", directory,
	               name);
	(void)snprintf(b->spool_path, sizeof b->spool_path, "%s/%s/spool.db", directory, name);
	b->customers = b->among = customers;
	b->settings = (struct settings){
	        .redis = {.outcomes = "o", .dead = "d", .dispatch = "j", .max_event_size = 262144},
	        .customers = {.path = b->customers_path, .grace_ms = 60000},
	        .spool = {.path = b->spool_path, .keep_ms = 90LL * 86400000},
	        .mail = {.from = "dispatch@example.com", .max_age_ms = 14LL * 86400000},
	        .smtp = {.relay = no_relays},
	        .rules = {.timezone = "UTC"},
	        .office = {.email = ""},
	        .bounce = {.address = ""},
	        .center = {.url = ""},
	        .company = {"", "", ""},
	        .gate = {.hold_max_ms = 7LL * 86400000},
	};
	for (int i = 0; i < JOB_STATE_COUNT; i++)
		b->settings.notify[i].shelf_life_ms = 14LL * 86400000;
}

static void fill(struct bench *b, const char *directory, const char *name, long waiting, long ended)
{
	char path[300];
	(void)snprintf(path, sizeof path, "%s/%s", directory, name);
	bool there = mkdir(path, 0700) != 0;
	if (!there)
		fill_customers(b);
	open_engine(b);
	if (there)
		return;
	double began = clock_s(CLOCK_MONOTONIC);
	run(b, waiting, FILL_BATCH, false, 0);
	run(b, ended, FILL_BATCH, true, FILL_BATCH);
	(void)printf("%s.filled %.0f s wall\n", name, clock_s(CLOCK_MONOTONIC) - began);
}

/* ---- What is measured ---- */

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double median(double *values, size_t n)
{
	qsort(values, n, sizeof *values, by_size);
	return values[n / 2];
}

/* With what they leave to turns without events: jobs are listed by their customers there. */
static double event_us(struct bench *b)
{
	struct in_flight none = {0};
	double began = cpu_s();
	run(b, ROUND, BATCH, true, (size_t)BATCH * 2);
	for (int i = 0; i < ROUND / 500; i++) {
		struct turn_input in = {0};
		(void)turn(b, &in, &none);
	}
	return (cpu_s() - began) / ROUND * 1e6;
}

/* Those of the big case, of so many customers. */
static double big_event_us(struct bench *big, long among)
{
	big->among = among;
	double us = event_us(big);
	big->among = big->customers;
	return us;
}

/* By turns: the small case, a big spool with as few customers, the big case. */
static void measure_events(struct bench *small, struct bench *big)
{
	double a[ROUNDS + 1], b[ROUNDS + 1], c[ROUNDS + 1];
	for (int i = 0; i <= ROUNDS; i++) {
		a[i] = event_us(small);
		b[i] = big_event_us(big, SMALL);
		c[i] = big_event_us(big, big->customers);
	}
	/* The first round was to have in memory what is there later. */
	double of_small = median(a + 1, ROUNDS), of_few = median(b + 1, ROUNDS),
	       of_big = median(c + 1, ROUNDS);
	(void)printf("small.event %.1f us\nfew.event %.1f us\nfew.ratio %.2f\nbig.event %.1f us\n"
	             "event.ratio %.2f\n",
	             of_small, of_few, of_few / of_small, of_big, of_big / of_small);
}

static void measure_change(struct bench *b, const char *name)
{
	char text[200];
	double took[ROUNDS], longest;
	int turns = 0;
	for (int i = 0; i < ROUNDS; i++) {
		(void)snprintf(text, sizeof text, "DELETE FROM hours_week WHERE customer = %ld",
		               below(b->customers / 2) * 2 + 1);
		sql(b, text);
		double began = cpu_s();
		turns = settle(b, &longest);
		took[i] = cpu_s() - began;
	}
	(void)printf("%s.change %.2f ms, %d turns\n", name, median(took, ROUNDS) * 1e3, turns);
}

/* Of many customers at once, as by an import; their hours stay what they are. */
static void measure_many(struct bench *b, const char *name, long customers)
{
	char text[200];
	double longest, began;
	(void)snprintf(text, sizeof text,
	               "UPDATE hours_week SET windows = windows WHERE customer <= %ld", customers);
	sql(b, text);
	began = cpu_s();
	int turns = settle(b, &longest);
	(void)printf("%s %.0f ms, %d turns, the longest %.1f ms\n", name, (cpu_s() - began) * 1e3,
	             turns, longest * 1e3);
}

static void measure_idle(struct bench *b, const char *name)
{
	enum { TURNS = 2000 };
	struct in_flight in_flight = {calloc(BATCH, sizeof *in_flight.results), 0};
	double began = cpu_s();
	for (int i = 0; i < TURNS; i++) {
		struct turn_input in = {.room = BATCH};
		(void)turn(b, &in, &in_flight);
	}
	(void)printf("%s.turn %.1f us\n", name, (cpu_s() - began) / TURNS * 1e6);
	free(in_flight.results);
}

static void measure_start(struct bench *b, const char *name)
{
	engine_close(b->engine);
	double began = clock_s(CLOCK_MONOTONIC), cpu = cpu_s();
	open_engine(b);
	double longest;
	int turns = settle(b, &longest);
	(void)printf("%s.start %.0f ms wall, %.0f ms, %d turns\n", name,
	             (clock_s(CLOCK_MONOTONIC) - began) * 1e3, (cpu_s() - cpu) * 1e3, turns);
}

/* A case that is new each time: what was measured would be in it. */
static void fill_anew(struct bench *b, const char *directory, const char *name)
{
	char command[400];
	(void)snprintf(command, sizeof command, "rm -rf %s/%s", directory, name);
	if (system(command) != 0)
		exit(1);
	fill(b, directory, name, 0, 0);
}

/* The relay is away: mails are made and stay. */
static void measure_backlog(struct bench *b, const char *directory, long events)
{
	double first = 0, last = 0;
	fill_anew(b, directory, "away");
	for (long i = 0; i < 10; i++) {
		double began = cpu_s();
		run(b, events / 10, BATCH, true, 0);
		last = (cpu_s() - began) / (double)(events / 10) * 1e6;
		first = i == 0 ? last : first;
	}
	engine_close(b->engine);
	(void)printf("backlog.first %.1f us\nbacklog.last %.1f us\nbacklog.ratio %.2f\n", first,
	             last, last / first);
}

static void measure_size(const struct bench *b, const char *name, long mails)
{
	struct stat st;
	if (stat(b->spool_path, &st) == 0 && mails > 0)
		(void)printf("%s.spool %.0f bytes a mail\n", name,
		             (double)st.st_size / (double)mails);
}

/* All but those that PARTS leaves out: "start change event backlog". */
static bool wanted(const char *part)
{
	const char *parts = getenv("PARTS");
	return parts == NULL || strstr(parts, part) != NULL;
}

static void measure_all_there(struct bench *small, struct bench *big, const char *directory,
                              long waiting, long ended)
{
	fill_anew(small, directory, "small");
	fill(big, directory, "big", waiting, ended);
	measure_size(big, "big", waiting + ended);
	if (wanted("start")) {
		measure_start(small, "small");
		measure_start(big, "big");
	}
	if (wanted("change")) {
		measure_idle(small, "small");
		measure_idle(big, "big");
		measure_change(small, "small");
		measure_change(big, "big");
		measure_many(big, "big.thousand", 2000);
		measure_many(big, "big.everybody", big->customers);
	}
	if (wanted("event"))
		measure_events(small, big);
	engine_close(small->engine);
	engine_close(big->engine);
}

static long number(int argc, char **argv, int i, long fallback)
{
	return argc > i ? atol(argv[i]) : fallback;
}

int main(int argc, char **argv)
{
	static struct bench small, big, away;
	long customers = number(argc, argv, 2, 1000000), waiting = number(argc, argv, 3, 1000000);
	long ended = number(argc, argv, 4, 500000);
	if (argc < 2)
		return 64;
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	now.ms = (int64_t)time(NULL) * 1000;
	next_event = (long)now.ms; /* ids of an earlier run don't come again */
	set_up(&small, argv[1], "small", SMALL);
	set_up(&big, argv[1], "big", customers);
	set_up(&away, argv[1], "away", SMALL);
	if (wanted("start") || wanted("change") || wanted("event"))
		measure_all_there(&small, &big, argv[1], waiting, ended);
	if (wanted("backlog"))
		measure_backlog(&away, argv[1], waiting < BACKLOG ? waiting : BACKLOG);
	return 0;
}
