/* SPDX-License-Identifier: MIT */
#include "dispatchctl/nouns/view_reports.h"

void view_reports(const struct ctl *ctl, const json_t *reports)
{
	output_section(ctl->out, reports, "Reports",
	               COLUMNS({.key = "id", .title = "Id", .right = true},
	                       {.key = "time", .title = "Time", .style = STYLE_TIME},
	                       {.key = "mail", .title = "Mail", .right = true},
	                       {.key = "kind", .title = "Kind"},
	                       {.key = "verdict", .title = "Verdict"},
	                       {.key = "took", .title = "Did", .style = STYLE_WORD},
	                       {.key = "address", .title = "Address", .min = 14},
	                       {.key = "code", .title = "Code"},
	                       {.key = "text", .title = "Words", .min = 16, .style = STYLE_FAINT}));
}
