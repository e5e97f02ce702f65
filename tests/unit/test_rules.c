/* SPDX-License-Identifier: MIT */
/*
 * Runs rule-cases.txt: every chapter in a world of its own, every line one turn of the real engine
 * on real files. The file says how it is written. At the end it is asked whether every outcome that
 * can be reached has been reached.
 */
#include "engine_world.h"

#include "base/units.h"
#include "base/zone.h"
#include "model/hours.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CASES "tests/unit/rule-cases.txt"

enum { WORDS_MAX = 24, CASES_MIN = 150 };

struct words {
	char text[600];
	char *word[WORDS_MAX];
	size_t n;
};

static struct story {
	struct world *w;
	struct zones *zones;
	const struct zone *zone; /* in which times without an offset are meant */
	struct arena *arena;
	const char *alone; /* the job whose outcomes alone are looked at; NULL: all */
	bool apart;
	bool hold; /* mails stay with the mailers until a line says what became of them */
	int line, cases, wrong;
	bool reached[STATUS_COUNT][REASON_COUNT];
	char mails[64][300]; /* dispatched in this turn: "completed>ann@example.com" */
	size_t n_mails;
} story;

static void wrong(const char *fmt, ...) PRINTF_LIKE(1, 2);
static void wrong(const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	print_error("%s:%d: ", CASES, story.line);
	vprint_error(fmt, args);
	print_error("\n");
	va_end(args);
	story.wrong++;
}

static void split(const char *text, struct words *ret)
{
	char *save = NULL;
	(void)snprintf(ret->text, sizeof ret->text, "%s", text);
	ret->n = 0;
	for (char *p = strtok_r(ret->text, " \t\n", &save); p != NULL && ret->n < WORDS_MAX;
	     p = strtok_r(NULL, " \t\n", &save))
		ret->word[ret->n++] = p;
}

/* The value of `name=value`; NULL where no word says it. */
static const char *value_of(const struct words *words, const char *name)
{
	size_t len = strlen(name);
	for (size_t i = 0; i < words->n; i++)
		if (strncmp(words->word[i], name, len) == 0 && words->word[i][len] == '=')
			return words->word[i] + len + 1;
	return NULL;
}

static bool has(const struct words *words, const char *name)
{
	for (size_t i = 0; i < words->n; i++)
		if (strcmp(words->word[i], name) == 0)
			return true;
	return false;
}

/* `2026-06-03T08:00`, by the chapter's zone, or RFC 3339. */
static struct instant read_time(const char *text)
{
	struct instant t = INSTANT_NONE;
	struct day day;
	char date[11] = "";
	int h, m, s = 0;
	if (instant_parse(text, &t))
		return t;
	(void)snprintf(date, sizeof date, "%s", text);
	if (strlen(text) < 16 || !day_parse(date, &day) ||
	    sscanf(text + 11, "%d:%d:%d", &h, &m, &s) < 2) {
		wrong("\"%s\" is not a time", text);
		return story.w->now;
	}
	return instant_add(zone_instant(story.zone, day, h * 60 + m, ZONE_FIRST),
	                   (int64_t)s * 1000);
}

/* ---- What the office does: lines without columns ---- */

static void sql(const char *fmt, ...) PRINTF_LIKE(1, 2);
static void sql(const char *fmt, ...)
{
	char text[800];
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	world_sql(story.w, text);
}

static void set_fields(const char *table, const char *where, const struct words *words)
{
	for (size_t i = 2; i < words->n; i++) {
		char *equals = strchr(words->word[i], '=');
		const char *column = words->word[i];
		if (equals == NULL)
			continue;
		*equals = '\0';
		if (strcmp(column, "parent") == 0)
			sql("UPDATE customer SET parent = (SELECT id FROM customer WHERE number = "
			    "'%s') "
			    "WHERE %s",
			    equals + 1, where);
		else if (equals[1] == '\0')
			sql("UPDATE %s SET %s = NULL WHERE %s", table, column, where);
		else
			sql("UPDATE %s SET %s = '%s' WHERE %s", table, column, equals + 1, where);
		*equals = '=';
	}
}

static void do_customer(const struct words *words)
{
	char where[80];
	(void)snprintf(where, sizeof where, "number = '%s'", words->word[1]);
	sql("INSERT OR IGNORE INTO customer (number, name) VALUES ('%s', 'Customer %s')",
	    words->word[1], words->word[1]);
	set_fields("customer", where, words);
}

