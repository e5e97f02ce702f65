/* SPDX-License-Identifier: MIT */
/* The dispatch gate (contract, section 6): every row of its table, and what becomes of held jobs.
 */
#include "engine_world.h"

#include "base/jsontext.h"
#include "spool/spool_read.h"

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
	w = world_new("2026-06-03T12:00:00Z"); /* a Wednesday */
	world_sql(
	        w,
	        "INSERT INTO customer (id, number, name, timezone, reference, location_notes, "
	        "phone, "
	        "address, city) "
	        "VALUES (1, '1001', 'Acme', 'UTC', 'PO 7', 'Gate B', '555-1', '1 Main St', 'Reno');"
	        "INSERT INTO contact (id, customer, name, email, work_phone) VALUES (1, 1, 'Ann', "
	        "'ann@example.com', "
	        "'555-2');"
	        "INSERT INTO hours_week VALUES (1, 2, '07:00-17:00'), (1, 3, '07:00-17:00')");
	w->settings.redis.dispatch = "jobs:dispatch:{route}";
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

static void suspend(const char *scopes, const char *from, const char *until)
{
	char sql[300];
	(void)snprintf(
	        sql, sizeof sql,
	        "INSERT INTO suspension (customer, scopes, \"from\", until, note) VALUES (1, '%s', "
	        "'%s', %s%s%s, 'x')",
	        scopes, from, until ? "'" : "", until ? until : "NULL", until ? "'" : "");
	world_sql(w, sql);
}

static void resume(void)
{
	world_sql(w, "UPDATE suspension SET removed = 1");
}

static void creation_is_allowed_or_denied(void **state)
{
	(void)state;
	world_request(w, "job.create", "J1", "1001", "r1", NULL);
	outcomes_are("allowed ok J1\n");
	suspend("routes,emails", "2026-06-01", NULL);
	world_request(w, "job.create", "J2", "1001", "r2", NULL);
	outcomes_are("allowed ok J2\n");
	suspend("jobs", "2026-06-01", "2026-07-01");
	world_request(w, "job.create", "J3", "1001", "r3", NULL);
	outcomes_are("denied suspended J3\n");
}

static void a_released_job_carries_what_the_driver_needs(void **state)
{
	(void)state;
	const char *more[] = {"route",     "North-1", "scheduled", "2026-06-04T09:30:00Z",
	                      "gate_code", "42",      NULL};
	world_request(w, "job.dispatch", "J1", "1001", "r1", more);
	outcomes_are("released ok J1\n");
	has_job("-> jobs:dispatch:North-1\n");
	has_job("gate_code=42 ");
	has_job("arrive_by=2026-06-04T07:00:00Z leave_by=2026-06-04T17:00:00Z ");
	has_job("outside_hours=false ");
	has_job("reference=PO 7 ");
	has_job("location_notes=Gate B ");
	has_job("contact_name=Ann contact_phone=555-2 address=1 Main St, Reno ");
	world_request(w, "job.dispatch", "J2", "1001", "r2", NULL);
	has_job("-> jobs:dispatch:none\n");
	has_job("arrive_by=2026-06-03T07:00:00Z ");
}

static void a_strange_route_is_malformed(void **state)
{
	(void)state;
	const char *more[] = {"route", "a b", NULL};
	world_request(w, "job.dispatch", "J1", "1001", "r1", more);
	outcomes_are("dead malformed\nrejected malformed J1\n");
}

static void a_suspended_customers_job_is_held_until_resumed(void **state)
{
	(void)state;
	suspend("routes", "2026-06-01", NULL);
	world_request(w, "job.dispatch", "J1", "1001", "r1", NULL);
	world_request(w, "job.dispatch", "J2", "1001", "r2", NULL);
	outcomes_are("held suspended J2\n");
	resume();
	world_turn(w);
	outcomes_are("released ok J1\nreleased ok J2\n");
	world_turn(w);
	outcomes_are("");
}

