/* SPDX-License-Identifier: MIT */
/* [rules] per_contact and burst at the edges of their windows, by a clock that the test sets. */
#include "engine/engine_private.h"
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
	w = world_new("2026-06-03T13:00:00Z");
	world_sql(w, "INSERT INTO customer (id, number, name) VALUES (1, '1001', 'Acme');"
	             "INSERT INTO contact (customer, name, email, notify) VALUES (1, 'Ann', "
	             "'ann@example.com', 'started,completed,failed')");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_free(w);
	return 0;
}

/* A job of its own ends at that time; what the engine said of it. */
static const char *completed(const char *at, const char *job)
{
	world_at(w, at);
	world_event(w, "job.completed", job, "1001", NULL, NULL);
	return buf_text(&w->outcomes);
}

static void assert_said(const char *at, const char *job, const char *expected)
{
	const char *said = completed(at, job);
	if (strstr(said, expected) == NULL)
		fail_msg("%s at %s: expected \"%s\", got \"%s\"", job, at, expected, said);
}

/* Of the last turn. */
static void assert_says(const char *line)
{
	if (strstr(buf_text(&w->outcomes), line) == NULL)
		fail_msg("expected \"%s\", got \"%s\"", line, buf_text(&w->outcomes));
}

static void a_burst_is_over_when_the_window_is(void **state)
{
	(void)state;
	w->settings.rules.burst = (struct limit){2, 10000};
	assert_said("2026-06-03T13:00:00Z", "A", "queued ok A");
	assert_said("2026-06-03T13:00:01Z", "B", "queued ok B");
	assert_said("2026-06-03T13:00:10Z", "C", "queued ok C");
	/* A has left the window, B hasn't */
	assert_said("2026-06-03T13:00:10.999Z", "D", "deferred held_back D");
	assert_said("2026-06-03T13:00:30Z", "E", "deferred held_back E");
	free(world_command(w, "{\"do\":\"breaker.discard\",\"ids\":[1,2,3,4,5,6,7,8]}"));
	assert_int_equal(world_mails(w, STATUS_CANCELLED), 2);
	assert_said("2026-06-03T13:00:41Z", "F", "queued ok F");
}

static void what_is_held_keeps_it_open(void **state)
{
	(void)state;
	w->settings.rules.burst = (struct limit){1, 10000};
	assert_said("2026-06-03T13:00:00Z", "A", "queued ok A");
	assert_said("2026-06-03T13:00:01Z", "B", "deferred held_back B");
	assert_said("2026-06-03T13:05:00Z", "C", "deferred held_back C");
	world_crash(w);
	w->settings.rules.burst = (struct limit){1, 10000};
	assert_said("2026-06-03T13:06:00Z", "D", "deferred held_back D");
	free(world_command(w, "{\"do\":\"breaker.release\",\"ids\":[1,2,3,4,5,6,7,8,9]}"));
	assert_int_equal(world_mails(w, STATUS_DEFERRED), 0);
	/* Released ones aren't counted again: D alone is in the window. */
	assert_said("2026-06-03T13:06:10.001Z", "E", "queued ok E");
}

static void the_count_outlives_a_crash(void **state)
{
	(void)state;
	w->settings.rules.burst = (struct limit){2, 60000};
	assert_said("2026-06-03T13:00:00Z", "A", "queued ok A");
	assert_said("2026-06-03T13:00:01Z", "B", "queued ok B");
	world_crash(w);
	w->settings.rules.burst = (struct limit){2, 60000};
	assert_said("2026-06-03T13:00:59.999Z", "C", "deferred held_back C");
}

static void a_clock_set_back_forgets_nothing(void **state)
{
	(void)state;
	w->settings.rules.burst = (struct limit){2, 60000};
	assert_said("2026-06-03T13:00:00Z", "A", "queued ok A");
	assert_said("2026-06-03T13:00:10Z", "B", "queued ok B");
	assert_said("2026-06-03T12:00:00Z", "C", "deferred held_back C");
}

