/* SPDX-License-Identifier: MIT */
/* `bounce …`: reports about mails. */
#include "dispatchctl/base/store.h"
#include "dispatchctl/nouns/nouns.h"
#include "dispatchctl/nouns/spool.h"
#include "model/request.h"
#include "spool/spool_bounce.h"

#include <string.h>
#include <sysexits.h>

enum { LIMIT = 200, LIMIT_MAX = 1000000 };

static bool bounce_run_list(struct ctl *ctl, struct error *err)
{
	struct spool_bounce_filter filter = {.unknown = ctl_option(ctl, "unknown") != NULL,
	                                     .limit = LIMIT};
	json_t *rows;
	if (!ctl_option_number(ctl, "limit", 1, LIMIT_MAX, &filter.limit, err) ||
	    !ctl_option_number(ctl, "mail", 1, INT64_MAX, &filter.mail, err))
		return false;
	struct spool *spool = spool_view(ctl, err);
	bool ok = spool != NULL && spool_read_bounces(spool, &filter, &rows, err);
	spool_close(spool);
	if (ok)
		output_rows(
		        ctl->out, rows,
		        COLUMNS({.key = "id", .title = "Id", .right = true},
		                {.key = "time", .title = "Time", .style = STYLE_TIME},
		                {.key = "kind", .title = "Kind"},
		                {.key = "verdict", .title = "Verdict"},
		                {.key = "took", .title = "Did", .style = STYLE_WORD},
		                {.key = "why", .title = "Why"},
		                {.key = "mail", .title = "Mail", .right = true},
		                {.key = "customer", .title = "Customer"},
		                {.key = "address", .title = "Address", .min = 14},
		                {.key = "code", .title = "Code"},
		                {.key = "text", .title = "Words", .min = 16, .style = STYLE_FAINT}),
		        "no reports about mails");
	return ok;
}

static const struct column sheet_columns[] = {
        {.key = "id", .title = "Report"},
        {.key = "time", .title = "Time", .style = STYLE_TIME},
        {.key = "kind", .title = "Kind"},
        {.key = "verdict", .title = "Verdict"},
        {.key = "took", .title = "Did", .style = STYLE_WORD},
        {.key = "why", .title = "Why"},
        {.key = "mail", .title = "Mail"},
        {.key = "customer", .title = "Customer"},
        {.key = "jobs", .title = "Jobs"},
        {.key = "contact", .title = "Contact"},
        {.key = "address", .title = "Address"},
        {.key = "code", .title = "Code"},
        {.key = "text", .title = "Words"},
        {.key = "sender", .title = "From"},
        {.key = "message_id", .title = "Message-ID"},
};

static bool bounce_run_show(struct ctl *ctl, struct error *err)
{
	int64_t id;
	json_t *row;
	if (!ctl_arg_id(ctl, 0, &id, err))
		return false;
	struct spool *spool = spool_view(ctl, err);
	bool ok = spool != NULL && spool_read_bounce(spool, id, &row, err);
	spool_close(spool);
	if (ok)
		output_sheet(ctl->out, row, sheet_columns,
		             sizeof sheet_columns / sizeof *sheet_columns);
	return ok;
}

/* What a report did, for a person. */
static const char *sentence_of(const char *took)
{
	static const struct {
		const char *took, *sentence;
	} sentences[] = {
	        {"marked", "the address is marked invalid"},
	        {"struck", "the address was busy; on the third day within 30 it is marked"},
	        {"bounced", "the address is as it was"},
	        {"counted", "it changes nothing"},
	        {"again", "the same is on record already; it changes nothing"},
	};
	for (size_t i = 0; i < sizeof sentences / sizeof *sentences; i++)
		if (strcmp(sentences[i].took, took) == 0)
			return sentences[i].sentence;
	return took;
}

static bool bounce_run_report(struct ctl *ctl, struct error *err)
{
	int64_t mail = 0;
	json_t *answer;
	if (ctl_option(ctl, "mail") == NULL || ctl_option(ctl, "code") == NULL)
		return error_set(err, EX_USAGE, "bounce report needs --mail and --code");
	if (!ctl_option_number(ctl, "mail", 1, INT64_MAX, &mail, err))
		return false;
	json_t *request = json_pack(
	        "{s:s, s:I, s:s, s:s*}", "do", control_request_verb(REQUEST_BOUNCE_REPORT), "mail",
	        (json_int_t)mail, "code", ctl_option(ctl, "code"), "text", ctl_option(ctl, "text"));
	if (request == NULL)
		return error_set(err, EX_DATAERR, "the text is not valid UTF-8");
	if (!spool_ask(ctl, request, &answer, err))
		return false;
	output_print(ctl->out, "mail %lld: %s, %s: %s", (long long)mail, table_text(answer, "kind"),
	             table_text(answer, "verdict"), sentence_of(table_text(answer, "took")));
	json_object_del(answer, "ok");
	output_document(ctl->out, answer);
	return true;
}

static const struct option list_options[] = {
        {.name = "unknown", .help = "only those about no known mail: forged, old, or unsigned"},
        {.name = "mail", .value = "ID", .help = "only those about this mail"},
        {.name = "limit", .value = "N", .help = "at most this many, newest first; 200 by default"},
        {0},
};
static const struct option report_options[] = {
        {.name = "mail", .value = "ID", .help = "the mail; required"},
        {.name = "code",
         .value = "CODE",
         .help = "what the mail server said, as an enhanced code such as 5.1.1; required"},
        {.name = "text", .value = "TEXT", .help = "its words"},
        {0},
};

static const struct command commands[] = {
        {.verb = "list",
         .options = list_options,
         .uses = USES_SPOOL,
         .help = "Lists reports about mails, newest first, with what each did",
         .examples = "bounce list\nbounce list --unknown",
         .run = bounce_run_list},
        {.verb = "show",
         .args = "ID",
         .uses = USES_SPOOL,
         .help = "Shows a report with the mail server's words",
         .examples = "bounce show 12",
         .run = bounce_run_show},
        {.verb = "report",
         .options = report_options,
         .uses = USES_ENGINE,
         .help = "Reports what became of a mail that was sent",
         .more = "For relays that report over web hooks instead of by mail. It does what such a "
                 "report by mail does, once.",
         .examples = "bounce report --mail 17 --code 5.1.1 --text \"550 no such user\"",
         .run = bounce_run_report},
};

const struct noun noun_bounce = {
        .name = "bounce", .help = "reports about mails that didn't arrive", COMMANDS(commands)};