static void do_remove(const struct words *words)
{
	sql("DELETE FROM customer WHERE number = '%s'", words->word[1]);
}

static void do_contact(const struct words *words)
{
	char where[80];
	const char *of = value_of(words, "of");
	(void)snprintf(where, sizeof where, "id = %s", words->word[1]);
	if (of != NULL)
		sql("INSERT INTO contact (id, customer, name) SELECT %s, id, 'Contact %s' FROM "
		    "customer "
		    "WHERE number = '%s'",
		    words->word[1], words->word[1], of);
	struct words fields = *words;
	fields.n = 2;
	for (size_t i = 2; i < words->n; i++)
		if (strncmp(words->word[i], "of=", 3) != 0)
			fields.word[fields.n++] = words->word[i];
	set_fields("contact", where, &fields);
	if (has(words, "gone"))
		sql("DELETE FROM contact WHERE id = %s", words->word[1]);
}

static void do_hours(const struct words *words)
{
	unsigned days = 0;
	if (words->n < 4 || !hours_weekdays_parse(words->word[2], &days)) {
		sql("DELETE FROM hours_week WHERE customer = (SELECT id FROM customer WHERE number "
		    "= '%s')",
		    words->word[1]);
		return;
	}
	for (int day = 0; day < 7; day++)
		if ((days >> day & 1) != 0)
			sql("INSERT OR REPLACE INTO hours_week SELECT id, %d, '%s' FROM customer "
			    "WHERE "
			    "number = '%s'",
			    day, words->word[3], words->word[1]);
}

static void do_date(const struct words *words)
{
	sql("INSERT OR REPLACE INTO hours_date SELECT id, '%s', '%s' FROM customer WHERE number = "
	    "'%s'",
	    words->word[2], words->word[3], words->word[1]);
}

/* suspend ID NUMBER SCOPES FROM [UNTIL] [note=…] */
static void do_suspend(const struct words *words)
{
	const char *note = value_of(words, "note");
	bool until = words->n > 5 && strchr(words->word[5], '=') == NULL;
	sql("INSERT INTO suspension (id, customer, scopes, \"from\", until, note) SELECT %s, id, "
	    "'%s', '%s', "
	    "nullif('%s', ''), '%s' FROM customer WHERE number = '%s'",
	    words->word[1], words->word[3], words->word[4], until ? words->word[5] : "",
	    note ? note : "", words->word[2]);
}

static void do_resume(const struct words *words)
{
	sql("UPDATE suspension SET removed = 1 WHERE id = %s", words->word[1]);
}

static void do_notify(const struct words *words)
{
	struct notify_settings *notify = &story.w->settings.notify[job_state_find(words->word[1])];
	const char *life = value_of(words, "shelf_life"), *wait = value_of(words, "group_wait");
	const char *outside = value_of(words, "outside_hours");
	if ((life && !duration_parse(life, &notify->shelf_life_ms)) ||
	    (wait && !duration_parse(wait, &notify->group_wait_ms)))
		wrong("no duration");
	if (outside != NULL)
		notify->outside_hours = strcmp(outside, "send") == 0    ? HOURS_SEND
		                        : strcmp(outside, "defer") == 0 ? HOURS_DEFER
		                                                        : HOURS_SUPPRESS;
}

static void do_set(const struct words *words)
{
	const char *office = value_of(words, "office"), *age = value_of(words, "max_age");
	const char *zone = value_of(words, "timezone");
	if (office != NULL)
		story.w->settings.office.email = arena_strdup(story.arena, office);
	if (age != NULL && !duration_parse(age, &story.w->settings.mail.max_age_ms))
		wrong("no duration");
	if (zone != NULL)
		story.w->settings.rules.timezone = arena_strdup(story.arena, zone);
}

static void do_zone(const struct words *words)
{
	story.zone = zone_find(story.zones, words->word[1]);
	if (story.zone == NULL)
		wrong("no zone %s", words->word[1]);
}

static void do_hold(const struct words *words)
{
	story.hold = true;
	story.w->room = words->n > 1 ? (size_t)atoi(words->word[1]) : 16;
}

static void do_apart(const struct words *words)
{
	(void)words;
	story.apart = true;
}