/* By a millisecond, as clocks are adjusted: that doesn't begin the window again. */
static void a_clock_set_back_a_little_counts_nothing_longer(void **state)
{
	(void)state;
	w->settings.rules.burst = (struct limit){3, 300000};
	assert_said("2026-06-03T13:00:00Z", "A", "queued ok A");
	assert_said("2026-06-03T13:04:00Z", "B", "queued ok B");
	assert_said("2026-06-03T13:03:59.999Z", "C", "queued ok C");
	world_crash(w);
	w->settings.rules.burst = (struct limit){3, 300000};
	assert_said("2026-06-03T13:05:00.001Z", "D", "queued ok D");
	assert_said("2026-06-03T13:05:00.002Z", "E", "deferred held_back E");
}

/* More rows than there was room for at first, most of which have left the window. */
static void a_window_moves_on_over_many_turns(void **state)
{
	(void)state;
	char job[16];
	w->settings.rules.burst = (struct limit){101, 10000};
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(job, sizeof job, "J%d", i);
		world_event(w, "job.completed", job, "1001", NULL, NULL);
		assert_non_null(strstr(buf_text(&w->outcomes), "queued ok"));
		world_deliver(w, DELIVERY_SENT);
		w->now.ms += 100;
	}
	assert_int_equal(w->engine->limits.made, 100);
	assert_in_range(w->engine->limits.cap, 100, 256);
	w->now.ms -= 100;
	for (int i = 0; i < 2; i++)
		world_event(w, "job.completed", i == 0 ? "Y" : "Z", "1001", NULL, NULL);
	assert_non_null(strstr(buf_text(&w->outcomes), "deferred held_back Z"));
}

static void retries_and_later_states_of_a_group_are_no_new_mails(void **state)
{
	(void)state;
	w->settings.rules.burst = (struct limit){2, 60000};
	w->settings.notify[JOB_COMPLETED].group_wait_ms = 1000;
	assert_said("2026-06-03T13:00:00Z", "A", "deferred grouped A");
	assert_said("2026-06-03T13:00:00.100Z", "B", "deferred grouped B");
	assert_said("2026-06-03T13:00:00.200Z", "C", "deferred grouped C");
	assert_int_equal(world_mails(w, STATUS_DEFERRED), 1);
	world_at(w, "2026-06-03T13:00:02Z");
	world_turn(w);
	world_deliver(w, DELIVERY_BUSY);
	world_at(w, "2026-06-03T13:00:03Z");
	world_event(w, "job.failed", "D", "1001", NULL, NULL);
	assert_non_null(strstr(buf_text(&w->outcomes), "queued ok D"));
	world_event(w, "job.failed", "E", "1001", NULL, NULL);
	assert_non_null(strstr(buf_text(&w->outcomes), "deferred held_back E"));
}

static void a_contact_has_room_again_when_the_window_is_over(void **state)
{
	(void)state;
	w->settings.rules.per_contact = (struct limit){2, 10000};
	assert_said("2026-06-03T13:00:00Z", "A", "queued ok A");
	assert_said("2026-06-03T13:00:05Z", "B", "queued ok B");
	assert_said("2026-06-03T13:00:09.999Z", "C", "deferred rate_limited C");
	assert_said("2026-06-03T13:00:09.999Z", "D", "deferred rate_limited D");
	assert_int_equal(world_mails(w, STATUS_DEFERRED), 1);
	world_at(w, "2026-06-03T13:00:10Z"); /* A has left the window: C and D go */
	world_turn(w);
	assert_int_equal(world_mails(w, STATUS_DEFERRED), 0);
	assert_said("2026-06-03T13:00:14.999Z", "E", "deferred rate_limited E");
	assert_said("2026-06-03T13:00:20Z", "F", "queued ok F");
}

static void a_mail_for_the_morning_takes_no_room_now(void **state)
{
	(void)state;
	w->settings.rules.per_contact = (struct limit){1, 3600000};
	world_sql(w,
	          "UPDATE customer SET timezone = 'Etc/UTC'; INSERT INTO hours_week VALUES (1, 4, "
	          "'07:00-17:00')");
	assert_said("2026-06-03T13:00:00Z", "A", "deferred outside_hours A");
	world_event(w, "job.failed", "B", "1001", NULL, NULL);
	assert_non_null(strstr(buf_text(&w->outcomes), "queued ok B"));
	world_event(w, "job.failed", "C", "1001", NULL, NULL);
	assert_non_null(strstr(buf_text(&w->outcomes), "deferred rate_limited C"));
}

