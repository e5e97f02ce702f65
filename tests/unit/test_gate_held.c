/* SPDX-License-Identifier: MIT */
/* The dispatch gate's harder days: many held jobs, crashes, hostile data, trucks recalled. */
#include "engine_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static struct world *w;

static int setup(void **state)
{
	(void)state;
	w = world_new("2026-06-03T12:00:00Z"); /* a Wednesday */
	world_sql(w, "INSERT INTO customer (id, number, name, timezone, phone) VALUES "
	             "(1, '1001', 'Acme', 'UTC', '555-1'), (2, '1002', 'Bell', 'UTC', '');"
	             "INSERT INTO hours_week VALUES (1, 3, '07:00-17:00')");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_free(w);
	return 0;
}

#define outcomes_are(text) assert_string_equal(buf_text(&w->outcomes), text)
#define has_job(text)      assert_non_null(strstr(buf_text(&w->jobs), text))
#define no_job(text)       assert_null(strstr(buf_text(&w->jobs), text))

static void suspend(int customer, const char *scopes, const char *from)
{
	char sql[300];
	(void)snprintf(sql, sizeof sql,
	               "INSERT INTO suspension (customer, scopes, \"from\", note) VALUES (%d, "
	               "'%s', '%s', 'x')",
	               customer, scopes, from);
	world_sql(w, sql);
}

static void resume(void)
{
	world_sql(w, "UPDATE suspension SET removed = 1");
}

static void ask(const char *type, const char *customer, int n, const char *const *more)
{
	char job[16], id[16];
	(void)snprintf(job, sizeof job, "J%d", n);
	(void)snprintf(id, sizeof id, "r%d", n);
	world_request(w, type, job, customer, id, more);
}

/* ---- Released jobs ---- */

static void data_never_overrules_the_record(void **state)
{
	(void)state;
	const char *event[] = {
	        "event",
	        "{\"id\":\"r1\",\"type\":\"job.dispatch\",\"job\":\"J1\",\"customer\":\"1001\","
	        "\"data\":{\"id\":\"evil\",\"job\":\"J9\",\"customer\":\"9\",\"outside_hours\":"
	        "\"no\","
	        "\"arrive_by\":\"1\",\"leave_by\":\"2\",\"assets\":\"none\",\"empty\":\"\","
	        "\"scheduled\":\"2026-06-05T09:00:00Z\",\"contact_phone\":\"0\",\"photos\":[\"a\"]}"
	        "}",
	        NULL};
	world_entry(w, FEED_REQUESTS, event);
	outcomes_are("released ok J1\n");
	has_job("job=J1 customer=1001 ");
	has_job("outside_hours=true "); /* closed on Fridays */
	has_job("route=none ");
	has_job("contact_phone=555-1 ");
	has_job("photos=[\"a\"] ");
	has_job("empty= ");
	no_job("evil");
	no_job("arrive_by");
	no_job("leave_by");
	no_job("assets");
}

static void assets_notes_and_documents_go_along(void **state)
{
	(void)state;
	world_sql(w, "INSERT INTO asset (customer, kind, serial, position, plan_x, plan_y) VALUES "
	             "(1, 'bin', 'S1', 'behind', '0.25', '0.5');"
	             "INSERT INTO picture (customer, description, name, type, plan) VALUES (1, "
	             "'The yard', 'yard.png', 'image/png', 1);"
	             "INSERT INTO asset (customer, kind, latitude, longitude) VALUES (1, 'cart', "
	             "'39.5', "
	             "'-119.8');"
	             "INSERT INTO note (customer, text, urgent) VALUES (1, 'Beware of the dog', 1);"
	             "INSERT INTO document (customer, description, name) VALUES (1, 'The permit', "
	             "'permit.pdf');"
	             "UPDATE customer SET disclaimer = '2026-01-02' WHERE id = 1");
	ask("job.dispatch", "1001", 1, NULL);
	has_job("assets=[{\"kind\":\"bin\",\"serial\":\"S1\",\"position\":\"behind\",\"plan_x\":"
	        "\"0.25\","
	        "\"plan_y\":\"0.5\"},"
	        "{\"kind\":\"cart\",\"serial\":\"\",\"position\":\"39.5,-119.8\",\"latitude\":\"39."
	        "5\","
	        "\"longitude\":\"-119.8\"}] ");
	has_job("urgent_notes=[\"Beware of the dog\"] documents=[\"permit.pdf\"] "
	        "pictures=[{\"id\":1,\"name\":\"yard.png\",\"description\":\"The yard\","
	        "\"type\":\"image/png\",\"plan\":true}] disclaimer=2026-01-02 ");
}

