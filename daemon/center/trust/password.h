/* SPDX-License-Identifier: MIT */
#ifndef CENTER_TRUST_PASSWORD_H
#define CENTER_TRUST_PASSWORD_H

#include "base/error.h"

#include <stdbool.h>

/*
 * Passwords as Argon2id hashes (RFC 9106) by libsodium, 19 MiB and two passes each. Two at a time
 * in the whole process: others wait, so that many logins take neither all memory nor all
 * processors.
 */
enum {
	PASSWORD_MIN = 10 /* characters */,
	PASSWORD_MAX = 1024 /* bytes */,
	PASSWORD_HASH_SIZE = 128
};

/* 65 for one that is too short, too long or not UTF-8. */
bool password_check(const char *password, struct error *err) MUST_CHECK;

/* Its hash as text with salt and costs. 71 where the memory can't be had. */
bool password_hash(const char *password, char ret[PASSWORD_HASH_SIZE],
                   struct error *err) MUST_CHECK;

/* Whether it is the password of that hash. A NULL hash is nobody's and takes the same time. */
bool password_matches(const char *hash, const char *password);

#endif
