/* SPDX-License-Identifier: MIT */
/*
 * Reads the streams by consumer group, in the stages of reader.h: first what was delivered to us
 * before, then what is new, the customers feed always ahead of the events.
 */
#include "dispatchd/redis/reader.h"

#include "base/backoff.h"
#include "base/mem.h"
#include "common/clock.h"
#include "dispatchd/redis/gap.h"
#include "dispatchd/sys/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ID_MAX = 48, RECHECK_MS = 5000, GAPS_EVERY_MS = 5000, GAPS_RETRY_MS = 3600 * 1000 };
/* No entry has one behind it; the very last id means ">" to Redis. */
#define ID_LAST "18446744073709551615-18446744073709551614"
static const struct backoff pace = {.min_ms = 50, .max_ms = 5000};

/* In order; the feed is read when STAGE_OWN is reached. */
enum stage {
	STAGE_WAIT,
	STAGE_GROUPS,
	STAGE_OWN_FEED,
	STAGE_NEW_FEED,
	STAGE_OWN,
	STAGE_NEW,
	STAGES
};

/* What is read in a stage, and what follows when there is no more of it. */
static const struct stage_row {
	bool reads, own, feed_only, blocks;
	enum stage next;
} stages[STAGES] = {
        [STAGE_WAIT] = {.next = STAGE_GROUPS},
        [STAGE_GROUPS] = {.next = STAGE_OWN_FEED},
        [STAGE_OWN_FEED] = {.reads = true, .own = true, .feed_only = true, .next = STAGE_NEW_FEED},
        [STAGE_NEW_FEED] = {.reads = true, .feed_only = true, .next = STAGE_OWN},
        [STAGE_OWN] = {.reads = true, .own = true, .next = STAGE_NEW},
        [STAGE_NEW] = {.reads = true, .blocks = true, .next = STAGE_NEW},
};

struct stream {
	struct source source;
	struct reader *reader;
	bool usable;                        /* the group is there, and may be read */
	bool asked;                         /* by the read under way */
	char group_words[HEALTH_WORDS_MAX]; /* why the group could not be made; "" where it could */
	bool own_read;                      /* entries delivered earlier are all read */
	struct gap gap;
	char last[ID_MAX]; /* of those, the last one's id */
	bool too_long;     /* the one behind `before` is, by itself */
	char before[ID_MAX];
};

struct reader {
	struct flow *flow;
	struct redis_connection *connection;
	struct stream streams[READER_STREAMS_MAX];
	size_t n;
	enum stage stage;
	unsigned waiting;     /* answers not yet there */
	bool groups_failed;   /* one of them at least */
	unsigned failures;    /* in a row */
	struct tick retry_at; /* nothing is read before */
	struct tick recheck_at;
	struct tick gaps_at; /* when it is looked next for entries that were trimmed unread */
	struct tick gaps_not_before; /* not before: the answer was too long */
	bool looking;                /* for such entries, just now */
	struct stream
	        *alone; /* the read under way asks for one entry, delivered earlier, of this one */
	bool put_aside; /* an entry that is too long, just now */
};

static void reader_acknowledge(struct source *source, struct intake *intake)
{
	struct args args = {0};
	args_add_all(&args, "XACK", source->key, source->flow->group, NULL);
	for (size_t i = 0; i < intake->n; i++)
		args_add(&args, intake->entries[i].id);
	flow_send_ack(intake, &args);
	args_free(&args);
}

struct reader *reader_new(struct flow *flow, struct redis_connection *connection)
{
	struct reader *reader = mem_alloc(sizeof(*reader));
	reader->flow = flow;
	reader->connection = connection;
	return reader;
}

struct reader *reader_free(struct reader *reader)
{
	free(reader);
	return NULL;
}