static void a_site_takes_from_its_parent(void **state)
{
	(void)state;
	world_sql(w, "UPDATE customer SET parent = 1, timezone = NULL WHERE id = 2;"
	             "UPDATE customer SET timezone = 'America/Denver', reference = 'PO 7', "
	             "location_notes = "
	             "'Gate B';"
	             "UPDATE customer SET timezone = NULL, reference = NULL, location_notes = NULL "
	             "WHERE id = 2;"
	             "INSERT INTO contact (customer, first_name, last_name, home_phone, all_sites) "
	             "VALUES "
	             "(1, 'Ann', 'Lee', '555-3', 1)");
	const char *more[] = {"scheduled", "2026-06-04T15:00:00Z", "reference", "", NULL};
	ask("job.dispatch", "1002", 1, more);
	has_job("reference=PO 7 ");
	has_job("location_notes=Gate B ");
	has_job("contact_name=Ann Lee contact_phone=555-3 ");
	has_job("arrive_by=2026-06-04T07:00:00-06:00 leave_by=2026-06-04T17:00:00-06:00 ");
	suspend(1, "routes", "2026-06-01"); /* the parent's covers the site */
	ask("job.dispatch", "1002", 2, NULL);
	outcomes_are("held suspended J2\ncollision suspended J1\n");
}

/* The suspension was entered days before: nothing changes at the moment when it takes effect. */
static void called_back_when_its_day_comes(void **state)
{
	(void)state;
	suspend(1, "routes", "2026-06-05");
	ask("job.dispatch", "1001", 1, NULL);
	outcomes_are("released ok J1\n");
	world_at(w, "2026-06-04T23:59:59.999Z");
	world_turn(w);
	outcomes_are("");
	world_at(w, "2026-06-05T00:00:00Z");
	world_turn(w);
	outcomes_are("collision suspended J1\n");
}

/* By hand against no suspension: one that begins later recalls it as any other. */
static void released_by_hand_into_the_night(void **state)
{
	(void)state;
	const char *early[] = {"scheduled", "2026-06-04T05:00:00Z", NULL};
	w->settings.gate.outside_hours = GATE_HOLD;
	ask("job.dispatch", "1001", 1, early);
	outcomes_are("held outside_hours J1\n");
	free(world_command(w, "{\"do\":\"hold.release\",\"id\":1,\"by\":\"sam\"}"));
	world_turn(w);
	outcomes_are("released ok J1\n");
	suspend(1, "routes", "2026-06-01");
	world_turn(w);
	outcomes_are("collision suspended J1\n");
}

/* ---- Held jobs ---- */

enum { MANY = 10000, A_TURN = 2500 };

/* In large turns: each costs a commit. */
static void ask_many(int from, int n)
{
	struct arena *arena = arena_new();
	struct entry *entries = arena_new_array(arena, (size_t)n, struct entry);
	const struct entry **all = arena_new_array(arena, (size_t)n, const struct entry *);
	struct error err;
	for (int i = 0; i < n; i++) {
		const char *texts[] = {
		        "id",  arena_printf(arena, "r%d", from + i), "type",     "job.dispatch",
		        "job", arena_printf(arena, "J%d", from + i), "customer", "1001"};
		struct entry_field *fields = arena_new_array(arena, 4, struct entry_field);
		for (size_t k = 0; k < 4; k++)
			fields[k] =
			        (struct entry_field){texts[2 * k], strlen(texts[2 * k]),
			                             texts[2 * k + 1], strlen(texts[2 * k + 1])};
		entries[i] = (struct entry){FEED_REQUESTS, "1-0", fields, 4, w->now, false, false};
		all[i] = &entries[i];
	}
	struct turn_output out;
	struct turn_input in = {
	        .now = w->now, .entries = all, .n_entries = (size_t)n, .outcomes_max = (size_t)n};
	assert_true(engine_turn(w->engine, &in, &out, &err));
	assert_int_equal(out.publications->n, n);
	turn_output_clear(&out);
	arena_free(arena);
}

static void hold_many(void)
{
	suspend(1, "routes", "2026-06-01");
	for (int i = 1; i <= MANY; i += A_TURN)
		ask_many(i, A_TURN);
}

