/* SPDX-License-Identifier: MIT */
/* `job …`: the latest jobs; everything about a job in the order in which it happened. */
#include "dispatchctl/base/store.h"
#include "dispatchctl/nouns/filter.h"
#include "dispatchctl/nouns/nouns.h"
#include "dispatchctl/nouns/spool.h"
#include "dispatchctl/nouns/view_reports.h"
#include "dispatchctl/nouns/view_trace.h"
#include "overview/job_timeline.h"
#include "overview/local_times.h"
#include "spool/spool_read.h"

#include <string.h>
#include <sysexits.h>

/* " (there: 2026-12-24T08:30:00-07:00)" if `object` has that local time. */
static void print_local(const struct ctl *ctl, const json_t *object, const char *key)
{
	const char *text =
	        json_string_value(json_object_get(json_object_get(object, "local"), key));
	if (text != NULL)
		buf_printf(output_text(ctl->out), " (there: %s)", text);
}

static void print_outcome(struct ctl *ctl, const json_t *outcome)
{
	static const char *const keys[] = {"to",    "mail", "due",  "attempts",
	                                   "reply", "note", "until"};
	struct buf *out = output_text(ctl->out);
	buf_adds(out, "  ");
	look_time(out, table_text(outcome, "time"), output_look(ctl->out));
	buf_printf(out, "  %s, %s", table_text(outcome, "status"), table_text(outcome, "reason"));
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		const json_t *value = json_object_get(outcome, keys[i]);
		if (value == NULL || json_is_null(value))
			continue;
		buf_printf(out, "; %s ", keys[i]);
		if (strcmp(keys[i], "due") == 0)
			look_time(out, table_text(outcome, "due"), output_look(ctl->out));
		else
			table_value(out, value);
		if (strcmp(keys[i], "due") == 0)
			print_local(ctl, outcome, "due");
	}
	buf_addc(out, '\n');
}

static bool is_of(const json_t *outcome, const json_t *event)
{
	return strcmp(table_text(outcome, "event"), table_text(event, "id")) == 0 &&
	       strcmp(table_text(outcome, "source"), table_text(event, "source")) == 0;
}

static void print_event(struct ctl *ctl, const json_t *job, const json_t *event)
{
	struct buf *out = output_text(ctl->out);
	const struct look *look = output_look(ctl->out);
	size_t i;
	const json_t *outcome;
	buf_addc(out, '\n');
	look_time(out, table_text(event, "time"), look);
	print_local(ctl, event, "time");
	buf_printf(out, "  %s%s%s  event ", look_bold(look), table_text(event, "type"),
	           look_plain(look));
	table_value(out, json_object_get(event, "id"));
	if (*table_text(event, "source") != '\0')
		buf_adds(out, " from ");
	table_value(out, json_object_get(event, "source"));
	buf_addc(out, '\n');
	view_trace(ctl, json_object_get(event, "trace"));
	json_array_foreach(json_object_get(job, "outcomes"), i, outcome)
	{
		if (is_of(outcome, event))
			print_outcome(ctl, outcome);
	}
}

/* What the gate's rules saw of each request. */
static void print_request(struct ctl *ctl, const json_t *request)
{
	if (json_array_size(json_object_get(request, "trace")) == 0)
		return;
	struct buf *out = output_text(ctl->out);
	buf_printf(out, "\n%s %s, request ", table_text(request, "type"),
	           table_text(request, "status"));
	table_value(out, json_object_get(request, "request"));
	buf_addc(out, '\n');
	view_trace(ctl, json_object_get(request, "trace"));
}

/* Outcomes without an event in the list: of the gate, of a held job. */
static void print_others(struct ctl *ctl, const json_t *job)
{
	size_t i, k;
	const json_t *outcome, *event;
	json_array_foreach(json_object_get(job, "outcomes"), i, outcome)
	{
		bool found = false;
		json_array_foreach(json_object_get(job, "events"), k, event) found =
		        found || is_of(outcome, event);
		if (!found)
			print_outcome(ctl, outcome);
	}
}

static bool is_marked(const json_t *outcome)
{
	return strcmp(table_text(outcome, "status"), "suppressed") == 0 &&
	       strcmp(table_text(outcome, "reason"), "address_invalid") == 0;
}

/* What can be done where a contact got no mail since its address is marked: an example, by the
 * first such contact. */
static void print_advice(struct ctl *ctl, const json_t *job)
{
	enum { WIDTH = 80 };
	size_t i;
	const json_t *outcome, *marked = NULL;
	json_array_foreach(json_object_get(job, "outcomes"), i, outcome)
	{
		if (marked == NULL && is_marked(outcome))
			marked = outcome;
	}
	if (marked == NULL)
		return;
	const char *given = table_text(marked, "contact"), *id = *given ? given : "ID";
	struct buf *out = output_text(ctl->out);
	buf_addc(out, '\n');
	text_add_wrapped(
	        out,
	        arena_printf(
	                ctl->arena,
	                "Suppressed, address_invalid: an address of contact %s had been refused "
	                "and "
	                "is marked. Correct it (contact set %s --email ADDRESS), or, if it works "
	                "again, unmark it (contact set %s --email-invalid no): then later events "
	                "of "
	                "the job are mailed, and a mail that failed is by mail retry. What was "
	                "suppressed isn't; the same event sent again is a repeat, so tell the "
	                "customer "
	                "yourself.",
	                id, id, id),
	        0, WIDTH);
	buf_addc(out, '\n');
}

