/* SPDX-License-Identifier: MIT */
/*
 * Sends rows of the outbox (outbox.c) to their streams, one transaction at a time, and reports to
 * the engine up to which row Redis has them. Streams that refuse are tried again on their own.
 */
#include "dispatchd/redis/publish.h"

#include "base/mem.h"
#include "common/clock.h"
#include "dispatchd/redis/outbox.h"
#include "dispatchd/sys/log.h"
#include "engine/engine.h"

#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>

enum { PROBE_EVERY_MS = 10000, PROBE_ASKED_MS = 1000, HISTORY = 64, HISTORY_STEP_MS = 1000 };

/* Up to which row Redis had confirmed all of them at that time. */
struct confirmed_until {
	struct tick at;
	int64_t seq;
};

/* A stream that rows go to. */
struct outgoing {
	struct outgoing *next;
	struct publisher *publisher;
	struct health health;
	bool expected; /* by the configuration; others are here while they refuse */
	char key[];
};

struct publisher {
	struct engine_thread *engine;
	struct redis_connection *connection;
	struct outbox *outbox;
	struct publication *sent[PUBLISH_ROWS_MAX]; /* in the transaction under way */
	size_t n_sent;                              /* 0: none is */
	size_t n_answered;                          /* of these, as they were queued */
	bool refused;                               /* one of them at least */
	struct outgoing *streams;
	struct tick probed;
	unsigned probing; /* answers not yet there */
	bool probe_soon;
	struct args args; /* of a row; its memory is kept */
	bool held;        /* until it is known which server this is */
	bool confirmed;   /* something was, over this connection */
	bool skips;       /* publications, until those come that were asked for again */
	int64_t taken;    /* the last row of all that were confirmed */
	struct confirmed_until history[HISTORY]; /* a ring, about one entry a second */
	size_t newest, n_history;
	int64_t safe;    /* any server has the rows up to this one: as of the last loss; -1: none */
	bool one_by_one; /* the user may not use transactions, so none is used */
};

struct publisher *publisher_free(struct publisher *publisher)
{
	if (!publisher)
		return NULL;
	outbox_free(publisher->outbox);
	args_free(&publisher->args);
	while (publisher->streams) {
		struct outgoing *next = publisher->streams->next;
		free(publisher->streams);
		publisher->streams = next;
	}
	free(publisher);
	return NULL;
}

/* ---- what was confirmed when */

static void note_confirmed(struct publisher *publisher, int64_t seq, struct tick at)
{
	const struct confirmed_until *newest = &publisher->history[publisher->newest];
	if (publisher->n_history > 0 && at.ms - newest->at.ms < HISTORY_STEP_MS)
		return; /* that it has more by now is on the safe side */
	publisher->newest = (publisher->newest + 1) % HISTORY;
	publisher->history[publisher->newest] = (struct confirmed_until){at, seq};
	publisher->n_history += publisher->n_history < HISTORY;
}

/* The latest that is old enough; else the oldest that is known. */
static int64_t confirmed_before(const struct publisher *publisher, struct tick at)
{
	int64_t seq = 0;
	for (size_t i = 0; i < publisher->n_history; i++) {
		const struct confirmed_until *one =
		        &publisher->history[(publisher->newest + HISTORY - i) % HISTORY];
		seq = one->seq;
		if (one->at.ms <= at.ms)
			break;
	}
	return seq;
}

/* As if this process had published what the one before it did. */
struct publisher *publisher_new(struct engine_thread *engine, struct redis_connection *connection)
{
	struct publisher *publisher = mem_alloc(sizeof(*publisher));
	struct published_at_start before = engine_thread_published_at_start(engine);
	struct tick now = clock_tick();
	publisher->engine = engine;
	publisher->connection = connection;
	publisher->outbox = outbox_new();
	publisher->taken = before.last;
	publisher->safe = -1;
	note_confirmed(publisher, before.a_minute_ago, (struct tick){now.ms - PUBLISH_AGAIN_MS});
	note_confirmed(publisher, before.last, now);
	return publisher;
}

/* ---- */

void publisher_add(struct publisher *publisher, struct publications *list)
{
	while (publisher->skips && list && !list->again) {
		struct publications *next = list->next;
		list->next = NULL;
		outbox_skip(publisher->outbox, list);
		list = next;
	}
	if (!list)
		return;
	publisher->skips = false;
	outbox_add(publisher->outbox, list);
}

void publisher_lost(struct publisher *publisher)
{
	struct tick since = {clock_tick().ms - PUBLISH_AGAIN_MS};
	/* Where nothing was confirmed since, the minute before the last loss is what counts. */
	if (publisher->confirmed || publisher->safe < 0)
		publisher->safe = confirmed_before(publisher, since);
}

void publisher_go(struct publisher *publisher)
{
	publisher->held = false;
	publisher_turn(publisher);
}

