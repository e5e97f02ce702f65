/* SPDX-License-Identifier: MIT */
#include "base/secret_file.h"

#include "base/exposed.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

const char *secret_file_path(const char *file, const char *credential, char ret[SECRET_PATH_MAX])
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");

	ret[0] = '\0';
	if (file[0] != '\0')
		(void)snprintf(ret, SECRET_PATH_MAX, "%s", file);
	else if (directory != NULL)
		(void)snprintf(ret, SECRET_PATH_MAX, "%s/%s", directory, credential);
	if (file[0] == '\0' && ret[0] != '\0' && access(ret, F_OK) < 0 && errno == ENOENT)
		ret[0] = '\0';
	return ret;
}

static bool failed(const char *path, int code, struct error *err)
{
	return error_set(err, code, "%s: %s", path, strerror(errno));
}

/* One byte more than `max` shows that there are more. */
static bool read_all(int fd, const char *path, size_t max, struct secret_text *ret,
                     struct error *err)
{
	ssize_t n = 1;

	ret->len = 0;
	while (ret->len <= max && n != 0) {
		n = read(fd, ret->text + ret->len, max + 1 - ret->len);
		if (n < 0 && errno != EINTR)
			return failed(path, EX_IOERR, err);
		ret->len += n > 0 ? (size_t)n : 0;
	}
	ret->text[ret->len] = '\0';
	return ret->len <= max ||
	       error_set(err, EX_CONFIG, "%s: has more than %zu bytes", path, max);
}

/* Looks at the open file, so that what is checked is what is read. */
static bool read_open(int fd, const char *path, size_t max, struct secret_text *ret,
                      struct error *err)
{
	struct secret_text text;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return failed(path, EX_IOERR, err);
	if (!S_ISREG(st.st_mode))
		return error_set(err, EX_CONFIG, "%s: is not a regular file", path);
	text.text = mem_alloc(max + 2);
	if (read_all(fd, path, max, &text, err)) {
		*ret = text;
		return true;
	}
	secret_text_wipe(&text);
	return false;
}

bool secret_file_read(const char *path, const char *what, size_t max, struct secret_text *ret,
                      struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	bool ok;

	if (fd < 0)
		return failed(path, errno == EACCES ? EX_NOPERM : EX_CONFIG, err);
	ok = exposed_check(path, what, err) && read_open(fd, path, max, ret, err);
	(void)close(fd);
	return ok;
}

size_t secret_text_line(const struct secret_text *text)
{
	const char *newline = memchr(text->text, '\n', text->len);
	size_t len = newline != NULL ? (size_t)(newline - text->text) : text->len;

	return len > 0 && text->text[len - 1] == '\r' ? len - 1 : len;
}

void secret_text_wipe(struct secret_text *text)
{
	if (text->text != NULL)
		explicit_bzero(text->text, text->len);
	free(text->text);
	*text = (struct secret_text){.text = NULL};
}
