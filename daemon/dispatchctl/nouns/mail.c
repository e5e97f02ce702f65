/* SPDX-License-Identifier: MIT */
/* `mail …`: mails in the spool. */
#include "base/jsontext.h"
#include "dispatchctl/base/store.h"
#include "dispatchctl/nouns/filter.h"
#include "dispatchctl/nouns/many.h"
#include "dispatchctl/nouns/nouns.h"
#include "dispatchctl/nouns/pause.h"
#include "dispatchctl/nouns/spool.h"
#include "dispatchctl/nouns/view_reports.h"
#include "model/request.h"
#include "model/words.h"
#include "overview/local_times.h"
#include "overview/sent_mail.h"
#include "spool/spool_read.h"

#include <stdio.h>
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

/* Of a mail as it was sent: its message, its text or its HTML; NULL where none is wanted. */
static const char *wanted_part(struct ctl *ctl)
{
	static const char *const parts[] = {"source", "text", "html"};
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		if (ctl_option(ctl, parts[i]) != NULL)
			return parts[i];
	return NULL;
}

static bool print_part(struct ctl *ctl, const json_t *mail, const char *part, struct error *err)
{
	static const char *const lacks[][2] = {
	        {"not_yet", "it has not been tried yet"},
	        {"erased", "what it said was erased with its customer"},
	        {"outdated", "its templates are not kept"}};
	const json_t *text = json_object_get(mail, part);
	const char *why = "it went without";
	for (size_t i = 0; i < sizeof lacks / sizeof *lacks; i++)
		if (strcmp(jsontext_at(mail, "rendering"), lacks[i][0]) == 0)
			why = lacks[i][1];
	if (!json_is_string(text))
		return error_set(err, EX_NOINPUT, "mail %lld has no %s to show: %s",
		                 (long long)json_integer_value(json_object_get(mail, "id")), part,
		                 why);
	buf_add(output_text(ctl->out), json_string_value(text), json_string_length(text));
	return true;
}

static void print_mail(struct ctl *ctl, json_t *mail)
{
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
	view_reports(ctl, json_object_get(mail, "reports"));
}

static bool mail_run_show(struct ctl *ctl, struct error *err)
{
	const char *part = wanted_part(ctl);
	int64_t id;
	json_t *mail;
	if (!ctl_arg_id(ctl, 0, &id, err))
		return false;
	struct spool *spool = spool_view(ctl, err);
	if (spool == NULL || !spool_read_mail(spool, id, &mail, err)) {
		spool_close(spool);
		return false;
	}
	const char *customer = json_string_value(json_object_get(mail, "customer"));
	const struct overview *view = store_overview(ctl);
	local_object(view, mail, customer);
	local_members(view, json_object_get(mail, "outcomes"), customer);
	bool ok = (part == NULL && !output_json(ctl->out)) || sent_mail_add(view, spool, mail, err);
	spool_close(spool);
	if (ok && part != NULL)
		ok = print_part(ctl, mail, part, err);
	else if (ok)
		print_mail(ctl, mail);
	json_decref(mail);
	return ok;
}

static void print_ids(struct ctl *ctl, const json_t *ids, const char *what)
{
	const json_t *id;
	size_t i;
	json_array_foreach(ids, i, id)
	        output_print(ctl->out, "mail %lld %s", (long long)json_integer_value(id), what);
}

static bool has_id(const json_t *ids, const json_t *wanted)
{
	const json_t *id;
	size_t i;
	json_array_foreach(ids, i, id)
	{
		if (json_equal(id, wanted))
			return true;
	}
	return false;
}

static void print_done(struct ctl *ctl, const json_t *mails, const json_t *limited,
                       const char *done)
{
	size_t n = json_array_size(mails), n_limited = json_array_size(limited), i;
	const json_t *id;
	if (n > 20)
		output_print(ctl->out, "%zu mails: each %s", n - n_limited, done);
	json_array_foreach(mails, i, id)
	{
		if (n <= 20 && !has_id(limited, id))
			output_print(ctl->out, "mail %lld %s", (long long)json_integer_value(id),
			             done);
	}
	if (n > 20 && n_limited > 0)
		output_print(ctl->out,
		             "%zu mails: each waits for its contact's limit, [rules] "
		             "per_contact",
		             n_limited);
	else
		print_ids(ctl, limited, "waits for its contact's limit, [rules] per_contact");
}

