/* SPDX-License-Identifier: MIT */
/*
 * All about one job: its events with the rules as they passed or stopped, what became of the mails,
 * what the gate was asked, what the office has on record for it; and what another event would do.
 */
#include "base/jsontext.h"
#include "center/pages/command.h"
#include "center/pages/job_data.h"
#include "center/pages/labels.h"
#include "center/pages/mail_words.h"
#include "center/pages/page.h"
#include "center/pages/reports.h"
#include "center/pages/trace_words.h"
#include "center/pages/what_if.h"
#include "center/pages/words.h"
#include "model/words.h"
#include "overview/job_timeline.h"
#include "overview/proof_zip.h"
#include "version.h"

#include <ctype.h>
#include <string.h>
#include <sysexits.h>

/* -- outcomes ---------------------------------------------------------------------------------- */

/* Whether an outcome is of an event or request with that id. */
static bool is_of(const json_t *outcome, const json_t *of, const char *id)
{
	return strcmp(jsontext_at(outcome, "event"), jsontext_at(of, id)) == 0 &&
	       strcmp(jsontext_at(outcome, "source"), jsontext_at(of, "source")) == 0;
}

/* What became of it, but for what its own words tell. */
static json_t *steps_of(const struct call *call, const json_t *job, const json_t *of,
                        const char *id)
{
	json_t *steps = json_array();
	size_t i;
	const json_t *outcome;
	json_array_foreach(json_object_get(job, "outcomes"), i, outcome)
	{
		bool says = *jsontext_at(outcome, "mail") != '\0' ||
		            *jsontext_at(outcome, "note") != '\0' ||
		            strcmp(jsontext_at(outcome, "status"), jsontext_at(of, "status")) != 0;
		if (is_of(outcome, of, id) && says)
			json_array_append_new(steps, mail_words_step(call, outcome));
	}
	return steps;
}

static const char *why_of(const struct call *call, const json_t *of)
{
	const char *reason = jsontext_at(of, "reason");
	return reason_find(reason) > REASON_OK && strcmp(reason, jsontext_at(of, "status")) != 0
	               ? label_word(call, reason)
	               : "";
}

/* -- events and requests ----------------------------------------------------------------------- */

/* What follows "job." in its type. */
static const char *state_of(const json_t *event)
{
	const char *type = jsontext_at(event, "type"), *dot = strrchr(type, '.');
	return dot ? dot + 1 : type;
}

/* "" where nothing stopped it: then its mails say what became of it. */
static const char *decided(const json_t *event, const json_t *steps)
{
	const char *status = jsontext_at(event, "status");
	return strcmp(status, status_name(STATUS_QUEUED)) == 0 && json_array_size(steps) > 0
	               ? ""
	               : status;
}

static json_t *event_of(const struct call *call, const json_t *job, const json_t *event)
{
	json_t *trace =
	        trace_words(call, json_object_get(event, "trace"), jsontext_at(job, "customer"));
	json_t *steps = steps_of(call, job, event, "id");
	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:s, s:s, s:o, s:b, s:o, s:o}", "id",
	                 jsontext_at(event, "id"), "source", jsontext_at(event, "source"), "state",
	                 state_of(event), "at", mail_words_time(call, event, "time"), "said",
	                 job_data_said(call, job, event), "status", decided(event, steps), "why",
	                 why_of(call, event), "stops", trace_words_stops(trace), "has_trace",
	                 json_array_size(trace) > 0, "trace", trace, "steps", steps);
}

/* The latest first. */
static json_t *events_of(const struct call *call, const json_t *job)
{
	const json_t *events = json_object_get(job, "events");
	json_t *rows = json_array();
	for (size_t i = json_array_size(events); i-- > 0;)
		json_array_append_new(rows, event_of(call, job, json_array_get(events, i)));
	return rows;
}

static json_t *requests_of(const struct call *call, const json_t *job)
{
	const json_t *requests = json_object_get(job, "requests");
	json_t *rows = json_array();
	for (size_t i = json_array_size(requests); i-- > 0;) {
		const json_t *request = json_array_get(requests, i);
		bool create = strcmp(jsontext_at(request, "type"), "job.create") == 0;
		json_t *trace = trace_words(call, json_object_get(request, "trace"),
		                            jsontext_at(job, "customer"));
		json_array_append_new(
		        rows,
		        json_pack("{s:O, s:s, s:s, s:o, s:s, s:s, s:b, s:o, s:b, s:o, s:o}", "id",
		                  json_object_get(request, "id"), "what",
		                  words(call, create ? "job.asks_create" : "job.asks_dispatch"),
		                  "at", mail_words_time(call, request, "received"), "said",
		                  job_data_said(call, job, request), "status",
		                  jsontext_at(request, "status"), "why", why_of(call, request),
		                  "held",
		                  strcmp(jsontext_at(request, "status"),
		                         status_name(STATUS_HELD)) == 0,
		                  "stops", trace_words_stops(trace), "has_trace",
		                  json_array_size(trace) > 0, "trace", trace, "steps",
		                  steps_of(call, job, request, "request")));
	}
	return rows;
}

/* -- the page ---------------------------------------------------------------------------------- */

static bool has_any(const json_t *job, const char *key)
{
	return json_array_size(json_object_get(job, key)) > 0;
}

