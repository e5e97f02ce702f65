/* SPDX-License-Identifier: MIT */
#ifndef CENTER_LIVE_LIVE_H
#define CENTER_LIVE_LIVE_H

#include "base/error.h"
#include "center/http/server.h"
#include "model/settings.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * What pages hear of changes as they happen: a thread asks both databases four times a second
 * whether somebody has written, whoever it was, and keeps the last few hundred events; each open
 * page has a stream of those that it asked for (server-sent events, as the HTML standard has them).
 */
struct live;

struct live *live_new(const struct settings *settings);
/* Begins to watch and to wake the server's streams; 71 where no thread can be had. */
bool live_start(struct live *live, struct server *server, struct error *err) MUST_CHECK;
struct live *live_free(struct live *live); /* after the server's end; takes NULL, returns NULL */
/* Ends the watch; before the server's end, since it wakes that one's streams. */
void live_stop(struct live *live);

enum { LIVE_CUSTOMERS_MAX = 16, LIVE_CHAIN_MAX = 8, LIVE_NUMBER_MAX = 256 };

/* What a page asked for. */
struct live_topics {
	struct live_customer {
		char number[LIVE_NUMBER_MAX];  /* as events have it */
		int64_t chain[LIVE_CHAIN_MAX]; /* ids: its own, then its parents'; 0 behind them */
	} customers[LIVE_CUSTOMERS_MAX];
	size_t n_customers;
	bool holds, mails;
	bool jobs; /* anything about a customer that isn't named */
};

/* Which events are out, for a page to hear of all behind it: taken before what it shows is read. */
enum { LIVE_POSITION_SIZE = 48 };
void live_position(struct live *live, char ret[LIVE_POSITION_SIZE]);

/*
 * The stream of a page. `last_id` is a position, or the Last-Event-ID that it came with (NULL:
 * none): what has happened since comes first, or, where that isn't known anymore, each topic
 * once.
 */
struct response_stream live_subscribe(struct live *live, const struct live_topics *topics,
                                      const char *last_id);

#endif
