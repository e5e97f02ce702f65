/* SPDX-License-Identifier: MIT */
/* The engine, turn by turn, on real files: what one event becomes, and what becomes of its mail. */
#include "engine_world.h"
#include "spool/spool_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define NOON "2026-06-03T12:00:00Z" /* a Wednesday */

static struct world *w;

static int setup(void **state)
{
	(void)state;
	w = world_new(NOON);
	world_sql(w, "INSERT INTO customer (id, number, name, timezone) VALUES (1, '1001', 'Acme', "
	             "'UTC');"
	             "INSERT INTO contact (id, customer, name, email) VALUES (1, 1, 'Ann', "
	             "'ann@example.com')");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_free(w);
	return 0;
}

#define outcomes_are(text) assert_string_equal(buf_text(&w->outcomes), text)

static void an_event_becomes_a_mail(void **state)
{
	(void)state;
	world_event(w, "job.dispatched", "J1", "1001", NULL, NULL);
	outcomes_are("queued ok J1\n");
	assert_int_equal(w->n_in_flight, 1);
	assert_string_equal(w->in_flight[0].to, "ann@example.com");
	assert_string_equal(w->templates[0], "dispatched");
	assert_non_null(strstr(w->contexts[0], "\"driver\":\"Sam\""));
	world_deliver(w, DELIVERY_SENT);
	outcomes_are("sent ok J1\n");
	assert_int_equal(world_mails(w, STATUS_SENT), 1);
}

static void a_duplicate_changes_nothing(void **state)
{
	(void)state;
	world_event(w, "job.dispatched", "J1", "1001", NULL, "same");
	world_event(w, "job.dispatched", "J1", "1001", NULL, "same");
	outcomes_are("");
	assert_int_equal(w->n_in_flight, 1);
}

static void a_repeat_and_a_stale_one_are_suppressed(void **state)
{
	(void)state;
	world_event(w, "job.completed", "J1", "1001", "2026-06-03T11:00:00Z", NULL);
	world_event(w, "job.started", "J1", "1001", "2026-06-03T11:30:00Z", NULL);
	outcomes_are("suppressed stale J1\n");
	world_event(w, "job.completed", "J1", "1001", "2026-06-03T11:40:00Z", NULL);
	outcomes_are("suppressed repeat J1\n");
}

/* Erased and entered again under the same number, all before the turn that takes its first event.
 */
static void a_new_customer_of_an_erased_number_keeps_its_words(void **state)
{
	struct error err;
	json_t *mails;
	const struct spool_filter all = {.before = INSTANT_NONE, .limit = 10};
	(void)state;
	world_sql(w, "INSERT INTO erased (number, time) VALUES ('1001', 1)");
	world_event(w, "job.completed", "J1", "1001", NULL, NULL);
	world_deliver(w, DELIVERY_SENT);
	world_turn(w);
	struct spool *spool = spool_open(w->settings.spool.path, DB_READ, &err);
	assert_non_null(spool);
	assert_true(spool_read_mails(spool, &all, &mails, &err));
	assert_string_equal(json_string_value(json_object_get(json_array_get(mails, 0), "to")),
	                    "ann@example.com");
	json_decref(mails);
	spool_close(spool);
}

static void an_unknown_customer_waits_then_is_rejected(void **state)
{
	(void)state;
	world_event(w, "job.started", "J1", "2002", NULL, NULL);
	outcomes_are("");
	world_at(w, "2026-06-03T12:00:59Z");
	world_turn(w);
	outcomes_are("");
	world_at(w, "2026-06-03T12:01:00Z");
	world_turn(w);
	outcomes_are("dead unknown_customer\nrejected unknown_customer J1\n");
}

static void a_customer_that_comes_in_time_is_mailed(void **state)
{
	(void)state;
	world_event(w, "job.started", "J1", "2002", NULL, NULL);
	world_sql(w, "INSERT INTO customer (id, number, name) VALUES (2, '2002', 'Late');"
	             "INSERT INTO contact (customer, email) VALUES (2, 'l@example.com')");
	world_turn(w);
	outcomes_are("queued ok J1\n");
}

static void a_suspended_customer_gets_none_and_the_office_knows(void **state)
{
	(void)state;
	world_sql(w, "INSERT INTO suspension (customer, scopes, \"from\", note) VALUES (1, "
	             "'jobs,routes,emails', "
	             "'2026-06-01', 'unpaid')");
	world_event(w, "job.started", "J1", "1001", NULL, NULL);
	outcomes_are("collision suspended J1\nsuppressed suspended J1\n");
	assert_string_equal(w->templates[0], "collision");
	assert_string_equal(w->in_flight[0].to, "office@example.com");
	world_event(w, "job.started", "J1", "1001", "2026-06-03T11:59:59Z", NULL);
	assert_int_equal(w->n_in_flight, 1);
}