/* In the spool, between turns. */
static void spool_sql(const char *sql)
{
	struct error err;
	if (!db_exec(spool_db(w->engine->spool), sql, &err))
		fail_msg("%s: %s", sql, err.text);
}

/* More than anybody would look at one by one: three in each minute to come. */
static void however_many_wait_the_limit_holds(void **state)
{
	(void)state;
	w->settings.rules.per_contact = (struct limit){3, 60000};
	assert_said("2026-06-03T13:00:00Z", "A", "queued ok A");
	spool_sql("WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 8999) "
	          "INSERT INTO contact_slot SELECT 1000 + i, 1, at + 1 + i / 3 * 60000 FROM n, "
	          "(SELECT at FROM contact_slot WHERE contact = 1)");
	assert_said("2026-06-03T13:00:01Z", "B", "deferred rate_limited B");
	assert_non_null(strstr(buf_text(&w->fields), "due=2026-06-05T15:00:00.001Z"));
	spool_sql("DELETE FROM contact_slot WHERE mail = 1003");
	world_event(w, "job.failed", "C", "1001", NULL, NULL);
	assert_non_null(strstr(buf_text(&w->fields), "due=2026-06-03T13:01:00.001Z"));
}

static void a_full_group_is_followed_by_another(void **state)
{
	(void)state;
	char job[16];
	w->settings.rules.per_contact = (struct limit){1, 3600000};
	world_at(w, "2026-06-03T13:00:00Z");
	for (int i = 0; i < 502; i++) {
		(void)snprintf(job, sizeof job, "J%d", i);
		world_event(w, "job.completed", job, "1001", NULL, NULL);
	}
	assert_int_equal(world_mails(w, STATUS_DEFERRED), 2);
	world_deliver(w, DELIVERY_SENT);
	world_at(w, "2026-06-03T14:00:00Z");
	world_turn(w);
	assert_int_equal(world_mails(w, STATUS_DEFERRED), 1);
	world_at(w, "2026-06-03T15:00:00Z");
	world_turn(w);
	assert_int_equal(world_mails(w, STATUS_DEFERRED), 0);
}

/* Who is released while its contact has no room waits with others, as a new one would. */
static void released_mails_over_the_limit_go_as_a_group(void **state)
{
	(void)state;
	w->settings.rules.burst = (struct limit){1, 3600000};
	w->settings.rules.per_contact = (struct limit){2, 3600000};
	const char *const jobs[] = {"A", "B", "C", "D", "E", "F"};
	for (size_t i = 0; i < 6; i++) {
		world_at(w, "2026-06-03T13:00:00Z");
		world_event(w, "job.completed", jobs[i], "1001", NULL, NULL);
	}
	assert_int_equal(world_mails(w, STATUS_DEFERRED), 5);
	world_at(w, "2026-06-03T13:30:00Z");
	char *answer = world_command(w, "{\"do\":\"breaker.release\",\"ids\":[1,2,3,4,5,6,7]}");
	assert_non_null(strstr(answer, "\"mails\":[2,4,5,6,7],\"limited\":[4,5,6,7]"));
	free(answer);
	world_turn(w);
	assert_says("queued ok B\n");
	assert_says("deferred rate_limited C 2026-06-03T14:00:00Z\n");
	assert_says("deferred rate_limited F 2026-06-03T14:00:00Z\n");
	assert_int_equal(world_mails(w, STATUS_DEFERRED), 1);
	world_deliver(w, DELIVERY_SENT);
	world_at(w, "2026-06-03T14:00:00Z");
	world_turn(w);
	assert_int_equal(w->n_in_flight, 1);
	world_deliver(w, DELIVERY_SENT);
	for (size_t i = 2; i < 6; i++) {
		char said[32];
		(void)snprintf(said, sizeof said, "sent ok %s\n", jobs[i]);
		assert_says(said);
	}
	assert_said("2026-06-03T14:00:01Z", "G", "deferred rate_limited G 2026-06-03T14:30:00Z");
	/* What joined the group had the ids 5 to 7: nobody gets one of these again. */
	assert_non_null(strstr(buf_text(&w->fields), "mail=8\t"));
}

