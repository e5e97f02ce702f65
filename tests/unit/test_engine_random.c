/* SPDX-License-Identifier: MIT */
/*
 * Weeks of random days at a small firm, turn by turn: events in any order, grouped, with clocks
 * that are ahead; relays that refuse, doubt and are away; reports about mails that were sent, are
 * being sent or were never sent; suspensions and hours that come and go; crashes. Whatever happens,
 * some things must never:
 *
 *   two mails of one job to one contact in flight · a mail of a state that the job has left behind
 * by an end · a mail to a suspended customer, or outside its hours, or to an address that a report
 * called dead · more mails to a contact in a window than its limit allows, and one that waits and
 * isn't counted when it is due · a mail or an event without an end
 *
 * And the same days leave the same rows when nothing is kept of mails in flight, so that each
 * result reads the spool. And whoever has a copy of the spool from the beginning and is told of
 * each turn what it changed has the same spool at the end: every row has a key of its own, and none
 * is written outside of a turn.
 */
#define SQLITE_ENABLE_SESSION        1 /* as Debian's library is built */
#define SQLITE_ENABLE_PREUPDATE_HOOK 1
#include "db/db_private.h"
#include "engine/engine_private.h"
#include "engine_world.h"

#include "spool/spool_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { JOBS = 8, TURNS = 300, IN_FLIGHT_MAX = 12, MAIL_JOBS_MAX = 16 };

static struct mail_in_flight {
	struct delivery_result result;
	char jobs[MAIL_JOBS_MAX][8];
	size_t n_jobs;
} in_flight[IN_FLIGHT_MAX];
static size_t n_in_flight;

static struct world *w;
static uint64_t dice_state;
static bool suspended, closed, forgetful, reports, limits;
static enum job_state ends_of[JOBS]; /* JOB_NONE while the job has no end, as of the last turn */

enum { MAILS = 8192, DEAD_MAX = 512 };
static char went_to[MAILS][32]; /* by mail */
static int64_t last_mail;
static char dead[DEAD_MAX][32]; /* addresses that reports marked */
static size_t n_dead, n_addresses, n_limited;

static unsigned dice(unsigned sides)
{
	dice_state = dice_state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(dice_state >> 33) % sides;
}

static void setup(uint64_t seed)
{
	dice_state = seed;
	n_in_flight = 0;
	last_mail = 0;
	n_dead = n_addresses = n_limited = 0;
	memset(went_to, 0, sizeof went_to);
	suspended = closed = false;
	w = world_new("2026-06-03T08:00:00Z");
	world_sql(w, "INSERT INTO customer (id, number, name, timezone) VALUES (1, '1', 'Head', "
	             "'UTC'), (2, '2', "
	             "'Site', 'UTC');"
	             "UPDATE customer SET parent = 1 WHERE id = 2;"
	             "INSERT INTO contact (id, customer, email, alt_email, all_sites) VALUES "
	             "(1, 1, 'all@example.com', 'alt@example.com', 1);"
	             "INSERT INTO contact (id, customer, email, notify) VALUES "
	             "(2, 2, 'ends@example.com', 'dispatched,completed,failed,cancelled');"
	             "INSERT INTO hours_week SELECT 2, value, '07:00-12:00,13:00-19:00' FROM "
	             "json_each('[0,1,2,3,4,5,6]')");
	w->settings.notify[JOB_STARTED].group_wait_ms = 120000;
	w->settings.notify[JOB_DISPATCHED].group_wait_ms = 60000;
	w->settings.notify[JOB_FAILED].outside_hours = HOURS_DEFER;
	w->settings.office.email = "";
	if (limits) {
		w->settings.rules.per_contact = (struct limit){2, 7200000};
		w->settings.rules.burst = (struct limit){6, 3600000};
	}
}

/* ---- What must never be ---- */