/* Prints what was done to how many; `--json` doesn't need the answer's `ok`. */
static void report(struct ctl *ctl, json_t *answer, const char *done)
{
	const json_t *mails = json_object_get(answer, "mails"),
	             *past = json_object_get(answer, "superseded"),
	             *late = json_object_get(answer, "expired");
	print_done(ctl, mails, json_object_get(answer, "limited"), done);
	print_ids(ctl, past, "superseded: its job has a newer state");
	print_ids(ctl, late, "expired: its contact's limit would let it go too late");
	if (json_array_size(mails) == 0 && past == NULL && late == NULL)
		output_print(ctl->out, "no matching mails");
	json_object_del(answer, "ok");
	output_document(ctl->out, answer);
}

/* ---- Many ---- */

static const struct many retry_many = {.request = REQUEST_MAIL_RETRY,
                                       .statuses = STATUSES_RETRIED,
                                       .but = "held_back",
                                       .question = "Send %zu %s now?"},
                         cancel_many = {.request = REQUEST_MAIL_CANCEL,
                                        .statuses = STATUSES_WAITING,
                                        .question = "Cancel %zu %s?"};

/* By a filter, which --all needs. */
static bool change_all(struct ctl *ctl, const struct many *many, struct error *err)
{
	struct spool_filter f;
	if (!filter_read(ctl, FILTER_MAIL_STATUSES, INT64_MAX, &f, err))
		return false;
	if (!f.status && !f.state && !f.customer && !f.to && !f.job && !f.reason &&
	    instant_is_none(f.before))
		return error_set(err, EX_USAGE,
		                 "--all needs a filter as well, such as --status or --customer");
	return many_change(ctl, many, &f, err);
}

static bool mail_run_retry(struct ctl *ctl, struct error *err)
{
	bool all = ctl_option(ctl, "all-failed") != NULL, many = ctl_option(ctl, "all") != NULL;
	int64_t id = 0;
	json_t *answer;
	if (all + many + (ctl->n_args > 0) != 1)
		return error_set(err, EX_USAGE,
		                 "mail retry needs the ID of a mail, --all-failed, or --all with a "
		                 "filter");
	if (many)
		return change_all(ctl, &retry_many, err);
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
	if ((ctl_option(ctl, "all") != NULL) == (ctl->n_args > 0))
		return error_set(err, EX_USAGE,
		                 "mail cancel needs the ID of a mail, or --all with a filter");
	if (ctl->n_args == 0)
		return change_all(ctl, &cancel_many, err);
	if (!ctl_arg_id(ctl, 0, &id, err))
		return false;
	json_t *request = json_pack("{s:s, s:I}", "do", control_request_verb(REQUEST_MAIL_CANCEL),
	                            "id", (json_int_t)id);
	if (!spool_ask(ctl, request, &answer, err))
		return false;
	report(ctl, answer, "cancelled");
	return true;
}

/* ---- All of them ---- */

static bool mail_run_pause(struct ctl *ctl, struct error *err)
{
	json_t *answer,
	        *request = json_pack("{s:s, s:s*}", "do", control_request_verb(REQUEST_MAIL_PAUSE),
	                             "note", ctl_option(ctl, "note"));
	if (request == NULL)
		return error_set(err, EX_DATAERR, "the note is not valid UTF-8");
	if (!spool_ask(ctl, request, &answer, err))
		return false;
	pause_print(ctl, json_object_get(answer, "paused"));
	json_object_del(answer, "ok");
	output_document(ctl->out, answer);
	return true;
}