/* Up to `last`; how many turns it took. */
static int all_go_in_order(int last)
{
	int next = 1, turns = 0;
	for (; next <= last && turns < 100; turns++) {
		world_turn(w);
		char *text = mem_strdup(buf_text(&w->outcomes)), *at = text;
		for (char *line; (line = strsep(&at, "\n")) != NULL && *line != '\0'; next++) {
			char expected[40];
			(void)snprintf(expected, sizeof expected, "released ok J%d", next);
			assert_string_equal(line, expected);
		}
		free(text);
	}
	assert_int_equal(next, last + 1);
	return turns;
}

static void ten_thousand_go_in_order_over_bounded_turns(void **state)
{
	(void)state;
	hold_many();
	resume();
	assert_true(all_go_in_order(MANY) >= 5); /* none takes all of them */
}

static size_t place_of(const struct buf *outcomes, const char *line)
{
	const char *at = strstr(buf_text(outcomes), line);
	assert_non_null(at);
	assert_null(strstr(at + 1, line));
	return (size_t)(at - buf_text(outcomes));
}

static void those_who_come_under_way_go_last(void **state)
{
	(void)state;
	struct buf all = {0};
	hold_many();
	resume();
	for (int i = 1; i < 40; i++) {
		if (i == 1)
			ask("job.create", "1001", MANY + i, NULL);
		else if (i == 2 || i == 3) /* asked again while it waits */
			ask("job.dispatch", "1001", MANY + 2, NULL);
		else if (i == 4)
			ask("job.dispatch", "1002", MANY + i, NULL);
		else
			world_turn(w);
		buf_adds(&all, buf_text(&w->outcomes));
	}
	size_t last = place_of(&all, "released ok J10000\n");
	assert_true(place_of(&all, "allowed ok J10001\n") < last);
	assert_true(place_of(&all, "released ok J10002\n") > last);
	assert_true(place_of(&all, "released ok J10004\n") < last); /* another customer's */
	buf_free(&all);
}

/* Something of the customer changes, a round begins; in its midst the suspension is lifted. */
static void a_change_under_way_keeps_the_order(void **state)
{
	(void)state;
	hold_many();
	world_sql(w, "UPDATE suspension SET note = 'y'");
	world_turn(w);
	outcomes_are("");
	resume();
	(void)all_go_in_order(MANY);
}

static void changes_without_end_keep_nobody_waiting(void **state)
{
	(void)state;
	hold_many();
	resume();
	for (int i = 0; i < 20; i++) {
		world_sql(w, "UPDATE suspension SET note = note || '1'");
		world_turn(w);
	}
	char *reply = world_command(w, "{\"do\":\"hold.cancel\",\"id\":10000}");
	assert_non_null(strstr(reply, "is released"));
	free(reply);
}

/* Its answer is repeated for as long as it is held, and a while after its last one: never is it
 * asked again.
 */
static void held_for_longer_than_records_are_kept(void **state)
{
	(void)state;
	const char *later[] = {"scheduled", "2026-12-24T08:00:00Z", NULL};
	char id[64];
	suspend(1, "routes", "2026-06-01");
	ask("job.dispatch", "1001", 1, later);
	outcomes_are("held suspended J1\n");
	(void)snprintf(id, sizeof id, "%s", w->last_id);
	world_at(w, "2026-10-01T12:00:00Z"); /* more than 90 days later */
	world_turn(w);
	world_turn(w);
	ask("job.dispatch", "1001", 1, later);
	outcomes_are("held suspended J1\n");
	assert_string_equal(w->last_id, id);
	resume();
	world_turn(w);
	outcomes_are("released ok J1\n");
	(void)snprintf(id, sizeof id, "%s", w->last_id);
	world_at(w, "2026-10-02T12:00:00Z");
	world_turn(w);
	ask("job.dispatch", "1001", 1, later);
	outcomes_are("released ok J1\n");
	assert_string_equal(w->last_id, id);
	world_at(w, "2027-02-01T12:00:00Z");
	world_turn(w);
	world_turn(w);
	char *reply = world_command(w, "{\"do\":\"hold.cancel\",\"id\":1}");
	assert_non_null(strstr(reply, "there is no"));
	free(reply);
}

/* The suspension is lifted, and put back while the jobs are on their way out: those not yet
 * rechecked stay.
 */
static void a_change_under_way_counts_for_all_the_rest(void **state)
{
	(void)state;
	hold_many();
	world_sql(w, "UPDATE customer SET fax = '1' WHERE id = 1"); /* a round begins in which
	                                                               nothing may go */
	world_turn(w);
	resume(); /* in its midst */
	for (int i = 0; i < 20; i++)
		world_turn(w);
	char *reply = world_command(w, "{\"do\":\"hold.cancel\",\"id\":1}");
	assert_non_null(strstr(reply, "is released"));
	free(reply);
}

