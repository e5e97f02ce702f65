/* SPDX-License-Identifier: MIT */
/* /api/v1 for what the spool has: jobs, mails, held jobs, dead letters; and the two questions that
 * change nothing, the gate's and "why?". */
#include "base/jsontext.h"
#include "center/api/answer.h"
#include "center/api/ask_daemon.h"
#include "center/api/filter.h"
#include "center/api/records.h"
#include "engine/explain.h"
#include "engine/gate_answer.h"
#include "overview/job_timeline.h"
#include "overview/local_times.h"
#include "overview/sent_mail.h"
#include "spool/spool_pause.h"
#include "spool/spool_read.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { DEAD_MAX = 100000 };

/* -- lists ------------------------------------------------------------------------------------- */

static const char *asked(const struct call *call, const char *name)
{
	const char *text = request_value(&call->request->query, name);
	return text && *text ? text : NULL;
}

typedef bool read_fn(struct spool *spool, const struct spool_filter *filter, json_t **ret,
                     struct error *err);

static void list(struct call *call, const char *name, read_fn *read)
{
	struct overview overview;
	struct spool_filter filter;
	struct page page;
	struct error err;
	json_t *rows;
	if (!answer_page(call, &page))
		return;
	call_spool_overview(call, &overview);
	if (!filter_read(&overview, &call->request->query, &filter, &err)) {
		answer_status(call, 400, err.text);
		return;
	}
	filter.before_id = page.before;
	filter.limit = page.limit + 1;
	struct spool *spool = stores_spool(call->stores, &err);
	if (spool == NULL || !read(spool, &filter, &rows, &err)) {
		call_fail(call, &err);
		return;
	}
	local_rows(&overview, rows);
	answer_piece(call, name, rows, &page);
}

static void list_jobs(struct call *call)
{
	list(call, "jobs", spool_read_jobs);
}

static void list_mails(struct call *call)
{
	list(call, "mails", spool_read_mails);
}

/* All there are, or the fault. */
static void list_whole(struct call *call, const char *name, bool good, json_t *rows,
                       const struct error *err)
{
	struct overview overview;
	struct page page;
	if (!good) {
		call_fail(call, err);
		return;
	}
	if (!answer_page(call, &page)) {
		json_decref(rows);
		return;
	}
	call_spool_overview(call, &overview);
	local_rows(&overview, rows);
	answer_list(call, name, rows, &page);
}

static void list_holds(struct call *call)
{
	struct error err;
	json_t *rows = NULL;
	struct spool *spool = stores_spool(call->stores, &err);
	bool good = spool && spool_read_held(spool, &rows, &err);
	list_whole(call, "holds", good, rows, &err);
}

static void list_dead(struct call *call)
{
	struct error err;
	json_t *rows = NULL;
	struct spool *spool = stores_spool(call->stores, &err);
	bool good = spool && spool_read_dead(spool, DEAD_MAX, &rows, &err);
	list_whole(call, "dead", good, rows, &err);
}

/* -- one --------------------------------------------------------------------------------------- */

static void show_job(struct call *call)
{
	struct overview overview;
	struct error err;
	json_t *job;
	struct spool *spool = stores_spool(call->stores, &err);
	call_spool_overview(call, &overview);
	if (spool &&
	    job_timeline(&overview, spool, call->names[0], asked(call, "customer"), &job, &err))
		response_json(call->response, 200, job);
	else if (response_status_of(&err) == 422)
		answer_status(call, 400,
		              "customer is required: several customers have a job with that id");
	else
		call_fail(call, &err);
}

/* An id in a path; 404 where it is none. */
static bool id_of_path(struct call *call, int64_t *ret)
{
	char *end;
	*ret = strtoll(call->names[0], &end, 10);
	if (*end == '\0' && *ret > 0)
		return true;
	answer_status(call, 404, "an id is a positive integer");
	return false;
}

