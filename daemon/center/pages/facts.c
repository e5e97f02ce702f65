/* SPDX-License-Identifier: MIT */
/* What a customer's page says in words, out of what the record functions return. */
#include "center/pages/facts.h"

#include "base/jsontext.h"
#include "center/pages/cells.h"
#include "center/pages/command.h"
#include "center/pages/head.h"
#include "center/pages/hours_words.h"
#include "center/pages/labels.h"
#include "center/pages/when.h"
#include "center/pages/words.h"
#include "model/job_state.h"
#include "records/records.h"

#include <ctype.h>
#include <string.h>

enum { RENEWAL_NEAR_DAYS = 90, NOTES_MAX = 5 };

/* -- contacts ---------------------------------------------------------------------------------- */

static json_t *phones_of(const struct call *call, const json_t *contact)
{
	static const struct {
		const char *key, *label;
	} rows[] = {{"cell_phone", "phone.cell"},
	            {"work_phone", "phone.work"},
	            {"home_phone", "phone.home"}};
	json_t *phones = json_array();
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *number = jsontext_at(contact, rows[i].key);
		if (*number != '\0')
			json_array_append_new(phones,
			                      json_pack("{s:s, s:s, s:s}", "label",
			                                words(call, rows[i].label), "number",
			                                number, "dial", cells_dial(call, number)));
	}
	return phones;
}

static bool has_word(const json_t *list, const char *word)
{
	size_t i;
	const json_t *item;
	json_array_foreach(list, i, item)
	{
		if (strcmp(json_string_value(item), word) == 0)
			return true;
	}
	return false;
}

/* One for each state of a job. */
static const char *letter_of(const struct call *call, enum job_state state)
{
	const char *name = job_state_name(state);
	const char *own = words_find(call, "letter", name);
	if (own)
		return own;
	if (state == JOB_CANCELLED)
		return "X"; /* C is completed */
	return arena_printf(call->request->arena, "%c", toupper((unsigned char)name[0]));
}

static json_t *states_of(const struct call *call, const json_t *notify, const char **ret_mailed)
{
	json_t *states = json_array();
	*ret_mailed = "";
	for (int s = 0; s < JOB_STATE_COUNT; s++) {
		const char *name = job_state_name((enum job_state)s);
		bool on = has_word(notify, name);
		if (on)
			*ret_mailed =
			        arena_printf(call->request->arena, "%s%s%s", *ret_mailed,
			                     **ret_mailed ? ", " : "", words_fixed(call, name));
		json_array_append_new(states, json_pack("{s:s, s:s, s:b}", "letter",
		                                        letter_of(call, (enum job_state)s), "state",
		                                        name, "on", on));
	}
	return states;
}

static const char *called(const struct call *call, const json_t *contact)
{
	const char *name = jsontext_at(contact, "name"),
	           *first = jsontext_at(contact, "first_name");
	const char *last = jsontext_at(contact, "last_name"),
	           *email = jsontext_at(contact, "email");
	if (*name != '\0')
		return name;
	if (*first != '\0' || *last != '\0')
		return arena_printf(call->request->arena, "%s%s%s", first,
		                    *first && *last ? " " : "", last);
	return *email != '\0' ? email : words(call, "contact.no_name");
}

/* Who marked an address isn't a server's words, so it is said in the reader's language. */
static void add_by_hand_words(const struct call *call, json_t *contact)
{
	static const char *const keys[] = {"email_invalid_why", "alt_email_invalid_why"};
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (strcmp(jsontext_at(contact, keys[i]), RECORDS_MARKED_BY_HAND) == 0)
			json_object_set_new(contact, keys[i],
			                    json_string(words(call, "reachable.by.hand")));
}

void facts_add_contacts(const struct call *call, json_t *contacts)
{
	size_t i;
	json_t *contact;
	json_array_foreach(contacts, i, contact)
	{
		const char *mailed;
		json_t *states = states_of(call, json_object_get(contact, "notify"), &mailed);
		json_object_set_new(contact, "called", json_string(called(call, contact)));
		json_object_set_new(contact, "phones", phones_of(call, contact));
		json_object_set_new(contact, "states", states);
		json_object_set_new(contact, "mailed", json_string(mailed));
		add_by_hand_words(call, contact);
	}
}

/* -- jobs -------------------------------------------------------------------------------------- */

static bool same_mail(const json_t *a, const json_t *b)
{
	static const char *const keys[] = {"to", "status", "reason"};
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (strcmp(jsontext_at(a, keys[i]), jsontext_at(b, keys[i])) != 0)
			return false;
	return true;
}

static bool waits(const char *status)
{
	return strcmp(status, "deferred") == 0 || strcmp(status, "retrying") == 0 ||
	       strcmp(status, "queued") == 0;
}