static void check_alone(const struct outgoing_mail *outgoing)
{
	for (size_t i = 0; i < n_in_flight; i++)
		for (size_t k = 0; k < in_flight[i].n_jobs; k++)
			for (size_t j = 0; j < outgoing->n_jobs; j++)
				if (strcmp(in_flight[i].result.to, outgoing->to) == 0 &&
				    strcmp(in_flight[i].jobs[k], outgoing->jobs[j]) == 0)
					fail_msg("two mails of job %s to %s in flight",
					         outgoing->jobs[j], outgoing->to);
}

static void check_state(const struct outgoing_mail *outgoing)
{
	enum job_state reported = job_state_find(outgoing->template);
	for (size_t j = 0; j < outgoing->n_jobs; j++) {
		enum job_state end = ends_of[atoi(outgoing->jobs[j])];
		if (end != JOB_NONE && !job_state_row(reported)->is_end)
			fail_msg("a mail of %s for job %s, which is %s", outgoing->template,
			         outgoing->jobs[j], job_state_name(end));
	}
}

/* All customers are suspended at once here, and only customer 2 has hours. */
static void check_allowed(const struct outgoing_mail *outgoing)
{
	int hour = (int)(w->now.ms / 3600000 % 24);
	bool open = hour >= 7 && hour < 19 && hour != 12 && !closed;
	if (suspended)
		fail_msg("a mail to %s, who is suspended", outgoing->to);
	for (size_t j = 0; j < outgoing->n_jobs; j++)
		if (atoi(outgoing->jobs[j]) % 2 == 1 && !open)
			fail_msg("a mail of job %s outside hours", outgoing->jobs[j]);
}

static void check_alive(const struct outgoing_mail *outgoing)
{
	for (size_t i = 0; i < n_dead; i++)
		if (strcmp(dead[i], outgoing->to) == 0)
			fail_msg("a mail to %s, which a report marked", outgoing->to);
}

/* Whatever moved a mail asked the limit, and its slot went with it. */
static void check_limit(void)
{
	static const char *const never[] = {
	        "SELECT mail FROM contact_slot a WHERE (SELECT count(*) FROM contact_slot b WHERE "
	        "b.contact = a.contact AND b.at > a.at - 7200000 AND b.at <= a.at) > 2",
	        "SELECT id FROM mail LEFT JOIN contact_slot ON mail = id WHERE status = "
	        "'deferred' AND reason <> 'held_back' AND at IS NOT due AND due > ?1",
	        "SELECT mail FROM contact_slot WHERE mail NOT IN (SELECT id FROM mail)",
	};
	for (size_t i = 0; limits && i < sizeof never / sizeof *never; i++) {
		sqlite3_stmt *q;
		assert_int_equal(sqlite3_prepare_v2(spool_db(w->engine->spool)->handle, never[i],
		                                    -1, &q, NULL),
		                 SQLITE_OK);
		(void)sqlite3_bind_int64(q, 1, w->now.ms);
		if (sqlite3_step(q) == SQLITE_ROW)
			fail_msg("mail %lld: %s", (long long)sqlite3_column_int64(q, 0), never[i]);
		sqlite3_finalize(q);
	}
}

static void take_outgoing(const struct turn_output *out)
{
	for (size_t i = 0; i < out->n_outgoing; i++) {
		const struct outgoing_mail *outgoing = out->outgoing[i];
		check_alone(outgoing);
		check_state(outgoing);
		check_allowed(outgoing);
		check_alive(outgoing);
		assert_true(outgoing->mail < MAILS);
		(void)snprintf(went_to[outgoing->mail], sizeof went_to[0], "%s", outgoing->to);
		last_mail = outgoing->mail > last_mail ? outgoing->mail : last_mail;
		struct mail_in_flight *f = &in_flight[n_in_flight++];
		*f = (struct mail_in_flight){.result = {.mail = outgoing->mail}};
		(void)snprintf(f->result.to, sizeof f->result.to, "%s", outgoing->to);
		for (size_t j = 0; j < outgoing->n_jobs && j < MAIL_JOBS_MAX; j++)
			(void)snprintf(f->jobs[f->n_jobs++], sizeof f->jobs[0], "%s",
			               outgoing->jobs[j]);
	}
}

