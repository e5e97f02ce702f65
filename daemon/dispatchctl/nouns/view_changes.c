/* SPDX-License-Identifier: MIT */
/* The history of a record for a person: who changed what, when. */
#include "dispatchctl/nouns/views.h"

/* What one change did to each field. */
static void view_change(struct ctl *ctl, const json_t *change)
{
	struct buf *out = output_text(ctl->out);
	const struct look *look = output_look(ctl->out);
	json_t *before = json_object_get(change, "before"),
	       *after = json_object_get(change, "after"), *value;
	const char *field;
	look_time(out, json_string_value(json_object_get(change, "time")), look);
	buf_printf(out, "  %s%s %s %lld%s by %s\n", look_bold(look),
	           json_string_value(json_object_get(change, "action")),
	           json_string_value(json_object_get(change, "kind")),
	           (long long)json_integer_value(json_object_get(change, "record")),
	           look_plain(look), json_string_value(json_object_get(change, "user")));
	json_object_foreach(json_is_object(after) ? after : before, field, value)
	{
		const json_t *old = json_is_object(after) ? json_object_get(before, field) : NULL;
		buf_printf(out, "    %s: ", field);
		table_value(out, old);
		buf_adds(out, old != NULL && !json_is_null(old) ? " -> " : "");
		table_value(out, value);
		buf_addc(out, '\n');
	}
}

void view_changes(struct ctl *ctl, json_t *rows)
{
	size_t i;
	const json_t *change;
	json_array_foreach(rows, i, change) view_change(ctl, change);
	if (json_array_size(rows) == 0)
		output_print(ctl->out, "no changes on record");
	output_document(ctl->out, rows);
}