static void a_suspension_wears_off_by_itself(void **state)
{
	(void)state;
	suspend("routes", "2026-06-01", "2026-06-04");
	world_request(w, "job.dispatch", "J1", "1001", "r1", NULL);
	outcomes_are("held suspended J1\n");
	world_at(w, "2026-06-03T23:59:59.999Z");
	world_turn(w);
	outcomes_are("");
	world_at(w, "2026-06-04T00:00:00Z");
	world_turn(w);
	outcomes_are("released ok J1\n");
}

static void yesterdays_stop_is_not_sent(void **state)
{
	(void)state;
	const char *more[] = {"scheduled", "2026-06-03T15:00:00Z", NULL};
	suspend("routes", "2026-06-01", NULL);
	world_request(w, "job.dispatch", "J1", "1001", "r1", more);
	world_at(w, "2026-06-04T00:00:00Z");
	world_turn(w);
	outcomes_are("expired expired J1\n");
	resume();
	world_turn(w);
	outcomes_are("");
}

static void without_a_day_a_held_job_ages(void **state)
{
	(void)state;
	suspend("routes", "2026-06-01", NULL);
	world_request(w, "job.dispatch", "J1", "1001", "r1", NULL);
	world_at(w, "2026-06-10T12:00:00Z");
	world_turn(w);
	outcomes_are("expired expired J1\n");
}

static void a_held_job_is_denied_when_its_customer_stops_being_active(void **state)
{
	(void)state;
	suspend("routes", "2026-06-01", NULL);
	world_request(w, "job.dispatch", "J1", "1001", "r1", NULL);
	world_sql(w, "UPDATE customer SET status = 'inactive'");
	world_turn(w);
	outcomes_are("denied customer_not_active J1\n");
	world_request(w, "job.create", "J2", "1001", "r2", NULL);
	outcomes_are("denied customer_not_active J2\n");
}

static void outside_hours_by_the_setting(void **state)
{
	(void)state;
	const char *early[] = {"scheduled", "2026-06-04T05:00:00Z", NULL};
	world_request(w, "job.dispatch", "J1", "1001", "r1", early);
	outcomes_are("released ok J1\n");
	has_job("outside_hours=true ");
	w->settings.gate.outside_hours = GATE_DENY;
	world_request(w, "job.dispatch", "J2", "1001", "r2", early);
	outcomes_are("denied outside_hours J2\n");
	w->settings.gate.outside_hours = GATE_HOLD;
	world_request(w, "job.dispatch", "J3", "1001", "r3", early);
	outcomes_are("held outside_hours J3\n");
	world_at(w, "2026-06-04T06:59:59Z");
	world_turn(w);
	outcomes_are("");
	world_at(w, "2026-06-04T07:00:00Z");
	world_turn(w);
	outcomes_are("released ok J3\n");
	has_job("outside_hours=true ");
}

/* The job's last request: "customer_known+", "not_suspended-" in the order in which they were
 * asked, with what the last one saw. */
static void trace_is(const char *job, const char *rules, const char *saw)
{
	struct error err;
	json_t *shown, *row;
	size_t i;
	struct buf text = {0};
	struct spool *spool = spool_open(w->settings.spool.path, DB_READ, &err);
	assert_true(spool_read_job(spool, job, NULL, &shown, &err));
	const json_t *requests = json_object_get(shown, "requests");
	const json_t *trace =
	        json_object_get(json_array_get(requests, json_array_size(requests) - 1), "trace");
	json_array_foreach(trace, i, row)
	        buf_printf(&text, "%s%s%s", i ? " " : "", jsontext_at(row, "name"),
	                   json_is_true(json_object_get(row, "holds")) ? "+" : "-");
	assert_string_equal(buf_text(&text), rules);
	row = json_array_get(trace, json_array_size(trace) - 1);
	assert_string_equal(jsontext_at(row, "detail"), saw);
	buf_free(&text);
	json_decref(shown);
	spool_close(spool);
}

#define ALL_HOLD "customer_known+ customer_active+ not_suspended+"

