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
 *     rediss://…                                      the same with TLS
 *     unix://[[USER]:PASSWORD@]/PATH[?db=DB]          unix:///run/redis/redis.sock?db=0
 *     sentinel://[[USER]:PASSWORD@]HOST[:PORT][,HOST[:PORT]]…/SERVICE[/DB]
 *
 * `?db=` is taken in all. User, password and path may be percent-encoded. Behind Sentinel the
 * server is whichever its sentinels name for the service; user and password are the server's.
 */
struct redis_sentinel {
	const char *host;
	int port;
};

struct redis_url {
	const char *host;     /* without brackets; "" for a Unix socket and behind Sentinel */
	const char *path;     /* "" but for a Unix socket */
	const char *user;     /* "": the default user */
	const char *password; /* "" for none */
	int port;             /* 0 where there is no host */
	int db;
	bool tls;
	const char *service; /* by which the sentinels know it; "" without them */
	const struct redis_sentinel *sentinels;
	size_t n_sentinels;
};

enum { REDIS_PORT = 6379, SENTINEL_PORT = 26379, REDIS_SENTINELS_MAX = 16, REDIS_DB_MAX = 65535 };

/* Texts are in the arena. A fault's text never holds the password; `ret` is untouched then. */
bool redis_url_parse(const char *text, struct arena *arena, struct redis_url *ret,
                     struct error *err) MUST_CHECK;

/* The same with *** for a password, for logs and dumps; whatever it is, nothing before an @
 * survives. */
const char *redis_url_redacted(const char *text, struct arena *arena);

#endif
