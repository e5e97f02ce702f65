/* SPDX-License-Identifier: MIT */
#include "redis/publish.h"

#include "base/mem.h"
#include "log.h"
#include "redis/outbox.h"

#include <hiredis/hiredis.h>
#include <stdlib.h>

struct publisher {
	struct engine_thread *engine;
	struct link *link;
	struct outbox *outbox;
	struct publication *sent[PUBLISH_ROWS_MAX]; /* in the transaction under way */
	size_t n_sent;                              /* 0: none is */
	size_t n_answered;                          /* of these, as they were queued */
	bool refused;                               /* one of them at least */
};

struct publisher *publisher_new(struct engine_thread *engine, struct link *link)
{
	struct publisher *publisher = mem_alloc(sizeof(*publisher));
	publisher->engine = engine;
	publisher->link = link;
	publisher->outbox = outbox_new();
	return publisher;
}

struct publisher *publisher_free(struct publisher *publisher)
{
	if (!publisher)
		return NULL;
	outbox_free(publisher->outbox);
	free(publisher);
	return NULL;
}

void publisher_add(struct publisher *publisher, struct publications *list)
{
	outbox_add(publisher->outbox, list);
}

void publisher_reset(struct publisher *publisher)
{
	publisher->n_sent = 0;
	outbox_retry(publisher->outbox);
}

size_t publisher_waiting(const struct publisher *publisher)
{
	return outbox_waiting(publisher->outbox);
}

/* ---- answers */

static void refuse(struct publisher *publisher, const struct publication *row, const char *words)
{
	publisher->refused = true;
	if (outbox_refused(publisher->outbox, row))
		log_fault(LOG_ERR,
		          "Redis refuses an entry; it is kept and tried again reply=\"%s\" stream=%s", words,
		          row->stream);
}

/* "QUEUED" leaves it open. Where the user may not use MULTI, each XADD is done by itself. */
static void take_answer(struct publisher *publisher, struct publication *row, const redisReply *reply)
{
	if (reply->type == REDIS_REPLY_STRING)
		outbox_taken(publisher->outbox, row);
	else if (reply->type == REDIS_REPLY_ERROR)
		refuse(publisher, row, reply->str);
}

static void on_queued(void *arg, const redisReply *reply)
{
	struct publisher *publisher = arg;
	if (reply && publisher->n_answered < publisher->n_sent)
		take_answer(publisher, publisher->sent[publisher->n_answered++], reply);
}

/* All was in vain, and no single row is to blame. */
static void refuse_all(struct publisher *publisher, const char *words)
{
	for (size_t i = 0; i < publisher->n_sent; i++)
		if (!publisher->sent[i]->taken)
			refuse(publisher, publisher->sent[i], words);
}

static void settle(struct publisher *publisher)
{
	int64_t seq;
	uint64_t taken;
	publisher->n_sent = 0;
	outbox_settle(publisher->outbox, &seq, &taken);
	engine_thread_published(publisher->engine, seq, taken);
	publisher_turn(publisher);
}

static void on_single(void *arg, const redisReply *reply)
{
	struct publisher *publisher = arg;
	if (!reply)
		return; /* publisher_reset() comes with the next connection */
	take_answer(publisher, publisher->sent[0], reply);
	settle(publisher);
}

static void on_exec(void *arg, const redisReply *reply)
{
	struct publisher *publisher = arg;
	if (!reply)
		return; /* as above */
	if (reply->type == REDIS_REPLY_ARRAY)
		for (size_t i = 0; i < reply->elements && i < publisher->n_sent; i++)
			take_answer(publisher, publisher->sent[i], reply->element[i]);
	else if (!publisher->refused)
		refuse_all(publisher, reply->type == REDIS_REPLY_ERROR ? reply->str : "");
	settle(publisher);
}

static void on_multi(void *arg, const redisReply *reply)
{
	(void)arg;
	(void)reply; /* the rows' own answers tell */
}

/* ---- sending */

static bool add_row(struct publisher *publisher, const struct publication *row, link_reply *fn)
{
	struct args args = {0};
	args_add_all(&args, "XADD", row->stream, NULL);
	if (row->maxlen) {
		args_add_all(&args, "MAXLEN", row->at_most ? "=" : "~", NULL);
		args_add_number(&args, row->maxlen);
	}
	args_add(&args, "*");
	for (size_t i = 0; i < row->n_fields; i++) {
		args_add_bytes(&args, row->fields[i].name, row->fields[i].name_len);
		args_add_bytes(&args, row->fields[i].value, row->fields[i].value_len);
	}
	bool sent = link_send(publisher->link, &args, fn, publisher);
	args_free(&args);
	return sent;
}

static void send_word(struct publisher *publisher, const char *word, link_reply *fn)
{
	struct args args = {0};
	args_add(&args, word);
	link_send(publisher->link, &args, fn, publisher);
	args_free(&args);
}

/* What can't be sent because the connection is at its end is sent again over the next. */
void publisher_turn(struct publisher *publisher)
{
	if (publisher->n_sent || !publisher_waiting(publisher) || !link_ready(publisher->link))
		return;
	size_t n = outbox_choose(publisher->outbox, publisher->sent, PUBLISH_ROWS_MAX, PUBLISH_BYTES_MAX);
	publisher->n_sent = n;
	publisher->n_answered = 0;
	publisher->refused = false;
	if (n > 1)
		send_word(publisher, "MULTI", on_multi);
	for (size_t i = 0; i < n; i++)
		add_row(publisher, publisher->sent[i], n > 1 ? on_queued : on_single);
	if (n > 1)
		send_word(publisher, "EXEC", on_exec);
}
