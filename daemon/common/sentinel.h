/* SPDX-License-Identifier: MIT */
#ifndef COMMON_SENTINEL_H
#define COMMON_SENTINEL_H

#include "base/endpoint.h"
#include "base/error.h"
#include "common/sentinels.h"

/*
 * Redis Sentinel: which server is the master of a service now. Waits, so a loop asks in a thread,
 * with a copy of its own. What a sentinel says may be out of date: whoever connects to the server
 * asks it for its ROLE (Redis' guidelines for Sentinel clients).
 */
struct sentinel_answer {
	char host[ENDPOINT_HOST_MAX]; /* an address; a name if they announce names */
	int port;
};

enum { SENTINEL_TIMEOUT_MS = 1000 }; /* for each answer */

/* Who asks, for sentinels that want to know: of the server, so these needn't be the sentinels' own.
 * NULL for none. */
struct sentinel_login {
	const char *user, *password;
};

/* Asks one after the other until one knows. Code 69, or 77 where the login is refused, with the
 * reason of the last. */
bool sentinels_ask(const struct sentinels *sentinels, const struct sentinel_login *login,
                   struct sentinel_answer *ret, struct error *err) MUST_CHECK;
/* Asks until more than half of all of them have named the same. Code 69 where they don't. */
bool sentinels_agree(const struct sentinels *sentinels, const struct sentinel_login *login,
                     struct sentinel_answer *ret, struct error *err) MUST_CHECK;

/* The answer to ROLE: whether it is that of a master. */
struct redisReply;
bool sentinel_is_master(const struct redisReply *reply);

#endif
