/* SPDX-License-Identifier: MIT */
#ifndef CENTER_PAGES_RATE_H
#define CENTER_PAGES_RATE_H

#include "base/instant.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* How often what anybody may ask is answered: so many times a minute for a client (a network: who
 * has one has all its addresses), and for all. In memory alone; clients share a count where their
 * hashes meet. */
enum { RATE_SLOTS = 1024, OPT_OUT_CLIENT_MAX = 60, OPT_OUT_ALL_MAX = 1200 };

struct rate {
	pthread_mutex_t lock;
	unsigned client_max, all_max;
	int64_t minute;
	unsigned all;
	unsigned short clients[RATE_SLOTS];
};
#define RATE_INIT(client, every)                                                                   \
	{                                                                                          \
		.lock = PTHREAD_MUTEX_INITIALIZER, .client_max = (client), .all_max = (every)      \
	}

/* Counts one; false where it is one too many. `client` "" counts for all alone: who is behind a
 * proxy isn't known. By any thread. */
bool rate_take(struct rate *rate, const char *client, struct instant now);

#endif