static const struct office_verb {
	const char *name;
	void (*act)(const struct words *words);
} office_verbs[] = {
        {"customer", do_customer}, {"remove", do_remove}, {"contact", do_contact},
        {"hours", do_hours},       {"date", do_date},     {"suspend", do_suspend},
        {"resume", do_resume},     {"notify", do_notify}, {"set", do_set},
        {"zone", do_zone},         {"hold", do_hold},     {"apart", do_apart},
};

static void act(const struct words *words)
{
	for (size_t i = 0; i < sizeof office_verbs / sizeof office_verbs[0]; i++)
		if (strcmp(office_verbs[i].name, words->word[0]) == 0) {
			office_verbs[i].act(words);
			return;
		}
	wrong("there is no \"%s\"", words->word[0]);
}

/* ---- What happens: lines with columns ---- */

static const struct delivery_verb {
	const char *name;
	enum delivery delivery;
} delivery_verbs[] = {
        {"sent", DELIVERY_SENT},
        {"busy", DELIVERY_BUSY},
        {"doubt", DELIVERY_DOUBT},
        {"relay", DELIVERY_RELAY},
        {"refused", DELIVERY_REFUSED},
        {"address-refused", DELIVERY_ADDRESS},
        {"address-dead", DELIVERY_ADDRESS_DEAD},
};

static bool deliver(const char *name)
{
	for (size_t i = 0; i < sizeof delivery_verbs / sizeof delivery_verbs[0]; i++)
		if (strcmp(delivery_verbs[i].name, name) == 0) {
			world_deliver(story.w, delivery_verbs[i].delivery);
			return true;
		}
	return false;
}

static void command(const char *verb, const char *id)
{
	char text[80];
	(void)snprintf(text, sizeof text, "{\"do\":\"mail.%s\",\"id\":%s}", verb, id);
	free(world_command(story.w, text));
	world_turn(story.w);
}

/* "completed J1 1001 time=… id=…"; a type may be spelled whole. */
static void publish(const struct words *words)
{
	char type[80], time[INSTANT_TEXT_MAX];
	const char *said = value_of(words, "time");
	if (words->n < 3) {
		wrong("an event needs its state, job and customer");
		return;
	}
	(void)snprintf(type, sizeof type, "%s%s", strchr(words->word[0], '.') ? "" : "job.",
	               words->word[0]);
	if (said != NULL)
		(void)instant_format(read_time(said), 0, time);
	world_event(story.w, type, words->word[1], words->word[2], said ? time : NULL,
	            value_of(words, "id"));
}

/* Returns how many of the mails in flight are from before. */
static size_t happen(const struct words *words)
{
	const char *verb = words->word[0];
	size_t before = story.w->n_in_flight;
	if (deliver(verb))
		return 0;
	if (strcmp(verb, "wait") == 0)
		world_turn(story.w);
	else if (strcmp(verb, "crash") == 0)
		world_reopen(story.w), before = 0;
	else if (strcmp(verb, "room") == 0 && words->n > 1)
		story.w->room = (size_t)atoi(words->word[1]), world_turn(story.w);
	else if ((strcmp(verb, "retry") == 0 || strcmp(verb, "cancel") == 0) && words->n > 1)
		command(verb, words->word[1]);
	else
		publish(words);
	return before;
}

/* ---- What is expected ---- */

static const char *field_of(const char *outcome, const char *name, char value[200])
{
	char key[40];
	(void)snprintf(key, sizeof key, "\t%s=", name);
	const char *at = strstr(outcome, key);
	value[0] = '\0';
	if (at != NULL)
		(void)snprintf(value, 200, "%.*s", (int)strcspn(at + strlen(key), "\t\n"),
		               at + strlen(key));
	return value;
}

static void expect_word(const char *outcome, const char *word)
{
	char name[40], value[200];
	const char *equals = strchr(word, '=');
	if (equals == NULL) {
		if (strcmp(field_of(outcome, "job", value), word) != 0)
			wrong("job %s instead of %s", value, word);
		return;
	}
	(void)snprintf(name, sizeof name, "%.*s", (int)(equals - word), word);
	(void)field_of(outcome, name, value);
	if (strcmp(name, "due") != 0) {
		if (strcmp(value, equals + 1) != 0)
			wrong("%s is \"%s\" instead of \"%s\"", name, value, equals + 1);
		return;
	}
	struct instant due = INSTANT_NONE, meant = equals[1] ? read_time(equals + 1) : INSTANT_NONE;
	(void)instant_parse(value, &due);
	if (due.ms != meant.ms)
		wrong("due is %s instead of %s", value, equals + 1);
}