static void a_turn_that_fails_leaves_none_behind(void **state)
{
	(void)state;
	hold_many();
	resume();
	struct rlimit old, none;
	getrlimit(RLIMIT_FSIZE, &old);
	none = (struct rlimit){.rlim_cur = 0, .rlim_max = old.rlim_max};
	(void)signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &none);
	struct turn_input in = {.now = w->now, .outcomes_max = 1};
	struct turn_output out;
	struct error err;
	bool ok = engine_turn(w->engine, &in, &out, &err);
	setrlimit(RLIMIT_FSIZE, &old);
	assert_false(ok);
	world_turn(w);
	assert_non_null(strstr(buf_text(&w->outcomes), "released ok J1\n"));
}

static void those_who_waited_go_before_those_who_come(void **state)
{
	(void)state;
	suspend(1, "routes", "2026-06-01");
	ask("job.dispatch", "1001", 1, NULL);
	ask("job.dispatch", "1001", 2, NULL);
	resume();
	ask("job.dispatch", "1001", 3, NULL);
	outcomes_are("released ok J1\nreleased ok J2\nreleased ok J3\n");
}

static void a_held_job_is_denied_when_its_customer_is_removed(void **state)
{
	(void)state;
	suspend(1, "routes", "2026-06-01");
	ask("job.dispatch", "1001", 1, NULL);
	world_sql(w, "DELETE FROM customer WHERE id = 1");
	world_turn(w);
	outcomes_are("denied unknown_customer J1\n");
}

static void from_a_suspension_into_the_night(void **state)
{
	(void)state;
	const char *early[] = {"scheduled", "2026-06-04T05:00:00Z", NULL};
	w->settings.gate.outside_hours = GATE_HOLD;
	suspend(1, "routes", "2026-06-01");
	ask("job.dispatch", "1001", 1, early);
	outcomes_are("held suspended J1\n");
	resume();
	world_turn(w);
	outcomes_are("held outside_hours J1\n");
	world_at(w, "2026-06-04T07:00:00Z");
	world_turn(w);
	outcomes_are("released ok J1\n");
	world_turn(w);
	outcomes_are("");
}

static void a_new_setting_counts_for_held_jobs(void **state)
{
	(void)state;
	const char *early[] = {"scheduled", "2026-06-04T05:00:00Z", NULL};
	w->settings.gate.outside_hours = GATE_HOLD;
	ask("job.dispatch", "1001", 1, early);
	outcomes_are("held outside_hours J1\n");
	w->settings.gate.outside_hours = GATE_DENY;
	engine_reload(w->engine, &w->settings);
	world_turn(w);
	outcomes_are("denied outside_hours J1\n");
}

static void a_release_by_hand_tells_of_the_hours(void **state)
{
	(void)state;
	const char *early[] = {"scheduled", "2026-06-04T05:00:00Z", NULL};
	suspend(1, "routes", "2026-06-01");
	ask("job.dispatch", "1001", 1, early);
	buf_reset(&w->jobs);
	free(world_command(w, "{\"do\":\"hold.release\",\"id\":1,\"by\":\"sam\"}"));
	world_turn(w);
	outcomes_are("released ok J1\n");
	has_job("outside_hours=true ");
}

static void what_is_due_is_when_it_may_go(void **state)
{
	(void)state;
	static const char ask_gate[] =
	        "{\"do\":\"gate\",\"type\":\"job.dispatch\",\"customer\":\"1002\"%s}";
	char text[200];
	(void)snprintf(text, sizeof text, ask_gate, "");
	suspend(2, "routes", "2026-06-01");
	char *reply = world_command(w, text);
	assert_non_null(strstr(reply, "\"status\":\"held\""));
	assert_null(strstr(reply, "\"due\"")); /* it would expire */
	free(reply);
	world_sql(w, "UPDATE suspension SET until = '2026-06-05'");
	(void)snprintf(text, sizeof text, ask_gate, ",\"scheduled\":\"2026-06-05T10:00:00Z\"");
	reply = world_command(w, text);
	assert_non_null(strstr(reply, "\"due\":\"2026-06-05T00:00:00Z\""));
	free(reply);
	(void)snprintf(text, sizeof text, ask_gate, ",\"scheduled\":\"2026-06-04T10:00:00Z\"");
	reply = world_command(w, text);
	assert_null(strstr(reply, "\"due\""));
	free(reply);
}

/* ---- Requests ---- */