void reader_add(struct reader *reader, const char *key, enum entry_feed feed)
{
	if (!*key)
		return;
	struct stream *stream = &reader->streams[reader->n++];
	stream->reader = reader;
	stream->source = (struct source){
	        .kind = "stream", .key = key, .feed = feed, .acknowledge = reader_acknowledge};
	flow_add(reader->flow, &stream->source);
}

size_t reader_streams(const struct reader *reader)
{
	return reader->n;
}

struct source *reader_stream(struct reader *reader, size_t i)
{
	return &reader->streams[i].source;
}

bool reader_usable(const struct reader *reader, size_t i)
{
	return reader->streams[i].usable;
}

bool reader_feed_first(const struct reader *reader)
{
	for (size_t i = 0; i < reader->n; i++)
		if (reader->streams[i].source.feed == FEED_CUSTOMERS)
			return reader->stage < STAGE_OWN && !reader->failures;
	return false;
}

void reader_reset(struct reader *reader)
{
	for (size_t i = 0; i < reader->n; i++) {
		reader->streams[i].usable = false;
		reader->streams[i].own_read = false;
		snprintf(reader->streams[i].last, ID_MAX, "0");
		gap_reset(&reader->streams[i].gap);
		reader->streams[i].source.lag.known = false;
	}
	reader->looking = false;
	reader->alone = NULL;
	reader->stage = STAGE_WAIT;
	reader->waiting = 0;
	reader->failures = 0;
	reader->retry_at.ms = 0;
	reader->gaps_at.ms = 0;
}

/* XINFO shows a stream's first entry with all that is in it; it may stay there for long. */
void reader_too_long(struct reader *reader)
{
	struct stream *stream = reader->alone;
	if (reader->looking) {
		reader->gaps_not_before.ms = clock_tick().ms + GAPS_RETRY_MS;
		return;
	}
	if (stream) {
		stream->too_long = true;
		snprintf(stream->before, ID_MAX, "%s", stream->last);
	}
	flow_read_less(reader->flow);
}

static void back_off(struct reader *reader)
{
	reader->retry_at.ms =
	        clock_tick().ms + backoff_ms(pace, ++reader->failures, redis_connection_random());
}

/* ---- groups */

/* A stream whose group can't be created may still be readable: Redis refuses XGROUP CREATE to a
 * user without the right whether the group exists or not. */
static void on_group(void *arg, const redisReply *reply)
{
	struct stream *stream = arg;
	struct reader *reader = stream->reader;
	if (!reply)
		return; /* reader_reset() comes with the next connection */
	reader->waiting--;
	stream->group_words[0] = '\0';
	if (reply->type == REDIS_REPLY_STATUS)
		log_fault(LOG_INFO, "consumer group created stream=%s group=%s", stream->source.key,
		          reader->flow->group);
	else if (reply->type == REDIS_REPLY_ERROR)
		snprintf(stream->group_words, sizeof(stream->group_words), "%s", reply->str);
}

/* The answer to a read that can't find anything shows for each stream by itself whether it may be
 * read. */
static void on_check(void *arg, const redisReply *reply)
{
	struct stream *stream = arg;
	struct reader *reader = stream->reader;
	if (!reply)
		return; /* as above */
	reader->waiting--;
	stream->usable = reply->type != REDIS_REPLY_ERROR;
	if (!stream->usable) {
		bool no_group = !strncmp(reply->str, "NOGROUP", 7) && stream->group_words[0];
		reader->groups_failed = true;
		health_refuse(&stream->source.reading, "stream can't be read",
		              no_group ? stream->group_words : reply->str);
	}
	if (reader->waiting)
		return;
	if (reader->groups_failed)
		reader->recheck_at.ms = clock_tick().ms + RECHECK_MS;
	reader->stage = reader->put_aside ? STAGE_WAIT : stages[STAGE_GROUPS].next;
	reader->put_aside = false;
	reader->flow->wake(reader->flow->wake_arg);
}

static void reader_ask(struct stream *stream, struct args *args, redis_connection_reply *fn)
{
	if (redis_connection_send(stream->reader->connection, args, fn, stream))
		stream->reader->waiting++;
	args_reset(args);
}