/* "deferred outside_hours J1 due=…": status and reason, then what else is to be checked. */
static void expect_outcome(const char *outcome, const char *expected)
{
	struct words words;
	char status[200], reason[200];
	split(expected, &words);
	(void)field_of(outcome, "status", status);
	(void)field_of(outcome, "reason", reason);
	story.reached[status_find(status)][reason_find(reason)] = true;
	if (words.n < 2 || strcmp(words.word[0], status) != 0 ||
	    strcmp(words.word[1], reason) != 0) {
		wrong("%s %s instead of %s", status, reason, expected);
		return;
	}
	for (size_t i = 2; i < words.n; i++)
		expect_word(outcome, words.word[i]);
}

static void expect_outcomes(char *expected)
{
	struct words words;
	split(expected, &words);
	char *save = NULL, *one = has(&words, "nothing") ? NULL : strtok_r(expected, ";", &save);
	const char *at = buf_text(&story.w->fields);
	for (; *at != '\0'; at = strchr(at, '\n') + 1) {
		char outcome[2000];
		(void)snprintf(outcome, sizeof outcome, "\t%.*s", (int)strcspn(at, "\n"), at);
		char job[200];
		if (strstr(outcome, "\tdead_reason=") != NULL)
			continue; /* checked by the outcome behind it */
		if (story.alone != NULL && strcmp(story.alone, field_of(outcome, "job", job)) != 0)
			continue;
		if (one == NULL)
			wrong("too much:%s", outcome);
		else
			expect_outcome(outcome, one);
		one = one != NULL ? strtok_r(NULL, ";", &save) : NULL;
	}
	if (one != NULL)
		wrong("missing:%s", one);
}

/* "completed>ann@example.com[A1,A2]": the mails that this turn dispatched, in order. */
static void expect_mails(const char *expected)
{
	struct words words;
	split(expected, &words);
	bool none = words.n == 1 && strcmp(words.word[0], "none") == 0;
	for (size_t i = 0; i < story.n_mails || (!none && i < words.n); i++) {
		const char *is = i < story.n_mails ? story.mails[i] : "none";
		const char *meant = !none && i < words.n ? words.word[i] : "none";
		if (strcmp(is, meant) != 0)
			wrong("mail %s instead of %s", is, meant);
	}
}

/* The ids of "jobs" in a mail's context. */
static void add_jobs(const char *context, char *text, size_t size)
{
	json_t *json = json_loads(context, 0, NULL);
	size_t i, len = strlen(text);
	const json_t *job;
	json_array_foreach(json_object_get(json, "jobs"), i, job)
	{
		len += (size_t)snprintf(text + len, size - len, "%s%s", i ? "," : "[",
		                        json_string_value(json_object_get(job, "id")));
	}
	if (i > 0)
		(void)snprintf(text + len, size - len, "]");
	json_decref(json);
}

static void note_mails(size_t before)
{
	story.n_mails = 0;
	for (size_t i = before; i < story.w->n_in_flight; i++) {
		char *text = story.mails[story.n_mails++];
		(void)snprintf(text, 300, "%s>%s", story.w->templates[i], story.w->in_flight[i].to);
		add_jobs(story.w->contexts[i], text, 300);
	}
}

/* TIME | what | outcomes [| mails] */
static void run_line(char *text)
{
	char *save = NULL, *columns[4] = {0};
	struct words words, time;
	size_t n = 0;
	for (char *p = strtok_r(text, "|", &save); p != NULL && n < 4;
	     p = strtok_r(NULL, "|", &save))
		columns[n++] = p;
	if (n < 3) {
		wrong("three columns are meant");
		return;
	}
	split(columns[0], &time);
	split(columns[1], &words);
	if (time.n > 0)
		story.w->now = read_time(time.word[0]);
	size_t before = happen(&words);
	note_mails(before);
	story.alone = story.apart && words.n > 2 ? words.word[1] : NULL;
	expect_outcomes(columns[2]);
	if (n > 3)
		expect_mails(columns[3]);
	story.cases++;
	if (!story.hold && story.w->n_in_flight > 0)
		world_deliver(story.w, DELIVERY_SENT);
}

