/* SPDX-License-Identifier: MIT */
/*
 * The summary of a proof: what record.json has, arranged for proof_summary.html. Everything is
 * there three ways, for three questions: what happened in the order of time, what each mail said
 * and to whom, and which rules led to each decision.
 */
#include "overview/proof_summary.h"

#include "base/instant.h"
#include "base/jsontext.h"
#include "overview/proof_words.h"
#include "template/mustache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE_MAX_BYTES = 64 * 1024 * 1024 };

/* ---- pieces */

/* An RFC 3339 time for people: "2026-11-28 15:13:22 -07:00". Anything else, "" included, stays as
 * it is. */
static json_t *time_text(const char *text)
{
	char told[64];
	const char *zone = strpbrk(text, "Zz");
	if (zone == NULL && strlen(text) > 19)
		zone = strpbrk(text + 19, "+-");
	if (strlen(text) < 20 || zone == NULL)
		return json_string(text);
	(void)snprintf(told, sizeof told, "%.10s %.8s %s", text, text + 11,
	               *zone == 'Z' ? "UTC" : zone);
	return json_string(told);
}

/* That of the customer's zone where it is known. */
static json_t *local_text(const json_t *row, const char *key)
{
	const char *local = jsontext_at(json_object_get(row, "local"), key);
	return time_text(*local != '\0' ? local : jsontext_at(row, key));
}

static void add_fact(json_t *facts, const char *label, json_t *value)
{
	const char *text = json_string_value(value);
	if (text != NULL && *text != '\0')
		json_array_append_new(facts,
		                      json_pack("{s:s, s:O}", "label", label, "value", value));
	json_decref(value);
}

/* A value of any kind as text. */
static json_t *value_text(const json_t *value)
{
	struct buf text = {0};
	if (value == NULL || json_is_null(value))
		return json_string("");
	if (json_is_string(value))
		return json_copy((json_t *)(uintptr_t)value);
	jsontext_write(&text, value, JSONTEXT_AS_IS);
	json_t *made = json_string(buf_text(&text));
	buf_free(&text);
	return made;
}

/* Each member of an object, named as it is there. */
static void add_members(json_t *facts, const char *prefix, const json_t *object)
{
	const char *key;
	json_t *value;
	struct buf label = {0};
	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		buf_reset(&label);
		buf_printf(&label, "%s%s", prefix, key);
		add_fact(facts, buf_text(&label), value_text(value));
	}
	buf_free(&label);
}

/* ---- what happened */

struct step {
	int64_t ms;
	size_t nth;
	json_t *json;
};
struct steps {
	struct step *steps;
	size_t n, cap;
	struct arena *arena;
};

static void add_step(struct steps *steps, const json_t *row, const char *time, const char *kind,
                     const char *what, json_t *facts)
{
	struct instant when = {0};
	const char *text = jsontext_at(row, time);
	(void)!instant_parse(text, &when);
	json_t *step = json_pack("{s:o, s:o, s:s, s:s, s:o, s:b}", "time", local_text(row, time),
	                         "utc", time_text(text), "kind", kind, "what", what, "facts", facts,
	                         "has_facts", json_array_size(facts) > 0);
	if (strcmp(json_string_value(json_object_get(step, "time")),
	           json_string_value(json_object_get(step, "utc"))) == 0)
		json_object_del(step, "utc");
	steps->steps =
	        arena_grow(steps->arena, steps->steps, steps->n, &steps->cap, sizeof *steps->steps);
	steps->steps[steps->n] = (struct step){when.ms, steps->n, step};
	steps->n++;
}

static void add_event_step(struct steps *steps, const json_t *event)
{
	json_t *facts = json_array();
	struct buf what = {0};
	const char *type = jsontext_at(event, "type");
	json_t *happened = local_text(event, "time"), *received = local_text(event, "received");
	buf_printf(&what, "Reported: the job is %s.",
	           strncmp(type, "job.", 4) == 0 ? type + 4 : type);
	add_fact(facts, "Event", value_text(json_object_get(event, "id")));
	add_fact(facts, "From", value_text(json_object_get(event, "source")));
	if (json_equal(happened, received) == 0)
		add_fact(facts, "When it happened", json_incref(happened));
	add_members(facts, "", json_object_get(event, "data"));
	add_step(steps, event, "received", "event", buf_text(&what), facts);
	buf_free(&what);
	json_decref(happened);
	json_decref(received);
}

