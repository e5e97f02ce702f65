/* SPDX-License-Identifier: MIT */
/* Mails that share an event, a job, a contact or a crash: what the engine must not mix up. */
#include "engine_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOON "2026-06-03T12:00:00Z" /* a Wednesday */

static struct world *w;

/* A head with a contact for all sites, and two sites. */
static int setup(void **state)
{
	(void)state;
	w = world_new(NOON);
	world_sql(w, "INSERT INTO customer (id, number, name, timezone) VALUES (1, '1001', 'Acme', "
	             "'UTC');"
	             "INSERT INTO customer (id, number, name, parent) VALUES (2, '1002', 'North', "
	             "1), (3, '1003', "
	             "'South', 1);"
	             "INSERT INTO contact (id, customer, name, email, all_sites) "
	             "VALUES (1, 1, 'Ann', 'ann@example.com', 1)");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_free(w);
	return 0;
}

#define outcomes_are(text)  assert_string_equal(buf_text(&w->outcomes), text)
#define outcomes_have(text) assert_non_null(strstr(buf_text(&w->fields), text))
#define count(text)         count_of(buf_text(&w->fields), text)

static int count_of(const char *text, const char *part)
{
	int n = 0;
	for (; (text = strstr(text, part)) != NULL; text++)
		n++;
	return n;
}

/* ---- Paused by hand ---- */

static void ask(const char *request, const char *part)
{
	char *reply = world_command(w, request);
	if (strstr(reply, part) == NULL)
		fail_msg("%s has no %s", reply, part);
	free(reply);
}

static void a_pause_holds_mails_back_and_outlives_a_crash(void **state)
{
	(void)state;
	ask("{\"do\":\"mail.pause\",\"by\":\"sam\",\"note\":\"why\"}", "\"note\":\"why\"");
	world_event(w, "job.completed", "J1", "1001", NULL, NULL);
	world_reopen(w);
	world_turn(w);
	assert_int_equal(w->n_in_flight, 0);
	ask("{\"do\":\"status\"}", "\"by\":\"sam\",\"note\":\"why\",\"due\":1");
	ask("{\"do\":\"mail.resume\",\"by\":\"sam\"}", "\"resumed\":true,\"due\":1");
	world_turn(w);
	assert_int_equal(w->n_in_flight, 1);
	world_deliver(w, DELIVERY_SENT);
	outcomes_are("sent ok J1\n");
}

static void a_mail_that_comes_back_during_a_pause_waits(void **state)
{
	(void)state;
	world_event(w, "job.completed", "J1", "1001", NULL, NULL);
	assert_int_equal(w->n_in_flight, 1);
	ask("{\"do\":\"mail.pause\",\"by\":\"sam\"}", "\"ok\":true");
	world_deliver(w, DELIVERY_BUSY);
	world_at(w, "2026-06-05T12:00:00Z");
	world_turn(w);
	assert_int_equal(w->n_in_flight, 0);
	assert_int_equal(world_mails(w, STATUS_RETRYING), 1);
}

/* ---- Superseded in flight ---- */

static void a_crash_doesnt_send_what_was_superseded_in_flight(void **state)
{
	(void)state;
	world_event(w, "job.started", "J1", "1001", NULL, NULL);
	world_event(w, "job.completed", "J1", "1001", NULL, NULL);
	w->room = 0;
	world_reopen(w);
	w->room = 16;
	world_turn(w);
	assert_int_equal(w->n_in_flight, 1);
	assert_string_equal(w->templates[0], "completed");
	assert_int_equal(world_mails(w, STATUS_SUPERSEDED), 1);
}

/* ---- Grouped ---- */

static void group_completed(void)
{
	w->settings.notify[JOB_COMPLETED].group_wait_ms = 60000;
}

static void only_the_member_whose_life_ends_expires_at_a_retry(void **state)
{
	(void)state;
	group_completed();
	w->settings.notify[JOB_COMPLETED].shelf_life_ms = 3600000;
	world_event(w, "job.completed", "J1", "1001", "2026-06-03T11:01:30Z", NULL);
	world_event(w, "job.completed", "J2", "1001", "2026-06-03T12:00:00Z", NULL);
	world_at(w, "2026-06-03T12:01:00Z");
	world_turn(w);
	assert_int_equal(w->n_in_flight, 1);
	world_deliver(w, DELIVERY_BUSY); /* once more in a minute: J1's life ends before */
	assert_int_equal(count("status=expired"), 1);
	outcomes_have("job=J1\tcustomer=1001\ttype=job.completed\tstatus=expired");
	outcomes_have("job=J2\tcustomer=1001\ttype=job.completed\tstatus=retrying");
	world_at(w, "2026-06-03T12:03:00Z");
	world_turn(w);
	assert_int_equal(w->n_in_flight, 1);
	assert_null(strstr(w->contexts[0], "\"id\":\"J1\""));
	assert_non_null(strstr(w->contexts[0], "\"id\":\"J2\""));
}

