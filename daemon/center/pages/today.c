/* SPDX-License-Identifier: MIT */
/*
 * What a morning needs: each thing that somebody should look at, with a link to where it is fixed,
 * and how the daemon is. Lists come from survey(), mails and counts from the spool, relays and
 * Redis from the daemon's status. What is all right is one line at the end.
 */
#include "base/jsontext.h"
#include "center/api/ask_daemon.h"
#include "center/api/survey.h"
#include "center/pages/cells.h"
#include "center/pages/command.h"
#include "center/pages/labels.h"
#include "center/pages/mail_words.h"
#include "center/pages/page.h"
#include "center/pages/pause.h"
#include "center/pages/to.h"
#include "center/pages/when.h"
#include "center/pages/words.h"
#include "model/words.h"
#include "overview/delays.h"
#include "spool/spool_read.h"

#include <string.h>

enum { ROWS_FEW = 6 };

/* Takes over `values`. */
static json_t *text_of(const struct call *call, const char *key, json_t *values)
{
	return json_string(words_fill(call, key, values));
}

/* -- rows: what is shown of one thing ---------------------------------------------------------- */

/* A row that leads to a tab of its customer: {href, who, number}. */
static json_t *of_customer(const struct call *call, const json_t *found, const char *tab)
{
	const char *number = jsontext_at(found, "customer"), *name = jsontext_at(found, "name");
	return json_pack("{s:s, s:s, s:s}", "href", to_customer_path(call, number, tab), "who",
	                 *name ? name : number, "number", number);
}

static json_t *row_of_collision(const struct call *call, const json_t *found)
{
	json_t *row = of_customer(call, found, "");
	const json_t *suspension = json_object_get(found, "suspension");
	const char *until = jsontext_at(suspension, "until");
	json_object_set(row, "job", json_object_get(found, "job"));
	json_object_set(row, "state", json_object_get(found, "state"));
	json_object_set_new(row, "words",
	                    text_of(call, *until ? "today.suspended.until" : "today.suspended",
	                            json_pack("{s:s, s:s}", "day", when_day(call, until), "note",
	                                      jsontext_at(suspension, "note"))));
	return row;
}

static json_t *row_of_failed_job(const struct call *call, const json_t *found)
{
	json_t *row = of_customer(call, found, "");
	const char *reason = jsontext_at(found, "reason"), *service = jsontext_at(found, "service");
	json_object_set(row, "job", json_object_get(found, "job"));
	json_object_set(row, "state", json_object_get(found, "state"));
	json_object_set_new(row, "time", json_string(mail_words_listed(call, found, "time")));
	json_object_set_new(row, "words", json_string(*reason ? reason : service));
	return row;
}

static json_t *row_of_failed(const struct call *call, const json_t *mail)
{
	const char *reason = jsontext_at(mail, "reason"), *reply = jsontext_at(mail, "reply");
	const char *number = jsontext_at(mail, "customer");
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "href",
	                 arena_printf(call->request->arena, "/mails/%lld",
	                              (long long)json_integer_value(json_object_get(mail, "id"))),
	                 "who", jsontext_at(mail, "to"), "number", number, "name",
	                 jsontext_at(mail, "name"), "time",
	                 when_words(call, jsontext_at(mail, "changed")), "words",
	                 arena_printf(call->request->arena, "%s%s%s", label_word(call, reason),
	                              *reply ? ": " : "", reply));
}

static json_t *row_of_unreachable(const struct call *call, const json_t *found)
{
	static const struct {
		const char *why, *key;
	} whys[] = {{"no_contact", "today.unreachable.no_contact"},
	            {"none_wanted", "today.unreachable.none_wanted"},
	            {"no_address", "today.unreachable.no_address"},
	            {"all_refused", "today.unreachable.all_refused"}};
	json_t *row = of_customer(call, found, "contacts");
	for (size_t i = 0; i < sizeof whys / sizeof *whys; i++)
		if (strcmp(whys[i].why, jsontext_at(found, "why")) == 0)
			json_object_set_new(row, "words", json_string(words(call, whys[i].key)));
	return row;
}

static json_t *row_of_calendar(const struct call *call, const json_t *found)
{
	return of_customer(call, found, "hours");
}

static json_t *row_of_forgotten(const struct call *call, const json_t *found)
{
	json_t *row = of_customer(call, found, "suspensions");
	json_object_set_new(
	        row, "words",
	        text_of(call, "today.since",
	                json_pack("{s:s, s:s}", "day", when_day(call, jsontext_at(found, "from")),
	                          "note", jsontext_at(found, "note"))));
	return row;
}