/* [[id, consumer, idle, deliveries]] of the entry that is too long. */
static void reader_on_too_long(void *arg, const redisReply *reply)
{
	struct stream *stream = arg;
	if (!reply)
		return; /* as above; asked for again */
	stream->reader->waiting--;
	stream->too_long = false;
	const redisReply *entry =
	        reply->type == REDIS_REPLY_ARRAY && reply->elements > 0 ? reply->element[0] : NULL;
	if (!entry || entry->type != REDIS_REPLY_ARRAY || !entry->elements ||
	    entry->element[0]->type != REDIS_REPLY_STRING)
		return;
	const char *id = entry->element[0]->str;
	log_write(LOG_ERR,
	          "an entry is too large to be read and becomes a dead letter stream=%s entry=%s",
	          stream->source.key, id);
	struct intake *intake = flow_intake(&stream->source, 1);
	flow_add_unread(intake, id);
	flow_submit(&stream->source, intake);
	stream->reader->put_aside = true;
}

static void ask_too_long(struct stream *stream)
{
	struct args args = {0};
	char from[ID_MAX + 1];
	snprintf(from, sizeof(from), "(%s", stream->before);
	args_add_all(&args, "XPENDING", stream->source.key, stream->reader->flow->group, from, "+",
	             "1", stream->reader->flow->consumer, NULL);
	reader_ask(stream, &args, reader_on_too_long);
	args_free(&args);
}

static void ask_groups(struct reader *reader)
{
	struct args args = {0};
	reader->groups_failed = false;
	for (size_t i = 0; i < reader->n; i++) {
		struct stream *stream = &reader->streams[i];
		if (stream->too_long)
			ask_too_long(stream);
		args_add_all(&args, "XGROUP", "CREATE", stream->source.key, reader->flow->group,
		             "0", "MKSTREAM", NULL);
		reader_ask(stream, &args, on_group);
		args_add_all(&args, "XREADGROUP", "GROUP", reader->flow->group,
		             reader->flow->consumer, "COUNT", "1", "STREAMS", stream->source.key,
		             ID_LAST, NULL);
		reader_ask(stream, &args, on_check);
	}
	args_free(&args);
}

/* ---- reading */

static bool wanted(const struct reader *reader, const struct stream *stream)
{
	const struct stage_row *row = &stages[reader->stage];
	return stream->usable && !(row->own && stream->own_read) &&
	       !(row->feed_only && stream->source.feed != FEED_CUSTOMERS);
}

static struct stream *find_stream(struct reader *reader, const redisReply *key)
{
	for (size_t i = 0; i < reader->n; i++)
		if (key->type == REDIS_REPLY_STRING &&
		    strlen(reader->streams[i].source.key) == key->len &&
		    !memcmp(reader->streams[i].source.key, key->str, key->len))
			return &reader->streams[i];
	return NULL;
}

/* One stream's part of an answer. */
static void take_entries(struct stream *stream, const redisReply *entries)
{
	struct reader *reader = stream->reader;
	if (!entries->elements) {
		stream->own_read = true; /* only asked for its own does a stream answer with none */
		return;
	}
	if (!stages[reader->stage].own)
		stream->gap.delivered += (int64_t)entries->elements;
	struct intake *intake = flow_intake(&stream->source, entries->elements);
	for (size_t i = 0; i < entries->elements; i++)
		flow_add_stream_entry(intake, entries->element[i]);
	if (intake->n)
		snprintf(stream->last, ID_MAX, "%s", intake->entries[intake->n - 1].id);
	/* While the feed is long it is read on alone. */
	if (reader->stage == STAGE_NEW && stream->source.feed == FEED_CUSTOMERS &&
	    intake->n >= flow_read_max(reader->flow))
		reader->stage = STAGE_NEW_FEED;
	flow_submit(&stream->source, intake);
}