/* Mails that wait for the next morning keep to the limit there. */
static void what_is_deferred_again_keeps_to_the_limit(void **state)
{
	(void)state;
	w->room = 0;
	assert_said("2026-06-03T13:00:00Z", "A", "queued ok A");
	assert_said("2026-06-03T13:00:01Z", "B", "queued ok B");
	assert_said("2026-06-03T13:00:02Z", "C", "queued ok C");
	w->settings.rules.per_contact = (struct limit){1, 3600000};
	world_sql(w,
	          "UPDATE customer SET timezone = 'Etc/UTC'; INSERT INTO hours_week VALUES (1, 3, "
	          "'07:00-17:00')");
	w->room = 16;
	world_at(w, "2026-06-03T13:10:00Z");
	world_turn(w);
	assert_says("deferred outside_hours A 2026-06-04T07:00:00Z\n");
	assert_says("deferred rate_limited B 2026-06-04T08:00:00Z\n");
	assert_says("deferred rate_limited C 2026-06-04T08:00:00Z\n");
	assert_int_equal(world_mails(w, STATUS_DEFERRED), 2);
	world_at(w, "2026-06-04T08:00:00Z");
	world_turn(w);
	assert_int_equal(w->n_in_flight, 2);
}

/* An event that has to wait longer than the others of its mail is one more mail. */
static void what_is_split_off_keeps_to_the_limit(void **state)
{
	(void)state;
	world_sql(w, "INSERT INTO customer (id, number, name, parent, timezone) VALUES (2, '1002', "
	             "'Site', 1, 'Etc/UTC'); UPDATE contact SET all_sites = 1");
	w->settings.notify[JOB_COMPLETED].group_wait_ms = 60000;
	world_event(w, "job.completed", "A", "1001", NULL, NULL);
	world_event(w, "job.completed", "B", "1002", NULL, NULL);
	assert_int_equal(world_mails(w, STATUS_DEFERRED), 1);
	w->settings.rules.per_contact = (struct limit){1, 3600000};
	spool_sql("INSERT INTO contact_slot SELECT 1000, 1, due + 64800000 FROM mail");
	world_sql(w, "INSERT INTO hours_week VALUES (2, 3, '07:00-17:00')");
	world_at(w, "2026-06-03T13:01:00Z");
	world_turn(w);
	assert_int_equal(w->n_in_flight, 1);
	assert_says("deferred rate_limited B 2026-06-04T08:01:00Z\n");
	world_deliver(w, DELIVERY_SENT);
	assert_says("sent ok A\n");
}

/* New hours bring a mail forward, but not among those that its contact has got. */
static void a_mail_for_the_morning_comes_forward_where_there_is_room(void **state)
{
	(void)state;
	w->settings.rules.per_contact = (struct limit){1, 3600000};
	world_sql(w,
	          "UPDATE customer SET timezone = 'Etc/UTC'; INSERT INTO hours_week VALUES (1, 3, "
	          "'07:00-17:00')");
	assert_said("2026-06-03T13:00:00Z", "A", "deferred outside_hours A 2026-06-04T07:00:00Z");
	world_event(w, "job.failed", "B", "1001", NULL, NULL);
	assert_says("queued ok B\n");
	world_deliver(w, DELIVERY_SENT);
	world_sql(w, "DELETE FROM hours_week");
	world_turn(w);
	assert_says("deferred rate_limited A 2026-06-03T14:00:00Z\n");
	world_at(w, "2026-06-03T13:59:59Z");
	world_turn(w);
	assert_int_equal(w->n_in_flight, 0);
	assert_said("2026-06-03T13:59:59Z", "C", "deferred rate_limited C 2026-06-03T14:00:00Z");
	world_at(w, "2026-06-03T14:00:00Z");
	world_turn(w);
	assert_int_equal(w->n_in_flight, 1);
	world_deliver(w, DELIVERY_SENT);
	assert_says("sent ok A\n");
	assert_says("sent ok C\n");
}

