/* SPDX-License-Identifier: MIT */
/*
 * A job's events may come in any order: the real engine leaves the same job state behind, and the
 * customer hears the same last. Each order of a set is a job of its own; one turn takes the next
 * event of all of them.
 */
#include "engine_world.h"

#include "spool/spool_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVENTS_MAX = 5, ORDERS_MAX = 120 };

/*
 * "STATE@MINUTE …", what the job is in the end, and what the customer hears last ("" where that
 * depends on the order: a job that had ended before it was dispatched again).
 */
static const struct set {
	const char *events[EVENTS_MAX];
	const char *state, *last;
} sets[] = {
        {{"dispatched@1", "started@2", "paused@3", "started@4", "completed@5"},
         "completed",
         "completed"},
        {{"dispatched@1", "started@2", "paused@3", "started@4"}, "started", "started"},
        {{"dispatched@1", "started@2", "failed@3", "completed@4"}, "completed", "completed"},
        {{"dispatched@1", "started@2", "completed@3", "failed@4"}, "failed", "failed"},
        {{"dispatched@1", "cancelled@2", "dispatched@3", "started@4", "completed@5"},
         "completed",
         "completed"},
        {{"dispatched@1", "started@2", "cancelled@3"}, "cancelled", "cancelled"},
        {{"dispatched@1", "dispatched@3", "started@2"}, "dispatched", "dispatched"},
        {{"dispatched@1", "completed@2", "completed@3", "started@4"}, "completed", "completed"},
        {{"dispatched@2", "started@2", "paused@2", "completed@2"}, "completed", "completed"},
        {{"dispatched@2", "started@2", "paused@2"}, "paused", "paused"},
        {{"started@5", "completed@3", "dispatched@1"},
         "completed",
         "completed"}, /* a phone ahead */
        {{"completed@1", "dispatched@2", "started@3"}, "started", ""},
        {{"dispatched@1", "completed@2", "dispatched@3"}, "dispatched", ""},
        {{"dispatched@1", "completed@2", "dispatched@3", "started@4", "paused@5"}, "paused", ""},
};

static struct world *w;
static int orders[ORDERS_MAX][EVENTS_MAX];
static char last[ORDERS_MAX][16];

static int setup(void **state)
{
	(void)state;
	w = world_new("2026-06-03T13:00:00Z");
	world_sql(w, "INSERT INTO customer (id, number, name) VALUES (1, '1001', 'Acme');"
	             "INSERT INTO contact (customer, email, notify) VALUES (1, 'ann@example.com', "
	             "'dispatched,started,completed,failed,paused,cancelled')");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_free(w);
	return 0;
}

/* All orders of 0 … n-1. Returns how many. */
static int permute(int *order, int n, int at, int found)
{
	if (at == n) {
		memcpy(orders[found], order, sizeof orders[found]);
		return found + 1;
	}
	for (int i = at; i < n; i++) {
		int other = order[i];
		order[i] = order[at], order[at] = other;
		found = permute(order, n, at + 1, found);
		order[at] = order[i], order[i] = other;
	}
	return found;
}

static struct entry_field field(struct arena *arena, const char *name, const char *value)
{
	const char *copy = arena_strdup(arena, value);
	return (struct entry_field){name, strlen(name), copy, strlen(copy)};
}

static const struct entry *entry_of(struct arena *arena, const char *event, int order, int which)
{
	struct entry *entry = arena_alloc(arena, sizeof *entry);
	struct entry_field *fields = arena_new_array(arena, 5, struct entry_field);
	int state_len = (int)strcspn(event, "@");
	fields[0] = field(arena, "id", arena_printf(arena, "o%d-%d", order, which));
	fields[1] = field(arena, "type", arena_printf(arena, "job.%.*s", state_len, event));
	fields[2] = field(arena, "job", arena_printf(arena, "%d", order));
	fields[3] = field(arena, "customer", "1001");
	fields[4] = field(arena, "time",
	                  arena_printf(arena, "2026-06-03T12:0%s:00Z", event + state_len + 1));
	*entry = (struct entry){.feed = FEED_EVENTS, .id = "", .fields = fields, .n_fields = 5};
	entry->received = w->now;
	return entry;
}

/* One turn; what it dispatches is noted by job and is sent in the next one. */
static void turn(const struct entry *const *entries, size_t n)
{
	static struct delivery_result results[ORDERS_MAX];
	static size_t n_results;
	struct turn_input in = {.now = w->now,
	                        .entries = entries,
	                        .n_entries = n,
	                        .results = results,
	                        .n_results = n_results,
	                        .room = ORDERS_MAX};
	struct turn_output out;
	struct error err;
	if (!engine_turn(w->engine, &in, &out, &err))
		fail_msg("%s", err.text);
	n_results = 0;
	for (size_t i = 0; i < out.n_outgoing; i++) {
		struct delivery_result *r = &results[n_results++];
		*r = (struct delivery_result){.mail = out.outgoing[i]->mail,
		                              .delivery = DELIVERY_SENT};
		(void)snprintf(last[atoi(out.outgoing[i]->jobs[0])], sizeof last[0], "%s",
		               out.outgoing[i]->template);
	}
	turn_output_clear(&out);
}

static void deliver_all(void)
{
	turn(NULL, 0);
	turn(NULL, 0);
}

/* As the spool has it, for those who ask. */
static void check_state(struct spool *spool, int order, const char *meant)
{
	char job[16];
	json_t *read;
	struct error err;
	(void)snprintf(job, sizeof job, "%d", order);
	if (!spool_read_job(spool, job, "1001", &read, &err))
		fail_msg("%s", err.text);
	assert_string_equal(json_string_value(json_object_get(read, "state")), meant);
	json_decref(read);
}

static void check(const struct set *set, int n_orders)
{
	struct error err;
	struct spool *spool = spool_open(w->settings.spool.path, DB_READ, &err);
	assert_non_null(spool);
	for (int i = 0; i < n_orders; i++) {
		check_state(spool, i, set->state);
		if (*set->last && strcmp(last[i], set->last) != 0)
			fail_msg("%s … first %s: the customer hears %s last, not %s",
			         set->events[0], set->events[orders[i][0]], last[i], set->last);
	}
	spool_close(spool);
}

static void run(const struct set *set)
{
	int order[EVENTS_MAX] = {0, 1, 2, 3, 4}, n = 0;
	const struct entry *entries[ORDERS_MAX];
	while (n < EVENTS_MAX && set->events[n] != NULL)
		n++;
	int n_orders = permute(order, n, 0, 0);
	struct arena *arena = arena_new();
	memset(last, 0, sizeof last);
	for (int k = 0; k < n; k++) {
		for (int i = 0; i < n_orders; i++)
			entries[i] = entry_of(arena, set->events[orders[i][k]], i, orders[i][k]);
		turn(entries, (size_t)n_orders);
		deliver_all();
	}
	arena_free(arena);
	check(set, n_orders);
}

static void any_order_ends_alike(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
		run(&sets[i]);
		teardown(NULL);
		setup(NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(any_order_ends_alike, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
