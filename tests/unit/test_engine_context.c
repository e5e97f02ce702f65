/* SPDX-License-Identifier: MIT */
/*
 * What templates see of mails of every kind, against what they saw when the engine still recorded
 * it in full: one JSON object for each mail in mail-contexts.json, in the order of the scenes.
 */
#include "base/jsontext.h"
#include "engine_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct world *w;
static json_t *kept; /* what they saw */
static size_t next;

static void setup(void)
{
	w = world_new("2026-06-03T12:00:00Z");
	world_sql(w, "INSERT INTO customer (id, number, name, timezone, reference, locale, "
	             "sales_rep, disclaimer, address, city) VALUES (1, '1001', 'Acme \"Head\"', "
	             "'America/Denver', 'R-1', 'fr-CA', NULL, '2026-01-31', 'Rue é 1', 'X\tY');"
	             "INSERT INTO customer (id, number, name, parent, location_notes) VALUES (2, "
	             "'1002', 'North', 1, 'behind the barn'), (3, '1003', 'South', 1, NULL);"
	             "INSERT INTO customer (id, number, name) VALUES (4, '2001', 'Alone');"
	             "INSERT INTO contact (id, customer, first_name, last_name, email, all_sites, "
	             "title) VALUES (1, 1, 'Ann', 'Lee', 'ann@example.com', 1, 'boss');"
	             "INSERT INTO contact (id, customer, email, locale) VALUES (2, 4, "
	             "'bo@example.com', 'de');"
	             "INSERT INTO hours_week SELECT 1, value, '05:00-11:30,12:30-19:00' FROM "
	             "json_each('[0,1,2,3,4]');"
	             "INSERT INTO hours_week SELECT 4, value, '00:00-24:00' FROM "
	             "json_each('[0,1,2,3,4,5,6]');"
	             "INSERT INTO hours_date VALUES (2, '2026-06-05', '06:00-07:00')");
	w->settings.company.name = "Example Hauling";
	w->settings.company.phone = "+1 555 0100";
}

/* The mails dispatched since the last time are as they were. */
static void check(size_t n)
{
	assert_int_equal(w->n_in_flight, n);
	for (size_t i = 0; i < n; i++) {
		json_t *is = json_loads(w->contexts[i], 0, NULL), *was = json_array_get(kept, next);
		assert_non_null(is);
		if (!json_equal(is, was)) {
			char *text = json_dumps(was, JSON_COMPACT);
			fail_msg("mail %zu:\n%s\nwas\n%s", next, w->contexts[i], text);
		}
		json_decref(is);
		next++;
	}
	world_deliver(w, DELIVERY_SENT);
}

static void one_event(void)
{
	world_json(w, "{\"id\":\"a1\",\"type\":\"job.completed\",\"job\":\"A\",\"customer\":"
	              "\"2001\",\"source\":\"s\",\"time\":\"2026-06-03T11:59:00Z\",\"data\":{"
	              "\"driver\":\"Sam\",\"amount\":49.95,\"photos\":[\"p\",{\"q\":null}],\"id\":"
	              "\"mine\",\"state\":\"odd\",\"scheduled\":\"2026-06-05T15:00:00+02:00\"}}");
	check(1);
	world_json(w, "{\"id\":\"a2\",\"type\":\"job.started\",\"job\":\"B\",\"customer\":\"1002\","
	              "\"time\":\"2026-06-03T11:58:00Z\",\"data\":{\"window\":{\"arrive_by\":1},"
	              "\"scheduled\":\"2026-06-05T13:00:00.250Z\",\"note\":\"\\\"\\u00e9\\n\"}}");
	check(1);
	world_json(w, "{\"id\":\"a3\",\"type\":\"job.completed\",\"job\":\"C\",\"customer\":"
	              "\"1003\",\"data\":{\"scheduled\":null,\"window\":7}}");
	check(1);
	world_json(w, "{\"id\":\"a4\",\"type\":\"job.completed\",\"job\":\"D\",\"customer\":"
	              "\"2001\"}");
	check(1);
}

/* Later data wins; a repeat is in the job and not in the timeline. */
static void several_events(void)
{
	world_json(w, "{\"id\":\"b1\",\"type\":\"job.dispatched\",\"job\":\"E\",\"customer\":"
	              "\"2001\",\"time\":\"2026-06-03T10:00:00Z\",\"data\":{\"driver\":\"Sam\","
	              "\"reference\":\"PO\",\"scheduled\":\"2026-06-04T08:00:00Z\"}}");
	check(1);
	world_json(w, "{\"id\":\"b2\",\"type\":\"job.dispatched\",\"job\":\"E\",\"customer\":"
	              "\"2001\",\"time\":\"2026-06-03T10:05:00Z\",\"data\":{\"vehicle\":\"V\"}}");
	check(0);
	world_json(w, "{\"id\":\"b3\",\"type\":\"job.started\",\"job\":\"E\",\"customer\":"
	              "\"2001\",\"time\":\"2026-06-03T11:00:00Z\",\"data\":{\"driver\":\"Kim\"}}");
	check(1);
	world_json(w, "{\"id\":\"b4\",\"type\":\"job.completed\",\"job\":\"E\",\"customer\":"
	              "\"2001\",\"time\":\"2026-06-03T11:30:00Z\",\"data\":{\"note\":\"done\"}}");
	check(1);
}

static void a_group(void)
{
	w->settings.notify[JOB_DISPATCHED].group_wait_ms = 60000;
	world_json(w, "{\"id\":\"c1\",\"type\":\"job.dispatched\",\"job\":\"F\",\"customer\":"
	              "\"1002\",\"time\":\"2026-06-03T11:00:00Z\",\"data\":{\"stop\":1}}");
	world_json(w, "{\"id\":\"c2\",\"type\":\"job.dispatched\",\"job\":\"G\",\"customer\":"
	              "\"1003\",\"time\":\"2026-06-03T11:01:00Z\",\"data\":{\"stop\":2}}");
	world_json(w, "{\"id\":\"c3\",\"type\":\"job.dispatched\",\"job\":\"H\",\"customer\":"
	              "\"1002\",\"time\":\"2026-06-03T11:02:00Z\"}");
	world_at(w, "2026-06-03T12:01:00Z");
	world_turn(w);
	check(1);
	w->settings.notify[JOB_DISPATCHED].group_wait_ms = 0;
}

/* What is for the office, and a job that a suspension recalls. */
static void the_office(void)
{
	world_request(
	        w, "job.dispatch", "R", "1002", "r1",
	        (const char *const[]){"driver", "Sam", "scheduled", "2026-06-04T08:00:00Z", NULL});
	world_sql(w, "INSERT INTO suspension (id, customer, scopes, \"from\", until, note, author) "
	             "VALUES (7, 1, 'jobs,routes', '2026-06-01', '2026-07-01', 'unpaid', 'sam')");
	world_turn(w);
	check(1);
	world_json(w, "{\"id\":\"d1\",\"type\":\"job.started\",\"job\":\"I\",\"customer\":\"1003\","
	              "\"data\":{\"driver\":\"Sam\"}}");
	check(2);
}

static void they_see_what_they_saw(void **state)
{
	(void)state;
	kept = json_load_file("tests/unit/mail-contexts.json", 0, NULL);
	assert_non_null(kept);
	setup();
	one_event();
	several_events();
	a_group();
	the_office();
	assert_int_equal(next, json_array_size(kept));
	json_decref(kept);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(they_see_what_they_saw)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