static void two_mails_of_a_split_group_differ_in_message_id_and_thread(void **state)
{
	(void)state;
	char first[128], thread[128];
	group_completed();
	world_event(w, "job.completed", "J1", "1002", NULL, NULL);
	world_event(w, "job.completed", "J2", "1003", NULL, NULL);
	world_sql(w, "INSERT INTO hours_week VALUES (2, 3, '07:00-11:00')");
	world_at(w, "2026-06-03T12:01:00Z");
	world_turn(w);
	assert_int_equal(w->n_in_flight, 1);
	(void)strcpy(first, w->message_ids[0]);
	(void)strcpy(thread, w->thread_ids[0]);
	world_deliver(w, DELIVERY_SENT);
	world_at(w, "2026-06-04T07:00:00Z");
	world_turn(w);
	assert_int_equal(w->n_in_flight, 1);
	assert_string_not_equal(w->message_ids[0], first);
	assert_string_not_equal(w->thread_ids[0], thread);
}

static void a_site_that_is_open_doesnt_wait_for_one_that_is_closed(void **state)
{
	(void)state;
	group_completed();
	world_sql(w, "INSERT INTO hours_week VALUES (2, 3, '07:00-11:00')");
	world_event(w, "job.completed", "J1", "1002", NULL, NULL);
	outcomes_are("deferred outside_hours J1 2026-06-04T07:01:00Z\n");
	world_event(w, "job.completed", "J2", "1003", NULL, NULL);
	outcomes_are("deferred grouped J2 2026-06-03T12:01:00Z\n");
	world_event(w, "job.completed", "J3", "1002", NULL, NULL);
	outcomes_are("deferred outside_hours J3 2026-06-04T07:01:00Z\n");
	world_event(w, "job.completed", "J4", "1003", NULL, NULL);
	outcomes_are("deferred grouped J4 2026-06-03T12:01:00Z\n");
	assert_int_equal(world_mails(w, STATUS_DEFERRED), 2);
}

static void a_retry_keeps_its_message_id_under_another_from(void **state)
{
	(void)state;
	char first[128];
	struct settings other = w->settings;
	other.mail.from = "dispatch@example.org";
	world_event(w, "job.completed", "J1", "1001", NULL, NULL);
	(void)strcpy(first, w->message_ids[0]);
	world_deliver(w, DELIVERY_DOUBT);
	engine_reload(w->engine, &other);
	world_at(w, "2026-06-03T12:02:00Z");
	world_turn(w);
	assert_int_equal(w->n_in_flight, 1);
	assert_string_equal(w->message_ids[0], first);
}

/* ---- The office ---- */

static void the_office_gets_the_note_also_when_it_is_lifted_meanwhile(void **state)
{
	(void)state;
	world_sql(w, "INSERT INTO suspension (id, customer, scopes, \"from\", note) VALUES (1, 1, "
	             "'routes', "
	             "'2026-06-01', 'dog in the yard')");
	w->room = 0; /* the relay is away */
	world_event(w, "job.started", "J1", "1001", NULL, NULL);
	world_sql(w, "UPDATE suspension SET removed = 1");
	w->room = 1;
	world_turn(w);
	assert_int_equal(w->n_in_flight, 1);
	assert_string_equal(w->templates[0], "collision");
	assert_non_null(strstr(w->contexts[0], "dog in the yard"));
}

/* ---- Refused addresses ---- */

static void a_refused_address_is_known_behind_a_long_feed(void **state)
{
	(void)state;
	world_sql(w, "UPDATE contact SET alt_email = 'alt@example.com'");
	for (int i = 0; i < 70;
	     i++) /* nobody carries these out: customers.db is locked by an import */
		world_customer(w, "{\"number\":\"1001\",\"name\":\"Acme\"}");
	world_event(w, "job.completed", "J1", "1001", NULL, NULL);
	world_deliver(w, DELIVERY_ADDRESS_DEAD);
	assert_string_equal(w->in_flight[0].to, "alt@example.com");
	world_deliver(w, DELIVERY_SENT);
	world_event(w, "job.completed", "J2", "1001", NULL, NULL);
	assert_string_equal(w->in_flight[0].to, "alt@example.com");
}

/* ---- Judged again ---- */

