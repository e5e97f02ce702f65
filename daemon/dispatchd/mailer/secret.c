/* SPDX-License-Identifier: MIT */
#include "dispatchd/mailer/secret.h"

#include "base/exposed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

void secret_wipe(char *secret, size_t size)
{
	explicit_bzero(secret, size);
}

/* Looks at the open file, so that what is checked is what is read. */
static bool check_file(int fd, const char *path, struct error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return error_set(err, EX_IOERR, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return error_set(err, EX_CONFIG, "%s: is not a regular file", path);
	return true;
}

static bool check_text(const char *text, size_t len, const char *path, struct error *err)
{
	if (len == 0)
		return error_set(err, EX_CONFIG, "%s: is empty", path);
	if (len > SECRET_MAX)
		return error_set(err, EX_CONFIG, "%s: a password must have at most %d bytes", path,
		                 SECRET_MAX);
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return error_set(err, EX_CONFIG, "%s: has a control character", path);
	return true;
}

static bool read_open(int fd, const char *path, char ret[SECRET_MAX + 1], struct error *err)
{
	char text[SECRET_MAX + 3]; /* one byte too many, and CR LF */
	const char *newline;
	ssize_t n;
	bool ok;

	if (!check_file(fd, path, err))
		return false;
	n = read(fd, text, sizeof text);
	if (n < 0)
		return error_set(err, EX_IOERR, "%s: %s", path, strerror(errno));
	size_t len = (size_t)n;
	if ((newline = memchr(text, '\n', len)))
		len = (size_t)(newline - text);
	if (len > 0 && text[len - 1] == '\r')
		len--;
	ok = check_text(text, len, path, err);
	if (ok) {
		memcpy(ret, text, len);
		ret[len] = '\0';
	}
	secret_wipe(text, sizeof text);
	return ok;
}

bool secret_read(const char *file, const char *credential, char ret[SECRET_MAX + 1],
                 struct error *err)
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");
	char path[4096];
	bool named = file[0] != '\0';

	if (named)
		snprintf(path, sizeof path, "%s", file);
	else
		snprintf(path, sizeof path, "%s/%s", directory ? directory : "", credential);
	if (!named && !directory) {
		ret[0] = '\0';
		return true;
	}
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT && !named) {
		ret[0] = '\0';
		return true;
	}
	if (fd < 0)
		return error_set(err, errno == EACCES ? EX_NOPERM : EX_CONFIG, "%s: %s", path,
		                 strerror(errno));
	bool ok = exposed_check(path, "password", err) && read_open(fd, path, ret, err);
	close(fd);
	return ok;
}