static void close_chapter(void)
{
	struct buf metrics = {0};
	if (story.w == NULL)
		return;
	world_metrics(story.w, &metrics);
	if (strstr(buf_text(&metrics), "\ndispatchd_duplicates_total 0\n") == NULL)
		story.reached[STATUS_SUPPRESSED][REASON_DUPLICATE] = true;
	buf_free(&metrics);
	world_free(story.w);
	story.w = NULL;
}

static void open_chapter(void)
{
	close_chapter();
	story.w = world_new("2026-06-03T12:00:00Z");
	story.zone = zone_find(story.zones, "UTC");
	story.hold = story.apart = false;
}

static void run_text_line(char *line)
{
	struct words words;
	line[strcspn(line, "\n")] = '\0';
	if (strncmp(line, "## ", 3) == 0) {
		open_chapter();
		return;
	}
	split(line, &words);
	if (words.n == 0 || *words.word[0] == '#')
		return;
	if (story.w == NULL)
		wrong("a chapter (## …) has to begin first");
	else if (strchr(line, '|') != NULL)
		run_line(line);
	else
		act(&words);
}

static void every_case_is_decided_as_written(void **state)
{
	(void)state;
	char line[600];
	FILE *in = fopen(CASES, "re");
	assert_non_null(in);
	story.zones = zones_new();
	story.arena = arena_new();
	while (fgets(line, sizeof line, in) != NULL) {
		story.line++;
		run_text_line(line);
	}
	close_chapter();
	(void)fclose(in);
	zones_free(story.zones);
	arena_free(story.arena);
	assert_int_equal(story.wrong, 0);
	assert_true(story.cases >= CASES_MIN);
}

/* Sections 3 and 4 of the contract, but for what is kept for later (rate_limited, held_back) and
 * the gate's own, which its tests have. */
static const struct reachable {
	enum status status;
	enum reason reason;
} reachable[] = {
        {STATUS_QUEUED, REASON_OK},
        {STATUS_DEFERRED, REASON_OUTSIDE_HOURS},
        {STATUS_DEFERRED, REASON_GROUPED},
        {STATUS_SENT, REASON_OK},
        {STATUS_RETRYING, REASON_MAIL_BUSY},
        {STATUS_RETRYING, REASON_IN_DOUBT},
        {STATUS_FAILED, REASON_ADDRESS_REFUSED},
        {STATUS_FAILED, REASON_MAIL_REFUSED},
        {STATUS_FAILED, REASON_MAX_AGE},
        {STATUS_SUPERSEDED, REASON_LATER_STATE},
        {STATUS_EXPIRED, REASON_EXPIRED},
        {STATUS_REJECTED, REASON_MALFORMED},
        {STATUS_REJECTED, REASON_UNKNOWN_CUSTOMER},
        {STATUS_CANCELLED, REASON_BY_HAND},
        {STATUS_COLLISION, REASON_SUSPENDED},
        {STATUS_SUPPRESSED, REASON_DUPLICATE},
        {STATUS_SUPPRESSED, REASON_STALE},
        {STATUS_SUPPRESSED, REASON_REPEAT},
        {STATUS_SUPPRESSED, REASON_CUSTOMER_NOT_ACTIVE},
        {STATUS_SUPPRESSED, REASON_SUSPENDED},
        {STATUS_SUPPRESSED, REASON_NOT_WANTED},
        {STATUS_SUPPRESSED, REASON_NO_ADDRESS},
        {STATUS_SUPPRESSED, REASON_ADDRESS_INVALID},
        {STATUS_SUPPRESSED, REASON_SAME_ADDRESS},
        {STATUS_SUPPRESSED, REASON_OUTSIDE_HOURS},
        {STATUS_SUPPRESSED, REASON_NEVER_OPEN},
};

static void every_outcome_is_reached(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof reachable / sizeof reachable[0]; i++) {
		const struct reachable *r = &reachable[i];
		if (!story.reached[r->status][r->reason])
			fail_msg("no case ends %s, %s", status_name(r->status),
			         reason_name(r->reason));
		story.reached[r->status][r->reason] = false;
	}
	for (enum status s = STATUS_NONE + 1; s < STATUS_COUNT; s++)
		for (enum reason r = REASON_NONE + 1; r < REASON_COUNT; r++)
			if (story.reached[s][r])
				fail_msg("%s, %s is not an outcome of the contract", status_name(s),
				         reason_name(r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_case_is_decided_as_written),
	        cmocka_unit_test(every_outcome_is_reached),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
