/* SPDX-License-Identifier: MIT */
/* What the engine has to say for the log, and how much of it. */
#include "engine_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct world *w;

static int setup(void **state)
{
	(void)state;
	w = world_new("2026-06-03T12:00:00Z");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_free(w);
	return 0;
}

/* One turn with so many entries that are not events. Returns how many lines the log gets. */
static size_t broken_entries(size_t n, const char **ret_last)
{
	struct entry_field field = {"id", 2, "x", 1};
	struct entry *entries = mem_alloc((n + 1) * sizeof *entries);
	const struct entry **list = mem_alloc((n + 1) * sizeof *list);
	struct error err;
	static char last[1200];
	static int entry;
	struct arena *ids = arena_new();
	for (size_t i = 0; i < n; i++) {
		entries[i] = (struct entry){.feed = FEED_EVENTS,
		                            .id = arena_printf(ids, "1-%d", ++entry),
		                            .fields = &field,
		                            .n_fields = 1,
		                            .received = w->now};
		list[i] = &entries[i];
	}
	struct turn_output out;
	struct turn_input in = {.now = w->now, .entries = list, .n_entries = n};
	assert_true(engine_turn(w->engine, &in, &out, &err));
	size_t lines = out.n_reports;
	(void)snprintf(last, sizeof last, "%s", lines > 0 ? out.reports[lines - 1].text : "");
	*ret_last = last;
	turn_output_clear(&out);
	free(entries);
	free(list);
	arena_free(ids);
	return lines;
}

static void a_broken_publisher_does_not_flood_the_log(void **state)
{
	(void)state;
	const char *last;
	assert_int_equal(broken_entries(100, &last), 100);
	assert_non_null(strstr(last, "dead letter entry=1-100 reason=malformed"));
	assert_int_equal(broken_entries(2000, &last), 100);
	assert_int_equal(broken_entries(2000, &last), 0);
	world_at(w, "2026-06-03T12:01:00Z");
	assert_int_equal(broken_entries(0, &last), 1);
	assert_string_equal(
	        last,
	        "not logged one by one in the last minute n=3900: dead letters; all of them are in "
	        "the dead-letter stream");
	assert_int_equal(broken_entries(3, &last), 3);
	world_at(w, "2026-06-03T12:02:00Z");
	assert_int_equal(broken_entries(0, &last), 0);
}

/* The clock jumps back: the minute is over all the same. */
static void a_clock_set_back_does_not_silence_it(void **state)
{
	(void)state;
	const char *last;
	assert_int_equal(broken_entries(201, &last), 200);
	world_at(w, "2026-06-03T10:00:00Z");
	assert_int_equal(broken_entries(0, &last), 1);
	assert_int_equal(broken_entries(1, &last), 1);
}

/* A mail that is due goes to a mailer in a turn that reports what moves, or doesn't. */
static void dispatch_one(bool debug, const char *expected)
{
	struct error err;
	w->room = 0;
	world_event(w, "job.started", debug ? "J1" : "J2", "1001", NULL, NULL);
	struct turn_output out;
	struct turn_input in = {.now = w->now, .room = 1, .debug = debug};
	assert_true(engine_turn(w->engine, &in, &out, &err));
	assert_int_equal(out.n_outgoing, 1);
	assert_int_equal(out.n_reports, expected != NULL);
	if (expected != NULL)
		assert_string_equal(out.reports[0].text, expected);
	turn_output_clear(&out);
}

static void a_mails_moves_are_reported_at_debug(void **state)
{
	(void)state;
	world_sql(w, "INSERT INTO customer (id, number, name, timezone) VALUES (1, '1001', 'Acme', "
	             "'UTC');"
	             "INSERT INTO contact (id, customer, name, email) VALUES (1, 1, 'Ann', "
	             "'ann@example.com')");
	dispatch_one(true, "mail=1 was=queued now=sending reason=ok");
	dispatch_one(false, NULL);
}

/* What became of it is reported where anybody reads that. */
static void deliver(int64_t mail, bool terse, const char *expected)
{
	struct error err;
	struct turn_output out;
	const struct delivery_result result = {.mail = mail, .delivery = DELIVERY_SENT};
	const struct turn_input in = {
	        .now = w->now, .results = &result, .n_results = 1, .terse = terse};
	assert_true(engine_turn(w->engine, &in, &out, &err));
	assert_int_equal(out.n_reports, expected != NULL);
	if (expected != NULL)
		assert_memory_equal(out.reports[0].text, expected, strlen(expected));
	turn_output_clear(&out);
}

static void a_mails_end_is_reported_at_info(void **state)
{
	(void)state;
	world_sql(w, "INSERT INTO customer (id, number, name, timezone) VALUES (1, '1001', 'Acme', "
	             "'UTC');"
	             "INSERT INTO contact (id, customer, name, email) VALUES (1, 1, 'Ann', "
	             "'ann@example.com')");
	dispatch_one(true, "mail=1 was=queued now=sending reason=ok");
	deliver(1, false, "mail=1 status=sent reason=ok");
	dispatch_one(false, NULL);
	deliver(2, true, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(a_broken_publisher_does_not_flood_the_log, setup,
	                                        teardown),
	        cmocka_unit_test_setup_teardown(a_clock_set_back_does_not_silence_it, setup,
	                                        teardown),
	        cmocka_unit_test_setup_teardown(a_mails_moves_are_reported_at_debug, setup,
	                                        teardown),
	        cmocka_unit_test_setup_teardown(a_mails_end_is_reported_at_info, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