static bool mail_run_resume(struct ctl *ctl, struct error *err)
{
	json_t *answer;
	if (!spool_ask(ctl, json_pack("{s:s}", "do", control_request_verb(REQUEST_MAIL_RESUME)),
	               &answer, err))
		return false;
	json_int_t due = json_integer_value(json_object_get(answer, "due"));
	if (!json_is_true(json_object_get(answer, "resumed")))
		output_print(ctl->out, "sending was not paused");
	else
		output_print(ctl->out, "sending is resumed; %" JSON_INTEGER_FORMAT " %s due", due,
		             due == 1 ? "mail was" : "mails were");
	json_object_del(answer, "ok");
	output_document(ctl->out, answer);
	return true;
}

static const struct option list_options[] = {
        FILTER_OPTIONS(FILTER_MAIL_STATUSES),
        {.name = "limit", .value = "N", .help = "at most this many, newest first; 200 by default"},
        {0},
};
#define MANY_OPTIONS                                                                               \
	{.name = "all", .help = "every mail that matches the filter"},                             \
	        {.name = "dry-run", .help = "only show how many would be changed"},                \
	        FILTER_OPTIONS(FILTER_MAIL_STATUSES)
static const struct option show_options[] = {
        {.name = "text", .help = "the text of the mail as it was sent"},
        {.name = "html", .help = "its HTML"},
        {.name = "source", .help = "the whole message, with its headers"},
        {0},
};
static const struct option retry_options[] = {
        {.name = "all-failed", .help = "every mail that failed"},
        MANY_OPTIONS,
        {0},
};
static const struct option pause_options[] = {
        {.name = "note", .value = "TEXT", .help = "why; shown with your name"},
        {0},
};
static const struct option cancel_options[] = {
        MANY_OPTIONS,
        {0},
};

static const struct command commands[] = {
        {.verb = "list",
         .options = list_options,
         .uses = USES_SPOOL " " USES_STORE,
         .help = "Lists mails, newest first",
         .more = "--older-than counts from when a mail was made.",
         .examples = "mail list --status failed\nmail list --status deferred --older-than 2h",
         .run = mail_run_list},
        {.verb = "show",
         .args = "ID",
         .options = show_options,
         .uses = USES_SPOOL " " USES_STORE,
         .help = "Shows a mail with everything that happened to it and the server's replies",
         .more = "With an option it prints the mail as it was sent, made of the templates and "
                 "the data of that time.",
         .examples = "mail show 17\nmail show 17 --text",
         .run = mail_run_show},
        {.verb = "retry",
         .args = "[ID]",
         .options = retry_options,
         .uses = USES_ENGINE,
         .help = "Sends a failed or waiting mail now",
         .more = "Where the contact has had as many as [rules] per_contact allows, it goes as "
                 "soon as it may. Before it changes many, it asks; without a terminal --yes is "
                 "required. --older-than counts from when a mail was made. Mails that are held "
                 "back are left out, unless --reason held_back asks for them.",
         .examples = "mail retry 17\nmail retry --all-failed\n"
                     "mail retry --all --status failed --customer 1001 --yes",
         .run = mail_run_retry},
        {.verb = "cancel",
         .args = "[ID]",
         .options = cancel_options,
         .uses = USES_ENGINE,
         .help = "Cancels a mail that has not been sent yet",
         .more = "Before it changes many, it asks; without a terminal --yes is required. "
                 "--older-than counts from when a mail was made.",
         .examples = "mail cancel 17\nmail cancel --all --job 4711 --dry-run",
         .run = mail_run_cancel},
        {.verb = "pause",
         .options = pause_options,
         .uses = USES_ENGINE,
         .help = "Pauses all sending until mail resume, over a restart, too",
         .more = "Everything else goes on: events are judged, mails are made, superseded and "
                 "expire. A mail that is being sent at that moment still goes out. Who paused it, "
                 "since when and the note are shown by status and the customer center.",
         .examples = "mail pause --note \"The relay is being moved\"",
         .run = mail_run_pause},
        {.verb = "resume",
         .uses = USES_ENGINE,
         .help = "Ends the pause: each mail that is due is judged again, and goes once",
         .examples = "mail resume",
         .run = mail_run_resume},
};

const struct noun noun_mail = {
        .name = "mail", .help = "mails: list, retry, cancel, pause", COMMANDS(commands)};