/* By the customer's clock: "dana@example.com: sent 3 times", "site@example.com: failed, address
 * refused, 550 5.1.1 …", "pat@example.com: deferred, outside hours, due tomorrow 7:00". */
static json_t *mail_words(const struct call *call, const json_t *mail, int n, const char *clock)
{
	const char *status = jsontext_at(mail, "status"), *reply = jsontext_at(mail, "reply");
	const char *reason = jsontext_at(mail, "reason"), *due = jsontext_at(mail, "due");
	bool bad = strcmp(status, "failed") == 0 || strcmp(status, "bounced") == 0;
	struct buf line = {0};
	buf_printf(&line, "%s: %s", jsontext_at(mail, "to"), label_word(call, status));
	if (n > 1)
		buf_printf(&line, " %s",
		           words_fill(call, "mail.times", json_pack("{s:i}", "n", n)));
	if (*reason != '\0' && strcmp(reason, "ok") != 0)
		buf_printf(&line, ", %s", label_word(call, reason));
	if (bad && *reply != '\0')
		buf_printf(&line, ", %s", reply);
	if (waits(status) && *due != '\0')
		buf_printf(&line, ", %s",
		           words_fill(call, "mail.due",
		                      json_pack("{s:s}", "when", when_there(call, due, clock))));
	json_t *row = json_pack("{s:s, s:b}", "words", buf_text(&line), "bad", bad);
	buf_free(&line);
	return row;
}

/* Mails alike are one line. */
static void add_mails(const struct call *call, const json_t *mails, const char *clock,
                      json_t *lines)
{
	size_t n = json_array_size(mails);
	for (size_t i = 0; i < n; i++) {
		const json_t *mail = json_array_get(mails, i);
		bool seen = false;
		int alike = 0;
		for (size_t k = 0; k < n; k++) {
			bool same = same_mail(json_array_get(mails, k), mail);
			seen = seen || (same && k < i);
			alike += same;
		}
		if (!seen)
			json_array_append_new(lines, mail_words(call, mail, alike, clock));
	}
}

/* What became of the notice of the job's last state: of each of its mails, or why there is none. */
static json_t *became_of(const struct call *call, const json_t *notice, const char *clock)
{
	json_t *lines = json_array();
	const char *status = jsontext_at(notice, "status"), *reason = jsontext_at(notice, "reason");
	add_mails(call, json_object_get(notice, "mails"), clock, lines);
	if (json_array_size(lines) == 0 && *status != '\0') {
		bool same = strcmp(status, reason) == 0 || *reason == '\0';
		const char *why =
		        arena_printf(call->request->arena, "%s%s%s", label_word(call, status),
		                     same ? "" : ", ", same ? "" : label_word(call, reason));
		json_array_append_new(lines, json_pack("{s:s, s:b}", "words",
		                                       words_fill(call, "mail.none",
		                                                  json_pack("{s:s}", "why", why)),
		                                       "bad", false));
	}
	return lines;
}

static json_t *row_of_job(json_t *rows, const char *job)
{
	size_t i;
	json_t *row;
	json_array_foreach(rows, i, row)
	{
		if (strcmp(jsontext_at(row, "job"), job) == 0)
			return row;
	}
	return NULL;
}

/* A held job has its data in an object of its own. */
static json_t *job_of_held(const json_t *held)
{
	const json_t *data = json_object_get(held, "data");
	json_t *row = json_deep_copy(data ? data : held);
	json_object_set(row, "job", json_object_get(held, "job"));
	json_object_set(row, "local", json_object_get(held, "local"));
	return row;
}

static json_t *coming_of(const struct call *call, const json_t *jobs)
{
	json_t *rows = json_deep_copy(json_object_get(jobs, "scheduled"));
	size_t i;
	const json_t *held;
	rows = rows ? rows : json_array();
	json_array_foreach(json_object_get(jobs, "held"), i, held)
	{
		json_t *row = row_of_job(rows, jsontext_at(held, "job"));
		if (row == NULL) {
			json_array_append_new(rows, job_of_held(held));
			row = json_array_get(rows, json_array_size(rows) - 1);
		}
		json_object_set_new(row, "held",
		                    json_pack("{s:O, s:s}", "id", json_object_get(held, "id"),
		                              "why",
		                              label_word(call, jsontext_at(held, "reason"))));
	}
	return rows;
}

static void add_jobs(const struct call *call, json_t *view)
{
	json_t *jobs = json_object_get(view, "jobs"), *job;
	size_t i;
	json_array_foreach(json_object_get(jobs, "last"), i, job) json_object_set_new(
	        job, "became",
	        became_of(call, json_object_get(job, "notice"), jsontext_at(view, "local_now")));
	json_object_set_new(view, "coming", coming_of(call, jobs));
}