/* The row's `time`: how far a day is. */
static void set_distance(const struct call *call, json_t *row, const char *day)
{
	int days;
	if (when_days_until(call, day, &days)) {
		json_object_set_new(row, "time", json_string(when_distance(call, days)));
		json_object_set_new(row, "past", json_boolean(days < 0));
	}
}

static json_t *row_of_ending(const struct call *call, const json_t *found)
{
	json_t *row = of_customer(call, found, "suspensions");
	set_distance(call, row, jsontext_at(found, "until"));
	json_object_set(row, "words", json_object_get(found, "note"));
	return row;
}

static json_t *row_of_renewal(const struct call *call, const json_t *found)
{
	json_t *row = of_customer(call, found, "");
	set_distance(call, row, jsontext_at(found, "renewal"));
	json_object_set_new(row, "words",
	                    json_string(when_day(call, jsontext_at(found, "renewal"))));
	return row;
}

static json_t *row_of_same_address(const struct call *call, const json_t *found)
{
	json_t *row = of_customer(call, found, "contacts");
	json_object_set(row, "words", json_object_get(found, "address"));
	return row;
}

/* In `check`'s words; a customer's leads there. */
static json_t *row_of_sentence(const struct call *call, const json_t *found)
{
	json_t *row =
	        json_object_get(found, "customer") ? of_customer(call, found, "") : json_object();
	json_object_set(row, "words", json_object_get(found, "text"));
	return row;
}

/* -- groups ------------------------------------------------------------------------------------ */

static const struct group {
	const char *id, *title, *none;
	const char *list;    /* where the survey has it */
	const char *finding; /* of the list `findings`: which */
	json_t *(*row)(const struct call *call, const json_t *found);
	bool bad;
	const char *all; /* the page of all of them; NULL: one of ours */
} groups[] = {
        {.id = "collisions",
         .title = "today.collisions",
         .none = "today.collisions.none",
         .list = "collisions",
         .row = row_of_collision,
         .bad = true},
        {.id = "failed_jobs",
         .title = "today.failed_jobs",
         .none = "today.failed_jobs.none",
         .list = "failed_jobs",
         .row = row_of_failed_job,
         .bad = true},
        {.id = "failed",
         .title = "today.failed",
         .none = "today.failed.none",
         .list = "failed",
         .row = row_of_failed,
         .bad = true,
         .all = "/mails?status=failed"},
        {.id = "unreachable",
         .title = "today.unreachable",
         .none = "today.unreachable.none",
         .list = "findings",
         .finding = "unreachable",
         .row = row_of_unreachable,
         .bad = true},
        {.id = "never_open",
         .title = "today.never_open",
         .none = "today.never_open.none",
         .list = "findings",
         .finding = "never_open",
         .row = row_of_calendar},
        {.id = "forgotten",
         .title = "today.forgotten",
         .none = "today.forgotten.none",
         .list = "findings",
         .finding = "forgotten",
         .row = row_of_forgotten},
        {.id = "ending",
         .title = "today.ending",
         .none = "today.ending.none",
         .list = "ending",
         .row = row_of_ending},
        {.id = "renewals",
         .title = "today.renewals",
         .none = "today.renewals.none",
         .list = "renewals",
         .row = row_of_renewal},
        {.id = "same_address",
         .title = "today.same_address",
         .none = "today.same_address.none",
         .list = "findings",
         .finding = "same_address",
         .row = row_of_same_address},
        {.id = "timezone",
         .title = "today.timezone",
         .list = "findings",
         .finding = "timezone",
         .row = row_of_sentence},
        {.id = "locale",
         .title = "today.locale",
         .list = "findings",
         .finding = "locale",
         .row = row_of_sentence},
        {.id = "template",
         .title = "today.template",
         .none = "today.template.none",
         .list = "findings",
         .finding = "template",
         .row = row_of_sentence},
        {.id = "sender",
         .title = "today.sender",
         .list = "findings",
         .finding = "sender",
         .row = row_of_sentence},
        {.id = "relay",
         .title = "today.relay",
         .list = "findings",
         .finding = "relay",
         .row = row_of_sentence,
         .bad = true},
        {.id = "refusals",
         .title = "today.refusals",
         .list = "findings",
         .finding = "refusals",
         .row = row_of_sentence,
         .bad = true},
        {.id = "busy",
         .title = "today.busy",
         .list = "findings",
         .finding = "busy",
         .row = row_of_sentence},
};