bool publisher_again(struct publisher *publisher)
{
	bool lacks = publisher->safe >= 0 && publisher->taken > publisher->safe;
	if (lacks) {
		outbox_clear(publisher->outbox, publisher->safe);
		publisher->n_history = 0;
		note_confirmed(publisher, publisher->safe, clock_tick());
		publisher->skips = true;
		engine_thread_publish_again(publisher->engine, publisher->safe);
		engine_thread_published(publisher->engine, publisher->safe,
		                        outbox_weight_taken(publisher->outbox));
	}
	publisher_go(publisher);
	return lacks;
}

bool publisher_confirmed(const struct publisher *publisher)
{
	return publisher->confirmed;
}

void publisher_reset(struct publisher *publisher)
{
	publisher->held = true;
	publisher->confirmed = false;
	publisher->n_sent = 0;
	publisher->probing = 0;
	publisher->probed.ms = 0;
	outbox_retry(publisher->outbox);
}

size_t publisher_waiting(const struct publisher *publisher)
{
	return outbox_waiting(publisher->outbox);
}

/* ---- streams and how they are */

static struct outgoing *find_outgoing(const struct publisher *publisher, const char *key)
{
	struct outgoing *stream = publisher->streams;
	while (stream && strcmp(stream->key, key) != 0)
		stream = stream->next;
	return stream;
}

static struct outgoing *add_outgoing(struct publisher *publisher, const char *key)
{
	size_t size = strlen(key) + 1;
	struct outgoing *stream = mem_alloc(sizeof(*stream) + size), **last = &publisher->streams;
	memcpy(stream->key, key, size);
	stream->publisher = publisher;
	stream->health = (struct health){.kind = "stream", .name = stream->key, .use = "written"};
	while (*last)
		last = &(*last)->next;
	return *last = stream;
}

void publisher_expect(struct publisher *publisher, const char *key)
{
	if (!find_outgoing(publisher, key))
		add_outgoing(publisher, key)->expected = true;
}

static void forget_recovered(struct publisher *publisher)
{
	struct outgoing **at = &publisher->streams;
	while (*at) {
		struct outgoing *stream = *at;
		if (stream->expected || stream->health.refused) {
			at = &stream->next;
			continue;
		}
		*at = stream->next;
		free(stream);
	}
}

static void note_refused(struct publisher *publisher, const char *key, const char *words)
{
	struct outgoing *stream = find_outgoing(publisher, key);
	if (!stream)
		stream = add_outgoing(publisher, key);
	health_refuse(&stream->health, "Redis refuses an entry; it is kept and tried again", words);
}

static void note_taken(const struct publisher *publisher, const char *key)
{
	struct outgoing *stream = find_outgoing(publisher, key);
	if (stream)
		health_allow(&stream->health);
}

const struct health *publisher_stream(const struct publisher *publisher, size_t i)
{
	const struct outgoing *stream = publisher->streams;
	for (; stream && i > 0; i--)
		stream = stream->next;
	return stream ? &stream->health : NULL;
}

/* Id 0-0 is never taken, and refused last: the first error about it is what an entry would get. */
static void on_probed(void *arg, const redisReply *reply)
{
	struct outgoing *stream = arg;
	if (!reply)
		return; /* publisher_reset() comes with the next connection */
	stream->publisher->probing--;
	if (reply->type == REDIS_REPLY_ERROR && !strstr(reply->str, "greater than 0-0"))
		health_refuse(&stream->health, "stream can't be written", reply->str);
	else if (strncmp(stream->health.words, "WRONGTYPE", 9) != 0) /* which this doesn't show */
		health_allow(&stream->health);
}

void publisher_probe_soon(struct publisher *publisher)
{
	publisher->probe_soon = true;
}

static void probe(struct publisher *publisher)
{
	struct tick now = clock_tick();
	if (publisher->probing || now.ms - publisher->probed.ms <
	                                  (publisher->probe_soon ? PROBE_ASKED_MS : PROBE_EVERY_MS))
		return;
	publisher->probed = now;
	publisher->probe_soon = false;
	for (struct outgoing *stream = publisher->streams; stream; stream = stream->next) {
		struct args args = {0};
		args_add_all(&args, "XADD", stream->key, "0-0", "probe", "", NULL);
		if (stream->expected &&
		    redis_connection_send(publisher->connection, &args, on_probed, stream))
			publisher->probing++;
		args_free(&args);
	}
}

/* ---- answers */

static void publish_refuse(struct publisher *publisher, const struct publication *row,
                           const char *words)
{
	publisher->refused = true;
	if (outbox_refused(publisher->outbox, row))
		note_refused(publisher, row->stream, words);
}

/* "QUEUED" leaves it open. Where MULTI was refused, each XADD is done by itself. */
static void take_answer(struct publisher *publisher, struct publication *row,
                        const redisReply *reply)
{
	if (reply->type == REDIS_REPLY_STRING) {
		outbox_taken(publisher->outbox, row);
		publisher->confirmed = true;
		if (row->seq > publisher->taken)
			publisher->taken = row->seq;
		note_taken(publisher, row->stream);
	} else if (reply->type == REDIS_REPLY_ERROR) {
		publish_refuse(publisher, row, reply->str);
	}
}