static void what_the_rules_saw_is_on_record(void **state)
{
	(void)state;
	const char *early[] = {"scheduled", "2026-06-04T05:00:00Z", NULL};
	world_request(w, "job.create", "J1", "1001", "r1", NULL);
	trace_is("J1", ALL_HOLD, "no suspension covers it");
	world_request(w, "job.dispatch", "J2", "1001", "r2", early);
	trace_is("J2", ALL_HOLD " service_hours+",
	         "2026-06-04T05:00:00Z is outside service hours: flagged");
	w->settings.gate.outside_hours = GATE_HOLD;
	world_request(w, "job.dispatch", "J3", "1001", "r3", early);
	trace_is("J3", ALL_HOLD " service_hours-",
	         "2026-06-04T05:00:00Z is outside service hours: held");
	w->settings.gate.outside_hours = GATE_DENY;
	world_request(w, "job.dispatch", "J4", "1001", "r4", early);
	trace_is("J4", ALL_HOLD " service_hours-",
	         "2026-06-04T05:00:00Z is outside service hours: denied");
	world_request(w, "job.dispatch", "J5", "1001", "r5", NULL);
	trace_is("J5", ALL_HOLD " service_hours+", "no time is scheduled");
	suspend("jobs", "2026-06-01", NULL);
	world_request(w, "job.create", "J6", "1001", "r6", NULL);
	trace_is("J6", "customer_known+ customer_active+ not_suspended-",
	         "suspension 1 of customer 1001 holds (jobs, from 2026-06-01, indefinite): x");
	world_request(w, "job.create", "J7", "2002", "r7", NULL);
	world_at(w, "2026-06-03T12:01:00Z");
	world_turn(w);
	trace_is("J7", "customer_known-", "there is no such customer");
}

static void a_held_jobs_last_decision_is_on_record(void **state)
{
	(void)state;
	suspend("routes", "2026-06-01", NULL);
	world_request(w, "job.dispatch", "J1", "1001", "r1", NULL);
	world_request(w, "job.dispatch", "J2", "1001", "r2", NULL);
	const char *saw =
	        "suspension 1 of customer 1001 holds (routes, from 2026-06-01, indefinite): x";
	trace_is("J1", "customer_known+ customer_active+ not_suspended-", saw);
	free(world_command(w, "{\"do\":\"hold.release\",\"id\":2,\"by\":\"sam\"}"));
	trace_is("J2", "customer_known+ customer_active+ not_suspended-", saw);
	suspend("routes", "2026-05-01", "2026-06-05");
	world_turn(w);
	trace_is("J1", "customer_known+ customer_active+ not_suspended-", saw);
	world_sql(w, "UPDATE suspension SET removed = 1 WHERE id = 1");
	world_turn(w);
	trace_is("J1", "customer_known+ customer_active+ not_suspended- shelf_life+",
	         "its time ends 2026-06-10T12:00:00Z");
	resume();
	world_turn(w);
	outcomes_are("released ok J1\n");
	trace_is("J1", ALL_HOLD " service_hours+ shelf_life+",
	         "its time ends 2026-06-10T12:00:00Z");
}

static void a_job_whose_time_is_over_says_so(void **state)
{
	(void)state;
	suspend("routes", "2026-06-01", NULL);
	world_request(w, "job.dispatch", "J1", "1001", "r1", NULL);
	world_at(w, "2026-06-10T12:00:00Z");
	world_turn(w);
	trace_is("J1", "customer_known+ customer_active+ not_suspended- shelf_life-",
	         "its time ended 2026-06-10T12:00:00Z");
}

static void an_unknown_customer_is_denied_after_the_grace(void **state)
{
	(void)state;
	world_request(w, "job.create", "J1", "2002", "r1", NULL);
	outcomes_are("");
	world_at(w, "2026-06-03T12:01:00Z");
	world_turn(w);
	outcomes_are("denied unknown_customer J1\n");
}