static void take_streams(struct reader *reader, const redisReply *reply)
{
	for (size_t i = 0; i < reply->elements; i++) {
		const redisReply *part = reply->element[i];
		if (part->type != REDIS_REPLY_ARRAY || part->elements != 2 ||
		    part->element[1]->type != REDIS_REPLY_ARRAY)
			continue;
		struct stream *stream = find_stream(reader, part->element[0]);
		if (stream)
			take_entries(stream, part->element[1]);
	}
}

/* A group or stream that was removed is created again, and the stream that has become unusable is
 * found. Where each of them may be read but not all together, all of them are refused. */
static void on_read_error(struct reader *reader, const char *text)
{
	bool new_stream = !strncmp(text, "NOGROUP", 7) && !reader->failures;
	if (!new_stream && !reader->failures)
		log_fault(LOG_ERR | MESSAGE_REDIS_REFUSES, "Redis refuses reads reply=\"%s\"",
		          text);
	for (size_t i = 0; reader->failures && i < reader->n; i++)
		if (reader->streams[i].asked)
			health_refuse(&reader->streams[i].source.reading, "stream can't be read",
			              text);
	back_off(reader);
	reader->stage = STAGE_GROUPS;
}

/* That the feed can be read alone says nothing of all streams together. */
static void on_read_success(struct reader *reader)
{
	if (stages[reader->stage].feed_only && reader->failures)
		return;
	reader->failures = 0;
	for (size_t i = 0; i < reader->n; i++)
		if (reader->streams[i].asked)
			health_allow(&reader->streams[i].source.reading);
}

static void reader_on_read(void *arg, const redisReply *reply)
{
	struct reader *reader = arg;
	if (!reply)
		return; /* reader_reset() comes with the next connection */
	reader->waiting--;
	reader->alone = NULL;
	if (reply->type == REDIS_REPLY_ERROR) {
		on_read_error(reader, reply->str);
	} else {
		on_read_success(reader);
		if (reply->type == REDIS_REPLY_ARRAY && reply->elements)
			take_streams(reader, reply);
		else
			reader->stage = stages[reader->stage].next;
	}
	reader->flow->wake(reader->flow->wake_arg);
}

static void on_oldest(void *arg, const redisReply *reply)
{
	struct stream *stream = arg;
	if (!reply)
		return; /* reader_reset() comes with the next connection */
	stream->reader->waiting--;
	stream->reader->looking = stream->reader->waiting > 0;
	lag_read_oldest(&stream->source.lag, reply);
	stream->reader->flow->wake(stream->reader->flow->wake_arg);
}

static void look_for_lag(struct stream *stream, const redisReply *info)
{
	struct args args = {0};
	char after[LAG_ID_MAX], from[LAG_ID_MAX + 1];
	if (!lag_read(&stream->source.lag, info, stream->reader->flow->group, after))
		return;
	snprintf(from, sizeof(from), "(%s", after);
	args_add_all(&args, "XRANGE", stream->source.key, from, "+", "COUNT", "1", NULL);
	reader_ask(stream, &args, on_oldest);
	args_free(&args);
}

/* Between two reads, so that the numbers fit what was delivered. A user without the right isn't
 * warned. */
static void on_gap(void *arg, const redisReply *reply)
{
	struct stream *stream = arg;
	if (!reply)
		return; /* reader_reset() comes with the next connection */
	stream->reader->waiting--;
	if (reply->type == REDIS_REPLY_ARRAY) {
		flow_lost(&stream->source,
		          gap_check(&stream->gap, reply, stream->reader->flow->group,
		                    stream->reader->flow->consumer));
		look_for_lag(stream, reply);
	} else {
		stream->source.lag.known = false;
	}
	stream->reader->looking = stream->reader->waiting > 0;
	stream->reader->flow->wake(stream->reader->flow->wake_arg);
}