static void print_job(struct ctl *ctl, const json_t *job)
{
	size_t i;
	const json_t *event;
	output_print(ctl->out, "job %s of customer %s: %s", table_text(job, "job"),
	             table_text(job, "customer"),
	             *table_text(job, "state") ? table_text(job, "state") : "no state yet");
	if (json_is_true(json_object_get(job, "erased")))
		output_print(ctl->out, "what it said was erased with its customer");
	json_array_foreach(json_object_get(job, "events"), i, event) print_event(ctl, job, event);
	print_advice(ctl, job);
	output_section(ctl->out, json_object_get(job, "requests"), "Gate requests",
	               COLUMNS({.key = "type", .title = "Type"},
	                       {.key = "status", .title = "Status", .style = STYLE_WORD},
	                       {.key = "reason", .title = "Reason"},
	                       {.key = "received", .title = "Asked", .style = STYLE_TIME},
	                       {.key = "changed", .title = "Decided", .style = STYLE_TIME},
	                       {.key = "id", .title = "Id", .right = true},
	                       {.key = "request", .title = "Request", .min = 12}));
	json_array_foreach(json_object_get(job, "requests"), i, event) print_request(ctl, event);
	print_others(ctl, job);
	output_section(
	        ctl->out, json_object_get(job, "mails"), "Mails",
	        COLUMNS({.key = "id", .title = "Id", .right = true},
	                {.key = "status", .title = "Status", .style = STYLE_WORD},
	                {.key = "state", .title = "State"}, {.key = "to", .title = "To", .min = 14},
	                {.key = "due", .title = "Due", .style = STYLE_TIME},
	                {.key = "attempts", .title = "Tries", .right = true},
	                {.key = "reply", .title = "Reply", .min = 16, .style = STYLE_FAINT}));
	view_reports(ctl, json_object_get(job, "reports"));
	output_section(ctl->out, json_object_get(job, "sales"), "Sales",
	               COLUMNS({.key = "id", .title = "Id", .right = true},
	                       {.key = "result", .title = "Result"},
	                       {.key = "product", .title = "Product", .min = 10},
	                       {.key = "amount", .title = "Amount", .right = true},
	                       {.key = "balance", .title = "Balance", .right = true}));
	output_section(ctl->out, json_object_get(job, "comments"), "Comments",
	               COLUMNS({.key = "created", .title = "Time", .style = STYLE_TIME},
	                       {.key = "author", .title = "Author"},
	                       {.key = "text", .title = "Text", .min = 20}));
}

static bool job_run_show(struct ctl *ctl, struct error *err)
{
	json_t *job;
	struct spool *spool = spool_view(ctl, err);
	bool ok = spool != NULL && job_timeline(store_overview(ctl), spool, ctl_arg(ctl, 0),
	                                        ctl_option(ctl, "customer"), &job, err);
	spool_close(spool);
	if (!ok)
		return false;
	print_job(ctl, job);
	output_document(ctl->out, job);
	return true;
}

/* A job's own state, or what became of one of its mails, events or requests. */
#define STATUSES                                                                                   \
	OPTION_JOB_STATE "|queued|deferred|sending|sent|retrying|bounced|superseded|expired|"      \
	                 "suppressed|held|released|denied|allowed"

enum { LIMIT = 20 };

static bool job_run_list(struct ctl *ctl, struct error *err)
{
	json_t *rows;
	struct spool_filter filter;
	if (!filter_read(ctl, STATUSES, LIMIT, &filter, err))
		return false;
	filter.customer = overview_number(store_overview(ctl), filter.customer);
	struct spool *spool = spool_view(ctl, err);
	bool ok = spool != NULL && spool_read_jobs(spool, &filter, &rows, err);
	spool_close(spool);
	if (!ok)
		return false;
	local_rows(store_overview(ctl), rows);
	output_rows(ctl->out, rows,
	            COLUMNS({.key = "job", .title = "Job"},
	                    {.key = "customer", .title = "Customer"},
	                    {.key = "state", .title = "State"},
	                    {.key = "changed", .title = "Changed", .style = STYLE_TIME},
	                    {.key = "scheduled", .title = "Scheduled", .style = STYLE_TIME},
	                    {.key = "local.scheduled", .title = "There", .min = 10},
	                    {.key = "service", .title = "Service", .min = 8},
	                    {.key = "reference", .title = "Reference", .min = 8},
	                    {.key = "driver", .title = "Driver", .min = 6}),
	            "no jobs on record");
	return true;
}

static const struct option list_options[] = {
        FILTER_OPTIONS(STATUSES),
        {.name = "limit", .value = "N", .help = "at most this many, latest first; 20 by default"},
        {0},
};

static const struct option show_options[] = {
        {.name = "customer",
         .value = "NUMBER",
         .help = "whose job; required if several customers have a job with this id"},
        {0},
};

static const struct command commands[] = {
        {.verb = "show",
         .args = "JOB",
         .options = show_options,
         .uses = USES_SPOOL " " USES_STORE,
         .help = "Shows a job's timeline: events, what was decided and why, mails, server replies",
         .examples = "job show 4711\njob show 4711 --customer 1001",
         .run = job_run_show},
        {.verb = "list",
         .options = list_options,
         .uses = USES_SPOOL " " USES_STORE,
         .help = "Lists the latest jobs with their state",
         .more = "--status matches the job's state or the status of one of its mails, events or "
                 "requests; --reason matches the reason of one of those.",
         .examples = "job list --customer 1001\njob list --state failed --older-than 2h",
         .run = job_run_list},
};

const struct noun noun_job = {
        .name = "job", .help = "what happened to a job, and why", COMMANDS(commands)};