static const struct group *group_find(const char *id)
{
	for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
		if (strcmp(groups[i].id, id) == 0)
			return &groups[i];
	return NULL;
}

static bool is_in(const struct group *group, const json_t *found)
{
	return group->finding == NULL || strcmp(jsontext_at(found, "finding"), group->finding) == 0;
}

/* Of mails that failed only the latest are there. */
static size_t count_of(const struct group *group, const json_t *survey)
{
	size_t i, n = 0;
	const json_t *counted = json_object_get(survey, "failed_count");
	if (counted && strcmp(group->list, "failed") == 0)
		return (size_t)json_integer_value(counted);
	const json_t *found;
	json_array_foreach(json_object_get(survey, group->list), i, found) n += is_in(group, found);
	return n;
}

/* At most `max` rows. */
static json_t *rows_of(const struct call *call, const struct group *group, const json_t *survey,
                       size_t max)
{
	json_t *rows = json_array();
	size_t i;
	const json_t *found;
	json_array_foreach(json_object_get(survey, group->list), i, found)
	{
		if (is_in(group, found) && json_array_size(rows) < max)
			json_array_append_new(rows, group->row(call, found));
	}
	return rows;
}

static json_t *group_of(const struct call *call, const struct group *group, const json_t *survey,
                        size_t n)
{
	json_t *shown =
	        json_pack("{s:s, s:s, s:I, s:b, s:o}", "id", group->id, "title",
	                  words(call, group->title), "n", (json_int_t)n, "bad", (int)group->bad,
	                  "rows", rows_of(call, group, survey, n > ROWS_FEW ? ROWS_FEW : n));
	if (n > ROWS_FEW)
		json_object_set_new(
		        shown, "more",
		        json_pack("{s:I, s:s}", "left", (json_int_t)(n - ROWS_FEW), "path",
		                  group->all ? group->all
		                             : arena_printf(call->request->arena, "/today?show=%s",
		                                            group->id)));
	return shown;
}

/* Those with something in them; the others are listed in `fine`. */
static void add_groups(const struct call *call, const json_t *survey, json_t *data)
{
	json_t *shown = json_array(), *fine = json_array();
	for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
		size_t n = count_of(&groups[i], survey);
		if (n > 0)
			json_array_append_new(shown, group_of(call, &groups[i], survey, n));
		else if (groups[i].none)
			json_array_append_new(fine, json_string(words(call, groups[i].none)));
	}
	json_object_set_new(data, "groups", shown);
	json_object_set_new(data, "has_fine", json_boolean(json_array_size(fine) > 0));
	json_object_set_new(data, "fine", fine);
}

/* -- the daemon and its spool ------------------------------------------------------------------ */

static json_t *relays_of(const struct call *call, const json_t *status)
{
	json_t *rows = json_array();
	const json_t *relay;
	size_t i;
	json_array_foreach(json_object_get(status, "relays"), i, relay)
	{
		const json_t *up = json_object_get(relay, "up");
		bool failing = json_is_true(json_object_get(relay, "failing"));
		const char *state = failing            ? "today.relay.failing"
		                    : json_is_null(up) ? "today.relay.untried"
		                    : json_is_true(up) ? "today.up"
		                                       : "today.down";
		const char *since = jsontext_at(relay, failing ? "failing_since" : "since");
		json_array_append_new(
		        rows, json_pack("{s:s, s:s, s:s, s:s, s:s}", "name",
		                        jsontext_at(relay, "name"), "state", words(call, state),
		                        "look", failing || json_is_false(up) ? "bad" : "active",
		                        "since", json_is_null(up) ? "" : when_words(call, since),
		                        "reply", jsontext_at(relay, "reply")));
	}
	return rows;
}

static json_t *behind_of(const struct call *call, const json_t *feed)
{
	json_int_t n = json_integer_value(json_object_get(feed, "unread")) +
	               json_integer_value(json_object_get(feed, "pending"));
	return json_pack("{s:s, s:s, s:s, s:s}", "name", jsontext_at(feed, "name"), "state",
	                 n > 0 ? words_count(call, "today.behind", n) : words(call, "today.behind"),
	                 "look", "bad", "since", when_words(call, jsontext_at(feed, "oldest")));
}

