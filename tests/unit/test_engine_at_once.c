/* SPDX-License-Identifier: MIT */
/*
 * Mails that go in the turn that decides them, and their results without reading back: in which
 * order, when not, and what a failed turn, a crash or a change in between leaves of them.
 */
#include "db/db_private.h"
#include "engine/engine_private.h"
#include "engine_world.h"
#include "spool/spool_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

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

/* ---- A turn of several events, as it comes from Redis ---- */

enum { TAKEN_MAX = 16 };

/* "STATE JOB CUSTOMER" */
static const struct entry *entry_of(struct arena *arena, const char *event)
{
	static int last;
	struct entry *entry = arena_alloc(arena, sizeof *entry);
	struct entry_field *fields = arena_new_array(arena, 4, struct entry_field);
	char state[16], job[16], customer[16];
	assert_int_equal(sscanf(event, "%15s %15s %15s", state, job, customer), 3);
	const char *texts[] = {"id",       arena_printf(arena, "m%d", ++last),
	                       "type",     arena_printf(arena, "job.%s", state),
	                       "job",      arena_strdup(arena, job),
	                       "customer", arena_strdup(arena, customer)};
	for (size_t i = 0; i < 4; i++)
		fields[i] = (struct entry_field){texts[2 * i], strlen(texts[2 * i]),
		                                 texts[2 * i + 1], strlen(texts[2 * i + 1])};
	*entry = (struct entry){
	        .feed = FEED_EVENTS, .id = "", .fields = fields, .n_fields = 4, .received = w->now};
	return entry;
}

/* What the last turn gave, as text: "ID TEMPLATE JOB\n" for each mail. */
static struct buf handed;

static bool turn(const struct turn_input *given)
{
	struct turn_input in = *given;
	struct turn_output out;
	struct error err;
	in.now = w->now;
	in.outcomes_max = 1000;
	buf_reset(&handed);
	bool ok = engine_turn(w->engine, &in, &out, &err);
	for (size_t i = 0; ok && i < out.n_outgoing; i++)
		buf_printf(&handed, "%lld %s %s\n", (long long)out.outgoing[i]->mail,
		           out.outgoing[i]->template, out.outgoing[i]->jobs[0]);
	turn_output_clear(&out);
	return ok;
}

#define handed_is(text) assert_string_equal(buf_text(&handed), text)

static void events(size_t room, const char *command, const char *const *list)
{
	struct arena *arena = arena_new();
	const struct entry *entries[TAKEN_MAX];
	const struct turn_command asked = {.text = command};
	struct turn_input in = {.entries = entries, .room = room};
	for (; list[in.n_entries] != NULL; in.n_entries++)
		entries[in.n_entries] = entry_of(arena, list[in.n_entries]);
	if (command != NULL) {
		in.commands = &asked;
		in.n_commands = 1;
	}
	assert_true(turn(&in));
	arena_free(arena);
}

#define EVENTS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NO_EVENTS   ((const char *const[]){NULL})

static void result(int64_t mail, enum delivery delivery)
{
	struct delivery_result r = {
	        .mail = mail, .delivery = delivery, .to = "ann@example.com", .reply = "550 no"};
	struct turn_input in = {.results = &r, .n_results = 1};
	assert_true(turn(&in));
}

static int64_t sent(void)
{
	return world_mails(w, STATUS_SENT);
}

/* ---- What is read and written ---- */

static struct buf statements;

static int note_statement(unsigned type, void *arg, void *statement, void *text)
{
	(void)type, (void)arg, (void)statement;
	buf_printf(&statements, "%s\n", (const char *)text);
	return 0;
}

static void note_statements(void)
{
	buf_reset(&statements);
	sqlite3_trace_v2(w->engine->spool->db->handle, SQLITE_TRACE_STMT, note_statement, NULL);
}

static int count(const char *beginning)
{
	int n = 0;
	for (const char *at = buf_text(&statements); (at = strstr(at, beginning)) != NULL; at++)
		n++;
	return n;
}