/* Before anything is read over a new connection, and now and then. True while answers are due. */
static bool look_for_gaps(struct reader *reader, struct tick now)
{
	struct args args = {0};
	if (now.ms < reader->gaps_at.ms || now.ms < reader->gaps_not_before.ms ||
	    reader->stage <= STAGE_GROUPS)
		return false;
	reader->gaps_at.ms = now.ms + GAPS_EVERY_MS;
	for (size_t i = 0; i < reader->n; i++) {
		struct stream *stream = &reader->streams[i];
		args_add_all(&args, "XINFO", "STREAM", stream->source.key, "FULL", "COUNT", "1",
		             NULL);
		if (stream->usable)
			reader_ask(stream, &args, on_gap);
		args_reset(&args);
	}
	args_free(&args);
	reader->looking = reader->waiting > 0;
	return reader->looking;
}

/* Whether a stream is left out of a read for now, since enough of it is on the way. */
static bool left_out(const struct reader *reader, const struct stream *stream)
{
	return reader->stage == STAGE_NEW && !flow_wants(&stream->source);
}

/* False where this stage has no stream to read (anymore). What is left out is wanted again soon:
 * the others are not waited for as long as otherwise. */
static bool read_streams(struct reader *reader)
{
	const struct stage_row *row = &stages[reader->stage];
	struct args args = {0};
	size_t n = 0, most = flow_read_max(reader->flow);
	/* One stream at a time: it is known whose answer is too long. */
	bool one = row->own && most == 1;
	int64_t block_ms = READER_BLOCK_MS;
	for (size_t i = 0; i < reader->n; i++)
		if (wanted(reader, &reader->streams[i]) && left_out(reader, &reader->streams[i]))
			block_ms = READER_SHORT_MS;
	reader->alone = NULL;
	args_add_all(&args, "XREADGROUP", "GROUP", reader->flow->group, reader->flow->consumer,
	             "COUNT", NULL);
	args_add_number(&args, (int64_t)most);
	if (row->blocks) {
		args_add(&args, "BLOCK");
		args_add_number(&args, block_ms);
	}
	args_add(&args, "STREAMS");
	for (size_t i = 0; i < reader->n; i++) {
		struct stream *stream = &reader->streams[i];
		stream->asked =
		        wanted(reader, stream) && !left_out(reader, stream) && !(one && n > 0);
		if (!stream->asked)
			continue;
		reader->alone = one ? stream : NULL;
		args_add(&args, stream->source.key);
		n++;
	}
	for (size_t i = 0; i < reader->n; i++)
		if (reader->streams[i].asked)
			args_add(&args, row->own ? reader->streams[i].last : ">");
	if (n && redis_connection_send(reader->connection, &args, reader_on_read, reader))
		reader->waiting = 1;
	args_free(&args);
	return n > 0;
}

static bool none_in_flight(const struct reader *reader)
{
	for (size_t i = 0; i < reader->n; i++)
		if (reader->streams[i].source.in_flight)
			return false;
	return true;
}

void reader_turn(struct reader *reader)
{
	struct tick now = clock_tick();
	if (!reader->n || reader->waiting || !redis_connection_ready(reader->connection) ||
	    now.ms < reader->retry_at.ms)
		return;
	if (reader->stage == STAGE_WAIT && none_in_flight(reader))
		reader->stage = STAGE_GROUPS;
	if (reader->stage == STAGE_NEW && reader->groups_failed && now.ms >= reader->recheck_at.ms)
		reader->stage = STAGE_GROUPS;
	if (reader->stage == STAGE_GROUPS && !reader->flow->closed)
		ask_groups(reader);
	if (reader->waiting || look_for_gaps(reader, now))
		return;
	/* A stage without anything to read makes way for the next; the last one stays. */
	while (stages[reader->stage].reads && flow_open(reader->flow) && !read_streams(reader) &&
	       reader->stage != STAGE_NEW)
		reader->stage = stages[reader->stage].next;
}