static void on_queued(void *arg, const redisReply *reply)
{
	struct publisher *publisher = arg;
	if (!reply) /* those behind a missing answer would be taken for those of other rows */
		publisher->n_answered = publisher->n_sent;
	else if (publisher->n_answered < publisher->n_sent)
		take_answer(publisher, publisher->sent[publisher->n_answered++], reply);
}

/* All was in vain, and no single row is to blame. */
static void refuse_all(struct publisher *publisher, const char *words)
{
	for (size_t i = 0; i < publisher->n_sent; i++)
		if (!publisher->sent[i]->taken)
			publish_refuse(publisher, publisher->sent[i], words);
}

static void publish_settle(struct publisher *publisher)
{
	int64_t seq;
	uint64_t taken;
	publisher->n_sent = 0;
	outbox_settle(publisher->outbox, &seq, &taken);
	note_confirmed(publisher, seq, clock_tick());
	engine_thread_published(publisher->engine, seq, taken);
	forget_recovered(publisher);
	publisher_turn(publisher);
}

/* Redis or its user's rights don't allow a transaction at all, whatever is in it. Redis 7 ends it
 * with EXECABORT then, and gives the reason. */
static bool forbids_transactions(const char *words)
{
	return strstr(words, "NOPERM") != NULL || !strncmp(words, "ERR unknown command", 19);
}

/* Kept for as long as the daemon runs: without transactions only a connection that breaks costs
 * repeats. */
static void go_one_by_one(struct publisher *publisher, const char *words)
{
	if (publisher->one_by_one)
		return;
	publisher->one_by_one = true;
	log_fault(LOG_NOTICE,
	          "Redis doesn't allow transactions, so entries are published without them "
	          "reply=\"%s\"",
	          words);
}

static void on_last(void *arg, const redisReply *reply)
{
	struct publisher *publisher = arg;
	if (!reply)
		return; /* publisher_reset() comes with the next connection */
	on_queued(publisher, reply);
	publish_settle(publisher);
}

static void on_multi(void *arg, const redisReply *reply)
{
	struct publisher *publisher = arg;
	if (reply && reply->type == REDIS_REPLY_ERROR && forbids_transactions(reply->str))
		go_one_by_one(publisher, reply->str);
}

/* Before Redis 6.2 a connection whose EXEC was refused is still in the transaction: it can't be
 * used anymore. */
static void on_exec_refused(struct publisher *publisher, const char *words)
{
	if (!publisher->refused && !publisher->one_by_one && forbids_transactions(words)) {
		go_one_by_one(publisher, words);
		if (strncmp(words, "EXECABORT", 9) != 0)
			redis_connection_renew(publisher->connection, words);
	} else if (!publisher->refused) {
		refuse_all(publisher, words);
	}
}

static void on_exec(void *arg, const redisReply *reply)
{
	struct publisher *publisher = arg;
	if (!reply)
		return; /* as above */
	if (reply->type == REDIS_REPLY_ARRAY)
		for (size_t i = 0; i < reply->elements && i < publisher->n_sent; i++)
			take_answer(publisher, publisher->sent[i], reply->element[i]);
	else
		on_exec_refused(publisher, reply->type == REDIS_REPLY_ERROR ? reply->str : "");
	publish_settle(publisher);
}

/* ---- sending */

static bool publish_add_row(struct publisher *publisher, const struct publication *row,
                            redis_connection_reply *fn)
{
	struct args *args = &publisher->args;
	args_reset(args);
	args_add_all(args, "XADD", row->stream, NULL);
	if (row->maxlen) {
		args_add_all(args, "MAXLEN", row->at_most ? "=" : "~", NULL);
		args_add_number(args, row->maxlen);
	}
	args_add(args, "*");
	for (size_t i = 0; i < row->n_fields; i++) {
		args_add_bytes(args, row->fields[i].name, row->fields[i].name_len);
		args_add_bytes(args, row->fields[i].value, row->fields[i].value_len);
	}
	return redis_connection_send(publisher->connection, args, fn, publisher);
}

static void send_word(struct publisher *publisher, const char *word, redis_connection_reply *fn)
{
	struct args args = {0};
	args_add(&args, word);
	redis_connection_send(publisher->connection, &args, fn, publisher);
	args_free(&args);
}

/* What can't be sent because the connection is at its end is sent again over the next. */
void publisher_turn(struct publisher *publisher)
{
	if (!redis_connection_ready(publisher->connection) || publisher->n_sent || publisher->held)
		return;
	probe(publisher);
	if (!publisher_waiting(publisher))
		return;
	size_t n = outbox_choose(publisher->outbox, publisher->sent, PUBLISH_ROWS_MAX,
	                         PUBLISH_BYTES_MAX);
	bool transaction = n > 1 && !publisher->one_by_one;
	publisher->n_sent = n;
	publisher->n_answered = 0;
	publisher->refused = false;
	if (transaction)
		send_word(publisher, "MULTI", on_multi);
	for (size_t i = 0; i < n; i++)
		publish_add_row(publisher, publisher->sent[i],
		                transaction || i + 1 < n ? on_queued : on_last);
	if (transaction)
		send_word(publisher, "EXEC", on_exec);
}