/* ---- What happens ---- */

/* Each event's job state is followed by the model's own function, which has tests of its own. */
static struct job_mark marks[JOBS][TURNS * 4];
static size_t n_marks[JOBS];
static char event_ids[TURNS * 4][16];
static size_t n_events;

static struct entry_field field(struct arena *arena, const char *name, const char *value)
{
	const char *copy = arena_strdup(arena, value);
	return (struct entry_field){name, strlen(name), copy, strlen(copy)};
}

static const struct entry *random_event(struct arena *arena)
{
	struct entry *entry = arena_alloc(arena, sizeof *entry);
	struct entry_field *fields = arena_new_array(arena, 5, struct entry_field);
	char time[INSTANT_TEXT_MAX], *id = event_ids[n_events];
	unsigned job = dice(JOBS);
	enum job_state state = (enum job_state)dice(JOB_STATE_COUNT);
	struct instant when = instant_add(w->now, ((int64_t)dice(30) - 22) * 60000);
	(void)snprintf(id, sizeof event_ids[0], "e%zu", n_events++);
	fields[0] = field(arena, "id", id);
	fields[1] = field(arena, "type", job_state_type(state));
	fields[2] = field(arena, "job", arena_printf(arena, "%u", job));
	fields[3] = field(arena, "customer", job % 2 ? "2" : "1");
	fields[4] = field(arena, "time", instant_format(when, 0, time));
	*entry = (struct entry){
	        .feed = FEED_EVENTS, .id = "", .fields = fields, .n_fields = 5, .received = w->now};
	marks[job][n_marks[job]++] = (struct job_mark){state, when, "", id};
	const struct job_mark *is = job_state_of(marks[job], n_marks[job]);
	ends_of[job] = job_state_row(is->state)->is_end ? is->state : JOB_NONE;
	return entry;
}

static size_t random_results(struct delivery_result *ret, bool all)
{
	static const enum delivery deliveries[] = {DELIVERY_SENT,    DELIVERY_SENT,  DELIVERY_SENT,
	                                           DELIVERY_BUSY,    DELIVERY_DOUBT, DELIVERY_RELAY,
	                                           DELIVERY_REFUSED, DELIVERY_BUSY};
	size_t n = 0, left = 0;
	for (size_t i = 0; i < n_in_flight; i++) {
		if (!all && dice(4) != 0) {
			in_flight[left++] = in_flight[i];
			continue;
		}
		ret[n] = in_flight[i].result;
		ret[n++].delivery = all ? DELIVERY_SENT : deliveries[dice(8)];
	}
	n_in_flight = left;
	return n;
}

/* About one of the latest mails, whatever has become of it. */
static int64_t random_report(char *ret, size_t size)
{
	static const char *const codes[] = {"5.1.1", "5.2.2", "4.4.7", "5.7.1", "2.0.0", "5.2.2"};
	int64_t mail = last_mail - dice(20);
	(void)snprintf(ret, size, "{\"do\":\"bounce.report\",\"mail\":%lld,\"code\":\"%s\"}",
	               (long long)mail, codes[dice(6)]);
	return mail;
}

/* A person decides on a few of the latest mails, whatever has become of them. */
static void random_decision(char *ret, size_t size)
{
	static const char *const verbs[] = {"breaker.release", "breaker.release", "breaker.release",
	                                    "breaker.discard", "mail.retry"};
	int64_t mail = last_mail - 20 + dice(30);
	if (dice(4) == 0) {
		(void)snprintf(ret, size, "{\"do\":\"mail.retry\",\"id\":%lld}", (long long)mail);
		return;
	}
	int n = snprintf(ret, size, "{\"do\":\"%s\",\"ids\":[0", verbs[dice(5)]);
	for (int i = 0; i < 12; i++)
		n += snprintf(ret + n, size - (size_t)n, ",%lld", (long long)mail + i);
	(void)snprintf(ret + n, size - (size_t)n, "]}");
}

