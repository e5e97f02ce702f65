/* SPDX-License-Identifier: MIT */
/* Outcomes that Redis may have lost are handed out once more: turn_input.again. */
#include "engine_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#define NOON "2026-06-03T12:00:00Z" /* a Wednesday */

static struct world *w;
static struct buf handed; /* "[again ]SEQ ID\n" for each row of the last turn */

/* Four outcomes: 1 and 2 of one mail, 3 and 4 of another, all of them in Redis. */
static int setup(void **state)
{
	(void)state;
	w = world_new(NOON);
	world_sql(w, "INSERT INTO customer (id, number, name, timezone) VALUES (1, '1001', 'Acme', "
	             "'UTC');"
	             "INSERT INTO contact (id, customer, name, email) VALUES (1, 1, 'Ann', "
	             "'ann@example.com')");
	for (int i = 0; i < 2; i++) {
		world_event(w, "job.completed", i == 0 ? "J1" : "J2", "1001", NULL, NULL);
		world_deliver(w, DELIVERY_SENT);
	}
	world_turn(w);
	assert_int_equal(w->published, 4);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_free(w);
	buf_free(&handed);
	return 0;
}

static void note_rows(const struct publications *publications)
{
	for (size_t i = 0; publications != NULL && i < publications->n; i++)
		buf_printf(&handed, "%s%lld %s\n", publications->again ? "again " : "",
		           (long long)publications->rows[i].seq,
		           strrchr(publications->rows[i].fields[0].value, '-') + 1);
}

static bool turn(struct turn_input in)
{
	struct turn_output out;
	struct error err;
	in.now = w->now;
	in.published = w->published;
	buf_reset(&handed);
	bool ok = engine_turn(w->engine, &in, &out, &err);
	if (ok)
		note_rows(out.publications);
	turn_output_clear(&out);
	return ok;
}

#define ALL             1000
#define handed_is(text) assert_string_equal(buf_text(&handed), text)

static void from_there_on_and_once(void **state)
{
	(void)state;
	assert_true(
	        turn((struct turn_input){.outcomes_max = ALL, .again = true, .again_after = 2}));
	handed_is("again 3 3\nagain 4 4\n");
	assert_true(turn((struct turn_input){.outcomes_max = ALL}));
	handed_is("");
	world_event(w, "job.completed", "J3", "1001", NULL, NULL);
	assert_int_equal(w->published, 5);
}

/* Of what comes in several turns, the first says so: what is behind it follows it. */
static void the_first_of_them_say_so(void **state)
{
	(void)state;
	assert_true(turn((struct turn_input){.outcomes_max = 1, .again = true}));
	handed_is("again 1 1\n");
	assert_true(turn((struct turn_input){.outcomes_max = 1}));
	handed_is("2 2\n");
	assert_true(turn((struct turn_input){.outcomes_max = ALL}));
	handed_is("3 3\n4 4\n");
}

static void it_waits_for_room(void **state)
{
	(void)state;
	assert_true(turn((struct turn_input){.again = true, .again_after = 3}));
	handed_is("");
	assert_true(turn((struct turn_input){.outcomes_max = ALL}));
	handed_is("again 4 4\n");
}

/* Though there is nothing to hand out: what is on its way is thrown away until then. */
static void the_next_one_says_so_where_there_is_none(void **state)
{
	(void)state;
	assert_true(
	        turn((struct turn_input){.outcomes_max = ALL, .again = true, .again_after = 4}));
	handed_is("");
	const char *fields[] = {"id",  "e9", "type",     "job.completed",
	                        "job", "J9", "customer", "1001"};
	struct entry_field packed[4];
	for (size_t i = 0; i < 4; i++)
		packed[i] = (struct entry_field){fields[2 * i], strlen(fields[2 * i]),
		                                 fields[2 * i + 1], strlen(fields[2 * i + 1])};
	const struct entry entry = {.feed = FEED_EVENTS, .id = "", .fields = packed, .n_fields = 4};
	const struct entry *entries[] = {&entry};
	assert_true(
	        turn((struct turn_input){.outcomes_max = ALL, .entries = entries, .n_entries = 1}));
	handed_is("again 5 5\n");
}

/* Nothing that was not handed out yet is passed over. */
static void a_later_place_leaves_none_out(void **state)
{
	(void)state;
	assert_true(turn((struct turn_input){.outcomes_max = 1, .again = true, .again_after = 1}));
	handed_is("again 2 2\n");
	assert_true(
	        turn((struct turn_input){.outcomes_max = ALL, .again = true, .again_after = 3}));
	handed_is("again 3 3\nagain 4 4\n");
}

static void a_failed_turn_forgets_nothing(void **state)
{
	(void)state;
	struct turn_input in = {
	        .outcomes_max = ALL, .again = true, .again_after = 2, .prove = true};
	struct rlimit old, none = {0};
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	none.rlim_max = old.rlim_max;
	(void)signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &none);
	bool ok = turn(in);
	setrlimit(RLIMIT_FSIZE, &old);
	assert_false(ok);
	assert_true(turn(in));
	handed_is("again 3 3\nagain 4 4\n");
	assert_true(turn((struct turn_input){.outcomes_max = ALL}));
	handed_is("");
}

/* ---- What an engine finds at its start ---- */

static void at_start_is(int64_t last, int64_t a_minute_ago)
{
	world_crash(w);
	struct published_at_start at_start = engine_published_at_start(w->engine);
	assert_int_equal(at_start.last, last);
	assert_int_equal(at_start.a_minute_ago, a_minute_ago);
}

static void a_minute_before_the_start(void **state)
{
	(void)state;
	at_start_is(4, 0);
	world_at(w, "2026-06-03T12:00:30Z");
	world_event(w, "job.completed", "J3", "1001", NULL, NULL);
	world_turn(w);
	world_at(w, "2026-06-03T12:01:01Z");
	at_start_is(5, 4);
	world_at(w, "2026-06-03T12:02:00Z");
	at_start_is(5, 5);
}

/* What Redis hasn't got isn't lost with it. */
static void what_was_not_published_does_not_count(void **state)
{
	(void)state;
	w->published = 2;
	world_event(w, "job.completed", "J3", "1001", NULL, NULL);
	world_at(w, "2026-06-03T12:02:00Z");
	at_start_is(4, 4);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        test(from_there_on_and_once),
	        test(the_first_of_them_say_so),
	        test(it_waits_for_room),
	        test(the_next_one_says_so_where_there_is_none),
	        test(a_later_place_leaves_none_out),
	        test(a_failed_turn_forgets_nothing),
	        test(a_minute_before_the_start),
	        test(what_was_not_published_does_not_count),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
