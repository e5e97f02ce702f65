/* SPDX-License-Identifier: MIT */
/* `mail …`: mails in the spool. */
#include "ctl/nouns.h"
#include "ctl/spool.h"
#include "model/words.h"
#include "store/spool_read.h"

#include <string.h>
#include <sysexits.h>

enum { LIMIT = 200, LIMIT_MAX = 1000000 };

static const struct column list_columns[] = {
        {.key = "id", .title = "Id", .right = true},
        {.key = "status", .title = "Status", .style = STYLE_WORD},
        {.key = "reason", .title = "Reason"},
        {.key = "state", .title = "State"},
        {.key = "customer", .title = "Customer"},
        {.key = "jobs", .title = "Jobs", .min = 8},
        {.key = "to", .title = "To", .min = 14},
        {.key = "due", .title = "Due", .style = STYLE_TIME},
        {.key = "attempts", .title = "Tries", .right = true},
        {.key = "reply", .title = "Reply", .min = 16, .style = STYLE_FAINT},
};

/* The states that a mail can have; the contract's other words are of events. */
static const char mail_states[] =
        "queued|deferred|sending|sent|retrying|failed|superseded|expired|suppressed|cancelled";

static bool status_of(const struct ctl *ctl, enum status *ret, struct error *err)
{
	const char *name = ctl_option(ctl, "status");
	if (name == NULL)
		return true;
	*ret = status_find(name);
	const char *at = strstr(mail_states, name);
	size_t len = strlen(name);
	bool known = *ret != STATUS_NONE && at != NULL && (at[len] == '|' || at[len] == '\0');
	return known || error_set(err, EX_USAGE, "--status: \"%s\" is none of %s", name, mail_states);
}

static bool list(struct ctl *ctl, struct error *err)
{
	enum status status = STATUS_NONE;
	int64_t limit = LIMIT;
	json_t *rows;
	if (!status_of(ctl, &status, err) || !ctl_option_number(ctl, "limit", 1, LIMIT_MAX, &limit, err))
		return false;
	struct spool *spool = spool_view(ctl, err);
	bool ok = spool != NULL && spool_read_mails(spool, status, limit, &rows, err);
	spool_close(spool);
	if (ok)
		output_rows(ctl->out, rows, list_columns, sizeof list_columns / sizeof *list_columns,
		            "no mails");
	return ok;
}

static const struct column sheet_columns[] = {
        {.key = "id", .title = "Mail"},
        {.key = "status", .title = "Status", .style = STYLE_WORD},
        {.key = "reason", .title = "Reason"},
        {.key = "state", .title = "State of the job"},
        {.key = "customer", .title = "Customer"},
        {.key = "jobs", .title = "Jobs"},
        {.key = "contact", .title = "Contact"},
        {.key = "to", .title = "To"},
        {.key = "made", .title = "Made", .style = STYLE_TIME},
        {.key = "due", .title = "Due", .style = STYLE_TIME},
        {.key = "expires", .title = "Expires", .style = STYLE_TIME},
        {.key = "changed", .title = "Changed", .style = STYLE_TIME},
        {.key = "attempts", .title = "Tries"},
        {.key = "reply", .title = "Reply"},
        {.key = "message_id", .title = "Message-ID"},
};

static bool show(struct ctl *ctl, struct error *err)
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

/* Says how many were touched; the answer's `ok` is no news for `--json`. */
static void report(struct ctl *ctl, json_t *answer, const char *done)
{
	json_t *mails = json_object_get(answer, "mails"), *past = json_object_get(answer, "superseded");
	size_t n = json_array_size(mails), i;
	json_t *id;
	json_array_foreach(mails, i, id)
	{
		if (n <= 20)
			output_say(ctl->out, "mail %lld %s", (long long)json_integer_value(id), done);
	}
	json_array_foreach(past, i, id) output_say(ctl->out, "mail %lld superseded: its job has moved on",
	                                           (long long)json_integer_value(id));
	if (n == 0 && past == NULL)
		output_say(ctl->out, "no mail to be found for that");
	else if (n > 20)
		output_say(ctl->out, "%zu mails: each %s", n, done);
	json_object_del(answer, "ok");
	output_document(ctl->out, answer);
}

static bool retry(struct ctl *ctl, struct error *err)
{
	bool all = ctl_option(ctl, "all-failed") != NULL;
	int64_t id = 0;
	json_t *answer;
	if (all == (ctl->n_args > 0))
		return error_set(err, EX_USAGE, "mail retry takes the ID of a mail, or --all-failed");
	if (!all && !ctl_arg_id(ctl, 0, &id, err))
		return false;
	json_t *request = all ? json_pack("{s:s, s:b}", "do", "mail.retry", "all_failed", 1)
	                      : json_pack("{s:s, s:I}", "do", "mail.retry", "id", (json_int_t)id);
	if (all ? !spool_ask_all(ctl, request, &answer, err) : !spool_ask(ctl, request, &answer, err))
		return false;
	report(ctl, answer, "is due now");
	return true;
}

static bool cancel(struct ctl *ctl, struct error *err)
{
	int64_t id;
	json_t *answer;
	if (!ctl_arg_id(ctl, 0, &id, err))
		return false;
	json_t *request = json_pack("{s:s, s:I}", "do", "mail.cancel", "id", (json_int_t)id);
	if (!spool_ask(ctl, request, &answer, err))
		return false;
	report(ctl, answer, "cancelled");
	return true;
}

static const struct option list_options[] = {
        {.name = "status", .value = mail_states, .help = "only mails of this status"},
        {.name = "limit", .value = "N", .help = "at most so many, the newest first; 200 where left out"},
        {0},
};
static const struct option retry_options[] = {
        {.name = "all-failed", .help = "every mail that failed"},
        {0},
};

static const struct command commands[] = {
        {.verb = "list",
         .options = list_options,
         .uses = USES_SPOOL,
         .help = "Lists mails, the newest first",
         .examples = "mail list --status failed\nmail list --status deferred",
         .run = list},
        {.verb = "show",
         .args = "ID",
         .uses = USES_SPOOL,
         .help = "Shows a mail with all that became of it and the server's words",
         .examples = "mail show 17",
         .run = show},
        {.verb = "retry",
         .args = "[ID]",
         .options = retry_options,
         .uses = USES_ENGINE,
         .help = "Makes a mail that failed or waits due now",
         .examples = "mail retry 17\nmail retry --all-failed",
         .run = retry},
        {.verb = "cancel",
         .args = "ID",
         .uses = USES_ENGINE,
         .help = "Calls a mail off that has not been sent yet",
         .examples = "mail cancel 17",
         .run = cancel},
};

const struct noun noun_mail = {.name = "mail", .help = "mails: list, retry, call off", COMMANDS(commands)};