static void a_suspension_found_later_shows_its_note(void **state)
{
	(void)state;
	w->room = 0;
	world_event(w, "job.completed", "J1", "1001", NULL, NULL);
	world_sql(w, "INSERT INTO suspension (customer, scopes, \"from\", until, note) VALUES (1, "
	             "'emails', "
	             "'2026-06-03', '2026-07-01', 'unpaid since May')");
	w->room = 16;
	world_turn(w);
	outcomes_are("suppressed suspended J1\n");
	outcomes_have("note=unpaid since May\tuntil=2026-07-01");
}

static void a_failed_mail_of_a_finished_job_is_not_sent_by_a_retry(void **state)
{
	(void)state;
	world_event(w, "job.started", "J1", "1001", NULL, NULL);
	world_deliver(w, DELIVERY_REFUSED);
	outcomes_are("failed mail_refused J1\n");
	world_event(w, "job.completed", "J1", "1001", NULL, NULL);
	world_deliver(w, DELIVERY_SENT);
	free(world_command(w, "{\"do\":\"mail.retry\",\"all_failed\":true}"));
	world_turn(w);
	assert_int_equal(w->n_in_flight, 0);
	outcomes_have("status=superseded");
}

/* ---- Waiting for the customer ---- */

static void a_waiting_duplicate_with_other_content_is_counted(void **state)
{
	(void)state;
	struct buf metrics = {0};
	world_event(w, "job.started", "J1", "2002", NULL, "same");
	world_event(w, "job.completed", "J1", "2002", NULL, "same");
	world_metrics(w, &metrics);
	assert_null(strstr(buf_text(&metrics), "dispatchd_duplicates_differing_total 0"));
	buf_free(&metrics);
	world_sql(w, "INSERT INTO customer (id, number, name) VALUES (9, '2002', 'Late');"
	             "INSERT INTO contact (customer, email) VALUES (9, 'l@example.com')");
	world_turn(w);
	outcomes_are("queued ok J1\n");
	assert_string_equal(w->templates[0], "started");
}

static void so_is_a_waiting_request(void **state)
{
	(void)state;
	struct buf metrics = {0};
	world_request(w, "job.create", "J1", "2002", "same", NULL);
	world_request(w, "job.create", "J1", "2002", "same", NULL);
	world_request(w, "job.dispatch", "J1", "2002", "same", NULL);
	world_metrics(w, &metrics);
	assert_non_null(strstr(buf_text(&metrics), "\ndispatchd_duplicates_total 2\n"));
	assert_non_null(strstr(buf_text(&metrics), "\ndispatchd_duplicates_differing_total 1\n"));
	buf_free(&metrics);
}

/* ---- The wall clock ---- */

static void a_clock_that_is_set_back_delays_nothing(void **state)
{
	(void)state;
	w->room = 0;
	world_event(w, "job.completed", "J1", "1001", NULL, NULL);
	outcomes_are("queued ok J1\n");
	w->room = 16;
	world_at(w, "2026-06-03T09:00:00Z");
	world_turn(w);
	assert_int_equal(w->n_in_flight, 1);
	world_deliver(w, DELIVERY_SENT);
	world_at(w, NOON);
	world_turn(w);
	assert_int_equal(w->n_in_flight, 0);
}

/* Found among many that wait for later, and where there are none. */
static void a_clock_that_was_set_back_while_it_was_stopped_delays_nothing(void **state)
{
	(void)state;
	w->room = 0;
	world_event(w, "job.completed", "J1", "1001", NULL, NULL);
	world_at(w, "2026-06-03T09:00:00Z");
	w->room = 16;
	world_reopen(w);
	assert_int_equal(w->n_in_flight, 1);
	world_deliver(w, DELIVERY_SENT);
	world_at(w, NOON);
	w->room = 0;
	world_event(w, "job.completed", "J2", "1001", NULL, NULL);
	world_sql(w, "INSERT INTO hours_week VALUES (1, 0, '07:00-17:00')");
	world_event(w, "job.completed", "J3", "1002", NULL, NULL);
	world_event(w, "job.completed", "J4", "1003", NULL, NULL);
	world_sql(w, "DELETE FROM hours_week");
	engine_close(w->engine);
	world_at(w, "2026-06-03T09:00:00Z");
	w->room = 1;
	struct error err;
	w->engine = engine_open(&w->settings, w->now, &err);
	assert_non_null(w->engine);
	world_turn(w);
	assert_int_equal(w->n_in_flight, 1);
	assert_non_null(strstr(w->contexts[0], "J2"));
}

