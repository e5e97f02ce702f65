/* SPDX-License-Identifier: MIT */
#include "dispatchd/mailer/secret.h"

#include "base/secret_file.h"

#include <string.h>
#include <sysexits.h>

void secret_wipe(char *secret, size_t size)
{
	explicit_bzero(secret, size);
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

static bool read_line(const char *path, char ret[SECRET_MAX + 1], struct error *err)
{
	struct secret_text text;
	size_t len;
	bool ok;

	if (!secret_file_read(path, "password", SECRET_FILE_MAX, &text, err))
		return false;
	len = secret_text_line(&text);
	ok = check_text(text.text, len, path, err);
	if (ok) {
		memcpy(ret, text.text, len);
		ret[len] = '\0';
	}
	secret_text_wipe(&text);
	return ok;
}

bool secret_read(const char *file, const char *credential, char ret[SECRET_MAX + 1],
                 struct error *err)
{
	char path[SECRET_PATH_MAX];

	if (secret_file_path(file, credential, path)[0] != '\0')
		return read_line(path, ret, err);
	ret[0] = '\0';
	return true;
}
