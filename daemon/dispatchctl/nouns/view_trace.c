/* SPDX-License-Identifier: MIT */
/* Shared by `explain` and `job show`: the trace of a verdict. */
#include "dispatchctl/nouns/view_trace.h"

void view_trace(struct ctl *ctl, const json_t *trace)
{
	struct buf *out = output_text(ctl->out);
	const struct look *look = output_look(ctl->out);
	size_t i;
	const json_t *row;
	json_array_foreach(trace, i, row)
	{
		bool holds = json_is_true(json_object_get(row, "holds"));
		const json_t *name = json_object_get(row, "name");
		buf_printf(out, "  %s%s ", holds ? "" : look_red(look), holds ? "+" : "-");
		if (json_is_integer(json_object_get(row, "rule")))
			buf_printf(out, "%2lld ",
			           (long long)json_integer_value(json_object_get(row, "rule")));
		else
			name = json_object_get(row, "rule");
		size_t before = out->len;
		table_value(out, name);
		unsigned width = text_width(buf_text(out) + before);
		buf_printf(out, "%s%*s", look_plain(look), width < 20 ? (int)(20 - width) : 1, "");
		table_value(out, json_object_get(row, "detail"));
		buf_addc(out, '\n');
	}
}