static void a_retry_waits_no_longer_for_a_clock_that_is_set_back(void **state)
{
	(void)state;
	world_event(w, "job.completed", "J1", "1001", NULL, NULL);
	world_deliver(w, DELIVERY_BUSY);
	world_at(w, "2026-06-03T09:00:00Z");
	world_turn(w);
	assert_int_equal(w->n_in_flight, 0);
	world_at(w, "2026-06-03T09:02:00Z");
	world_turn(w);
	assert_int_equal(w->n_in_flight, 1);
}

/* Half of the wait is over when it is seen that the clock was set back by an hour. */
static void a_group_waits_no_longer_for_a_clock_that_was_set_back_a_while_ago(void **state)
{
	(void)state;
	group_completed();
	world_at_after(w, NOON, 1000);
	world_event(w, "job.completed", "J1", "1001", NULL, NULL);
	world_at_after(w, "2026-06-03T11:00:30Z", 30);
	world_turn(w);
	world_at_after(w, "2026-06-03T11:00:59Z", 29);
	world_turn(w);
	assert_int_equal(w->n_in_flight, 0);
	world_at_after(w, "2026-06-03T11:01:00Z", 1);
	world_turn(w);
	assert_int_equal(w->n_in_flight, 1);
}

static void an_unknown_customer_is_waited_for_as_long_over_a_sleep(void **state)
{
	(void)state;
	world_at_after(w, NOON, 1000);
	world_event(w, "job.completed", "J1", "2002", NULL, NULL);
	world_at_after(w, "2026-06-04T07:00:00Z", 10);
	world_turn(w);
	outcomes_are("");
	world_at_after(w, "2026-06-04T07:00:50Z", 50);
	world_turn(w);
	outcomes_are("dead unknown_customer\nrejected unknown_customer J1\n");
}

static void an_unknown_customer_is_waited_for_no_longer(void **state)
{
	(void)state;
	world_event(w, "job.completed", "J1", "2002", NULL, NULL);
	world_at(w, "2026-06-03T09:00:00Z");
	world_turn(w);
	outcomes_are("");
	world_at(w, "2026-06-03T09:01:00Z");
	world_turn(w);
	outcomes_are("dead unknown_customer\nrejected unknown_customer J1\n");
}

static void what_was_due_while_the_machine_slept_goes_at_once_and_once(void **state)
{
	(void)state;
	world_sql(w, "INSERT INTO hours_week VALUES (1, 3, '07:00-11:00')");
	world_event(w, "job.completed", "J1", "1001", NULL, NULL);
	outcomes_are("deferred outside_hours J1 2026-06-04T07:00:00Z\n");
	world_at(w, "2026-06-04T09:30:00Z");
	world_turn(w);
	assert_int_equal(w->n_in_flight, 1);
	world_at(w, "2026-06-03T12:00:10Z"); /* and the clock is set back while it is in flight */
	world_turn(w);
	world_deliver(w, DELIVERY_SENT);
	world_at(w, "2026-06-04T09:30:00Z");
	world_turn(w);
	assert_int_equal(w->n_in_flight, 0);
	assert_int_equal(world_mails(w, STATUS_SENT), 1);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        test(a_pause_holds_mails_back_and_outlives_a_crash),
	        test(a_mail_that_comes_back_during_a_pause_waits),
	        test(a_crash_doesnt_send_what_was_superseded_in_flight),
	        test(only_the_member_whose_life_ends_expires_at_a_retry),
	        test(two_mails_of_a_split_group_differ_in_message_id_and_thread),
	        test(a_site_that_is_open_doesnt_wait_for_one_that_is_closed),
	        test(a_retry_keeps_its_message_id_under_another_from),
	        test(the_office_gets_the_note_also_when_it_is_lifted_meanwhile),
	        test(a_refused_address_is_known_behind_a_long_feed),
	        test(a_suspension_found_later_shows_its_note),
	        test(a_failed_mail_of_a_finished_job_is_not_sent_by_a_retry),
	        test(a_waiting_duplicate_with_other_content_is_counted),
	        test(so_is_a_waiting_request),
	        test(a_clock_that_is_set_back_delays_nothing),
	        test(a_clock_that_was_set_back_while_it_was_stopped_delays_nothing),
	        test(a_group_waits_no_longer_for_a_clock_that_was_set_back_a_while_ago),
	        test(an_unknown_customer_is_waited_for_as_long_over_a_sleep),
	        test(a_retry_waits_no_longer_for_a_clock_that_is_set_back),
	        test(an_unknown_customer_is_waited_for_no_longer),
	        test(what_was_due_while_the_machine_slept_goes_at_once_and_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
