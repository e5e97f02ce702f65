/* SPDX-License-Identifier: MIT */
#include "center/pages/rate.h"

#include <string.h>

enum { MINUTE_MS = 60 * 1000 };

/* FNV-1a. */
static size_t slot_of(const char *client)
{
	uint32_t hash = 2166136261u;
	for (; *client != '\0'; client++)
		hash = (hash ^ (unsigned char)*client) * 16777619u;
	return hash % RATE_SLOTS;
}

bool rate_take(struct rate *rate, const char *client, struct instant now)
{
	(void)pthread_mutex_lock(&rate->lock);
	int64_t minute = now.ms / MINUTE_MS;
	if (minute != rate->minute) {
		rate->minute = minute;
		rate->all = 0;
		memset(rate->clients, 0, sizeof rate->clients);
	}
	unsigned short none = 0, *own = *client != '\0' ? &rate->clients[slot_of(client)] : &none;
	bool fine = rate->all < rate->all_max && *own < rate->client_max;
	if (fine) {
		rate->all++;
		(*own)++;
	}
	(void)pthread_mutex_unlock(&rate->lock);
	return fine;
}