/* Whether all streams that are read say how far they are, and none is behind. */
static bool all_current(const struct call *call, const json_t *feeds)
{
	size_t i, n = 0;
	const json_t *feed;
	json_array_foreach(feeds, i, feed)
	{
		bool known = json_object_get(feed, "pending") != NULL;
		bool read = strcmp(jsontext_at(feed, "use"), "read") == 0 &&
		            strcmp(jsontext_at(feed, "kind"), "stream") == 0;
		if ((read && !known) || feed_is_behind(feed, call->now, BEHIND_SHOWN_MS))
			return false;
		n += known;
	}
	return n > 0;
}

/* It is read, but another consumer of the group reads it, too. */
static bool is_shared(const json_t *feed)
{
	return strcmp(jsontext_at(feed, "use"), "read alone") == 0;
}

static json_t *fault_of(const struct call *call, const json_t *feed)
{
	json_int_t lost = json_integer_value(json_object_get(feed, "lost"));
	const char *state = feed_has_lost(feed, call->now)
	                            ? words_count(call, "today.lost", lost)
	                            : words(call, is_shared(feed) ? "today.shared" : "today.down");
	return json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", jsontext_at(feed, "name"), "state",
	                 state, "look", "bad", "since",
	                 when_words(call, jsontext_at(feed, "since")), "reply",
	                 jsontext_at(feed, "reply"));
}

/* Redis itself, and each stream that has lost entries or is behind; where Redis is connected, also
 * each that can't be used: without it none can. */
static json_t *redis_of(const struct call *call, const json_t *status)
{
	const json_t *redis = json_object_get(status, "redis"), *feed;
	const json_t *feeds = json_object_get(status, "feeds");
	bool connected = json_is_true(json_object_get(redis, "connected"));
	json_t *rows = json_array();
	size_t i;
	json_array_append_new(rows,
	                      json_pack("{s:s, s:s, s:s, s:s}", "name", "Redis", "state",
	                                words(call, connected ? "today.up" : "today.down"), "look",
	                                connected ? "active" : "bad", "reply",
	                                all_current(call, feeds) ? words(call, "today.current")
	                                                         : jsontext_at(redis, "reply")));
	json_array_foreach(feeds, i, feed)
	{
		bool lost = feed_has_lost(feed, call->now);
		bool down = connected && strcmp(jsontext_at(feed, "state"), "down") == 0;
		if (down || lost)
			json_array_append_new(rows, fault_of(call, feed));
		if (feed_is_behind(feed, call->now, BEHIND_SHOWN_MS) &&
		    ((!down && !lost) || is_shared(feed)))
			json_array_append_new(rows, behind_of(call, feed));
	}
	return rows;
}

static void add_count(const struct call *call, json_t *rows, const char *key, const char *path,
                      json_int_t n)
{
	const char *page = arena_strndup(call->request->arena, path, strcspn(path, "?"));
	if (n > 0)
		json_array_append_new(rows, json_pack("{s:s, s:s, s:b}", "words",
		                                      words_count(call, key, n), "path", path,
		                                      "leads", page_leads(call, page)));
}

/* How much waits, and since when the mail waits that is due for longest. */
static json_t *counts_of(struct call *call, struct spool *spool, const json_t *counts, bool paused)
{
	const json_t *mails = json_object_get(counts, "mails");
	struct instant late = INSTANT_NONE;
	struct error ignored;
	json_t *rows = json_array();
	char text[INSTANT_TEXT_MAX];
	json_int_t queued = json_integer_value(json_object_get(mails, "queued")) +
	                    json_integer_value(json_object_get(mails, "sending"));
	add_count(call, rows, "today.held", "/holds",
	          json_integer_value(json_object_get(counts, "held")));
	add_count(call, rows, "today.dead", "/dead",
	          json_integer_value(json_object_get(counts, "dead")));
	add_count(call, rows, paused ? "paused.waits" : "today.queued", "/mails?status=queued",
	          queued);
	add_count(call, rows, "today.deferred", "/mails?status=deferred",
	          json_integer_value(json_object_get(mails, "deferred")));
	add_count(call, rows, "today.retrying", "/mails?status=retrying",
	          json_integer_value(json_object_get(mails, "retrying")));
	add_count(call, rows, "today.waiting", "",
	          json_integer_value(json_object_get(counts, "waiting")));
	add_count(call, rows, "today.unpublished", "",
	          json_integer_value(json_object_get(counts, "unpublished")));
	if (spool_read_late(spool, call->now, &late, &ignored) && !instant_is_none(late) &&
	    call->now.ms - late.ms > LATE_SHOWN_MS)
		json_array_append_new(
		        rows,
		        json_pack(
		                "{s:o, s:b}", "words",
		                text_of(call, "today.late",
		                        json_pack("{s:s}", "when",
		                                  when_words(call, instant_format(late, 0, text)))),
		                "bad", 1));
	return rows;
}

