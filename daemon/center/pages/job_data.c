/* SPDX-License-Identifier: MIT */
/* What was said of a job and of each of its events, for its page: known members in words, all
 * others as they came, of a length that a page can bear. */
#include "center/pages/job_data.h"

#include "base/jsontext.h"
#include "center/pages/when.h"
#include "center/pages/words.h"

#include <glib.h>
#include <string.h>

enum { ROWS_MAX = 40, SHOWN_MAX = 1000 };

/* The members that have a meaning (the contract's section 1), in the order in which a dispatcher
 * wants them. A fact is the job's until another event says otherwise; others are one event's. */
static const struct member {
	const char *key, *label;
	bool is_fact, is_time;
} members[] = {
        {"reason", "mail.reason", false, false},
        {"note", "note", false, false},
        {"service", "job.service", true, false},
        {"scheduled", "holds.scheduled", true, true},
        {"eta", "jobs.eta", true, true},
        {"route", "job.route", true, false},
        {"stop", "job.stop", true, false},
        {"driver", "job.driver", true, false},
        {"vehicle", "job.vehicle", true, false},
        {"asset", "job.asset", true, false},
        {"reference", "job.reference", true, false},
        {"amount", "job.amount", false, false},
        {"photos", "job.photos", false, false},
};
enum { N_MEMBERS = sizeof members / sizeof *members };

static const struct member *member_find(const char *key)
{
	for (size_t i = 0; i < N_MEMBERS; i++)
		if (strcmp(members[i].key, key) == 0)
			return &members[i];
	return NULL;
}

/* -- values ------------------------------------------------------------------------------------ */

static const char *cut(const struct call *call, const char *text)
{
	if (strlen(text) <= SHOWN_MAX)
		return text;
	const char *end = g_utf8_find_prev_char(text, text + SHOWN_MAX);
	return arena_printf(call->request->arena, "%.*s…", end ? (int)(end - text) : 0, text);
}

/* "" for null; anything but text as JSON. */
static const char *text_of(const struct call *call, const json_t *value)
{
	if (json_is_string(value))
		return cut(call, json_string_value(value));
	if (value == NULL || json_is_null(value))
		return "";
	struct buf text = {0};
	jsontext_write(&text, value, JSONTEXT_AS_IS);
	const char *shown = cut(call, arena_strdup(call->request->arena, buf_text(&text)));
	buf_free(&text);
	return shown;
}

/* By the customer's clock, as it stands beside the row's own times. */
static const char *value_words(const struct call *call, const json_t *row,
                               const struct member *member, const json_t *value)
{
	const char *text = text_of(call, value);
	if (member == NULL || !member->is_time)
		return text;
	return when_there(call, text, jsontext_at(json_object_get(row, "local"), "received"));
}

static void add(const struct call *call, json_t *rows, const json_t *row,
                const struct member *member, const char *key, const json_t *value)
{
	const char *text = value_words(call, row, member, value);
	if (*text != '\0' && json_array_size(rows) < ROWS_MAX)
		json_array_append_new(
		        rows, json_pack("{s:s, s:s}", "label",
		                        member ? words(call, member->label) : cut(call, key),
		                        "text", text));
}

/* -- the job's --------------------------------------------------------------------------------- */

/* The latest event that has it, else a request. */
static const json_t *saying(const json_t *job, const char *key)
{
	static const char *const lists[] = {"events", "requests"};
	for (size_t l = 0; l < 2; l++) {
		const json_t *rows = json_object_get(job, lists[l]);
		for (size_t i = json_array_size(rows); i-- > 0;) {
			const json_t *row = json_array_get(rows, i);
			if (*jsontext_at(json_object_get(row, "data"), key) != '\0')
				return row;
		}
	}
	return NULL;
}

json_t *job_data_facts(const struct call *call, const json_t *job)
{
	json_t *facts = json_array();
	for (size_t i = 0; i < N_MEMBERS; i++) {
		const json_t *row = members[i].is_fact ? saying(job, members[i].key) : NULL;
		if (row)
			add(call, facts, row, &members[i], members[i].key,
			    json_object_get(json_object_get(row, "data"), members[i].key));
	}
	return facts;
}

/* -- one event's ------------------------------------------------------------------------------- */

static bool is_the_jobs(const json_t *job, const struct member *member, const json_t *value)
{
	const json_t *row = member && member->is_fact ? saying(job, member->key) : NULL;
	return json_equal(json_object_get(json_object_get(row, "data"), member ? member->key : ""),
	                  value);
}

json_t *job_data_said(const struct call *call, const json_t *job, const json_t *row)
{
	json_t *data = json_object_get(row, "data"), *rows = json_array(), *value;
	const char *key;
	for (size_t i = 0; i < N_MEMBERS; i++) {
		value = json_object_get(data, members[i].key);
		if (value && !is_the_jobs(job, &members[i], value))
			add(call, rows, row, &members[i], members[i].key, value);
	}
	json_object_foreach(data, key, value)
	{
		if (member_find(key) == NULL)
			add(call, rows, row, NULL, key, value);
	}
	return rows;
}
