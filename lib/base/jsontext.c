/* SPDX-License-Identifier: MIT */
/* Writing JSON. Recursion here is as deep as jansson let the text nest (2048), which a thread's
 * stack bears. Reading is jsonread.c. */
#include "base/jsontext.h"

#include "base/mem.h"

#include <glib.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { SORTED_MAX = 64 }; /* members that are sorted as they are written */

static void write_real(struct buf *buf, double real)
{
	char text[G_ASCII_DTOSTR_BUF_SIZE];
	static const char *const formats[] = {"%.15g", "%.16g", "%.17g"};
	for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
		g_ascii_formatd(text, sizeof text, formats[i], real);
		if (!(g_ascii_strtod(text, NULL) < real) && !(g_ascii_strtod(text, NULL) > real))
			break;
	}
	buf_adds(buf, text);
	if (strpbrk(text, ".e") == NULL)
		buf_adds(buf, ".0"); /* it came as a real and stays one */
}

static int add_bytes(const char *bytes, size_t len, void *arg)
{
	buf_add(arg, bytes, len);
	return 0;
}

/* Eight bytes at a time: which of them are below 0x20, or the one that is asked for, has its first
 * bit left. A wrong one behind a right one does no harm: who finds any looks at each. */
static uint64_t below_space(uint64_t bytes)
{
	return (bytes - UINT64_C(0x2020202020202020)) & ~bytes & UINT64_C(0x8080808080808080);
}

static uint64_t is_byte(uint64_t bytes, unsigned char c)
{
	uint64_t others = bytes ^ c * UINT64_C(0x0101010101010101);
	return (others - UINT64_C(0x0101010101010101)) & ~others & UINT64_C(0x8080808080808080);
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c != '"' && c != '\\';
}

size_t jsontext_plain(const char *text, size_t len)
{
	size_t at = 0;
	uint64_t bytes;
	for (; at + sizeof bytes <= len; at += sizeof bytes) {
		memcpy(&bytes, text + at, sizeof bytes);
		if ((below_space(bytes) | is_byte(bytes, '"') | is_byte(bytes, '\\')) != 0)
			break;
	}
	while (at < len && is_plain((unsigned char)text[at]))
		at++;
	return at;
}

/* As jansson does, where nothing in it has to be escaped. */
static bool write_plain(struct buf *buf, const char *text, size_t len)
{
	if (jsontext_plain(text, len) < len)
		return false;
	buf_reserve(buf, len + 2);
	buf_addc(buf, '"');
	buf_add(buf, text, len);
	buf_addc(buf, '"');
	return true;
}

static void write_leaf(struct buf *buf, const json_t *value)
{
	if (json_is_real(value))
		write_real(buf, json_real_value(value));
	else if (json_is_string(value) &&
	         write_plain(buf, json_string_value(value), json_string_length(value)))
		return;
	else if (json_dump_callback(value, add_bytes, buf, JSON_ENCODE_ANY | JSON_COMPACT) != 0)
		bug("jansson can't write what it has read");
}

