/* SPDX-License-Identifier: MIT */
/*
 * The channel as a source: what is published while we listen. Messages gather up to a bound while
 * the engine takes no more; beyond it they are lost, counted and logged.
 */
#include "dispatchd/redis/channel.h"

#include "base/mem.h"
#include "common/clock.h"
#include "dispatchd/sys/log.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct message {
	struct message *next;
	size_t len;
	char text[];
};

struct channel {
	struct source source;
	struct redis_connection *connection;
	struct message *first, **last; /* come and not yet handed over */
	size_t n, bytes;
	uint64_t lost;
	bool subscribed;          /* since the start */
	struct tick heartbeat_at; /* when the next confirmation is requested */
};

struct channel *channel_new(struct flow *flow, struct redis_connection *connection, const char *key)
{
	struct channel *channel = mem_alloc(sizeof(*channel));
	channel->source = (struct source){.kind = "channel", .key = key, .feed = FEED_EVENTS};
	channel->connection = connection;
	channel->last = &channel->first;
	flow_add(flow, &channel->source);
	log_fault(LOG_NOTICE,
	          "Redis keeps nothing for an absent subscriber: events that are published while "
	          "dispatchd or the connection is down are lost channel=%s",
	          key);
	return channel;
}

static void drop_first(struct channel *channel)
{
	struct message *message = channel->first;
	channel->first = message->next;
	if (!channel->first)
		channel->last = &channel->first;
	channel->n--;
	channel->bytes -= message->len;
	free(message);
}

struct channel *channel_free(struct channel *channel)
{
	if (!channel)
		return NULL;
	while (channel->first)
		drop_first(channel);
	free(channel);
	return NULL;
}

static void channel_keep(struct channel *channel, const redisReply *text)
{
	if (channel->n >= CHANNEL_MESSAGES_MAX || channel->bytes + text->len > CHANNEL_BYTES_MAX) {
		channel->lost++;
		log_state(LOG_ERR | MESSAGE_ENTRIES_LOST, channel->source.key,
		          "messages of a channel are lost: they arrive faster than they can be "
		          "processed channel=%s n=%" PRIu64,
		          channel->source.key, channel->lost);
		return;
	}
	struct message *message = mem_alloc(sizeof(*message) + text->len + 1);
	message->len = text->len;
	memcpy(message->text, text->str, text->len);
	*channel->last = message;
	channel->last = &message->next;
	channel->n++;
	channel->bytes += message->len;
	channel->source.flow->wake(channel->source.flow->wake_arg);
}

static void on_message(void *arg, const redisReply *reply)
{
	struct channel *channel = arg;
	if (!reply || reply->type != REDIS_REPLY_ARRAY || reply->elements != 3)
		return;
	const redisReply *kind = reply->element[0], *text = reply->element[2];
	if (kind->type == REDIS_REPLY_STRING && !strcmp(kind->str, "message") &&
	    text->type == REDIS_REPLY_STRING)
		channel_keep(channel, text);
}

static void subscribe(struct channel *channel)
{
	redis_connection_subscribe(channel->connection, channel->source.key, on_message, channel);
	channel->heartbeat_at.ms = clock_tick().ms + CHANNEL_HEARTBEAT_MS;
}

void channel_reset(struct channel *channel)
{
	if (channel->subscribed)
		log_fault(LOG_WARNING,
		          "subscribed again: messages that were published since the connection was "
		          "lost are lost channel=%s",
		          channel->source.key);
	channel->subscribed = true;
	subscribe(channel);
}

/* Half of the room is for messages that wait for customers of the feed. */
static bool hands_over(const struct channel *channel, bool feed_first)
{
	bool urgent =
	        channel->n > CHANNEL_MESSAGES_MAX / 2 || channel->bytes > CHANNEL_BYTES_MAX / 2;
	return channel->n && flow_wants(&channel->source) && (!feed_first || urgent);
}

void channel_turn(struct channel *channel, bool feed_first)
{
	if (!channel)
		return;
	while (hands_over(channel, feed_first)) {
		size_t n = channel->n < FLOW_READ_ENTRIES ? channel->n : FLOW_READ_ENTRIES;
		struct intake *intake = flow_intake(&channel->source, n);
		for (; n > 0 && flow_bytes(intake) < FLOW_READ_BYTES; n--) {
			flow_add_message(intake, channel->first->text, channel->first->len);
			drop_first(channel);
		}
		flow_submit(&channel->source, intake);
	}
	if (redis_connection_ready(channel->connection) &&
	    !redis_connection_awaited(channel->connection) &&
	    clock_tick().ms >= channel->heartbeat_at.ms)
		subscribe(channel);
}

uint64_t channel_lost(const struct channel *channel)
{
	return channel ? channel->lost : 0;
}