/* -- why nothing goes -------------------------------------------------------------------------- */

static bool covers(const json_t *suspension, const char *scope)
{
	return has_word(json_object_get(suspension, "scopes"), scope);
}

/* What the gate would say to a dispatch; by the records where the gate wasn't asked. */
static void add_refusal(const struct call *call, json_t *view)
{
	const json_t *held = json_object_get(view, "suspension");
	const json_t *gate = json_object_get(json_object_get(view, "gate"), "job.dispatch");
	const char *status = jsontext_at(gate, "status"), *reason = jsontext_at(gate, "reason");
	const char *why = NULL;
	if (covers(held, "routes"))
		why = words(call, "refused.routes");
	else if (covers(held, "jobs"))
		why = words(call, "refused.jobs");
	else if (strcmp(jsontext_at(view, "status"), "active") != 0)
		why = words_fill(call, "refused.status",
		                 json_pack("{s:s}", "status",
		                           words_fixed(call, jsontext_at(view, "status"))));
	else if (*status != '\0' && strcmp(status, "released") != 0)
		why = words_fill(call, "refused.gate",
		                 json_pack("{s:s, s:s}", "status", label_word(call, status),
		                           "reason", label_word(call, reason)));
	if (why)
		json_object_set_new(view, "refused", json_string(why));
}

/* Where Dispatch can't lead anywhere: what isn't held goes by [center] dispatch_url, what is held
 * by somebody who may release it. */
static void add_hindrances(const struct call *call, json_t *view)
{
	bool linked = json_object_get(json_object_get(view, "jumps"), "dispatch") != NULL;
	bool reader = call->account.role < ROLE_CLERK, held = false, others = false;
	size_t i;
	json_t *job;
	json_array_foreach(json_object_get(view, "coming"), i, job)
	{
		bool waits = json_object_get(job, "held") != NULL;
		held = held || waits;
		others = others || !waits;
	}
	others = others || json_array_size(json_object_get(view, "assets")) > 0;
	json_object_set_new(view, "nowhere", json_boolean(others && !linked));
	json_object_set_new(view, "reader", json_boolean(held && reader));
}

/* What releasing each held job does. */
static void add_releases(const struct call *call, json_t *view)
{
	json_t *commands = json_array(), *job;
	size_t i;
	json_array_foreach(json_object_get(view, "coming"), i, job)
	{
		const json_t *id = json_object_get(json_object_get(job, "held"), "id");
		if (id)
			command_add(
			        call, commands,
			        json_pack("[s, s, o]", "hold", "release",
			                  json_sprintf("%lld", (long long)json_integer_value(id))),
			        NULL);
	}
	if (json_array_size(commands) > 0)
		json_object_set_new(
		        view, "releases",
		        json_pack("{s:s, s:O}", "fold_id", "releases", "commands", commands));
	json_decref(commands);
}

/* "J-1042 and J-1043": what resuming sets free. */
static void add_waiting(const struct call *call, json_t *view)
{
	const json_t *held = json_object_get(json_object_get(view, "jobs"), "held"), *job;
	const char *names = "";
	size_t i;
	json_array_foreach(held, i, job)
	{
		if (strcmp(jsontext_at(job, "reason"), "suspended") == 0)
			names = arena_printf(call->request->arena, "%s%s%s", names,
			                     *names ? ", " : "", jsontext_at(job, "job"));
	}
	if (*names != '\0')
		json_object_set_new(view, "waiting", json_string(names));
}

/* -- all of it --------------------------------------------------------------------------------- */

static void add_renewal(const struct call *call, json_t *view)
{
	int days;
	if (when_days_until(call, json_string_value(json_object_get(view, "renewal")), &days))
		json_object_set_new(view, "renewal_in",
		                    json_pack("{s:s, s:b}", "words", when_distance(call, days),
		                              "near", days <= RENEWAL_NEAR_DAYS));
}

/* In the order of the list, urgent ones first. */
static json_t *first_notes(const json_t *notes)
{
	json_t *first = json_array();
	size_t i;
	json_t *note;
	json_array_foreach(notes, i, note)
	{
		if (i < NOTES_MAX || json_is_true(json_object_get(note, "urgent")))
			json_array_append(first, note);
	}
	return first;
}

void facts_add(struct call *call, json_t *view)
{
	json_object_set_new(view, "dial",
	                    json_string(cells_dial(call, jsontext_at(view, "phone"))));
	facts_add_contacts(call, json_object_get(view, "contacts"));
	hours_words_add(call, view);
	add_renewal(call, view);
	add_jobs(call, view);
	add_refusal(call, view);
	add_hindrances(call, view);
	add_waiting(call, view);
	add_releases(call, view);
	json_object_set_new(view, "first_notes", first_notes(json_object_get(view, "notes")));
}
