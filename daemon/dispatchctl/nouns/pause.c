/* SPDX-License-Identifier: MIT */
#include "dispatchctl/nouns/pause.h"

void pause_print(struct ctl *ctl, const json_t *pause)
{
	struct buf *out = output_text(ctl->out);
	const struct look *look = output_look(ctl->out);
	json_int_t due = json_integer_value(json_object_get(pause, "due"));
	if (!json_is_object(pause))
		return;
	buf_printf(out, "%ssending has been paused%s since ", look_red(look), look_plain(look));
	look_time(out, table_text(pause, "since"), look);
	buf_adds(out, " by ");
	table_value(out, json_object_get(pause, "by"));
	if (*table_text(pause, "note") != '\0') {
		buf_adds(out, ": ");
		table_value(out, json_object_get(pause, "note"));
	}
	buf_printf(out, "\n%" JSON_INTEGER_FORMAT " %s due\n", due,
	           due == 1 ? "mail is" : "mails are");
}