/* -- all of it --------------------------------------------------------------------------------- */

static bool read_failed(struct call *call, struct spool *spool, json_t **ret, struct error *err)
{
	const struct spool_filter filter = {
	        .status = status_name(STATUS_FAILED), .before = INSTANT_NONE, .limit = ROWS_FEW};
	struct overview overview;
	call_spool_overview(call, &overview);
	if (!spool_read_mails(spool, &filter, ret, err))
		return false;
	overview_add_names(&overview, *ret);
	return true;
}

static void add_spool(struct call *call, json_t *survey, json_t *data)
{
	json_t *counts, *failed;
	int64_t dead;
	struct error err;
	struct spool *spool = stores_spool(call->stores, &err);
	if (spool == NULL || !spool_read_counts(spool, &counts, &err)) {
		json_object_set_new(data, "fault", json_string(call_fault_text(call, &err)));
		return;
	}
	if (spool_read_dead_count(spool, &dead, &err))
		json_object_set_new(counts, "dead", json_integer(dead));
	json_object_set_new(data, "stays", json_true());
	json_object_set_new(data, "counted", json_true());
	pause_add(call, spool, data);
	json_object_set_new(data, "counts",
	                    counts_of(call, spool, counts, json_object_get(data, "paused")));
	if (read_failed(call, spool, &failed, &err)) {
		json_object_set_new(survey, "failed", failed);
		json_object_set(survey, "failed_count",
		                json_object_get(json_object_get(counts, "mails"), "failed"));
	}
	json_decref(counts);
}

static json_t *status_of(struct call *call, json_t *data)
{
	struct error err;
	json_t *status;
	if (!ask_daemon(call, REQUEST_STATUS, json_object(), &status, &err)) {
		json_object_set_new(data, "away", json_string(err.text));
		return NULL;
	}
	json_object_set_new(data, "relays", relays_of(call, status));
	json_object_set_new(data, "redis", redis_of(call, status));
	json_object_set(data, "daemon_fault", json_object_get(status, "daemon_fault"));
	return status;
}

/* The survey with what is of this moment; where it can't be had, what else there is. */
static json_t *gather(struct call *call, json_t *data)
{
	json_t *status = status_of(call, data), *all;
	struct error err;
	if (!survey(call, &all, &err) ||
	    !survey_mailing(call, status, json_object_get(all, "findings"), &err)) {
		json_object_set_new(data, "fault",
		                    json_string(survey_unfinished(&err)
		                                        ? words(call, "today.checking")
		                                        : call_fault_text(call, &err)));
		all = json_object();
	}
	add_spool(call, all, data);
	json_decref(status);
	return all;
}

static void show_group(struct call *call, const struct group *group, const json_t *survey,
                       json_t *data)
{
	json_t *rows = rows_of(call, group, survey, SIZE_MAX);
	cells_page(call, rows, data);
	json_object_set_new(
	        data, "group",
	        json_pack("{s:s, s:s}", "id", group->id, "title", words(call, group->title)));
	json_object_set_new(data, "rows", rows);
	page_answer(call, 200, "today_group", words(call, group->title), data);
}

static void page_today_show(struct call *call)
{
	const char *id = request_value(&call->request->query, "show");
	const struct group *group = id ? group_find(id) : NULL;
	if (id && (group == NULL || group->all)) {
		page_fail_status(call, 404, words(call, "fault.no_page"));
		return;
	}
	json_t *data =
	        json_pack("{s:s, s:[s, s]}", "topics", "holds,mails", "commands",
	                  command_text(call, "check", NULL), command_text(call, "status", NULL));
	json_t *all = gather(call, data);
	if (group) {
		show_group(call, group, all, data);
	} else {
		if (json_object_size(all) > 1)
			add_groups(call, all, data);
		page_answer(call, 200, "today", words(call, "nav.today"), data);
	}
	json_decref(all);
}

const struct route today_page_routes[] = {
        {ROUTE("GET", "/today", ACCESS_READER, page_today_show), .query = "show from"},
        {0},
};
