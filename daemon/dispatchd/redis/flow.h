/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_REDIS_FLOW_H
#define DISPATCHD_REDIS_FLOW_H

#include "base/instant.h"
#include "dispatchd/engine/engine_thread.h"
#include "dispatchd/redis/connection.h"
#include "dispatchd/redis/health.h"
#include "dispatchd/redis/lag.h"

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What is on its way between Redis and the engine, whatever kind of source it came from: bounds it,
 * and sees to it that every intake is acknowledged after its commit, however often Redis goes away
 * in between.
 *
 *   source ── flow_submit() ──▶ engine ── flow_done() ──▶ `committed` ── acknowledge ──▶ Redis
 *                                                             ▲──── not answered ────┘
 */
enum {
	FLOW_SOURCES_MAX = 5,     /* three streams, a list, a channel */
	FLOW_INTAKES_MAX = 64,    /* on their way at once */
	FLOW_BYTES_MAX = 6 << 20, /* in them; one read more may come */
	FLOW_EVENTS_MAX = 48,     /* intakes of events among them: the rest is for others, which */
	FLOW_EVENTS_BYTES_MAX = 4 << 20, /* the engine takes while events wait for the mailers */
	FLOW_READ_ENTRIES = 256,         /* in one read, at most */
	/* In one read of one source, unless entries break max_event_size. */
	FLOW_READ_BYTES = 4 << 20,
	FLOW_RETRY_MS = 1000,      /* before something that Redis refused is tried again */
	FLOW_ENTRY_OVERHEAD = 200, /* bytes that an entry takes besides its content, about */
	FLOW_FIELD_OVERHEAD = 32,
};

struct flow;
struct source;

/* How a kind of source acknowledges: one flow_send_ack() for each command that it takes. NULL where
 * there is nothing to acknowledge. */
typedef void source_acknowledge(struct source *source, struct intake *intake);

struct source {
	struct flow *flow;
	int number;       /* what intake->source says */
	const char *kind; /* "stream", for log and metrics */
	const char *key;  /* the stream's, list's, channel's name */
	enum entry_feed feed;
	source_acknowledge *acknowledge;
	unsigned in_flight;                         /* intakes submitted and not yet acknowledged */
	struct intake *committed, **committed_tail; /* to be acknowledged */
	struct tick retry_at;                       /* not before, since Redis refused to */
	struct tracked *oldest, *newest;            /* in flight, in order */
	uint64_t entries;                           /* read since the start */
	uint64_t lost;                              /* removed from Redis before they were read */
	struct instant lost_at;                     /* the last of them */
	struct health reading, acknowledging;
	struct health alone; /* refused while another consumer reads it, too: consumers.h */
	struct lag lag;      /* of a stream, at the last look */
};

struct flow {
	struct engine_thread *engine;
	struct redis_connection *commands; /* acknowledgements go this way */
	const char *group, *consumer;
	void (*wake)(void *arg); /* asks for a turn of the loop */
	void *wake_arg;
	struct source *sources[FLOW_SOURCES_MAX];
	size_t n_sources;
	unsigned in_flight;
	size_t bytes;
	size_t entry_max; /* [redis] max_event_size */
	size_t largest;   /* entry read lately, where it is beyond that */
	bool closed;      /* the daemon is stopping */
};

void flow_add(struct flow *flow, struct source *source);
/* Whether more may be read now; and of this source. */
bool flow_open(const struct flow *flow);
bool flow_wants(const struct source *source);
/* How many entries a read may ask for: nobody knows how large they are before they are here, so as
 * many as FLOW_READ_BYTES hold of the largest. One at least. */
size_t flow_read_max(const struct flow *flow);
/* The last answer was too long: asks for an eighth, for a while. */
void flow_read_less(struct flow *flow);

/* An empty intake of this source with room for `max` entries, and one entry's end: false where the
 * reply is none. */
struct intake *flow_intake(struct source *source, size_t max);
bool flow_add_stream_entry(struct intake *intake, const redisReply *reply);
void flow_add_message(struct intake *intake, const char *text, size_t len);
/* An entry of which the id is all that can be read. */
void flow_add_unread(struct intake *intake, const char *id);
size_t flow_bytes(const struct intake *intake);

/* Takes it over. Entries that were deleted in Redis (no fields) are acknowledged without the
 * engine. */
void flow_submit(struct source *source, struct intake *intake);
void flow_done(struct flow *flow, struct intake *list); /* the engine has committed these */
void flow_turn(struct flow *flow);                      /* acknowledges what is committed */
void flow_send_ack(struct intake *intake, const struct args *args);
void flow_reset(struct flow *flow); /* the connection is new: what was refused is asked for again */
/* How long the oldest intake of the source has been on its way; 0 where there is none. */
int64_t flow_age_ms(const struct source *source);
void flow_lost(struct source *source, int64_t n); /* counts and logs them */
void flow_free(struct flow *flow); /* what was never acknowledged will be read again */

#endif