static void a_mail_is_one_insert_and_one_update(void **state)
{
	(void)state;
	events(9, NULL, EVENTS("dispatched J0 1001")); /* statements are prepared */
	result(1, DELIVERY_SENT);
	note_statements();
	events(9, NULL, EVENTS("dispatched J1 1001", "completed J2 1001"));
	handed_is("2 dispatched J1\n3 completed J2\n");
	assert_int_equal(count("INSERT INTO mail "), 2);
	assert_int_equal(count("UPDATE mail "), 0);
	assert_int_equal(count("FROM event JOIN job"), 0);
	assert_int_equal(count("FROM event WHERE job"), 0);
	assert_int_equal(count("FROM mail WHERE id"), 0);
	assert_int_equal(count("FROM notice WHERE mail"), 0);
	note_statements();
	result(2, DELIVERY_SENT);
	result(3, DELIVERY_BUSY);
	assert_int_equal(count("UPDATE mail "), 2);
	assert_int_equal(count("FROM mail WHERE id"), 0);
	assert_int_equal(count("FROM event JOIN job"), 0);
	assert_int_equal(count("FROM notice WHERE mail"), 0);
	assert_int_equal(sent(), 2);
	assert_int_equal(world_mails(w, STATUS_RETRYING), 1);
}

/* ---- Order, room, pause ---- */

static void an_older_one_is_not_overtaken(void **state)
{
	(void)state;
	events(0, NULL, EVENTS("completed J1 1001"));
	handed_is("");
	events(1, NULL, EVENTS("completed J2 1001"));
	handed_is("1 completed J1\n");
	events(9, NULL, EVENTS("completed J3 1001"));
	handed_is("2 completed J2\n3 completed J3\n");
}

static void what_there_is_no_room_for_waits(void **state)
{
	(void)state;
	events(2, NULL, EVENTS("completed J1 1001", "completed J2 1001", "completed J3 1001"));
	handed_is("1 completed J1\n2 completed J2\n");
	assert_int_equal(world_mails(w, STATUS_QUEUED), 1);
	assert_int_equal(world_mails(w, STATUS_SENDING), 2);
	events(1, NULL, NO_EVENTS);
	handed_is("3 completed J3\n");
}

/* The first job's mail becomes a row before the others': its place is the same. */
static void they_go_in_the_order_of_their_events(void **state)
{
	(void)state;
	world_sql(w, "UPDATE contact SET notify = 'dispatched,started,paused,completed'");
	events(9, NULL,
	       EVENTS("completed J1 1001", "completed J2 1001", "completed J2 1001",
	              "completed J3 1001"));
	handed_is("1 completed J1\n2 completed J2\n3 completed J3\n");
}

static void of_two_events_of_a_job_in_one_turn_the_later_is_mailed(void **state)
{
	(void)state;
	events(9, NULL, EVENTS("started J1 1001", "completed J1 1001"));
	handed_is("2 completed J1\n");
	assert_int_equal(world_mails(w, STATUS_SUPERSEDED), 1);
	assert_int_equal(world_mails(w, STATUS_SENDING), 1);
}

static void of_two_events_of_a_job_in_two_turns_both_are_never_in_flight(void **state)
{
	(void)state;
	events(9, NULL, EVENTS("started J1 1001"));
	handed_is("1 started J1\n");
	events(9, NULL, EVENTS("completed J1 1001"));
	handed_is("");
	result(1, DELIVERY_SENT);
	events(9, NULL, NO_EVENTS);
	handed_is("2 completed J1\n");
}

static void a_pause_in_the_same_turn_holds_it_back(void **state)
{
	(void)state;
	events(9, "{\"do\":\"mail.pause\",\"by\":\"sam\"}", EVENTS("completed J1 1001"));
	handed_is("");
	assert_int_equal(world_mails(w, STATUS_QUEUED), 1);
	events(9, "{\"do\":\"mail.resume\",\"by\":\"sam\"}", NO_EVENTS);
	handed_is("1 completed J1\n");
}

