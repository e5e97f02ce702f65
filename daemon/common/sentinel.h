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

/* Asks one after the other until one knows. Code 69, with the reason of the last. */
bool sentinels_ask(const struct sentinels *sentinels, struct sentinel_answer *ret,
                   struct error *err) MUST_CHECK;

#endif