/* ---- Whoever follows ---- */

/* A copy of the spool, NULL for none, and what records the turn under way. */
static sqlite3 *follower;
static sqlite3_session *recorded;

static void follow(void)
{
	sqlite3 *from = spool_db(w->engine->spool)->handle;
	assert_int_equal(sqlite3_open(":memory:", &follower), SQLITE_OK);
	sqlite3_backup *copy = sqlite3_backup_init(follower, "main", from, "main");
	assert_non_null(copy);
	assert_int_equal(sqlite3_backup_step(copy, -1), SQLITE_DONE);
	assert_int_equal(sqlite3_backup_finish(copy), SQLITE_OK);
}

static void record_at(sqlite3 *db)
{
	assert_int_equal(sqlite3session_create(db, "main", &recorded), SQLITE_OK);
	assert_int_equal(sqlite3session_attach(recorded, NULL), SQLITE_OK);
}

static void record(void)
{
	if (follower != NULL)
		record_at(spool_db(w->engine->spool)->handle);
}

/* A start has a turn of its own, before anybody else has the connection. It is the second to the
 * file: by the first one it only looks at it. */
static int n_opened;

static int on_open(sqlite3 *db)
{
	const char *path = sqlite3_db_filename(db, "main");
	if (follower != NULL && path != NULL && strstr(path, "/spool.db") != NULL &&
	    ++n_opened == 2)
		record_at(db);
	return SQLITE_OK;
}

static int no_conflict(void *arg, int what, sqlite3_changeset_iter *at)
{
	const char *table = "?";
	int columns, operation, indirect;
	(void)arg;
	(void)sqlite3changeset_op(at, &table, &columns, &operation, &indirect);
	sqlite3_value *key = NULL;
	(void)sqlite3changeset_conflict(at, 0, &key);
	fail_msg("conflict %d in %s: %s", what, table,
	         key != NULL ? (const char *)sqlite3_value_text(key) : "?");
	return SQLITE_CHANGESET_ABORT;
}

static void tell(void)
{
	int size = 0;
	void *changes = NULL;
	if (follower == NULL)
		return;
	assert_int_equal(sqlite3session_changeset(recorded, &size, &changes), SQLITE_OK);
	sqlite3session_delete(recorded);
	assert_int_equal(sqlite3changeset_apply(follower, size, changes, NULL, no_conflict, NULL),
	                 SQLITE_OK);
	sqlite3_free(changes);
}

static void take_reply(const char *reply, int64_t mail)
{
	if (strstr(reply, "\"took\":\"marked\"") == NULL)
		return;
	assert_true(n_dead < DEAD_MAX);
	(void)strcpy(dead[n_dead++], went_to[mail]);
}

static void turn(size_t events, bool all)
{
	struct delivery_result results[IN_FLIGHT_MAX];
	const struct entry *entries[4];
	struct arena *arena = arena_new();
	struct error err;
	struct turn_output out;
	struct turn_input in = {
	        .now = w->now, .entries = entries, .results = results, .random = dice(1000000)};
	in.n_results = random_results(results, all);
	for (; in.n_entries < events; in.n_entries++)
		entries[in.n_entries] = random_event(arena);
	in.room = IN_FLIGHT_MAX - n_in_flight;
	char report[256];
	struct turn_command command = {.text = report};
	int64_t about = random_report(report, sizeof report);
	in.commands = &command;
	in.n_commands = reports && !all && dice(4) == 0;
	bool decides = limits && !all && in.n_commands == 0 && dice(3) == 0;
	if (decides) {
		random_decision(report, sizeof report);
		in.n_commands = 1;
	}
	if (forgetful) {
		in_flight_drop_all(w->engine->in_flight);
		in_flight_end_turn(w->engine->in_flight, true);
	}
	record();
	if (!engine_turn(w->engine, &in, &out, &err))
		fail_msg("%s", err.text);
	tell();
	if (decides)
		n_limited += strstr(out.replies[0], "\"limited\"") != NULL;
	else if (in.n_commands > 0)
		take_reply(out.replies[0], about);
	check_limit();
	take_outgoing(&out);
	turn_output_clear(&out);
	arena_free(arena);
}

