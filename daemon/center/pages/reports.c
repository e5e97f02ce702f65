/* SPDX-License-Identifier: MIT */
/* Reports about mails: those of a mail or a job, for the pages of these, and a page of those that
 * nobody can tell which mail they are about. */
#include "center/pages/reports.h"

#include "base/jsontext.h"
#include "center/pages/command.h"
#include "center/pages/mail_words.h"
#include "center/pages/page.h"
#include "center/pages/words.h"
#include "spool/spool_bounce.h"

#include <stdlib.h>
#include <string.h>

struct told {
	const char *word, *phrase;
};

static const struct told report_kinds[] = {
        {"failed", "report.failed"},         {"delayed", "report.delayed"},
        {"delivered", "report.delivered"},   {"complaint", "report.complaint"},
        {"auto_reply", "report.auto_reply"}, {"opt_out", "report.opt_out"},
        {"reply", "report.reply"},
};
static const struct told report_deeds[] = {
        {"marked", "report.marked"},
        {"struck", "report.struck"},
        {"complained", "report.complained"},
};

/* Why it changed nothing. */
static const struct told report_whys[] = {
        {"no_token", "report.no_token"},    {"unproven", "report.unproven"},
        {"forged", "report.forged"},        {"old", "report.old"},
        {"other_kind", "report.other_use"}, {"too_many", "report.too_many"},
};

static const char *phrase_of(const struct call *call, const struct told *told, size_t n,
                             const char *word, const char *other)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(told[i].word, word) == 0)
			return words(call, told[i].phrase);
	return other;
}

enum { PIECE = 50 };

static json_t *row_of_report(const struct call *call, const json_t *report)
{
	const char *what = phrase_of(call, report_kinds, sizeof report_kinds / sizeof *report_kinds,
	                             jsontext_at(report, "kind"), words(call, "report.other"));
	const char *did = phrase_of(call, report_deeds, sizeof report_deeds / sizeof *report_deeds,
	                            jsontext_at(report, "took"), "");
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "what", what, "did", did, "at",
	                 mail_words_time(call, report, "time"), "address",
	                 jsontext_at(report, "address"), "code", jsontext_at(report, "code"),
	                 "text", jsontext_at(report, "text"));
}

json_t *reports_of(const struct call *call, const json_t *reports)
{
	json_t *rows = json_array();
	size_t i;
	const json_t *report;
	json_array_foreach(reports, i, report)
	        json_array_append_new(rows, row_of_report(call, report));
	return rows;
}

/* ---- those about no known mail ---- */

static json_t *row_of_unknown(const struct call *call, const json_t *report)
{
	json_t *row = row_of_report(call, report);
	const char *why = phrase_of(call, report_whys, sizeof report_whys / sizeof *report_whys,
	                            jsontext_at(report, "why"), "");
	json_object_set(row, "id", json_object_get(report, "id"));
	json_object_set_new(row, "why", json_string(why));
	json_object_set(row, "sender", json_object_get(report, "sender"));
	return row;
}

static void page_reports_unknown(struct call *call)
{
	const char *before = request_value(&call->request->query, "before");
	int64_t below = before ? strtoll(before, NULL, 10) : 0;
	const struct spool_bounce_filter filter = {
	        .unknown = true, .before_id = below > 0 ? below : 0, .limit = PIECE + 1};
	struct error err;
	json_t *reports, *report, *rows = json_array();
	size_t i;
	struct spool *spool = stores_spool(call->stores, &err);
	if (spool == NULL || !spool_read_bounces(spool, &filter, &reports, &err)) {
		json_decref(rows);
		page_fail(call, &err);
		return;
	}
	bool more = json_array_size(reports) > PIECE;
	if (more)
		json_array_remove(reports, PIECE);
	json_array_foreach(reports, i, report)
	        json_array_append_new(rows, row_of_unknown(call, report));
	json_t *data = json_pack("{s:s, s:b, s:b, s:[s]}", "topics", "mails", "has_rows",
	                         json_array_size(rows) > 0, "newest", below <= 0, "commands",
	                         command_text(call, "bounce", "list", "--unknown", NULL));
	if (more)
		json_object_set(data, "older",
		                json_object_get(json_array_get(rows, PIECE - 1), "id"));
	json_object_set_new(data, "rows", rows);
	json_decref(reports);
	page_answer(call, 200, "unknown_reports", words(call, "reports.unknown"), data);
}

const struct route report_page_routes[] = {
        {ROUTE("GET", "/mails/reports", ACCESS_READER, page_reports_unknown), .query = "before"},
        {0},
};