static void a_retry_keeps_to_the_limit(void **state)
{
	(void)state;
	w->settings.rules.per_contact = (struct limit){1, 3600000};
	assert_said("2026-06-03T13:00:00Z", "A", "queued ok A");
	world_deliver(w, DELIVERY_REFUSED);
	assert_says("failed mail_refused A\n");
	assert_said("2026-06-03T14:00:00Z", "B", "queued ok B");
	world_deliver(w, DELIVERY_SENT);
	char *answer = world_command(w, "{\"do\":\"mail.retry\",\"id\":1}");
	assert_non_null(strstr(answer, "\"mails\":[1],\"limited\":[1]"));
	free(answer);
	world_turn(w);
	assert_says("deferred rate_limited A 2026-06-03T15:00:00Z\n");
	/* A retry is the same mail again: nothing joins it. */
	assert_said("2026-06-03T14:00:01Z", "C", "deferred rate_limited C 2026-06-03T16:00:00Z");
	world_at(w, "2026-06-03T15:00:00Z");
	world_turn(w);
	assert_int_equal(w->n_in_flight, 1);
	answer = world_command(w, "{\"do\":\"mail.retry\",\"id\":3}");
	assert_non_null(strstr(answer, "\"limited\":[3]"));
	free(answer);
}

/* What would go behind the end of its shelf life is expired at once. */
static void a_retry_that_would_come_too_late_is_expired(void **state)
{
	(void)state;
	w->settings.rules.per_contact = (struct limit){1, 3600000};
	w->settings.notify[JOB_COMPLETED].shelf_life_ms = 4500000;
	assert_said("2026-06-03T13:00:00Z", "A", "queued ok A");
	world_deliver(w, DELIVERY_REFUSED);
	assert_said("2026-06-03T14:00:00Z", "B", "queued ok B");
	char *answer = world_command(w, "{\"do\":\"mail.retry\",\"id\":1}");
	assert_non_null(strstr(answer, "\"expired\":[1]"));
	free(answer);
	world_turn(w);
	assert_says("expired expired A\n");
	assert_int_equal(world_mails(w, STATUS_DEFERRED), 0);
}

/* The group that a mail was to wait with has no place: it is one more. */
static void a_mail_that_finds_its_group_full_keeps_to_the_limit(void **state)
{
	(void)state;
	char job[16];
	w->settings.rules.per_contact = (struct limit){1, 3600000};
	w->settings.notify[JOB_COMPLETED].group_wait_ms = 60000;
	for (int i = 0; i < 500; i++) {
		(void)snprintf(job, sizeof job, "J%d", i);
		world_event(w, "job.completed", job, "1001", NULL, NULL);
	}
	assert_says("deferred grouped J499 2026-06-03T13:01:00Z\n");
	assert_said("2026-06-03T13:00:00Z", "L", "deferred rate_limited L 2026-06-03T14:01:00Z");
	assert_said("2026-06-03T13:00:00Z", "M", "deferred rate_limited M 2026-06-03T14:01:00Z");
	assert_int_equal(world_mails(w, STATUS_DEFERRED), 2);
}

/* Its group goes when it isn't worth anything anymore, and there is room before. */
static void a_mail_for_which_its_group_goes_too_late_goes_alone(void **state)
{
	(void)state;
	w->settings.rules.per_contact = (struct limit){1, 3600000};
	w->settings.notify[JOB_COMPLETED].shelf_life_ms = 3600000;
	assert_said("2026-06-03T13:00:00Z", "A", "queued ok A");
	world_deliver(w, DELIVERY_SENT);
	assert_said("2026-06-03T13:30:00Z", "B", "deferred rate_limited B 2026-06-03T14:00:00Z");
	spool_sql("DELETE FROM contact_slot WHERE mail = 1; UPDATE contact_slot SET at = at + "
	          "7200000; UPDATE mail SET due = due + 7200000, expires = expires + 7200000 WHERE "
	          "waits = 1");
	assert_said("2026-06-03T13:31:00Z", "C", "queued ok C");
	assert_said("2026-06-03T13:32:00Z", "D", "deferred rate_limited D 2026-06-03T14:31:00Z");
}

static void a_clock_set_back_lengthens_no_wait_for_the_limit(void **state)
{
	(void)state;
	w->settings.rules.per_contact = (struct limit){1, 3600000};
	assert_said("2026-06-03T13:00:00Z", "A", "queued ok A");
	world_deliver(w, DELIVERY_SENT);
	assert_said("2026-06-03T13:10:00Z", "B", "deferred rate_limited B 2026-06-03T14:00:00Z");
	world_at(w, "2026-06-03T08:10:00Z");
	world_turn(w);
	world_at(w, "2026-06-03T08:59:59Z");
	world_turn(w);
	assert_int_equal(w->n_in_flight, 0);
	assert_said("2026-06-03T09:00:00Z", "C", "deferred rate_limited C 2026-06-03T10:00:00Z");
	assert_int_equal(w->n_in_flight, 1);
}

