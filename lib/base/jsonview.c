/* SPDX-License-Identifier: MIT */
/*
 * A reader of JSON text that builds as little as it can: a node for each value, whose text stays
 * where it is unless it has escapes. It knows all of the grammar, but gives no reasons: text that
 * it refuses is read once more by jsontext_read(), whose verdict counts, so that what is allowed is
 * decided in one place. It recurses as deep as jansson does.
 */
#include "base/jsonview.h"

#include "base/jsontext.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { DEPTH_MAX = 2048, DIGITS_MAX = 300, UNIT_DIGITS = 4 };

struct view_reader {
	struct arena *arena;
	const char *at, *end;
	unsigned depth;
	bool checked; /* jansson has read it */
};

static bool read_value(struct view_reader *r, struct jsonview *ret);

static void skip_blank(struct view_reader *r)
{
	while (r->at < r->end &&
	       (*r->at == ' ' || *r->at == '\n' || *r->at == '\t' || *r->at == '\r'))
		r->at++;
}

static bool skip_char(struct view_reader *r, char c)
{
	skip_blank(r);
	if (r->at == r->end || *r->at != c)
		return false;
	r->at++;
	return true;
}

/* ---- texts */

static int hex_value(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
	                              : -1;
}

/* Behind a \u; -1 where there are no four digits. */
static int32_t read_unit(struct view_reader *r)
{
	int32_t unit = 0;
	if (r->end - r->at < UNIT_DIGITS)
		return -1;
	for (int i = 0; i < UNIT_DIGITS; i++) {
		int digit = hex_value(*r->at++);
		if (digit < 0)
			return -1;
		unit = unit * 16 + digit;
	}
	return unit;
}

/* The character of a \u, with that of a second one where they are a pair; 0 for none. */
static uint32_t read_character(struct view_reader *r)
{
	int32_t high = read_unit(r);
	if (high < 0 || (high >= 0xdc00 && high < 0xe000))
		return 0;
	if (high < 0xd800 || high >= 0xe000)
		return (uint32_t)high;
	if (r->end - r->at < 2 || r->at[0] != '\\' || r->at[1] != 'u')
		return 0;
	r->at += 2;
	int32_t low = read_unit(r);
	if (low < 0xdc00 || low >= 0xe000)
		return 0;
	return 0x10000 + ((uint32_t)(high - 0xd800) << 10) + (uint32_t)(low - 0xdc00);
}

static char *put_utf8(char *out, uint32_t c)
{
	if (c < 0x80) {
		*out++ = (char)c;
		return out;
	}
	if (c < 0x800) {
		*out++ = (char)(0xc0 | c >> 6);
	} else {
		if (c < 0x10000) {
			*out++ = (char)(0xe0 | c >> 12);
		} else {
			*out++ = (char)(0xf0 | c >> 18);
			*out++ = (char)(0x80 | (c >> 12 & 63));
		}
		*out++ = (char)(0x80 | (c >> 6 & 63));
	}
	*out++ = (char)(0x80 | (c & 63));
	return out;
}

