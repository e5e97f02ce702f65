/* SPDX-License-Identifier: MIT */
/*
 * A pass over raw JSON text, ahead of jansson, that knows strings, escapes, numbers and nesting and
 * nothing else. It runs only for text that jansson has refused.
 */
#include "base/jsonmend.h"

#include "base/mem.h"

#include <errno.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

enum { HEX_DIGITS = 4, ESCAPE_LEN = 6 };

struct mender {
	const char *text;
	size_t len, at;
	enum jsonmend_what what;
	jsontext_mended *mended;
	void *arg;
	struct buf *out;
	size_t depth; /* containers open around `at` */
	/* The last key in each of the outermost, within the text; NULL: none, as in an array. */
	struct {
		const char *at;
		size_t len;
	} keys[JSONTEXT_PATH_MAX];
};

static void set_key(struct mender *m, size_t depth, const char *key, size_t len)
{
	if (depth < 1 || depth > JSONTEXT_PATH_MAX)
		return;
	m->keys[depth - 1].at = key;
	m->keys[depth - 1].len = len;
}

static void report(const struct mender *m)
{
	const char *path[JSONTEXT_PATH_MAX];
	if (m->mended == NULL)
		return;
	struct arena *arena = arena_new();
	for (size_t i = 0; i < JSONTEXT_PATH_MAX; i++)
		path[i] = i < m->depth && m->keys[i].at != NULL
		                  ? arena_strndup(arena, m->keys[i].at, m->keys[i].len)
		                  : "";
	m->mended(m->arg, path, m->depth);
	arena_free(arena);
}

/* Where the string that begins at `at` ends (behind its quote), or the text's end. */
static size_t string_end(const struct mender *m, size_t at)
{
	for (at++; at < m->len && m->text[at] != '"'; at++)
		if (m->text[at] == '\\')
			at++;
	return at < m->len ? at + 1 : m->len;
}

static bool is_key(const struct mender *m, size_t end)
{
	while (end < m->len && strchr(" \t\r\n", m->text[end]) != NULL && m->text[end] != '\0')
		end++;
	return end < m->len && m->text[end] == ':';
}

/* The code unit of a \uXXXX at `at`; -1 where there is none before `end`. */
static int unit_at(const struct mender *m, size_t at, size_t end)
{
	int unit = 0;
	if (at + ESCAPE_LEN > end || m->text[at] != '\\' || m->text[at + 1] != 'u')
		return -1;
	for (size_t i = 0; i < HEX_DIGITS; i++) {
		int digit = g_ascii_xdigit_value(m->text[at + 2 + i]);
		if (digit < 0)
			return -1;
		unit = unit * 16 + digit;
	}
	return unit;
}

/* How many bytes at `at` go on unchanged; 0: an escape for what no text can hold. */
static size_t sound_bytes(const struct mender *m, size_t at, size_t end)
{
	if (m->text[at] != '\\')
		return 1;
	int unit = unit_at(m, at, end);
	if (unit < 0)
		return at + 1 < end ? 2 : 1;
	if (unit >= 0xD800 && unit < 0xDC00) {
		int low = unit_at(m, at + ESCAPE_LEN, end);
		return low >= 0xDC00 && low < 0xE000 ? 2 * (size_t)ESCAPE_LEN : 0;
	}
	return unit == 0 || (unit >= 0xDC00 && unit < 0xE000) ? 0 : ESCAPE_LEN;
}

static void copy_string(struct mender *m)
{
	size_t begin = m->at, end = string_end(m, begin);
	bool key = is_key(m, end), changed = false;
	while (m->at < end) {
		size_t n = m->what == JSONMEND_ALL ? sound_bytes(m, m->at, end) : end - m->at;
		if (n == 0) {
			changed = true;
			buf_adds(m->out, "\\ufffd");
		} else {
			buf_add(m->out, m->text + m->at, n);
		}
		m->at += n > 0 ? n : (size_t)ESCAPE_LEN;
	}
	if (key)
		set_key(m, m->depth, m->text + begin + 1, end - begin - 2);
	else if (changed)
		report(m);
}

/* Whether jansson would find it beyond its integers. */
static bool is_too_long(const char *number)
{
	size_t len = strlen(number), digits = strspn(number + (*number == '-'), "0123456789");
	if (digits == 0 || digits + (*number == '-') != len || number[len - digits] == '0')
		return false;
	errno = 0;
	(void)strtoll(number, NULL, 10);
	return errno == ERANGE;
}

static void copy_number(struct mender *m)
{
	size_t n = 0;
	while (m->at + n < m->len && m->text[m->at + n] != '\0' &&
	       strchr("+-.eE0123456789", m->text[m->at + n]) != NULL)
		n++;
	char *number = strndup(m->text + m->at, n);
	if (number == NULL)
		bug("out of memory");
	const char *quote = is_too_long(number) ? "\"" : "";
	buf_adds(m->out, quote);
	buf_add(m->out, number, n);
	buf_adds(m->out, quote);
	free(number);
	m->at += n;
}

void jsonmend(const char *text, size_t len, enum jsonmend_what what, jsontext_mended *mended,
              void *arg, struct buf *out)
{
	struct mender m = {
	        .text = text, .len = len, .what = what, .mended = mended, .arg = arg, .out = out};
	while (m.at < len) {
		char c = text[m.at];
		if (c == '"') {
			copy_string(&m);
			continue;
		}
		if (c == '-' || (c >= '0' && c <= '9')) {
			copy_number(&m);
			continue;
		}
		if (c == '{' || c == '[')
			set_key(&m, ++m.depth, NULL, 0);
		else if ((c == '}' || c == ']') && m.depth > 0)
			m.depth--;
		buf_addc(out, c);
		m.at++;
	}
}
