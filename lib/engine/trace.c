/* SPDX-License-Identifier: MIT */
/* Written by hand, not by jansson: it is done for every event, and explain's batches live on it. */
#include "engine/trace.h"

#include "base/buf.h"
#include "base/jsontext.h"

#include <string.h>

enum { ROW_BYTES = 128 }; /* most rows are shorter */

static void add_escaped(struct buf *out, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	if (c < 0x20) {
		buf_adds(out, "\\u00");
		buf_addc(out, hex[c >> 4]);
		buf_addc(out, hex[c & 15]);
	} else {
		buf_addc(out, '\\');
		buf_addc(out, (char)c);
	}
}

void json_quote(struct buf *out, const char *text)
{
	size_t len = strlen(text), plain;
	buf_addc(out, '"');
	while ((plain = jsontext_plain(text, len)) < len) {
		buf_add(out, text, plain);
		add_escaped(out, (unsigned char)text[plain]);
		text += plain + 1;
		len -= plain + 1;
	}
	buf_add(out, text, len);
	buf_addc(out, '"');
}

static void add_row(struct buf *out, const struct trace_row *row)
{
	buf_adds(out, "{\"rule\":");
	buf_add_integer(out, row->rule);
	buf_adds(out, ",\"name\":\"");
	buf_adds(out, rule_name(row->rule));
	buf_adds(out,
	         row->holds ? "\",\"holds\":true,\"detail\":" : "\",\"holds\":false,\"detail\":");
	json_quote(out, row->detail);
	if (row->contact != NULL) {
		buf_adds(out, ",\"contact\":");
		buf_add_integer(out, row->contact->id);
	}
	if (row->suspension != NULL) {
		buf_printf(out, ",\"suspension\":%lld,\"of\":", (long long)row->suspension->id);
		json_quote(out, row->suspension->customer);
	}
	buf_addc(out, '}');
}

void trace_print(const struct trace_row *rows, size_t n, struct buf *out)
{
	buf_addc(out, '[');
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_addc(out, ',');
		add_row(out, &rows[i]);
	}
	buf_addc(out, ']');
}

const char *trace_json(const struct trace_row *rows, size_t n, struct arena *arena)
{
	struct buf out = {0};
	buf_reserve(&out, n * ROW_BYTES);
	trace_print(rows, n, &out);
	const char *text = arena_strndup(arena, buf_text(&out), out.len);
	buf_free(&out);
	return text;
}
