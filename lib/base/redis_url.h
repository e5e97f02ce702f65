/* SPDX-License-Identifier: MIT */
#ifndef BASE_REDIS_URL_H
#define BASE_REDIS_URL_H

#include "base/error.h"
#include "base/mem.h"

#include <stdbool.h>

/*
 * Where Redis is, as redis-py and redis-cli write it:
 *
 *     redis://[[USER]:PASSWORD@]HOST[:PORT][/DB]      redis://127.0.0.1:6379/0
 *     unix://[[USER]:PASSWORD@]/PATH[?db=DB]          unix:///run/redis/redis.sock?db=0
 *
 * `?db=` is taken in both. User, password and path may be percent-encoded.
 */
struct redis_url {
	const char *host;     /* without brackets; "" for a Unix socket */
	const char *path;     /* "" but for a Unix socket */
	const char *user;     /* "": the default user */
	const char *password; /* "" for none */
	int port;             /* 0 for a Unix socket */
	int db;
};

enum { REDIS_PORT = 6379, REDIS_DB_MAX = 65535 };

/* Texts are in the arena. A fault's text never holds the password; `ret` is untouched then. */
bool redis_url_parse(const char *text, struct arena *arena, struct redis_url *ret,
                     struct error *err) MUST_CHECK;

/* The same with *** for a password, for logs and dumps; whatever it is, nothing before an @
 * survives. */
const char *redis_url_redacted(const char *text, struct arena *arena);

#endif