/* One escape, without its backslash; NULL for one that can't be. */
static char *read_escape(struct view_reader *r, char *out)
{
	static const char names[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	if (r->at == r->end || *r->at == '\0')
		return NULL;
	char c = *r->at++;
	if (c == 'u') {
		uint32_t character = read_character(r);
		return character != 0 ? put_utf8(out, character) : NULL;
	}
	const char *name = strchr(names, c);
	if (name == NULL)
		return NULL;
	*out = meant[name - names];
	return out + 1;
}

/* A text with escapes, from its first character on. Never longer than it is written. */
static bool read_escaped(struct view_reader *r, const char **ret, size_t *ret_len)
{
	const char *stop = r->at;
	while (stop < r->end && *stop != '"')
		stop += *stop == '\\' ? 2 : 1;
	if (stop >= r->end)
		return false;
	char *text = arena_alloc(r->arena, (size_t)(stop - r->at) + 1), *out = text;
	while (r->at < stop) {
		if ((unsigned char)*r->at < ' ')
			return false;
		if (*r->at != '\\') {
			*out++ = *r->at++;
			continue;
		}
		r->at++;
		out = read_escape(r, out);
		if (out == NULL)
			return false;
	}
	r->at = stop + 1;
	*ret = text;
	*ret_len = (size_t)(out - text);
	return true;
}

#define TRUE_8 true, true, true, true, true, true, true, true
static const bool ends_plain[256] = {TRUE_8, TRUE_8, TRUE_8, TRUE_8, ['"'] = true, ['\\'] = true};

/* Behind the quote that opens it. */
static bool read_text(struct view_reader *r, const char **ret, size_t *ret_len)
{
	const char *p = r->at;
	while (p < r->end && !ends_plain[(unsigned char)*p])
		p++;
	if (p == r->end || (unsigned char)*p < ' ')
		return false;
	if (*p == '\\')
		return read_escaped(r, ret, ret_len);
	*ret = r->at;
	*ret_len = (size_t)(p - r->at);
	r->at = p + 1;
	return true;
}

/* ---- numbers and words */

static bool skip_digits(struct view_reader *r)
{
	const char *from = r->at;
	while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
		r->at++;
	return r->at > from;
}

static bool skip_exponent(struct view_reader *r)
{
	if (r->at == r->end || (*r->at != 'e' && *r->at != 'E'))
		return true;
	r->at++;
	if (r->at < r->end && (*r->at == '+' || *r->at == '-'))
		r->at++;
	/* Whether a double can hold it is jansson's to say. */
	return r->checked && skip_digits(r);
}

static bool read_number(struct view_reader *r, struct jsonview *ret)
{
	const char *from = r->at;
	r->at += *r->at == '-';
	const char *digits = r->at;
	if (!skip_digits(r) || (*digits == '0' && r->at > digits + 1))
		return false;
	if (r->at < r->end && *r->at == '.') {
		r->at++;
		if (!skip_digits(r))
			return false;
	}
	if (!skip_exponent(r) || (!r->checked && r->at - from > DIGITS_MAX))
		return false;
	ret->type = JSONVIEW_NUMBER;
	ret->text = from;
	ret->len = (size_t)(r->at - from);
	return true;
}

static bool read_word(struct view_reader *r, const char *word, enum jsonview_type type,
                      struct jsonview *ret)
{
	size_t len = strlen(word);
	if ((size_t)(r->end - r->at) < len || memcmp(r->at, word, len) != 0)
		return false;
	r->at += len;
	ret->type = type;
	return true;
}

/* ---- lists and objects */

static bool read_key(struct view_reader *r, struct jsonview *ret)
{
	size_t len;
	if (!skip_char(r, '"') || !read_text(r, &ret->key, &len) || len > UINT32_MAX)
		return false;
	ret->key_len = (unsigned)len;
	return skip_char(r, ':');
}

static bool read_members(struct view_reader *r, struct jsonview *ret, char close)
{
	struct jsonview **end = &ret->first;
	ret->type = close == '}' ? JSONVIEW_OBJECT : JSONVIEW_LIST;
	if (skip_char(r, close))
		return true;
	do {
		struct jsonview *member = *end = arena_new_array(r->arena, 1, struct jsonview);
		end = &member->next;
		if ((close == '}' && !read_key(r, member)) || !read_value(r, member))
			return false;
	} while (skip_char(r, ','));
	return skip_char(r, close);
}

static bool read_container(struct view_reader *r, struct jsonview *ret)
{
	if (r->depth++ == DEPTH_MAX && !r->checked)
		return false;
	char open = *r->at++;
	bool ok = read_members(r, ret, open == '{' ? '}' : ']');
	r->depth--;
	return ok;
}

static bool read_value(struct view_reader *r, struct jsonview *ret)
{
	skip_blank(r);
	if (r->at == r->end)
		return false;
	switch (*r->at) {
	case '{':
	case '[':
		return read_container(r, ret);
	case '"':
		ret->type = JSONVIEW_TEXT;
		r->at++;
		return read_text(r, &ret->text, &ret->len);
	case 't':
		return read_word(r, "true", JSONVIEW_TRUE, ret);
	case 'f':
		return read_word(r, "false", JSONVIEW_FALSE, ret);
	case 'n':
		return read_word(r, "null", JSONVIEW_NULL, ret);
	default:
		return read_number(r, ret);
	}
}

/* By jansson: what it has read, or what it has against it. */
static struct jsonview *read_slowly(struct arena *arena, const char *text, size_t len,
                                    struct error *err)
{
	struct buf copy = {0};
	json_t *value = jsontext_read(text, len, err);
	if (value == NULL)
		return NULL;
	jsontext_write(&copy, value, JSONTEXT_AS_IS);
	json_decref(value);
	struct view_reader r = {.arena = arena, .checked = true};
	r.at = arena_strndup(arena, buf_text(&copy), copy.len);
	r.end = r.at + copy.len;
	buf_free(&copy);
	struct jsonview *ret = arena_new_array(arena, 1, struct jsonview);
	if (!read_value(&r, ret))
		bug("JSON of ours can't be read");
	return ret;
}

struct jsonview *jsonview_read(struct arena *arena, const char *text, size_t len, struct error *err)
{
	struct view_reader r = {.arena = arena, .at = text, .end = text + len};
	struct jsonview *ret = arena_new_array(arena, 1, struct jsonview);
	bool ok = read_value(&r, ret);
	skip_blank(&r);
	return ok && r.at == r.end ? ret : read_slowly(arena, text, len, err);
}

/* ---- of jansson's */

static void view_of(struct arena *arena, const json_t *value, struct jsonview *ret);

static void view_members(struct arena *arena, const json_t *value, struct jsonview *ret)
{
	struct jsonview **end = &ret->first;
	const char *key;
	json_t *member;
	size_t i;
	json_object_foreach((json_t *)(uintptr_t)value, key, member)
	{
		*end = arena_new_array(arena, 1, struct jsonview);
		(*end)->key = key;
		(*end)->key_len = (unsigned)strlen(key);
		view_of(arena, member, *end);
		end = &(*end)->next;
	}
	json_array_foreach(value, i, member)
	{
		*end = arena_new_array(arena, 1, struct jsonview);
		view_of(arena, member, *end);
		end = &(*end)->next;
	}
}

static void view_number(struct arena *arena, const json_t *value, struct jsonview *ret)
{
	struct buf text = {0};
	jsontext_write(&text, value, JSONTEXT_AS_IS);
	ret->text = arena_strndup(arena, buf_text(&text), text.len);
	ret->len = text.len;
	buf_free(&text);
}

static void view_of(struct arena *arena, const json_t *value, struct jsonview *ret)
{
	static const enum jsonview_type types[] = {
	        [JSON_OBJECT] = JSONVIEW_OBJECT, [JSON_ARRAY] = JSONVIEW_LIST,
	        [JSON_STRING] = JSONVIEW_TEXT,   [JSON_INTEGER] = JSONVIEW_NUMBER,
	        [JSON_REAL] = JSONVIEW_NUMBER,   [JSON_TRUE] = JSONVIEW_TRUE,
	        [JSON_FALSE] = JSONVIEW_FALSE,   [JSON_NULL] = JSONVIEW_NULL,
	};
	ret->type = value != NULL ? types[json_typeof(value)] : JSONVIEW_NULL;
	switch (ret->type) {
	case JSONVIEW_TEXT:
		ret->text = json_string_value(value);
		ret->len = json_string_length(value);
		break;
	case JSONVIEW_NUMBER:
		view_number(arena, value, ret);
		break;
	case JSONVIEW_LIST:
	case JSONVIEW_OBJECT:
		view_members(arena, value, ret);
		break;
	default:
		break;
	}
}

struct jsonview *jsonview_of(struct arena *arena, const json_t *value)
{
	struct jsonview *ret = arena_new_array(arena, 1, struct jsonview);
	view_of(arena, value, ret);
	return ret;
}

/* ---- reading */

static const struct jsonview *find_member(const struct jsonview *object, const char *key)
{
	for (const struct jsonview *m = object->first; m != NULL; m = m->next)
		if (m->key_len > 0 && m->key[0] == key[0] &&
		    strncmp(m->key, key, m->key_len) == 0 && key[m->key_len] == '\0')
			return m;
	return NULL;
}

const struct jsonview *jsonview_get(const struct jsonview *object, const char *key)
{
	while (object != NULL && object->type == JSONVIEW_OBJECT) {
		const struct jsonview *member = find_member(object, key);
		if (member != NULL)
			return member;
		object = object->behind;
	}
	return NULL;
}

const char *jsonview_text(const struct jsonview *object, const char *key, size_t *ret_len)
{
	const struct jsonview *text = jsonview_get(object, key);
	bool there = text != NULL && text->type == JSONVIEW_TEXT;
	*ret_len = there ? text->len : 0;
	return there ? text->text : "";
}

size_t jsonview_count(const struct jsonview *list)
{
	size_t n = 0;
	if (list == NULL || list->type != JSONVIEW_LIST)
		return 0;
	for (const struct jsonview *item = list->first; item != NULL; item = item->next)
		n++;
	return n;
}

/*
 * Whether it is written as jsontext_write() would: an integer, or a decimal number that a double
 * gives back (15 digits) and that ends with its last digit that isn't 0. One below 1 is left out,
 * as it may get an exponent.
 */
static bool is_as_written(const char *text, size_t len)
{
	enum { DOUBLE_DIGITS = 15 };
	size_t sign = text[0] == '-', whole = sign;
	while (whole < len && text[whole] >= '0' && text[whole] <= '9')
		whole++;
	if (whole == len)
		return sign == 0 || text[1] != '0';
	size_t i = whole + 1;
	while (i < len && text[i] >= '0' && text[i] <= '9')
		i++;
	return text[whole] == '.' && i == len && text[sign] != '0' && text[len - 1] != '0' &&
	       len - sign - 1 <= DOUBLE_DIGITS;
}

void jsonview_add_number(struct buf *out, const struct jsonview *number)
{
	if (is_as_written(number->text, number->len)) {
		buf_add(out, number->text, number->len);
		return;
	}
	json_t *value = jsontext_read(number->text, number->len, NULL);
	if (value == NULL)
		bug("a number that was read can't be");
	jsontext_write(out, value, JSONTEXT_AS_IS);
	json_decref(value);
}

/* ---- putting together */

struct jsonview *jsonview_object(struct arena *arena, const struct jsonview *behind)
{
	struct jsonview *object = arena_new_array(arena, 1, struct jsonview);
	object->type = JSONVIEW_OBJECT;
	object->behind = behind;
	return object;
}

struct jsonview *jsonview_list(struct arena *arena)
{
	struct jsonview *list = arena_new_array(arena, 1, struct jsonview);
	list->type = JSONVIEW_LIST;
	return list;
}

void jsonview_set(struct arena *arena, struct jsonview *object, const char *key,
                  const struct jsonview *value)
{
	if (value == NULL)
		return;
	struct jsonview *member = arena_new_array(arena, 1, struct jsonview);
	*member = *value;
	member->key = key;
	member->key_len = (unsigned)strlen(key);
	member->next = object->first;
	object->first = member;
}

void jsonview_set_constant(struct arena *arena, struct jsonview *object, const char *key,
                           enum jsonview_type type)
{
	jsonview_set(arena, object, key, &(struct jsonview){.type = type});
}

void jsonview_append(struct arena *arena, struct jsonview ***end, const struct jsonview *value)
{
	struct jsonview *item = arena_new_array(arena, 1, struct jsonview);
	*item = *value;
	item->next = NULL;
	**end = item;
	*end = &item->next;
}
