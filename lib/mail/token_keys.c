/* SPDX-License-Identifier: MIT */
/* The keys that tokens are signed by: a text with one a line, from a file or systemd. */
#include "mail/token.h"

#include "base/exposed.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

enum { KEYS_FILE_MAX = 64 * 1024 };

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

/* All of the open file; a negative length where it can't be read. */
static ssize_t read_whole(int fd, char *text, size_t size)
{
	size_t len = 0;
	ssize_t n;
	while (len < size && (n = read(fd, text + len, size - len)) != 0) {
		if (n < 0 && errno != EINTR)
			return -1;
		len += n > 0 ? (size_t)n : 0;
	}
	return (ssize_t)len;
}

static bool read_keys(int fd, const char *path, struct token_keys *ret, struct error *err)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return error_set(err, EX_IOERR, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode) || st.st_size > KEYS_FILE_MAX)
		return error_set(err, EX_CONFIG, "%s: must be a file of at most %d bytes", path,
		                 KEYS_FILE_MAX);
	char *text = mem_alloc(KEYS_FILE_MAX);
	ssize_t len = read_whole(fd, text, KEYS_FILE_MAX);
	bool good = len < 0 ? error_set(err, EX_IOERR, "%s: %s", path, strerror(errno))
	                    : token_keys_parse(text, (size_t)len, path, ret, err);
	sodium_memzero(text, KEYS_FILE_MAX);
	free(text);
	return good;
}

bool token_keys_read(const char *file, struct token_keys *ret, struct error *err)
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");
	char path[PATH_MAX];
	bool named = *file != '\0';
	*ret = (struct token_keys){.n = 0};
	if (!named && directory == NULL)
		return true;
	(void)snprintf(path, sizeof path, "%s%s", named ? file : directory,
	               named ? "" : "/bounce-key");
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT && !named)
		return true;
	if (fd < 0)
		return error_set(err, errno == EACCES ? EX_NOPERM : EX_CONFIG, "%s: %s", path,
		                 strerror(errno));
	bool good = exposed_check(path, "key", err) && read_keys(fd, path, ret, err);
	(void)close(fd);
	return good;
}
