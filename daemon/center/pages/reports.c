/* SPDX-License-Identifier: MIT */
#include "center/pages/reports.h"

#include "base/jsontext.h"
#include "center/pages/mail_words.h"
#include "center/pages/words.h"

#include <string.h>

struct told {
	const char *word, *phrase;
};

static const struct told report_kinds[] = {
        {"failed", "report.failed"},         {"delayed", "report.delayed"},
        {"delivered", "report.delivered"},   {"complaint", "report.complaint"},
        {"auto_reply", "report.auto_reply"},
};
static const struct told report_deeds[] = {
        {"marked", "report.marked"},
        {"struck", "report.struck"},
        {"complained", "report.complained"},
};

static const char *phrase_of(const struct call *call, const struct told *told, size_t n,
                             const char *word, const char *other)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(told[i].word, word) == 0)
			return words(call, told[i].phrase);
	return other;
}

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