static void two_requests_with_one_id(void **state)
{
	(void)state;
	world_request(w, "job.create", "J1", "1001", "r1", NULL);
	outcomes_are("allowed ok J1\n");
	char first[64];
	(void)strcpy(first, w->last_id);
	world_request(w, "job.dispatch", "J2", "1002", "r1",
	              NULL); /* another question: the first counts */
	outcomes_are("allowed ok J1\n");
	assert_string_equal(w->last_id, first);
	assert_string_equal(buf_text(&w->jobs), "");
	suspend(1, "routes", "2026-06-01");
	ask("job.dispatch", "1001", 2, NULL);
	resume();
	world_turn(w);
	outcomes_are("released ok J2\n");
	(void)strcpy(first, w->last_id);
	ask("job.dispatch", "1001", 2, NULL); /* the answer of now, not the `held` of then */
	outcomes_are("released ok J2\n");
	assert_string_equal(w->last_id, first);
	assert_string_equal(buf_text(&w->jobs), "");
}

static void those_who_wait_for_their_customer_are_answered_once(void **state)
{
	(void)state;
	ask("job.create", "2002", 1, NULL);
	ask("job.create", "2002", 1, NULL);
	ask("job.dispatch", "2002", 2, NULL);
	outcomes_are("");
	world_sql(w, "INSERT INTO customer (number, name) VALUES ('2002', 'Late')");
	world_turn(w);
	outcomes_are("allowed ok J1\nreleased ok J2\n");
	world_at(w, "2026-06-03T12:05:00Z");
	world_turn(w);
	outcomes_are("");
}

/* ---- Recalled ---- */

static void the_office_gets_a_mail_a_customer(void **state)
{
	(void)state;
	ask("job.dispatch", "1001", 1, NULL);
	ask("job.dispatch", "1002", 2, NULL);
	ask("job.dispatch", "1001", 3, NULL);
	suspend(1, "routes", "2026-06-04");
	suspend(2, "jobs", "2026-06-04");
	world_turn(w);
	outcomes_are("");
	world_at(w, "2026-06-04T00:00:00Z");
	world_turn(w);
	outcomes_are("collision suspended J1\ncollision suspended J2\ncollision suspended J3\n");
	assert_int_equal(w->n_in_flight, 2);
	assert_non_null(strstr(w->contexts[0], "\"Acme\""));
	assert_non_null(strstr(w->contexts[0], "\"J3\""));
	assert_null(strstr(w->contexts[0], "\"J2\""));
	assert_non_null(strstr(w->contexts[1], "\"Bell\""));
}

/* Who may dispatch what is there is not recalled at once for the suspension that allows it. */
static void a_suspension_known_at_the_release_calls_nobody_back(void **state)
{
	(void)state;
	suspend(1, "jobs", "2026-06-01");
	ask("job.dispatch", "1001", 1, NULL);
	outcomes_are("released ok J1\n");
	world_turn(w);
	outcomes_are("");
	suspend(1, "routes", "2026-06-03");
	world_turn(w);
	outcomes_are("collision suspended J1\n");
}

static void once_it_has_ended_the_next_one_does(void **state)
{
	(void)state;
	suspend(1, "jobs", "2026-06-01");
	ask("job.dispatch", "1001", 1, NULL);
	resume();
	world_turn(w);
	outcomes_are("");
	suspend(1, "jobs", "2026-06-02");
	world_turn(w);
	outcomes_are("collision suspended J1\n");
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        test(data_never_overrules_the_record),
	        test(assets_notes_and_documents_go_along),
	        test(a_site_takes_from_its_parent),
	        test(called_back_when_its_day_comes),
	        test(released_by_hand_into_the_night),
	        test(ten_thousand_go_in_order_over_bounded_turns),
	        test(those_who_come_under_way_go_last),
	        test(a_change_under_way_keeps_the_order),
	        test(changes_without_end_keep_nobody_waiting),
	        test(held_for_longer_than_records_are_kept),
	        test(a_change_under_way_counts_for_all_the_rest),
	        test(a_turn_that_fails_leaves_none_behind),
	        test(those_who_waited_go_before_those_who_come),
	        test(a_held_job_is_denied_when_its_customer_is_removed),
	        test(from_a_suspension_into_the_night),
	        test(a_new_setting_counts_for_held_jobs),
	        test(a_release_by_hand_tells_of_the_hours),
	        test(what_is_due_is_when_it_may_go),
	        test(two_requests_with_one_id),
	        test(those_who_wait_for_their_customer_are_answered_once),
	        test(the_office_gets_a_mail_a_customer),
	        test(a_suspension_known_at_the_release_calls_nobody_back),
	        test(once_it_has_ended_the_next_one_does),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
