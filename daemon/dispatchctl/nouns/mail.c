/* SPDX-License-Identifier: MIT */
/* `mail …`: mails in the spool. */
#include "dispatchctl/base/store.h"
#include "dispatchctl/nouns/filter.h"
#include "dispatchctl/nouns/nouns.h"
#include "dispatchctl/nouns/spool.h"
#include "model/request.h"
#include "model/words.h"
#include "overview/local_times.h"
#include "spool/spool_read.h"

#include <string.h>
#include <sysexits.h>

enum { LIMIT = 200 };

static const struct column list_columns[] = {
        {.key = "id", .title = "Id", .right = true},
        {.key = "status", .title = "Status", .style = STYLE_WORD},
        {.key = "reason", .title = "Reason"},
        {.key = "state", .title = "State"},
        {.key = "customer", .title = "Customer"},
        {.key = "jobs", .title = "Jobs", .min = 8},
        {.key = "to", .title = "To", .min = 14},
        {.key = "due", .title = "Due", .style = STYLE_TIME},
        {.key = "local.due", .title = "There", .min = 10},
        {.key = "attempts", .title = "Tries", .right = true},
        {.key = "reply", .title = "Reply", .min = 16, .style = STYLE_FAINT},
};

static bool mail_run_list(struct ctl *ctl, struct error *err)
{
	struct spool_filter filter;
	json_t *rows;
	if (!filter_read(ctl, FILTER_MAIL_STATUSES, LIMIT, &filter, err))
		return false;
	filter.customer = overview_number(store_overview(ctl), filter.customer);
	struct spool *spool = spool_view(ctl, err);
	bool ok = spool != NULL && spool_read_mails(spool, &filter, &rows, err);
	spool_close(spool);
	if (!ok)
		return false;
	local_rows(store_overview(ctl), rows);
	output_rows(ctl->out, rows, list_columns, sizeof list_columns / sizeof *list_columns,
	            "no mails");
	return true;
}

static const struct column sheet_columns[] = {
        {.key = "id", .title = "Mail"},
        {.key = "status", .title = "Status", .style = STYLE_WORD},
        {.key = "reason", .title = "Reason"},
        {.key = "state", .title = "Job state"},
        {.key = "customer", .title = "Customer"},
        {.key = "jobs", .title = "Jobs"},
        {.key = "contact", .title = "Contact"},
        {.key = "to", .title = "To"},
        {.key = "made", .title = "Made", .style = STYLE_TIME},
        {.key = "due", .title = "Due", .style = STYLE_TIME},
        {.key = "local.due", .title = "Due there"},
        {.key = "expires", .title = "Expires", .style = STYLE_TIME},
        {.key = "changed", .title = "Changed", .style = STYLE_TIME},
        {.key = "attempts", .title = "Tries"},
        {.key = "reply", .title = "Reply"},
        {.key = "message_id", .title = "Message-ID"},
};

static bool mail_run_show(struct ctl *ctl, struct error *err)
{
	int64_t id;
	json_t *mail;
	if (!ctl_arg_id(ctl, 0, &id, err))
		return false;
	struct spool *spool = spool_view(ctl, err);
	bool ok = spool != NULL && spool_read_mail(spool, id, &mail, err);
	spool_close(spool);
	if (!ok)
		return false;
	const char *customer = json_string_value(json_object_get(mail, "customer"));
	const struct overview *view = store_overview(ctl);
	local_object(view, mail, customer);
	local_members(view, json_object_get(mail, "outcomes"), customer);
	output_sheet(ctl->out, json_incref(mail), sheet_columns,
	             sizeof sheet_columns / sizeof *sheet_columns);
	buf_addc(output_text(ctl->out), '\n');
	const struct column outcomes[] = {
	        {.key = "time", .title = "Time", .style = STYLE_TIME},
	        {.key = "status", .title = "Status", .style = STYLE_WORD},
	        {.key = "reason", .title = "Reason"},
	        {.key = "job", .title = "Job"},
	        {.key = "due", .title = "Due", .style = STYLE_TIME},
	        {.key = "reply", .title = "Reply", .min = 20},
	};
	table_print(output_text(ctl->out), json_object_get(mail, "outcomes"), outcomes,
	            sizeof outcomes / sizeof *outcomes, output_look(ctl->out));
	json_decref(mail);
	return true;
}