static void add_outcome_step(struct steps *steps, const json_t *outcome)
{
	static const char *const plain[][2] = {{"to", "To"},
	                                       {"mail", "Email no."},
	                                       {"attempts", "Tries"},
	                                       {"reply", "The server's words"},
	                                       {"note", "Note"}};
	json_t *facts = json_array();
	const char *status = jsontext_at(outcome, "status");
	const char *why = proof_reason_words(jsontext_at(outcome, "reason"));
	if (*why != '\0')
		add_fact(facts, "Why", json_string(why));
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		add_fact(facts, plain[i][1], value_text(json_object_get(outcome, plain[i][0])));
	add_fact(facts, "Due", local_text(outcome, "due"));
	add_fact(facts, "Until", local_text(outcome, "until"));
	add_fact(facts, "About event", value_text(json_object_get(outcome, "event")));
	bool again = strcmp(status, "queued") == 0 && *jsontext_at(outcome, "attempts") != '\0';
	add_step(steps, outcome, "time", status,
	         again ? "The email was due again at once." : proof_status_words(status), facts);
}

static void add_report_step(struct steps *steps, const json_t *report)
{
	static const char *const plain[][2] = {{"kind", "Kind"},
	                                       {"verdict", "Meaning"},
	                                       {"address", "Address"},
	                                       {"code", "Code"},
	                                       {"text", "The report's words"}};
	json_t *facts = json_array();
	add_fact(facts, "Email no.", value_text(json_object_get(report, "mail")));
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		add_fact(facts, plain[i][1], value_text(json_object_get(report, plain[i][0])));
	add_step(steps, report, "time", "report", "A report about an email came back.", facts);
}

static int step_compare(const void *a, const void *b)
{
	const struct step *x = a, *y = b;
	if (x->ms != y->ms)
		return x->ms < y->ms ? -1 : 1;
	return x->nth < y->nth ? -1 : 1;
}

static json_t *steps_of(const json_t *record)
{
	struct steps steps = {.arena = arena_new()};
	json_t *list = json_array(), *row;
	size_t i;
	json_array_foreach(json_object_get(record, "events"), i, row) add_event_step(&steps, row);
	json_array_foreach(json_object_get(record, "outcomes"), i, row)
	        add_outcome_step(&steps, row);
	json_array_foreach(json_object_get(record, "reports"), i, row) add_report_step(&steps, row);
	if (steps.n > 0)
		qsort(steps.steps, steps.n, sizeof *steps.steps, step_compare);
	for (i = 0; i < steps.n; i++)
		json_array_append_new(list, steps.steps[i].json);
	arena_free(steps.arena);
	return list;
}

/* ---- mails */

static const char *lack_words(const char *rendering)
{
	static const char *const words[][2] = {
	        {"not_yet", "Nothing was sent: no mail server has been offered this email."},
	        {"erased", "What it said was erased together with the customer."},
	        {"outdated", "What it said can't be shown: its templates are no longer kept."}};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(rendering, words[i][0]) == 0)
			return words[i][1];
	return "";
}

/* "4711, 4712" where it reports several. */
static json_t *jobs_text(const json_t *mail)
{
	struct buf text = {0};
	json_t *job;
	size_t i;
	json_array_foreach(json_object_get(mail, "jobs"), i, job)
	        buf_printf(&text, "%s%s", i > 0 ? ", " : "", json_string_value(job));
	json_t *made = json_string(buf_text(&text));
	buf_free(&text);
	return made;
}

/* What the server said to each try; a mail that is queued again still has the last words. */
static json_t *tries_of(const json_t *mail)
{
	json_t *tries = json_array(), *outcome;
	size_t i;
	json_array_foreach(json_object_get(mail, "outcomes"), i, outcome)
	{
		const char *reply = jsontext_at(outcome, "reply");
		bool tried = strcmp(jsontext_at(outcome, "status"), "queued") != 0 &&
		             strcmp(jsontext_at(outcome, "status"), "bounced") != 0;
		if (tried && *reply != '\0')
			json_array_append_new(
			        tries, json_pack("{s:o, s:s, s:s}", "time",
			                         local_text(outcome, "time"), "status",
			                         jsontext_at(outcome, "status"), "reply", reply));
	}
	return tries;
}