static void a_command_in_the_same_turn_finds_it(void **state)
{
	(void)state;
	events(9, "{\"do\":\"mail.cancel\",\"id\":1}", EVENTS("completed J1 1001"));
	handed_is("");
	assert_int_equal(world_mails(w, STATUS_CANCELLED), 1);
}

static void a_question_to_the_gate_keeps_nothing_from_going(void **state)
{
	(void)state;
	note_statements();
	events(9, "{\"do\":\"gate\",\"customer\":\"1001\",\"type\":\"job.create\"}",
	       EVENTS("completed J1 1001"));
	handed_is("1 completed J1\n");
	assert_int_equal(count("UPDATE mail "), 0);
}

/* ---- Failed turns ---- */

static bool turn_on_a_full_disk(const struct turn_input *in)
{
	struct rlimit old, none;
	getrlimit(RLIMIT_FSIZE, &old);
	none = (struct rlimit){.rlim_cur = 0, .rlim_max = old.rlim_max};
	(void)signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &none);
	bool ok = turn(in);
	setrlimit(RLIMIT_FSIZE, &old);
	return ok;
}

static void a_failed_turn_leaves_no_mail_in_flight(void **state)
{
	(void)state;
	struct arena *arena = arena_new();
	const struct entry *first = entry_of(arena, "completed J1 1001");
	const struct entry *other = entry_of(arena, "started J2 1001");
	struct turn_input in = {.entries = &first, .n_entries = 1, .room = 9};
	assert_false(turn_on_a_full_disk(&in));
	assert_null(in_flight_find(w->engine->in_flight, 1));
	in.entries = &other; /* has the id that the other one had */
	assert_true(turn(&in));
	handed_is("1 started J2\n");
	in.entries = &first;
	assert_true(turn(&in));
	handed_is("2 completed J1\n");
	result(1, DELIVERY_SENT);
	result(2, DELIVERY_SENT);
	assert_int_equal(sent(), 2);
	arena_free(arena);
}

static void a_result_of_a_failed_turn_counts_once(void **state)
{
	(void)state;
	events(9, NULL, EVENTS("completed J1 1001"));
	struct delivery_result r = {
	        .mail = 1, .delivery = DELIVERY_BUSY, .to = "ann@example.com", .reply = "450 no"};
	struct turn_input in = {.results = &r, .n_results = 1};
	assert_false(turn_on_a_full_disk(&in));
	assert_int_equal(world_mails(w, STATUS_SENDING), 1);
	assert_true(turn(&in));
	assert_int_equal(world_mails(w, STATUS_RETRYING), 1);
	assert_true(turn(&in)); /* it isn't in flight anymore */
	assert_int_equal(world_mails(w, STATUS_RETRYING), 1);
	world_at(w, "2026-06-03T12:02:00Z");
	events(9, NULL, NO_EVENTS);
	handed_is("1 completed J1\n");
	result(1, DELIVERY_SENT);
	assert_int_equal(sent(), 1);
}

/* ---- Changed between dispatch and result ---- */

static void a_suspension_in_between_calls_it_back(void **state)
{
	(void)state;
	world_event(w, "job.completed", "J1", "1001", NULL, NULL);
	world_sql(w, "INSERT INTO suspension (customer, scopes, \"from\", note) VALUES (1, "
	             "'emails', '2026-06-03', 'unpaid')");
	struct turn_input in = {.now = w->now};
	struct turn_output out;
	struct error err;
	assert_true(engine_turn(w->engine, &in, &out, &err));
	assert_int_equal(out.n_recalled, 1);
	turn_output_clear(&out);
	world_deliver(w, DELIVERY_RELAY);
	outcomes_are("suppressed suspended J1\n");
	assert_int_equal(w->n_in_flight, 0);
}

