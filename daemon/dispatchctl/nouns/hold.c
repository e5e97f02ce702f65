/* SPDX-License-Identifier: MIT */
/* `hold …`: jobs held by the dispatch gate. */
#include "dispatchctl/base/store.h"
#include "dispatchctl/nouns/nouns.h"
#include "dispatchctl/nouns/spool.h"
#include "model/request.h"
#include "overview/local_times.h"
#include "spool/spool_read.h"

#include <string.h>
#include <sysexits.h>

static bool hold_run_list(struct ctl *ctl, struct error *err)
{
	json_t *rows;
	struct spool *spool = spool_view(ctl, err);
	bool ok = spool != NULL && spool_read_held(spool, &rows, err);
	spool_close(spool);
	if (ok)
		local_rows(store_overview(ctl), rows);
	if (ok)
		output_rows(ctl->out, rows,
		            COLUMNS({.key = "id", .title = "Id", .right = true},
		                    {.key = "job", .title = "Job"},
		                    {.key = "customer", .title = "Customer"},
		                    {.key = "reason", .title = "Reason"},
		                    {.key = "received", .title = "Since", .style = STYLE_TIME},
		                    {.key = "data.scheduled",
		                     .title = "Scheduled",
		                     .style = STYLE_TIME},
		                    {.key = "local.scheduled", .title = "There", .min = 10},
		                    {.key = "data.route", .title = "Route"},
		                    {.key = "look", .title = "Rechecked", .style = STYLE_TIME},
		                    {.key = "request", .title = "Request", .min = 12}),
		            "no jobs are held");
	return ok;
}

static bool hold_run_decide(struct ctl *ctl, struct error *err)
{
	int64_t id = 0;
	json_t *answer;
	const char *verb = ctl->command->verb, *note = ctl_option(ctl, "note");
	/* The number shown in the list, or else the job's id. */
	if (!ctl_arg_id(ctl, 0, &id, NULL))
		id = 0;
	enum control_request what =
	        strcmp(verb, "release") == 0 ? REQUEST_HOLD_RELEASE : REQUEST_HOLD_CANCEL;
	json_t *request = json_pack("{s:s, s:I, s:s, s:s*}", "do", control_request_verb(what), "id",
	                            (json_int_t)id, "job", ctl_arg(ctl, 0), "note", note);
	if (request == NULL)
		return error_set(err, EX_DATAERR, "the text is not valid UTF-8");
	if (!spool_ask(ctl, request, &answer, err))
		return false;
	id = json_integer_value(json_object_get(answer, "id"));
	output_print(ctl->out, "held job %lld %s", (long long)id,
	             what == REQUEST_HOLD_RELEASE ? "released" : "cancelled");
	json_object_del(answer, "ok");
	output_document(ctl->out, answer);
	return true;
}

static const struct option options[] = {
        {.name = "note", .value = "TEXT", .help = "why; recorded with your name"},
        {0},
};

static const struct command commands[] = {
        {.verb = "list",
         .uses = USES_SPOOL " " USES_STORE,
         .help = "Lists held jobs, oldest first",
         .examples = "hold list",
         .run = hold_run_list},
        {.verb = "release",
         .args = "ID",
         .options = options,
         .uses = USES_ENGINE,
         .help = "Dispatches a held job now despite the hold; ID is from hold list, or the "
                 "job's id",
         .examples = "hold release 12 --note \"The customer called: please come anyway\"",
         .run = hold_run_decide},
        {.verb = "cancel",
         .args = "ID",
         .options = options,
         .uses = USES_ENGINE,
         .help = "Cancels a held job, so that it won't be dispatched; ID is from hold list, or the "
                 "job's id",
         .examples = "hold cancel 12",
         .run = hold_run_decide},
};

const struct noun noun_hold = {
        .name = "hold", .help = "jobs held by the dispatch gate", COMMANDS(commands)};
