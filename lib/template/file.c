/* SPDX-License-Identifier: MIT */
/* Reads one file of a set of templates. */
#include "template/file.h"

#include "base/utf8.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

enum { FILE_MAX = 1024 * 1024 };

static bool read_all(FILE *file, const char *path, struct buf *ret, struct error *err)
{
	char block[8192];
	size_t n;
	while ((n = fread(block, 1, sizeof block, file)) > 0) {
		buf_add(ret, block, n);
		if (ret->len > FILE_MAX)
			return error_set(err, EX_DATAERR, "%s: a template is at most 1 MiB", path);
	}
	if (ferror(file))
		return error_set(err, EX_IOERR, "%s: %s", path, strerror(errno));
	return true;
}

bool template_read_bytes(const char *path, struct buf *ret, struct error *err)
{
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return error_set(err, errno == ENOENT ? EX_NOINPUT : EX_IOERR, "%s: %s", path,
		                 strerror(errno));
	bool ok = read_all(file, path, ret, err);
	(void)fclose(file);
	return ok;
}

/* The line of a file's first bad byte. */
static int bad_line(const char *p, size_t len)
{
	int line = 1;
	const char *end = p + len;
	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		if (nl == NULL || !utf8_valid(p, (size_t)(nl - p)))
			break;
		p = nl + 1;
		line++;
	}
	return line;
}

bool template_check_text(const char *text, size_t len, const char *path, struct error *err)
{
	if (!utf8_valid(text, len) || memchr(text, '\0', len) != NULL)
		return error_set(err, EX_DATAERR, "%s:%d: this is not UTF-8 text", path,
		                 bad_line(text, len));
	return true;
}

bool template_read_file(const char *path, struct buf *ret, struct error *err)
{
	return template_read_bytes(path, ret, err) &&
	       template_check_text(buf_text(ret), ret->len, path, err);
}
