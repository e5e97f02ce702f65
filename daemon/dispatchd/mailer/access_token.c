/* SPDX-License-Identifier: MIT */
/* The file with an access token. What was read is overwritten; jansson's copy is only freed. */
#include "dispatchd/mailer/access_token.h"

#include "base/exposed.h"
#include "base/jsontext.h"
#include "base/mem.h"
#include "dispatchd/mailer/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

/* Of RFC 6750: letters, digits and these, then any number of "=". */
static bool is_token(const char *text, size_t len)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	                              "0123456789-._~+/";

	while (len > 0 && text[len - 1] == '=')
		len--;
	for (size_t i = 0; i < len; i++)
		if (text[i] == '\0' || !strchr(allowed, text[i]))
			return false;
	return len > 0;
}

static bool take(const char *text, size_t len, const char *file, char ret[ACCESS_TOKEN_MAX + 1],
                 struct error *err)
{
	if (len == 0)
		return error_set(err, EX_CONFIG, "%s: its first line is empty", file);
	if (len > ACCESS_TOKEN_MAX)
		return error_set(err, EX_CONFIG, "%s: an access token must have at most %d bytes",
		                 file, ACCESS_TOKEN_MAX);
	if (!is_token(text, len))
		return error_set(err, EX_CONFIG,
		                 "%s: its first line has a character that no access token has",
		                 file);
	memcpy(ret, text, len);
	ret[len] = '\0';
	return true;
}

static bool take_json(const char *text, size_t len, const char *file,
                      char ret[ACCESS_TOKEN_MAX + 1], struct error *err)
{
	json_t *json = jsontext_read(text, len, NULL);
	const char *token = json_string_value(json_object_get(json, "access_token"));
	bool ok = token ? take(token, strlen(token), file, ret, err)
	                : error_set(err, EX_CONFIG, "%s: is no JSON object with an access_token",
	                            file);

	json_decref(json);
	return ok;
}

static bool take_text(const char *text, size_t len, const char *file,
                      char ret[ACCESS_TOKEN_MAX + 1], struct error *err)
{
	const char *newline = memchr(text, '\n', len);
	size_t line = newline ? (size_t)(newline - text) : len;

	if (len == 0)
		return error_set(err, EX_CONFIG, "%s: is empty", file);
	if (len > ACCESS_TOKEN_FILE_MAX)
		return error_set(err, EX_CONFIG, "%s: has more than %d bytes", file,
		                 ACCESS_TOKEN_FILE_MAX);
	if (text[0] == '{')
		return take_json(text, len, file, ret, err);
	while (line > 0 && strchr(" \t\r", text[line - 1]))
		line--;
	return take(text, line, file, ret, err);
}

static bool read_whole(int fd, const char *file, char ret[ACCESS_TOKEN_MAX + 1], struct error *err)
{
	size_t size = ACCESS_TOKEN_FILE_MAX + 1, len = 0;
	char *text = mem_alloc(size);
	struct stat st;
	ssize_t n = 1;
	bool ok;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		while (len < size && (n = read(fd, text + len, size - len)) > 0)
			len += (size_t)n;
		ok = n >= 0 ? take_text(text, len, file, ret, err)
		            : error_set(err, EX_IOERR, "%s: %s", file, strerror(errno));
	} else {
		ok = error_set(err, EX_CONFIG, "%s: is not a regular file", file);
	}
	secret_wipe(text, size);
	free(text);
	return ok;
}

bool access_token_read(const char *file, char ret[ACCESS_TOKEN_MAX + 1], struct error *err)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	bool ok;

	if (fd < 0)
		return error_set(err, errno == EACCES ? EX_NOPERM : EX_CONFIG, "%s: %s", file,
		                 strerror(errno));
	ok = exposed_check(file, "access token", err) && read_whole(fd, file, ret, err);
	close(fd);
	return ok;
}
