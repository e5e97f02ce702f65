/* SPDX-License-Identifier: MIT */
/* XINFO CONSUMERS for one stream after the other, over the connection for commands. */
#include "dispatchd/redis/consumers.h"

#include "base/mem.h"
#include "common/clock.h"
#include "dispatchd/redis/xinfo.h"
#include "dispatchd/sys/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct look {
	struct consumers *consumers;
	size_t stream; /* the reader's number */
	struct tick at;
	bool asked;
};

struct consumers {
	struct flow *flow;
	struct reader *reader;
	int64_t claim_after_ms;
	struct look looks[READER_STREAMS_MAX];
};

/* The other one that was active last; NULL where all have been idle for long enough. */
static const redisReply *find_live(const struct consumers *consumers, const redisReply *list,
                                   int64_t *ret_idle_ms)
{
	const redisReply *found = NULL;
	for (size_t i = 0; i < list->elements; i++) {
		const redisReply *one = list->element[i];
		const char *name = xinfo_text(one, "name");
		int64_t idle_ms;
		if (!*name || !strcmp(name, consumers->flow->consumer) ||
		    !xinfo_number(one, "idle", &idle_ms) || idle_ms >= consumers->claim_after_ms)
			continue;
		if (!found || idle_ms < *ret_idle_ms) {
			found = one;
			*ret_idle_ms = idle_ms;
		}
	}
	return found;
}

static void on_consumers(void *arg, const redisReply *reply)
{
	struct look *look = arg;
	struct source *source = reader_stream(look->consumers->reader, look->stream);
	char words[HEALTH_WORDS_MAX];
	int64_t idle_ms = 0;
	look->asked = false;
	if (!reply || reply->type != REDIS_REPLY_ARRAY) /* no group yet, or no right to ask */
		return;
	const redisReply *live = find_live(look->consumers, reply, &idle_ms);
	if (!live) {
		health_allow(&source->alone);
		return;
	}
	snprintf(words, sizeof(words),
	         "consumer \"%.80s\" of the same group reads it, too: two daemons would split a "
	         "job's events (idle for %" PRId64 " s)",
	         xinfo_text(live, "name"), idle_ms / 1000);
	health_report(&source->alone, LOG_WARNING, "another consumer of the group is alive", words);
}

static void look_at(struct look *look, struct tick now)
{
	struct consumers *consumers = look->consumers;
	if (look->asked || now.ms < look->at.ms)
		return;
	struct args args = {0};
	args_add_all(&args, "XINFO", "CONSUMERS",
	             reader_stream(consumers->reader, look->stream)->key, consumers->flow->group,
	             NULL);
	look->asked = redis_connection_send(consumers->flow->commands, &args, on_consumers, look);
	look->at.ms = now.ms + CONSUMERS_LOOK_MS;
	args_free(&args);
}

struct consumers *consumers_new(struct flow *flow, struct reader *reader, int64_t claim_after_ms)
{
	struct consumers *consumers = mem_alloc(sizeof(*consumers));
	*consumers = (struct consumers){
	        .flow = flow, .reader = reader, .claim_after_ms = claim_after_ms};
	for (size_t i = 0; i < READER_STREAMS_MAX; i++)
		consumers->looks[i] = (struct look){.consumers = consumers, .stream = i};
	return consumers;
}

void consumers_set(struct consumers *consumers, int64_t claim_after_ms)
{
	consumers->claim_after_ms = claim_after_ms;
	for (size_t i = 0; i < READER_STREAMS_MAX; i++)
		consumers->looks[i].at.ms = 0;
}

struct consumers *consumers_free(struct consumers *consumers)
{
	free(consumers);
	return NULL;
}

void consumers_reset(struct consumers *consumers)
{
	for (size_t i = 0; i < READER_STREAMS_MAX; i++)
		consumers->looks[i].asked = false;
}

void consumers_turn(struct consumers *consumers)
{
	struct tick now = clock_tick();
	if (consumers->flow->closed || !redis_connection_ready(consumers->flow->commands))
		return;
	for (size_t i = 0; i < reader_streams(consumers->reader); i++)
		if (reader_usable(consumers->reader, i))
			look_at(&consumers->looks[i], now);
}
