/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_MAILER_ACCESS_TOKEN_H
#define DISPATCHD_MAILER_ACCESS_TOKEN_H

#include "base/error.h"

#include <stdbool.h>

/* So that what AUTH says stays below 12288 bytes, which is what servers take (RFC 4954, section 4).
 * A file may be larger, since answers of token endpoints have more in them. */
enum { ACCESS_TOKEN_MAX = 8000, ACCESS_TOKEN_FILE_MAX = 32 * 1024 };

/*
 * Reads an access token of OAuth 2.0: the file's first line, or, where the file begins with a
 * brace, the `access_token` of that JSON object, as a token endpoint answers (RFC 6749,
 * section 5.1). The file is another program's, which replaces it before the token expires; so
 * nothing of it is kept.
 *
 * Refused are a file that base/secret_file.h refuses, that is empty or larger than
 * ACCESS_TOKEN_FILE_MAX, and a token that is longer than ACCESS_TOKEN_MAX or has other characters
 * than RFC 6750, section 2.1, allows. Blocks.
 */
bool access_token_read(const char *file, char ret[ACCESS_TOKEN_MAX + 1],
                       struct error *err) MUST_CHECK;

#endif
