/* SPDX-License-Identifier: MIT */
/* The keys that tokens are signed by: a text with one a line, from a file or systemd. */
#include "mail/token.h"

#include "base/secret_file.h"

#include <sodium.h>
#include <string.h>
#include <sysexits.h>

void token_keys_wipe(struct token_keys *keys)
{
	sodium_memzero(keys, sizeof *keys);
}

/* ---- the text */

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

static bool parse_line(const char *line, size_t len, const char *path, int number,
                       struct token_keys *keys, struct error *err)
{
	unsigned char key[TOKEN_KEY_SIZE];
	size_t used;
	len = trim(&line, len);
	if (len == 0 || *line == '#')
		return true;
	if (len != 2 * sizeof key ||
	    sodium_hex2bin(key, sizeof key, line, len, NULL, &used, NULL) != 0 ||
	    used != sizeof key)
		return error_set(err, EX_CONFIG,
		                 "%s:%d: a key must be 64 hex digits, as openssl rand -hex 32 "
		                 "makes them",
		                 path, number);
	if (keys->n == TOKEN_KEYS_MAX)
		return error_set(err, EX_CONFIG, "%s:%d: at most %d keys are allowed", path, number,
		                 TOKEN_KEYS_MAX);
	memcpy(keys->key[keys->n++], key, sizeof key);
	sodium_memzero(key, sizeof key);
	return true;
}

static bool parse_lines(const char *text, size_t len, const char *path, struct token_keys *keys,
                        struct error *err)
{
	int number = 1;
	for (const char *end = text + len; text < end; number++) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *stop = newline != NULL ? newline : end;
		if (!parse_line(text, (size_t)(stop - text), path, number, keys, err))
			return false;
		text = newline != NULL ? newline + 1 : end;
	}
	return keys->n > 0 || error_set(err, EX_CONFIG,
	                                "%s: has no key; expected 64 hex digits, as openssl rand "
	                                "-hex 32 makes them",
	                                path);
}

bool token_keys_parse(const char *text, size_t len, const char *path, struct token_keys *ret,
                      struct error *err)
{
	*ret = (struct token_keys){.n = 0};
	if (parse_lines(text, len, path, ret, err))
		return true;
	token_keys_wipe(ret);
	return false;
}

/* ---- where it is */

bool token_keys_read(const char *file, struct token_keys *ret, struct error *err)
{
	char path[SECRET_PATH_MAX];
	struct secret_text text;
	*ret = (struct token_keys){.n = 0};
	if (secret_file_path(file, "bounce-key", path)[0] == '\0')
		return true;
	if (!secret_file_read(path, "key", SECRET_FILE_MAX, &text, err))
		return false;
	bool good = token_keys_parse(text.text, text.len, path, ret, err);
	secret_text_wipe(&text);
	return good;
}