static void show_mail(struct call *call)
{
	struct overview overview;
	struct error err;
	json_t *mail;
	int64_t id;
	if (!id_of_path(call, &id))
		return;
	struct spool *spool = stores_spool(call->stores, &err);
	if (spool == NULL || !spool_read_mail(spool, id, &mail, &err)) {
		call_fail(call, &err);
		return;
	}
	call_spool_overview(call, &overview);
	const char *customer = json_string_value(json_object_get(mail, "customer"));
	local_object(&overview, mail, customer);
	local_members(&overview, json_object_get(mail, "outcomes"), customer);
	if (sent_mail_add(&overview, spool, mail, &err)) {
		response_json(call->response, 200, mail);
		return;
	}
	json_decref(mail);
	call_fail(call, &err);
}

/* -- changes ----------------------------------------------------------------------------------- */

/* Asks the daemon; what its state forbids is a conflict. Takes over `values`. */
static void ask(struct call *call, enum control_request what, json_t *values)
{
	struct error err;
	json_t *answer;
	if (ask_daemon(call, what, values, &answer, &err)) {
		json_object_del(answer, "ok");
		response_json(call->response, 200, answer);
	} else if (err.code == EX_DATAERR) {
		answer_status(call, 409, err.text);
	} else {
		call_fail(call, &err);
	}
}

static void ask_of_id(struct call *call, enum control_request what)
{
	int64_t id;
	json_t *values;
	if (!id_of_path(call, &id) || !answer_values(call, &values))
		return;
	json_t *request = json_pack("{s:I}", "id", (json_int_t)id);
	json_t *note = json_object_get(values, "note");
	if (note && !json_is_null(note) && !json_is_string(note)) {
		answer_status(call, 400, "note: expected text");
		json_decref(request);
	} else {
		if (json_is_string(note))
			json_object_set(request, "note", note);
		ask(call, what, request);
	}
	json_decref(values);
}

static void release_hold(struct call *call)
{
	ask_of_id(call, REQUEST_HOLD_RELEASE);
}

static void cancel_hold(struct call *call)
{
	ask_of_id(call, REQUEST_HOLD_CANCEL);
}

static void retry_mail(struct call *call)
{
	ask_of_id(call, REQUEST_MAIL_RETRY);
}

static void cancel_mail(struct call *call)
{
	ask_of_id(call, REQUEST_MAIL_CANCEL);
}

/* {"paused": null, or who paused sending, since when and why} */
static void show_pause(struct call *call)
{
	struct error err;
	json_t *pause;
	struct spool *spool = stores_spool(call->stores, &err);
	if (spool && spool_read_pause(spool, call->now, &pause, &err))
		response_json(call->response, 200, json_pack("{s:o}", "paused", pause));
	else
		call_fail(call, &err);
}

static void api_jobs_pause_sending(struct call *call)
{
	json_t *values;
	if (!answer_values(call, &values))
		return;
	json_t *note = json_object_get(values, "note");
	if (note && !json_is_null(note) && !json_is_string(note))
		answer_status(call, 400, "note: expected text");
	else
		ask(call, REQUEST_MAIL_PAUSE,
		    json_is_string(note) ? json_pack("{s:O}", "note", note) : json_object());
	json_decref(values);
}

static void api_jobs_resume_sending(struct call *call)
{
	ask(call, REQUEST_MAIL_RESUME, json_object());
}

static void retry_dead(struct call *call)
{
	ask(call, REQUEST_DEAD_RETRY, json_pack("{s:s}", "entry", call->names[0]));
}

/* -- questions --------------------------------------------------------------------------------- */

static void gate(struct call *call)
{
	struct overview overview;
	struct error err;
	const struct customer *customer;
	const char *number = asked(call, "customer"), *type = asked(call, "type");
	if (number == NULL || type == NULL) {
		answer_status(call, 400, "customer and type are needed");
		return;
	}
	json_t *in = json_pack("{s:s, s:s, s:s*}", "type", type, "customer", number, "scheduled",
	                       asked(call, "scheduled"));
	json_t *answer = json_object();
	if (call_overview(call, &overview, &err) &&
	    customers_load(overview.customers, overview.arena, number, &customer, &err) &&
	    gate_answer(overview.settings, overview.zones, overview.arena, overview.now, customer,
	                in, answer, &err))
		response_json(call->response, 200, json_incref(answer));
	else if (err.code == EX_USAGE)
		answer_status(call, 400, err.text);
	else
		call_fail(call, &err);
	json_decref(answer);
	json_decref(in);
}

