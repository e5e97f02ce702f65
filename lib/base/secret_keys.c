/* SPDX-License-Identifier: MIT */
#include "base/secret_keys.h"

#include <sodium.h>
#include <string.h>
#include <sysexits.h>

static size_t trim(const char **line, size_t len)
{
	while (len > 0 && strchr(" \t\r", (*line)[len - 1]) != NULL && (*line)[len - 1] != '\0')
		len--;
	while (len > 0 && (**line == ' ' || **line == '\t')) {
		(*line)++;
		len--;
	}
	return len;
}

/* Just so many digits. */
static bool parse_key(const char *line, size_t len, unsigned char ret[SECRET_KEY_SIZE])
{
	size_t used;
	return len == 2 * SECRET_KEY_SIZE &&
	       sodium_hex2bin(ret, SECRET_KEY_SIZE, line, len, NULL, &used, NULL) == 0 &&
	       used == SECRET_KEY_SIZE;
}

size_t secret_keys_parse(const char *text, size_t len, const char *path, size_t max,
                         unsigned char ret[][SECRET_KEY_SIZE], struct error *err)
{
	size_t n = 0;
	int number = 1;
	for (const char *end = text + len, *next; text < end; text = next, number++) {
		const char *line = text, *newline = memchr(text, '\n', (size_t)(end - text));
		next = newline ? newline + 1 : end;
		size_t size = trim(&line, (size_t)((newline ? newline : end) - line));
		if (size == 0 || *line == '#')
			continue;
		if (n == max) {
			error_set(err, EX_CONFIG, "%s:%d: at most %zu key%s allowed", path, number,
			          max, max == 1 ? " is" : "s are");
			return 0;
		}
		if (!parse_key(line, size, ret[n++])) {
			error_set(err, EX_CONFIG,
			          "%s:%d: a key must be 64 hex digits, as openssl rand -hex 32 "
			          "makes them",
			          path, number);
			return 0;
		}
	}
	if (n == 0)
		error_set(err, EX_CONFIG,
		          "%s: has no key; expected 64 hex digits, as openssl rand -hex 32 makes "
		          "them",
		          path);
	return n;
}