static void superseded_in_flight_it_ends_when_it_fails_and_counts_when_it_went(void **state)
{
	(void)state;
	events(9, NULL, EVENTS("started J1 1001", "started J2 1001"));
	events(9, NULL, EVENTS("completed J1 1001", "completed J2 1001"));
	result(1, DELIVERY_BUSY);
	result(2, DELIVERY_SENT);
	assert_int_equal(world_mails(w, STATUS_SUPERSEDED), 1);
	assert_int_equal(sent(), 1);
	events(9, NULL, NO_EVENTS);
	handed_is("3 completed J1\n4 completed J2\n");
}

static void a_customers_new_number_is_in_the_outcome(void **state)
{
	(void)state;
	world_event(w, "job.completed", "J1", "1001", NULL, NULL);
	world_sql(w, "UPDATE customer SET number = '2001'");
	world_deliver(w, DELIVERY_SENT);
	outcomes_are("sent ok J1\n");
	assert_non_null(strstr(buf_text(&w->fields), "\tcustomer=2001\t"));
}

static void a_group_in_flight_loses_a_member(void **state)
{
	(void)state;
	w->settings.notify[JOB_DISPATCHED].group_wait_ms = 60000;
	events(9, NULL, EVENTS("dispatched J1 1001", "dispatched J2 1001"));
	world_at(w, "2026-06-03T12:01:00Z");
	events(9, NULL, NO_EVENTS);
	handed_is("1 dispatched J1\n");
	events(9, NULL, EVENTS("started J2 1001"));
	handed_is("");
	result(1, DELIVERY_BUSY);
	world_at(w, "2026-06-03T12:03:00Z");
	events(9, NULL, NO_EVENTS);
	handed_is("2 started J2\n1 dispatched J1\n");
	result(1, DELIVERY_SENT);
	assert_int_equal(sent(), 1);
}

static void after_a_crash_the_spool_alone_is_asked(void **state)
{
	(void)state;
	events(9, NULL, EVENTS("completed J1 1001"));
	w->room = 0;
	world_reopen(w);
	assert_int_equal(world_mails(w, STATUS_RETRYING), 1);
	events(9, NULL, NO_EVENTS);
	handed_is("1 completed J1\n");
	result(1, DELIVERY_SENT);
	assert_int_equal(sent(), 1);
}

static void the_offices_mail_goes_at_once(void **state)
{
	(void)state;
	world_sql(w, "INSERT INTO suspension (id, customer, scopes, \"from\", note) VALUES (1, 1, "
	             "'routes', '2026-06-01', 'dog in the yard')");
	note_statements();
	world_event(w, "job.started", "J1", "1001", NULL, NULL);
	assert_int_equal(w->n_in_flight, 2);
	assert_int_equal(count("UPDATE mail "), 0);
	assert_string_equal(w->templates[0], "collision");
	assert_string_equal(w->in_flight[0].to, "office@example.com");
	assert_non_null(strstr(w->contexts[0], "dog in the yard"));
	world_deliver(w, DELIVERY_SENT);
	outcomes_are("sent ok J1\n"); /* the office's mail was reported by its collision */
	assert_int_equal(sent(), 2);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        test(a_mail_is_one_insert_and_one_update),
	        test(an_older_one_is_not_overtaken),
	        test(what_there_is_no_room_for_waits),
	        test(they_go_in_the_order_of_their_events),
	        test(of_two_events_of_a_job_in_one_turn_the_later_is_mailed),
	        test(of_two_events_of_a_job_in_two_turns_both_are_never_in_flight),
	        test(a_pause_in_the_same_turn_holds_it_back),
	        test(a_command_in_the_same_turn_finds_it),
	        test(a_question_to_the_gate_keeps_nothing_from_going),
	        test(a_failed_turn_leaves_no_mail_in_flight),
	        test(a_result_of_a_failed_turn_counts_once),
	        test(a_suspension_in_between_calls_it_back),
	        test(superseded_in_flight_it_ends_when_it_fails_and_counts_when_it_went),
	        test(a_customers_new_number_is_in_the_outcome),
	        test(a_group_in_flight_loses_a_member),
	        test(after_a_crash_the_spool_alone_is_asked),
	        test(the_offices_mail_goes_at_once),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	buf_free(&handed);
	buf_free(&statements);
	return failed;
}
