/* SPDX-License-Identifier: MIT */
/* Taking a request apart: the target, its query, forms and cookies. */
#include "center/http/request.h"

#include "base/utf8.h"

#include <string.h>
#include <strings.h>
#include <sysexits.h>

void request_pair_add(struct request_pairs *pairs, struct arena *arena, const char *name,
                      const char *value)
{
	pairs->rows = arena_grow(arena, pairs->rows, pairs->n, &pairs->cap, sizeof *pairs->rows);
	pairs->rows[pairs->n++] = (struct request_pair){name, value};
}

const char *request_value(const struct request_pairs *pairs, const char *name)
{
	for (size_t i = 0; i < pairs->n; i++)
		if (strcmp(pairs->rows[i].name, name) == 0)
			return pairs->rows[i].value;
	return NULL;
}

size_t request_count(const struct request_pairs *pairs, const char *name)
{
	size_t n = 0;
	for (size_t i = 0; i < pairs->n; i++)
		n += strcmp(pairs->rows[i].name, name) == 0;
	return n;
}

const char *request_header(const struct request *request, const char *name)
{
	for (size_t i = 0; i < request->headers.n; i++)
		if (strcasecmp(request->headers.rows[i].name, name) == 0)
			return request->headers.rows[i].value;
	return NULL;
}

size_t request_header_count(const struct request *request, const char *name)
{
	size_t n = 0;
	for (size_t i = 0; i < request->headers.n; i++)
		n += strcasecmp(request->headers.rows[i].name, name) == 0;
	return n;
}

/* -- escapes ----------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* `len` bytes decoded, in the arena; NULL where they aren't text. A form writes a space as `+` and
 * may hold line breaks. */
static const char *decode(struct arena *arena, const char *text, size_t len, bool form)
{
	char *out = arena_alloc(arena, len + 1);
	size_t n = 0;
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '%') {
			int high = i + 2 < len ? hex_digit(text[i + 1]) : -1;
			int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
			if (low < 0)
				return NULL;
			out[n++] = (char)(high * 16 + low);
			i += 2;
		} else {
			out[n++] = form && text[i] == '+' ? ' ' : text[i];
		}
	}
	out[n] = '\0';
	if (memchr(out, '\0', n) || !utf8_valid(out, n) || (!form && utf8_has_control(out, n)))
		return NULL;
	return out;
}

void request_encode(const char *text, struct buf *ret)
{
	for (; *text != '\0'; text++) {
		if ((*text >= '0' && *text <= '9') ||
		    ((*text | 0x20) >= 'a' && (*text | 0x20) <= 'z') || strchr("-._~", *text))
			buf_addc(ret, *text);
		else
			buf_printf(ret, "%%%02X", (unsigned char)*text);
	}
}

static bool add_part(struct request *request, const char *text, size_t len, size_t *cap,
                     struct error *err)
{
	const char *part = decode(request->arena, text, len, false);
	if (part == NULL)
		return error_set(err, EX_DATAERR, "the path has an escape that is not text");
	request->parts = arena_grow(request->arena, request->parts, request->n_parts, cap,
	                            sizeof *request->parts);
	request->parts[request->n_parts++] = part;
	return true;
}

bool request_read_form(struct arena *arena, const char *text, size_t len,
                       struct request_pairs *pairs, struct error *err)
{
	const char *end = text + len;
	while (text < end) {
		const char *stop = memchr(text, '&', (size_t)(end - text));
		stop = stop ? stop : end;
		const char *equals = memchr(text, '=', (size_t)(stop - text));
		size_t name_len = (size_t)((equals ? equals : stop) - text);
		const char *value_text = equals ? equals + 1 : stop;
		const char *name = decode(arena, text, name_len, true);
		const char *value = decode(arena, value_text, (size_t)(stop - value_text), true);
		if (name == NULL || value == NULL)
			return error_set(err, EX_DATAERR, "a field has an escape that is not text");
		if (*name != '\0' || *value != '\0')
			request_pair_add(pairs, arena, name, value);
		text = stop + 1;
	}
	return true;
}

bool request_read_target(struct request *request, struct error *err)
{
	size_t len = strcspn(request->target, "?"), cap = 0;
	const char *query = request->target + len;
	request->path = arena_strndup(request->arena, request->target, len);
	if (*request->path != '/')
		return error_set(err, EX_DATAERR, "the path doesn't begin with a slash");
	for (const char *at = request->path; *at == '/';) {
		size_t part = strcspn(at + 1, "/");
		if (!add_part(request, at + 1, part, &cap, err))
			return false;
		at += 1 + part;
	}
	return *query == '\0' || request_read_form(request->arena, query + 1, strlen(query + 1),
	                                           &request->query, err);
}

void request_read_cookies(struct request *request)
{
	const char *text = request_header(request, "Cookie");
	while (text && *text != '\0') {
		text += strspn(text, "; \t");
		size_t len = strcspn(text, ";");
		const char *equals = memchr(text, '=', len);
		if (equals)
			request_pair_add(
			        &request->cookies, request->arena,
			        arena_strndup(request->arena, text, (size_t)(equals - text)),
			        arena_strndup(request->arena, equals + 1,
			                      len - (size_t)(equals + 1 - text)));
		text += len;
	}
}

bool request_json(const struct request *request, json_t **ret, struct error *err)
{
	json_error_t fault;
	json_t *value = json_loadb(request->body ? request->body : "", request->body_len,
	                           JSON_REJECT_DUPLICATES, &fault);
	if (value == NULL)
		return error_set(err, EX_DATAERR, "the body is not JSON: line %d: %s", fault.line,
		                 fault.text);
	if (json_is_object(value)) {
		*ret = value;
		return true;
	}
	json_decref(value);
	return error_set(err, EX_DATAERR, "the body is not a JSON object");
}

static bool has_type(const struct request *request, const char *type)
{
	const char *given = request_header(request, "Content-Type");
	return given && strncasecmp(given, type, strlen(type)) == 0;
}

bool request_is_multipart(const struct request *request)
{
	return has_type(request, "multipart/form-data");
}

bool request_is_form(const struct request *request)
{
	return has_type(request, "application/x-www-form-urlencoded") ||
	       request_is_multipart(request);
}