/* Prints what was done to how many; `--json` doesn't need the answer's `ok`. */
static void report(struct ctl *ctl, json_t *answer, const char *done)
{
	json_t *mails = json_object_get(answer, "mails"),
	       *past = json_object_get(answer, "superseded");
	size_t n = json_array_size(mails), i;
	json_t *id;
	json_array_foreach(mails, i, id)
	{
		if (n <= 20)
			output_print(ctl->out, "mail %lld %s", (long long)json_integer_value(id),
			             done);
	}
	json_array_foreach(past, i, id)
	        output_print(ctl->out, "mail %lld superseded: its job has a newer state",
	                     (long long)json_integer_value(id));
	if (n == 0 && past == NULL)
		output_print(ctl->out, "no matching mails");
	else if (n > 20)
		output_print(ctl->out, "%zu mails: each %s", n, done);
	json_object_del(answer, "ok");
	output_document(ctl->out, answer);
}

static bool mail_run_retry(struct ctl *ctl, struct error *err)
{
	bool all = ctl_option(ctl, "all-failed") != NULL;
	int64_t id = 0;
	json_t *answer;
	if (all == (ctl->n_args > 0))
		return error_set(err, EX_USAGE,
		                 "mail retry needs the ID of a mail, or --all-failed");
	if (!all && !ctl_arg_id(ctl, 0, &id, err))
		return false;
	json_t *request =
	        all ? json_pack("{s:s, s:b}", "do", control_request_verb(REQUEST_MAIL_RETRY),
	                        "all_failed", 1)
	            : json_pack("{s:s, s:I}", "do", control_request_verb(REQUEST_MAIL_RETRY), "id",
	                        (json_int_t)id);
	if (all ? !spool_ask_all(ctl, request, &answer, err)
	        : !spool_ask(ctl, request, &answer, err))
		return false;
	report(ctl, answer, "is due now");
	return true;
}

static bool mail_run_cancel(struct ctl *ctl, struct error *err)
{
	int64_t id;
	json_t *answer;
	if (!ctl_arg_id(ctl, 0, &id, err))
		return false;
	json_t *request = json_pack("{s:s, s:I}", "do", control_request_verb(REQUEST_MAIL_CANCEL),
	                            "id", (json_int_t)id);
	if (!spool_ask(ctl, request, &answer, err))
		return false;
	report(ctl, answer, "cancelled");
	return true;
}

static const struct option list_options[] = {
        FILTER_OPTIONS(FILTER_MAIL_STATUSES),
        {.name = "limit", .value = "N", .help = "at most this many, newest first; 200 by default"},
        {0},
};
static const struct option retry_options[] = {
        {.name = "all-failed", .help = "every mail that failed"},
        {0},
};

static const struct command commands[] = {
        {.verb = "list",
         .options = list_options,
         .uses = USES_SPOOL " " USES_STORE,
         .help = "Lists mails, newest first",
         .examples = "mail list --status failed\nmail list --status deferred",
         .run = mail_run_list},
        {.verb = "show",
         .args = "ID",
         .uses = USES_SPOOL " " USES_STORE,
         .help = "Shows a mail with everything that happened to it and the server's replies",
         .examples = "mail show 17",
         .run = mail_run_show},
        {.verb = "retry",
         .args = "[ID]",
         .options = retry_options,
         .uses = USES_ENGINE,
         .help = "Sends a failed or waiting mail now",
         .examples = "mail retry 17\nmail retry --all-failed",
         .run = mail_run_retry},
        {.verb = "cancel",
         .args = "ID",
         .uses = USES_ENGINE,
         .help = "Cancels a mail that has not been sent yet",
         .examples = "mail cancel 17",
         .run = mail_run_cancel},
};

const struct noun noun_mail = {
        .name = "mail", .help = "mails: list, retry, cancel", COMMANDS(commands)};