static void a_clock_set_back_leaves_no_slot_in_the_future(void **state)
{
	(void)state;
	w->settings.rules.per_contact = (struct limit){1, 3600000};
	assert_said("2026-06-03T13:00:00Z", "A", "queued ok A");
	world_deliver(w, DELIVERY_SENT);
	assert_said("2026-06-03T12:30:00Z", "B", "deferred rate_limited B 2026-06-03T13:30:00Z");
}

/* The opening is at a time of day: the mail's slot is there as before. */
static void a_clock_set_back_leaves_what_waits_for_the_morning(void **state)
{
	(void)state;
	w->settings.rules.per_contact = (struct limit){1, 3600000};
	world_sql(w,
	          "UPDATE customer SET timezone = 'Etc/UTC'; INSERT INTO hours_week VALUES (1, 3, "
	          "'07:00-17:00')");
	assert_said("2026-06-03T13:00:00Z", "A", "deferred outside_hours A 2026-06-04T07:00:00Z");
	assert_said("2026-06-03T12:00:00Z", "B", "deferred rate_limited B 2026-06-04T08:00:00Z");
}

/* It is seen by what was done last. */
static void a_clock_set_back_while_it_was_stopped_lengthens_no_wait(void **state)
{
	(void)state;
	w->settings.rules.per_contact = (struct limit){1, 3600000};
	assert_said("2026-06-03T13:00:00Z", "A", "queued ok A");
	world_deliver(w, DELIVERY_SENT);
	assert_said("2026-06-03T13:10:00Z", "B", "deferred rate_limited B 2026-06-03T14:00:00Z");
	world_crash(w);
	w->settings.rules.per_contact = (struct limit){1, 3600000};
	world_at(w, "2025-06-03T13:10:00Z");
	world_turn(w);
	world_at(w, "2025-06-03T13:59:59Z");
	world_turn(w);
	assert_int_equal(w->n_in_flight, 0);
	assert_said("2025-06-03T14:00:00Z", "C", "deferred rate_limited C 2025-06-03T15:00:00Z");
	assert_int_equal(w->n_in_flight, 1);
}

static void without_limits_nothing_is_written(void **state)
{
	(void)state;
	assert_said("2026-06-03T13:00:00Z", "A", "queued ok A");
	char *status = world_command(w, "{\"do\":\"status\"}");
	assert_non_null(strstr(status, "\"breaker\":{\"open\":false"));
	free(status);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(a_burst_is_over_when_the_window_is),
	        TEST(what_is_held_keeps_it_open),
	        TEST(the_count_outlives_a_crash),
	        TEST(a_clock_set_back_forgets_nothing),
	        TEST(a_clock_set_back_a_little_counts_nothing_longer),
	        TEST(a_window_moves_on_over_many_turns),
	        TEST(retries_and_later_states_of_a_group_are_no_new_mails),
	        TEST(a_contact_has_room_again_when_the_window_is_over),
	        TEST(a_mail_for_the_morning_takes_no_room_now),
	        TEST(however_many_wait_the_limit_holds),
	        TEST(a_full_group_is_followed_by_another),
	        TEST(released_mails_over_the_limit_go_as_a_group),
	        TEST(what_is_deferred_again_keeps_to_the_limit),
	        TEST(what_is_split_off_keeps_to_the_limit),
	        TEST(a_mail_for_the_morning_comes_forward_where_there_is_room),
	        TEST(a_retry_keeps_to_the_limit),
	        TEST(a_retry_that_would_come_too_late_is_expired),
	        TEST(a_mail_that_finds_its_group_full_keeps_to_the_limit),
	        TEST(a_mail_for_which_its_group_goes_too_late_goes_alone),
	        TEST(a_clock_set_back_lengthens_no_wait_for_the_limit),
	        TEST(a_clock_set_back_leaves_no_slot_in_the_future),
	        TEST(a_clock_set_back_leaves_what_waits_for_the_morning),
	        TEST(a_clock_set_back_while_it_was_stopped_lengthens_no_wait),
	        TEST(without_limits_nothing_is_written),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