/* A contact gets another address. */
static void readdress(void)
{
	char sql[128];
	(void)snprintf(sql, sizeof sql, "UPDATE contact SET %s = 'n%zu@example.com' WHERE id = %u",
	               dice(2) == 0 ? "email" : "alt_email", ++n_addresses, 1 + dice(2));
	world_sql(w, sql);
}

static void office(void)
{
	switch (dice(12)) {
	case 3:
	case 4:
		if (reports)
			readdress();
		break;
	case 0:
		world_sql(w, suspended ? "UPDATE suspension SET removed = 1"
		                       : "INSERT INTO suspension (customer, scopes, \"from\", "
		                         "note) VALUES (1, "
		                         "'emails', '2026-01-01', 'n')");
		suspended = !suspended;
		break;
	case 1:
		world_sql(w, closed ? "DELETE FROM hours_date"
		                    : "INSERT INTO hours_date SELECT 2, date('2026-06-01', '+' || "
		                      "value || ' "
		                      "days'), 'closed' FROM "
		                      "json_each('[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14]')");
		closed = !closed;
		break;
	case 2:
		n_in_flight = 0;
		n_opened = 0;
		sqlite3_auto_extension((void (*)(void))on_open);
		world_crash(w);
		sqlite3_reset_auto_extension();
		tell();
		record();
		world_turn(w);
		tell();
		for (size_t i = 0; i < w->n_in_flight;
		     i++) /* dispatched by the first turn after the crash */
			in_flight[n_in_flight++] =
			        (struct mail_in_flight){.result = w->in_flight[i]};
		w->n_in_flight = 0;
		break;
	default:
		break;
	}
}

/* Afterwards a quiet week: everything comes to an end. */
static void check_ends(void)
{
	struct error err;
	if (suspended)
		world_sql(w, "UPDATE suspension SET removed = 1");
	world_sql(w, "DELETE FROM hours_date");
	suspended = closed = false;
	for (int i = 0; i < 8 * 24; i++) {
		w->now = instant_add(w->now, 3600000);
		turn(0, true);
		turn(0, true);
	}
	for (enum status s = STATUS_QUEUED; s <= STATUS_RETRYING; s++)
		if (s != STATUS_SENT && world_mails(w, s) != 0)
			fail_msg("%lld mails are %s for ever", (long long)world_mails(w, s),
			         status_name(s));
	struct spool *spool = spool_open(w->settings.spool.path, DB_READ, &err);
	for (size_t i = 0; i < n_events; i++)
		if (spool_event_find(spool, "", event_ids[i], NULL) == 0)
			fail_msg("event %s is lost", event_ids[i]);
	spool_close(spool);
}

/* Mails whose events are another's: their ids are nobody's. */
static int64_t n_joined(void)
{
	sqlite3_stmt *q;
	assert_int_equal(sqlite3_prepare_v2(spool_db(w->engine->spool)->handle,
	                                    "SELECT max(id) - count(*) FROM mail", -1, &q, NULL),
	                 SQLITE_OK);
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	int64_t n = sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	return n;
}

/* What was counted turn by turn is what there is. */
static void check_counts(void)
{
	int64_t kept[STATUS_COUNT];
	sqlite3 *db;
	for (int s = 0; s < STATUS_COUNT; s++)
		kept[s] = world_mails(w, (enum status)s);
	assert_int_equal(sqlite3_open(w->settings.spool.path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "DELETE FROM meta WHERE key = 'mails'", NULL, NULL, NULL),
	                 SQLITE_OK);
	assert_int_equal(sqlite3_changes(db), 1);
	sqlite3_close(db);
	for (int s = 0; s < STATUS_COUNT; s++)
		assert_int_equal(world_mails(w, (enum status)s), kept[s]);
}