static void outside_hours_a_mail_waits_and_is_judged_again(void **state)
{
	(void)state;
	world_sql(w, "INSERT INTO hours_week VALUES (1, 2, '07:00-11:00'), (1, 3, '07:00-11:00')");
	world_event(w, "job.completed", "J1", "1001", NULL, NULL);
	outcomes_are("deferred outside_hours J1 2026-06-04T07:00:00Z\n");
	assert_int_equal(w->n_in_flight, 0);
	world_event(w, "job.completed", "J2", "1001", NULL, NULL);
	world_at(w, "2026-06-04T07:00:00Z");
	world_sql(w,
	          "INSERT INTO suspension (customer, scopes, \"from\", note) VALUES (1, 'emails', "
	          "'2026-06-04', 'n')");
	world_turn(w);
	outcomes_are("suppressed suspended J1\nsuppressed suspended J2\n");
	assert_int_equal(w->n_in_flight, 0);
}

static void a_later_state_supersedes(void **state)
{
	(void)state;
	world_sql(w, "INSERT INTO hours_week VALUES (1, 3, '07:00-11:00')");
	world_event(w, "job.dispatched", "J1", "1001", NULL, NULL);
	outcomes_are("expired expired J1\n"); /* the opening lies beyond its 12 hours */
	world_at(w, "2026-06-03T22:00:00Z");
	world_event(w, "job.started", "J2", "1001", NULL, NULL);
	outcomes_are("deferred outside_hours J2 2026-06-04T07:00:00Z\n");
	world_event(w, "job.completed", "J2", "1001", NULL, NULL);
	outcomes_are("superseded later_state J2\ndeferred outside_hours J2 2026-06-04T07:00:00Z\n");
	world_at(w, "2026-06-04T07:00:00Z");
	world_turn(w);
	assert_int_equal(w->n_in_flight, 1);
	assert_non_null(strstr(w->contexts[0], "\"timeline\":[{"));
	assert_non_null(strstr(w->contexts[0], "\"state\":\"started\""));
}

static void a_mail_in_hand_is_superseded_when_it_fails(void **state)
{
	(void)state;
	world_event(w, "job.started", "J1", "1001", NULL, NULL);
	world_event(w, "job.completed", "J1", "1001", NULL, NULL);
	outcomes_are("queued ok J1\n");
	assert_int_equal(w->n_in_flight, 1); /* never two of a job in flight */
	world_deliver(w, DELIVERY_BUSY);
	outcomes_are("superseded later_state J1\n");
	assert_int_equal(w->n_in_flight, 1);
	assert_string_equal(w->templates[0], "completed");
}

static void for_now_is_tried_again(void **state)
{
	(void)state;
	world_event(w, "job.completed", "J1", "1001", NULL, NULL);
	world_deliver(w, DELIVERY_BUSY);
	assert_memory_equal(buf_text(&w->outcomes), "retrying mail_busy J1", 21);
	assert_int_equal(w->n_in_flight, 0);
	world_at(w, "2026-06-03T12:02:00Z");
	world_turn(w);
	assert_int_equal(w->n_in_flight, 1);
	world_deliver(w, DELIVERY_RELAY); /* nothing counted, nothing said */
	outcomes_are("");
	assert_int_equal(w->n_in_flight, 1);
	world_deliver(w, DELIVERY_SENT);
	outcomes_are("sent ok J1\n");
}

static void a_dead_address_is_marked_and_the_alternate_one_tried(void **state)
{
	(void)state;
	world_sql(w, "UPDATE contact SET alt_email = 'alt@example.com'");
	world_event(w, "job.completed", "J1", "1001", NULL, NULL);
	world_deliver(w, DELIVERY_ADDRESS_DEAD);
	outcomes_are("queued ok J1\n");
	assert_string_equal(w->in_flight[0].to, "alt@example.com");
	world_deliver(w, DELIVERY_ADDRESS_DEAD);
	outcomes_are("failed address_refused J1\n");
	world_event(w, "job.completed", "J2", "1001", NULL, NULL);
	outcomes_are("suppressed address_invalid J2\n");
}

static void a_crash_leaves_mails_in_doubt(void **state)
{
	(void)state;
	world_event(w, "job.completed", "J1", "1001", NULL, NULL);
	world_reopen(w);
	assert_memory_equal(buf_text(&w->outcomes), "queued ok J1\nretrying in_doubt J1",
	                    33); /* the first is said again */
	assert_int_equal(w->n_in_flight, 1);
	world_deliver(w, DELIVERY_SENT);
	outcomes_are("sent ok J1\n");
}