static void a_repeated_request_gets_the_same_answer(void **state)
{
	(void)state;
	world_request(w, "job.dispatch", "J1", "1001", "r1", NULL);
	char first[64];
	(void)strcpy(first, w->last_id);
	world_request(w, "job.dispatch", "J1", "1001", "r1", NULL);
	outcomes_are("released ok J1\n");
	assert_string_equal(w->last_id, first);
	assert_string_equal(buf_text(&w->jobs), ""); /* it acts once */
}

static void a_held_job_outlives_a_crash(void **state)
{
	(void)state;
	suspend("routes", "2026-06-01", NULL);
	world_request(w, "job.dispatch", "J1", "1001", "r1", NULL);
	world_turn(w);
	resume();
	world_reopen(w);
	assert_non_null(strstr(buf_text(&w->outcomes), "released ok J1\n"));
}

static void by_hand(void **state)
{
	(void)state;
	suspend("routes", "2026-06-01", NULL);
	world_request(w, "job.dispatch", "J1", "1001", "r1", NULL);
	world_request(w, "job.dispatch", "J2", "1001", "r2", NULL);
	free(world_command(w,
	                   "{\"do\":\"hold.release\",\"id\":1,\"by\":\"sam\",\"note\":\"paid\"}"));
	free(world_command(w, "{\"do\":\"hold.cancel\",\"id\":2,\"by\":\"sam\"}"));
	world_turn(w);
	outcomes_are("released ok J1\ncancelled by_hand J2\n");
	char *reply = world_command(w, "{\"do\":\"hold.release\",\"id\":2}");
	assert_non_null(strstr(reply, "\"code\":65"));
	free(reply);
}

static void a_truck_under_way_is_called_back(void **state)
{
	(void)state;
	const char *today[] = {"scheduled", "2026-06-03T15:00:00Z", NULL};
	for (int i = 0; i < 3; i++) {
		char job[8], id[8];
		(void)snprintf(job, sizeof job, "J%d", i);
		(void)snprintf(id, sizeof id, "r%d", i);
		world_request(w, "job.dispatch", job, "1001", id, today);
	}
	world_event(w, "job.started", "J1", "1001", NULL, NULL);
	world_deliver(w, DELIVERY_SENT);
	suspend("routes", "2026-06-03", NULL);
	world_turn(w);
	outcomes_are("collision suspended J0\ncollision suspended J2\n");
	assert_int_equal(w->n_in_flight, 1);
	assert_string_equal(w->in_flight[0].to, "office@example.com");
	assert_non_null(strstr(w->contexts[0], "\"J2\""));
	world_deliver(w, DELIVERY_SENT);
	world_turn(w);
	outcomes_are("");
}

static void a_question_changes_nothing(void **state)
{
	(void)state;
	char *reply =
	        world_command(w, "{\"do\":\"gate\",\"type\":\"job.create\",\"customer\":\"1001\"}");
	assert_non_null(strstr(reply, "\"status\":\"allowed\""));
	free(reply);
	world_turn(w);
	outcomes_are("");
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        test(creation_is_allowed_or_denied),
	        test(a_released_job_carries_what_the_driver_needs),
	        test(a_strange_route_is_malformed),
	        test(a_suspended_customers_job_is_held_until_resumed),
	        test(a_suspension_wears_off_by_itself),
	        test(yesterdays_stop_is_not_sent),
	        test(without_a_day_a_held_job_ages),
	        test(a_held_job_is_denied_when_its_customer_stops_being_active),
	        test(outside_hours_by_the_setting),
	        test(what_the_rules_saw_is_on_record),
	        test(a_held_jobs_last_decision_is_on_record),
	        test(a_job_whose_time_is_over_says_so),
	        test(an_unknown_customer_is_denied_after_the_grace),
	        test(a_repeated_request_gets_the_same_answer),
	        test(a_held_job_outlives_a_crash),
	        test(by_hand),
	        test(a_truck_under_way_is_called_back),
	        test(a_question_changes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