/* What the buttons of those that are held do. */
static void add_holds(const struct call *call, const json_t *job, json_t *commands)
{
	size_t i;
	const json_t *request;
	json_array_foreach(json_object_get(job, "requests"), i, request)
	{
		if (strcmp(jsontext_at(request, "status"), status_name(STATUS_HELD)) != 0)
			continue;
		const char *id =
		        arena_printf(call->request->arena, "%lld",
		                     (long long)json_integer_value(json_object_get(request, "id")));
		command_add(call, commands, json_pack("[s, s, s]", "hold", "release", id), NULL);
		command_add(call, commands, json_pack("[s, s, s]", "hold", "cancel", id), NULL);
	}
}

static json_t *commands_of(const struct call *call, const json_t *job, const json_t *asked)
{
	const char *command = json_string_value(json_object_get(asked, "command"));
	json_t *commands =
	        json_pack("[s]", command_text(call, "job", "show", jsontext_at(job, "job"),
	                                      "--customer", jsontext_at(job, "customer"), NULL));
	if (command)
		json_array_append_new(commands, json_string(command));
	if (call->account.role >= ROLE_CLERK)
		add_holds(call, job, commands);
	return commands;
}

static const char *topic_of(const struct call *call, const char *number)
{
	struct buf topic = {0};
	buf_adds(&topic, "customer:");
	request_encode(number, &topic);
	const char *text = arena_strdup(call->request->arena, buf_text(&topic));
	buf_free(&topic);
	return text;
}

static json_t *page_of(struct call *call, const json_t *job)
{
	const char *number = jsontext_at(job, "customer"), *name = jsontext_at(job, "job");
	json_t *asked = what_if(call, name, number);
	json_t *data = json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "topics",
	                         topic_of(call, number), "job", name, "customer", number, "state",
	                         jsontext_at(job, "state"), "facts", job_data_facts(call, job),
	                         "events", events_of(call, job), "requests", requests_of(call, job),
	                         "commands", commands_of(call, job, asked), "whatif", asked);
	static const char *const lists[] = {"sales", "comments", "documents", "pictures"};
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		if (has_any(job, lists[i]))
			json_object_set(data, lists[i], json_object_get(job, lists[i]));
	json_object_set_new(data, "has_requests", json_boolean(has_any(job, "requests")));
	json_object_set_new(data, "has_reports", json_boolean(has_any(job, "reports")));
	json_object_set_new(data, "reports", reports_of(call, json_object_get(job, "reports")));
	return data;
}

static void show_fault(struct call *call, const struct error *err)
{
	if (err->code == EX_NOINPUT)
		page_fail_status(call, 404, words(call, "job.none"));
	else if (err->code == EX_DATAERR)
		page_fail_status(call, 400, words(call, "job.several"));
	else
		page_fail(call, err);
}

static void job(struct call *call)
{
	const char *customer = request_value(&call->request->query, "customer");
	struct overview overview;
	struct error err;
	json_t *timeline;
	struct spool *spool = stores_spool(call->stores, &err);
	call_spool_overview(call, &overview);
	if (spool == NULL ||
	    !job_timeline(&overview, spool, call->names[0], customer && *customer ? customer : NULL,
	                  &timeline, &err)) {
		show_fault(call, &err);
		return;
	}
	const char *number = jsontext_at(timeline, "customer");
	const char *title = words_fill(call, "job.title",
	                               json_pack("{s:s}", "job", jsontext_at(timeline, "job")));
	json_t *data = page_of(call, timeline);
	json_object_set_new(data, "name", json_string(overview_name(&overview, number)));
	page_answer(call, 200, "job", title, data);
	json_decref(timeline);
}

/* "job-4711.zip"; of what a file's name may not have on every system there is a `_`. */
static const char *proof_name(const struct call *call, const char *job)
{
	char *name = arena_printf(call->request->arena, "job-%.100s.zip", job);
	for (char *c = name; *c != '\0'; c++)
		if (!isalnum((unsigned char)*c) && strchr(".-_", *c) == NULL)
			*c = '_';
	return name;
}

/* All that is on record of its notices, as `dispatchctl proof` writes it. */
static void proof(struct call *call)
{
	const char *customer = request_value(&call->request->query, "customer");
	struct overview overview;
	struct error err;
	struct job_proof made = {0};
	struct buf zip = {0};
	struct spool *spool = stores_spool(call->stores, &err);
	call_spool_overview(call, &overview);
	if (spool == NULL ||
	    !job_proof_make(&overview, spool, call->names[0],
	                    customer && *customer ? customer : NULL, "dispatchd " DISPATCHD_VERSION,
	                    &made, &err) ||
	    !proof_zip_add(&made, overview.now, &zip, &err)) {
		buf_free(&zip);
		if (made.too_large)
			page_fail_status(
			        call, 422,
			        words_fill(call, "job.proof_large",
			                   json_pack("{s:i}", "n", PROOF_MAX_BYTES >> 20)));
		else
			show_fault(call, &err);
		return;
	}
	response_header(call->response, call->request, "Content-Disposition",
	                arena_printf(call->request->arena, "attachment; filename=\"%s\"",
	                             proof_name(call, made.job)));
	call->response->status = 200;
	call->response->type = "application/zip";
	buf_free(&call->response->body);
	call->response->body = zip;
}

const struct route job_page_routes[] = {
        {ROUTE("GET", "/jobs/:job", ACCESS_READER, job), .query = "customer type at"},
        {ROUTE("GET", "/jobs/:job/proof", ACCESS_READER, proof), .query = "customer"},
        {0},
};