static bool read_event(struct call *call, const json_t *values, struct instant *ret_at)
{
	const char *at = json_string_value(json_object_get(values, "at"));
	*ret_at = call->now;
	if (!json_is_object(json_object_get(values, "event"))) {
		answer_status(call, 400, "event: expected an object");
		return false;
	}
	if (json_object_get(values, "at") && (at == NULL || !instant_parse(at, ret_at))) {
		answer_status(call, 400, "at: expected an RFC 3339 time with an offset");
		return false;
	}
	return true;
}

static void explain(struct call *call)
{
	struct instant at;
	struct error err;
	json_t *values;
	if (!answer_values(call, &values))
		return;
	if (!read_event(call, values, &at)) {
		json_decref(values);
		return;
	}
	struct buf event = {0}, answer = {0};
	jsontext_write(&event, json_object_get(values, "event"), JSONTEXT_AS_IS);
	json_decref(values);
	struct explain *explain = explain_open(stores_settings(call->stores), &err);
	if (explain && explain_event(explain, buf_text(&event), event.len, at, &answer, &err))
		response_json(call->response, 200, jsontext_read(answer.data, answer.len, &err));
	else
		call_fail(call, &err);
	(void)explain_close(explain);
	buf_free(&event);
	buf_free(&answer);
}

#define FILTER "status state customer to job reason older_than limit before"

const struct route api_job_routes[] = {
        {ROUTE("GET", "/api/v1/jobs", ACCESS_READER, list_jobs),
         .summary = "Jobs, the latest first", .query = FILTER},
        {ROUTE("GET", "/api/v1/jobs/:job", ACCESS_READER, show_job), .summary = "All about a job",
         .query = "customer"},
        {ROUTE("GET", "/api/v1/mails", ACCESS_READER, list_mails),
         .summary = "Mails, the latest first", .query = FILTER},
        {ROUTE("GET", "/api/v1/mails/pause", ACCESS_READER, show_pause),
         .summary = "Whether sending is paused, since when, by whom and why"},
        {ROUTE("POST", "/api/v1/mails/pause", ACCESS_MANAGER, api_jobs_pause_sending),
         .summary = "Pause all sending, with a note"},
        {ROUTE("POST", "/api/v1/mails/resume", ACCESS_MANAGER, api_jobs_resume_sending),
         .summary = "Resume sending"},
        {ROUTE("GET", "/api/v1/mails/:id", ACCESS_READER, show_mail), .summary = "One mail"},
        {ROUTE("POST", "/api/v1/mails/:id/retry", ACCESS_CLERK, retry_mail),
         .summary = "Try a mail again now"},
        {ROUTE("POST", "/api/v1/mails/:id/cancel", ACCESS_CLERK, cancel_mail),
         .summary = "Cancel a mail"},
        {ROUTE("GET", "/api/v1/holds", ACCESS_READER, list_holds), .summary = "Held jobs",
         .query = "limit before"},
        {ROUTE("POST", "/api/v1/holds/:id/release", ACCESS_CLERK, release_hold),
         .summary = "Release a held job"},
        {ROUTE("POST", "/api/v1/holds/:id/cancel", ACCESS_CLERK, cancel_hold),
         .summary = "Cancel a held job"},
        {ROUTE("GET", "/api/v1/dead", ACCESS_READER, list_dead), .summary = "Dead letters",
         .query = "limit before"},
        {ROUTE("POST", "/api/v1/dead/:entry/retry", ACCESS_CLERK, retry_dead),
         .summary = "Retry a dead letter"},
        {ROUTE("GET", "/api/v1/gate", ACCESS_READER, gate),
         .summary = "What the dispatch gate would answer", .query = "customer type scheduled"},
        {ROUTE("POST", "/api/v1/explain", ACCESS_READER, explain),
         .summary = "What would become of an event, and why"},
        {0},
};
