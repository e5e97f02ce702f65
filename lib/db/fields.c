/* SPDX-License-Identifier: MIT */
#include "db/fields.h"

#include <stdint.h>
#include <string.h>

static void add(struct buf *pack, const char *bytes, size_t len)
{
	unsigned char head[4] = {(unsigned char)len, (unsigned char)(len >> 8),
	                         (unsigned char)(len >> 16), (unsigned char)(len >> 24)};
	if (len > UINT32_MAX)
		bug("a field of %zu bytes", len);
	buf_add(pack, head, sizeof head);
	buf_add(pack, bytes, len);
}

void fields_add(struct buf *pack, const char *name, const char *value)
{
	add(pack, name, strlen(name));
	add(pack, value, strlen(value));
}

void fields_add_bytes(struct buf *pack, const struct entry_field *field)
{
	add(pack, field->name, field->name_len);
	add(pack, field->value, field->value_len);
}

/* The length of the text at `*at`, which moves behind it; false where the blob ends before. */
static bool take(const unsigned char *pack, size_t len, size_t *at, const char **ret,
                 size_t *ret_len)
{
	if (len - *at < 4)
		return false;
	const unsigned char *p = pack + *at;
	size_t n = (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
	if (len - *at - 4 < n)
		return false;
	*ret = (const char *)p + 4;
	*ret_len = n;
	*at += 4 + n;
	return true;
}

static size_t count(const unsigned char *pack, size_t len)
{
	size_t at = 0, n = 0, text_len;
	const char *text;
	while (at < len && take(pack, len, &at, &text, &text_len))
		n++;
	return at == len && n % 2 == 0 ? n / 2 : SIZE_MAX;
}

bool fields_unpack(const void *pack, size_t len, struct arena *arena, struct entry_field **ret,
                   size_t *ret_n)
{
	size_t n = count(pack, len), at = 0;
	if (n == SIZE_MAX)
		return false;
	struct entry_field *fields = arena_new_array(arena, n, struct entry_field);
	for (size_t i = 0; i < n; i++) {
		struct entry_field f = {0};
		(void)take(pack, len, &at, &f.name, &f.name_len);
		(void)take(pack, len, &at, &f.value, &f.value_len);
		f.name = arena_strndup(arena, f.name, f.name_len);
		f.value = arena_strndup(arena, f.value, f.value_len);
		fields[i] = f;
	}
	*ret = fields;
	*ret_n = n;
	return true;
}

bool fields_next(const void *pack, size_t len, size_t *at, struct entry_field *ret)
{
	return *at < len && take(pack, len, at, &ret->name, &ret->name_len) &&
	       take(pack, len, at, &ret->value, &ret->value_len);
}

const char *fields_find(const struct entry_field *fields, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(fields[i].name, name) == 0)
			return fields[i].value;
	}
	return NULL;
}