static json_t *mail_of(const json_t *mail)
{
	const char *rendering = jsontext_at(mail, "rendering");
	const json_t *context = json_object_get(mail, "context");
	json_t *facts = json_array(), *data = json_array(), *tries = tries_of(mail);
	add_fact(facts, "To", value_text(json_object_get(mail, "to")));
	add_fact(facts, "Redirected to", value_text(json_object_get(mail, "redirected")));
	add_fact(facts, "Subject", value_text(json_object_get(mail, "subject")));
	add_fact(facts, "About jobs", jobs_text(mail));
	add_fact(facts, "State now", json_string(proof_status_words(jsontext_at(mail, "status"))));
	add_fact(facts, "Why", json_string(proof_reason_words(jsontext_at(mail, "reason"))));
	add_fact(facts, "Made", local_text(mail, "made"));
	add_fact(facts, "Last change", local_text(mail, "changed"));
	add_fact(facts, "Message-ID", value_text(json_object_get(mail, "message_id")));
	add_fact(facts, "File", value_text(json_object_get(mail, "file")));
	add_fact(facts, "Its digest", value_text(json_object_get(mail, "message_digest")));
	add_fact(facts, "Templates' digest", value_text(json_object_get(mail, "templates_digest")));
	add_members(data, "customer: ", json_object_get(context, "customer"));
	add_members(data, "contact: ", json_object_get(context, "contact"));
	return json_pack("{s:O, s:o, s:o, s:b, s:o, s:b, s:s, s:s, s:b}", "id",
	                 json_object_get(mail, "id"), "facts", facts, "tries", tries, "has_tries",
	                 json_array_size(tries) > 0, "data", data, "has_data",
	                 json_array_size(data) > 0, "text", jsontext_at(mail, "text"), "lacks",
	                 lack_words(rendering), "different", strcmp(rendering, "different") == 0);
}

static json_t *mails_of(const json_t *record)
{
	json_t *list = json_array(), *mail;
	size_t i;
	json_array_foreach(json_object_get(record, "mails"), i, mail)
	        json_array_append_new(list, mail_of(mail));
	return list;
}

/* ---- decisions */

static json_t *rules_of(const json_t *trace)
{
	json_t *list = json_array(), *row;
	size_t i;
	json_array_foreach(trace, i, row)
	{
		/* The gate's rows have a name in place of the number. */
		const json_t *rule = json_object_get(row, "rule");
		char name[80];
		(void)snprintf(name, sizeof name, "%s",
		               json_is_string(rule) ? json_string_value(rule)
		                                    : jsontext_at(row, "name"));
		for (char *c = name; (c = strchr(c, '_')) != NULL;)
			*c = ' ';
		json_array_append_new(list, json_pack("{s:s, s:b, s:s}", "name", name, "holds",
		                                      json_is_true(json_object_get(row, "holds")),
		                                      "detail", jsontext_at(row, "detail")));
	}
	return list;
}

static void add_decisions(json_t *list, const json_t *rows, const char *what, const char *id)
{
	json_t *row;
	size_t i;
	json_array_foreach(rows, i, row)
	{
		json_t *rules = rules_of(json_object_get(row, "trace"));
		json_array_append_new(list,
		                      json_pack("{s:s, s:o, s:s, s:o, s:s, s:s, s:b, s:o}", "what",
		                                what, "id", value_text(json_object_get(row, id)),
		                                "type", jsontext_at(row, "type"), "time",
		                                local_text(row, "received"), "status",
		                                jsontext_at(row, "status"), "reason",
		                                jsontext_at(row, "reason"), "has_rules",
		                                json_array_size(rules) > 0, "rules", rules));
	}
}

/* ---- the page */

static json_t *count_text(const json_t *list, const char *what)
{
	char text[64];
	size_t n = json_array_size(list);
	(void)snprintf(text, sizeof text, "%zu %s%s", n, what, n == 1 ? "" : "s");
	return json_string(text);
}

static json_t *page_data(const json_t *record)
{
	const json_t *proof = json_object_get(record, "proof");
	json_t *decisions = json_array();
	add_decisions(decisions, json_object_get(record, "events"), "Event", "id");
	add_decisions(decisions, json_object_get(record, "requests"), "Gate request", "request");
	const char *state = jsontext_at(record, "state");
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:o}",
	                 "job", jsontext_at(record, "job"), "customer",
	                 jsontext_at(record, "customer"), "name",
	                 jsontext_at(proof, "customer_name"), "state", state, "program",
	                 jsontext_at(proof, "program"), "made", local_text(proof, "made"), "zone",
	                 jsontext_at(proof, "timezone"), "erased",
	                 json_is_true(json_object_get(record, "erased")), "erased_at",
	                 time_text(jsontext_at(proof, "erased")), "events",
	                 count_text(json_object_get(record, "events"), "reported event"), "emails",
	                 count_text(json_object_get(record, "mails"), "email"), "steps",
	                 steps_of(record), "mails", mails_of(record), "decisions", decisions);
}

bool proof_summary_add(const json_t *record, struct buf *ret, struct error *err)
{
	static const struct {
		const char *name, *text;
	} page[] = {
#include "proof_page.h"
	};
	struct mustache_options options = {.escape = true, .max_size = SIZE_MAX_BYTES};
	struct mustache *parsed =
	        mustache_parse(page[0].text, strlen(page[0].text), page[0].name, 1, err);
	json_t *data = page_data(record);
	bool good =
	        parsed != NULL && data != NULL && mustache_render(parsed, data, &options, ret, err);
	json_decref(data);
	(void)mustache_free(parsed);
	return good;
}
