/* SPDX-License-Identifier: MIT */
#include "center/pages/mail_words.h"

#include "base/jsontext.h"
#include "center/pages/labels.h"
#include "center/pages/when.h"
#include "center/pages/words.h"
#include "model/words.h"

#include <string.h>

const char *mail_words_time(const struct call *call, const json_t *row, const char *key)
{
	const char *there = jsontext_at(json_object_get(row, "local"), key);
	return when_words(call, *there ? there : jsontext_at(row, key));
}

const char *mail_words_listed(const struct call *call, const json_t *row, const char *key)
{
	const char *there = jsontext_at(json_object_get(row, "local"), key);
	return *there ? when_listed(call, there, jsontext_at(row, "timezone"))
	              : when_words(call, jsontext_at(row, key));
}

/* Names as objects: a template sees them from within a section, too. */
static json_t *named(const json_t *jobs)
{
	json_t *rows = json_array();
	size_t i;
	json_t *job;
	json_array_foreach(jobs, i, job)
	        json_array_append_new(rows, json_pack("{s:O}", "job", job));
	return rows;
}

void mail_words_add(const struct call *call, json_t *mail)
{
	enum status status = status_find(jsontext_at(mail, "status"));
	const char *reason = jsontext_at(mail, "reason");
	bool waits = status_in(status, STATUSES_WAITING);
	bool says = reason_find(reason) > REASON_OK && strcmp(reason, status_name(status)) != 0;
	const char *due = mail_words_listed(call, mail, "due");
	const char *at = waits ? words_fill(call, "mail.due", json_pack("{s:s}", "when", due))
	                       : mail_words_listed(call, mail, "changed");
	json_object_set_new(mail, "why", json_string(says ? label_word(call, reason) : ""));
	json_object_set_new(mail, "at", json_string(at));
	json_object_set_new(mail, "trouble",
	                    json_string(status == STATUS_SENT ? "" : jsontext_at(mail, "reply")));
	json_object_set_new(mail, "of_jobs", named(json_object_get(mail, "jobs")));
	json_object_set_new(mail, "waits", json_boolean(waits));
	json_object_set_new(mail, "may_retry", json_boolean(status_in(status, STATUSES_RETRIED)));
	json_object_set_new(mail, "may_cancel", json_boolean(waits));
}

json_t *mail_words_step(const struct call *call, const json_t *outcome)
{
	const char *reason = jsontext_at(outcome, "reason"), *reply = jsontext_at(outcome, "reply");
	if (strcmp(jsontext_at(outcome, "status"), status_name(STATUS_QUEUED)) == 0)
		reply = ""; /* of a try before this one */
	return json_pack(
	        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "at", mail_words_time(call, outcome, "time"),
	        "status", jsontext_at(outcome, "status"), "why",
	        reason_find(reason) > REASON_OK ? label_word(call, reason) : "", "job",
	        jsontext_at(outcome, "job"), "mail", jsontext_at(outcome, "mail"), "to",
	        jsontext_at(outcome, "to"), "text", *reply ? reply : jsontext_at(outcome, "note"));
}
