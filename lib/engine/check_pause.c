/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "base/jsontext.h"
#include "engine/check.h"
#include "spool/spool_pause.h"

static json_t *finding_of(const json_t *pause)
{
	struct buf text = {0};
	const char *note = jsontext_at(pause, "note");
	json_int_t due = json_integer_value(json_object_get(pause, "due"));
	buf_printf(&text, "sending has been paused since %s by %s%s%s; %" JSON_INTEGER_FORMAT " %s",
	           jsontext_at(pause, "since"), jsontext_at(pause, "by"), *note ? ": " : "", note,
	           due, due == 1 ? "mail is waiting" : "mails are waiting");
	json_t *finding = json_pack("{s:s, s:s}", "finding", "paused", "text", buf_text(&text));
	buf_free(&text);
	return finding;
}

bool check_pause(struct spool *spool, struct instant now, json_t *findings, struct error *err)
{
	json_t *pause;
	if (!spool_read_pause(spool, now, &pause, err))
		return false;
	if (json_integer_value(json_object_get(pause, "due")) > 0)
		json_array_insert_new(findings, 0, finding_of(pause));
	json_decref(pause);
	return true;
}