/* Rows of a table as text; an id of a spool's own is of no interest. */
static void print_table(sqlite3 *db, const char *table, struct buf *out)
{
	char sql[128];
	sqlite3_stmt *q;
	(void)snprintf(sql, sizeof sql, "SELECT * FROM %s ORDER BY 1, 2", table);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &q, NULL), SQLITE_OK);
	while (sqlite3_step(q) == SQLITE_ROW) {
		buf_printf(out, "%s", table);
		for (int i = 0; i < sqlite3_column_count(q); i++) {
			buf_addc(out, '|');
			buf_add(out, sqlite3_column_blob(q, i), (size_t)sqlite3_column_bytes(q, i));
		}
		buf_addc(out, '\n');
	}
	sqlite3_finalize(q);
}

static void print_tables(sqlite3 *db, struct buf *out)
{
	sqlite3_stmt *q;
	assert_int_equal(sqlite3_prepare_v2(db,
	                                    "SELECT name FROM sqlite_schema WHERE type = 'table' "
	                                    "AND name NOT LIKE 'sqlite_%' AND name <> 'meta' "
	                                    "ORDER BY name",
	                                    -1, &q, NULL),
	                 SQLITE_OK);
	while (sqlite3_step(q) == SQLITE_ROW)
		print_table(db, (const char *)sqlite3_column_text(q, 0), out);
	sqlite3_finalize(q);
}

static void print_spool(struct buf *out)
{
	sqlite3 *db;
	assert_int_equal(sqlite3_open(w->settings.spool.path, &db), SQLITE_OK);
	print_tables(db, out);
	sqlite3_close(db);
}

/* meta, too. */
static void check_follower(void)
{
	sqlite3 *db;
	struct buf own = {0}, followed = {0};
	assert_int_equal(sqlite3_open(w->settings.spool.path, &db), SQLITE_OK);
	print_tables(db, &own);
	print_table(db, "meta", &own);
	print_tables(follower, &followed);
	print_table(follower, "meta", &followed);
	sqlite3_close(db);
	sqlite3_close(follower);
	follower = NULL;
	assert_int_equal(own.len, followed.len);
	assert_memory_equal(own.data, followed.data, own.len);
	buf_free(&own);
	buf_free(&followed);
}

static void run(uint64_t seed, struct buf *ret_rows)
{
	memset(n_marks, 0, sizeof n_marks);
	n_events = 0;
	for (int i = 0; i < JOBS; i++)
		ends_of[i] = JOB_NONE;
	setup(seed);
	if (seed % 4 == 0)
		follow();
	for (int i = 0; i < TURNS; i++) {
		w->now = instant_add(w->now, (int64_t)dice(dice(20) == 0 ? 36000 : 240) * 1000);
		turn(dice(4), false);
		office();
	}
	check_ends();
	if (follower != NULL)
		check_follower();
	check_counts();
	assert_true(!limits || (n_limited > 3 && n_joined() > 0));
	assert_true(!reports || (world_mails(w, STATUS_BOUNCED) >= 3 && n_dead > 0));
	print_spool(ret_rows);
	world_free(w);
}

static void nothing_ever_goes_wrong(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 22; seed++) {
		struct buf kept = {0}, read = {0};
		limits = seed > 16;
		reports = seed % 2 == 0 && !limits;
		forgetful = false;
		run(seed, &kept);
		forgetful = true;
		run(seed, &read);
		assert_true(kept.len > 10000);
		assert_int_equal(kept.len, read.len);
		assert_memory_equal(kept.data, read.data, kept.len);
		buf_free(&kept);
		buf_free(&read);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(nothing_ever_goes_wrong),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