static void thirty_stops_are_one_mail(void **state)
{
	(void)state;
	w->settings.notify[JOB_DISPATCHED].group_wait_ms = 60000;
	for (int i = 0; i < 30; i++) {
		char job[8];
		(void)snprintf(job, sizeof job, "J%d", i);
		world_event(w, "job.dispatched", job, "1001", NULL, NULL);
		assert_memory_equal(buf_text(&w->outcomes), "deferred grouped J", 18);
	}
	world_event(w, "job.started", "J7", "1001", NULL, NULL);
	outcomes_are("superseded later_state J7\nqueued ok J7\n");
	world_deliver(w, DELIVERY_SENT);
	world_at(w, "2026-06-03T12:01:00Z");
	world_turn(w);
	assert_int_equal(w->n_in_flight, 1);
	world_deliver(w, DELIVERY_SENT);
	size_t lines = 0;
	for (const char *p = buf_text(&w->outcomes); (p = strchr(p, '\n')) != NULL; p++)
		lines++;
	assert_int_equal(lines, 29);
}

static void a_mail_waiting_too_long_expires(void **state)
{
	(void)state;
	w->room = 0;
	world_event(w, "job.dispatched", "J1", "1001", NULL, NULL);
	world_at(w, "2026-06-04T00:00:00Z");
	world_turn(w);
	outcomes_are("expired expired J1\n");
	w->room = 1;
	world_turn(w);
	assert_int_equal(w->n_in_flight, 0);
}

static void a_malformed_entry_is_a_dead_letter_and_can_be_retried(void **state)
{
	(void)state;
	world_event(w, "job.exploded", "J1", "1001", NULL, NULL);
	outcomes_are("dead malformed\nrejected malformed J1\n");
	char *reply = world_command(w, "{\"do\":\"dead.retry\",\"all\":true}");
	assert_non_null(strstr(reply, "\"ok\":true"));
	free(reply);
	world_turn(w);
	outcomes_are("dead malformed\nrejected malformed J1\n");
}

/* Killed between commit and acknowledgement, Redis delivers the entry once more. */
static void an_entry_delivered_again_is_no_second_dead_letter(void **state)
{
	(void)state;
	world_event(w, "job.exploded", "J1", "1001", NULL, "same");
	outcomes_are("dead malformed\nrejected malformed J1\n");
	world_event(w, "job.exploded", "J1", "1001", NULL,
	            "same"); /* the clock stands: the same entry id */
	outcomes_are("");
	world_at(w, "2026-06-03T12:00:01Z"); /* sent again by its publisher */
	world_event(w, "job.exploded", "J1", "1001", NULL, "same");
	outcomes_are("dead malformed\nrejected malformed J1\n");
}

static void a_failed_mail_can_be_retried_by_hand(void **state)
{
	(void)state;
	world_event(w, "job.completed", "J1", "1001", NULL, NULL);
	world_deliver(w, DELIVERY_REFUSED);
	outcomes_are("failed mail_refused J1\n");
	free(world_command(w, "{\"do\":\"mail.retry\",\"id\":1}"));
	world_turn(w);
	outcomes_are("queued ok J1\n");
	assert_int_equal(w->n_in_flight, 1);
	char *reply = world_command(w, "{\"do\":\"mail.cancel\",\"id\":1}");
	assert_non_null(strstr(reply, "\"code\":65"));
	free(reply);
}

static void only_one_engine_has_a_spool(void **state)
{
	(void)state;
	struct error err;
	assert_null(engine_open(&w->settings, w->now, &err));
	assert_int_equal(err.code, 75);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        test(an_event_becomes_a_mail),
	        test(a_duplicate_changes_nothing),
	        test(a_repeat_and_a_stale_one_are_suppressed),
	        test(a_new_customer_of_an_erased_number_keeps_its_words),
	        test(an_unknown_customer_waits_then_is_rejected),
	        test(a_customer_that_comes_in_time_is_mailed),
	        test(a_suspended_customer_gets_none_and_the_office_knows),
	        test(outside_hours_a_mail_waits_and_is_judged_again),
	        test(a_later_state_supersedes),
	        test(a_mail_in_hand_is_superseded_when_it_fails),
	        test(for_now_is_tried_again),
	        test(a_dead_address_is_marked_and_the_alternate_one_tried),
	        test(a_crash_leaves_mails_in_doubt),
	        test(thirty_stops_are_one_mail),
	        test(a_mail_waiting_too_long_expires),
	        test(a_malformed_entry_is_a_dead_letter_and_can_be_retried),
	        test(an_entry_delivered_again_is_no_second_dead_letter),
	        test(a_failed_mail_can_be_retried_by_hand),
	        test(only_one_engine_has_a_spool),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