static void write_member(struct buf *buf, const char *key, const json_t *value,
                         enum jsontext_order order)
{
	if (buf->data[buf->len - 1] != '{')
		buf_addc(buf, ',');
	if (!write_plain(buf, key, strlen(key))) {
		json_t *name = json_string(key);
		write_leaf(buf, name);
		json_decref(name);
	}
	buf_addc(buf, ':');
	jsontext_write(buf, value, order);
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void write_sorted(struct buf *buf, json_t *object)
{
	size_t n = 0;
	const char **keys = mem_alloc((json_object_size(object) + 1) * sizeof *keys);
	for (void *it = json_object_iter(object); it != NULL;
	     it = json_object_iter_next(object, it))
		keys[n++] = json_object_iter_key(it);
	qsort(keys, n, sizeof *keys, by_bytes);
	for (size_t i = 0; i < n; i++)
		write_member(buf, keys[i], json_object_get(object, keys[i]), JSONTEXT_SORTED);
	free(keys);
}

static void write_object(struct buf *buf, json_t *object, enum jsontext_order order)
{
	buf_addc(buf, '{');
	if (order == JSONTEXT_SORTED) {
		write_sorted(buf, object);
	} else {
		const char *key;
		json_t *value;
		json_object_foreach(object, key, value) write_member(buf, key, value, order);
	}
	buf_addc(buf, '}');
}

/* A member as it is written: its name without quotes, and all of it. */
struct written {
	const char *key, *text;
	size_t key_len, len;
};

static int by_key(const void *a, const void *b)
{
	const struct written *x = a, *y = b;
	size_t len = x->key_len < y->key_len ? x->key_len : y->key_len;
	int order = memcmp(x->key, y->key, len);
	if (order != 0)
		return order;
	return x->key_len < y->key_len ? -1 : x->key_len > y->key_len;
}

/* Behind the text that begins at `p` with a quote, `*ret_escaped` where there is an escape in it;
 * NULL where it doesn't end. */
static const char *behind_string(const char *p, bool *ret_escaped)
{
	*ret_escaped = false;
	for (p++; *p != '"'; p++) {
		if (*p == '\\') {
			*ret_escaped = true;
			p++;
		}
		if (*p == '\0')
			return NULL;
	}
	return p + 1;
}

/* Behind the member at `p`; NULL where it takes reading. */
static const char *read_written(const char *p, struct written *ret)
{
	bool escaped;
	ret->text = p;
	ret->key = p + 1;
	p = behind_string(p, &escaped);
	if (p == NULL || escaped || *p != ':')
		return NULL;
	ret->key_len = (size_t)(p - 1 - ret->key);
	p++;
	if (*p == '{' || *p == '[')
		return NULL;
	p = *p == '"' ? behind_string(p, &escaped) : p + strcspn(p, ",}");
	ret->len = p != NULL ? (size_t)(p - ret->text) : 0;
	return p;
}

bool jsontext_sort(struct buf *buf, const char *text)
{
	struct written members[SORTED_MAX];
	size_t n = 0;
	const char *p = text + 1;
	while (*p == '"' || *p == ',') {
		p += *p == ',';
		if (n == SORTED_MAX || (p = read_written(p, &members[n++])) == NULL)
			return false;
	}
	if (*text != '{' || strcmp(p, "}") != 0)
		return false;
	qsort(members, n, sizeof *members, by_key);
	buf_addc(buf, '{');
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_addc(buf, ',');
		buf_add(buf, members[i].text, members[i].len);
	}
	buf_addc(buf, '}');
	return true;
}

void jsontext_write(struct buf *buf, const json_t *value, enum jsontext_order order)
{
	if (json_is_object(value)) {
		/* jansson's iterators take no const, though they change nothing. */
		write_object(buf, (json_t *)(uintptr_t)value, order);
	} else if (json_is_array(value)) {
		buf_addc(buf, '[');
		for (size_t i = 0; i < json_array_size(value); i++) {
			if (i > 0)
				buf_addc(buf, ',');
			jsontext_write(buf, json_array_get(value, i), order);
		}
		buf_addc(buf, ']');
	} else {
		write_leaf(buf, value);
	}
}

int jsontext_depth(const json_t *value, int limit)
{
	int deepest = 0;
	if (!json_is_object(value) && !json_is_array(value))
		return 0;
	if (limit == 0)
		return 1;
	if (json_is_array(value)) {
		for (size_t i = 0; i < json_array_size(value) && deepest <= limit - 1; i++) {
			int depth = jsontext_depth(json_array_get(value, i), limit - 1);
			deepest = depth > deepest ? depth : deepest;
		}
	} else {
		json_t *object = (json_t *)(uintptr_t)value;
		for (void *it = json_object_iter(object); it != NULL && deepest <= limit - 1;
		     it = json_object_iter_next(object, it)) {
			int depth = jsontext_depth(json_object_iter_value(it), limit - 1);
			deepest = depth > deepest ? depth : deepest;
		}
	}
	return deepest + 1;
}

const char *jsontext_kind(const json_t *value)
{
	static const char *const kinds[] = {
	        [JSON_OBJECT] = "an object",
	        [JSON_ARRAY] = "an array",
	        [JSON_STRING] = "text",
	        [JSON_INTEGER] = "an integer",
	        [JSON_REAL] = "a number with a fraction",
	        [JSON_TRUE] = "true",
	        [JSON_FALSE] = "false",
	        [JSON_NULL] = "null",
	};
	return kinds[json_typeof(value)];
}

const char *jsontext_at(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}
