/* SPDX-License-Identifier: MIT */
#ifndef BASE_SECRET_FILE_H
#define BASE_SECRET_FILE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* A file with a secret in it: a password, a token, keys. */

enum { SECRET_PATH_MAX = 4096, SECRET_FILE_MAX = 64 * 1024 };

/* Where it is: `file`, or where that is empty the systemd credential of that name in
 * $CREDENTIALS_DIRECTORY; "" where neither is there. Returns `ret`. */
const char *secret_file_path(const char *file, const char *credential, char ret[SECRET_PATH_MAX]);

struct secret_text {
	char *text; /* with a NUL behind it, and perhaps others in it */
	size_t len;
};

/*
 * Reads all of it. A file that everybody can read is refused (base/exposed.h; `what` is what is in
 * it), and so is one that is not a regular file or has more than `max` bytes. Code 77 where it may
 * not be read, 74 where it can't be, else 78; the text in `err` names the file, never its content.
 * secret_text_wipe() it. Blocks.
 */
bool secret_file_read(const char *path, const char *what, size_t max, struct secret_text *ret,
                      struct error *err) MUST_CHECK;
/* How long its first line is, without the line's end. */
size_t secret_text_line(const struct secret_text *text);
void secret_text_wipe(struct secret_text *text); /* overwrites, frees and empties it */

#endif
