/* SPDX-License-Identifier: MIT */
#include "redis/publish.h"

#include "base/mem.h"
#include "log.h"
#include "redis/outbox.h"

#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>

struct publisher {
	struct engine_thread *engine;
	struct link *link;
	struct outbox *outbox;
	struct publication *sent[PUBLISH_ROWS_MAX]; /* in the transaction under way */
	size_t n_sent;                              /* 0: none is */
	size_t n_answered;                          /* of these, as they were queued */
	bool refused;                               /* one of them at least */
	bool one_by_one;                            /* the user may not use transactions, so none is used */
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

/* "QUEUED" leaves it open. Where MULTI was refused, each XADD is done by itself. */
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

/* Redis or its user's rights don't allow a transaction at all, whatever is in it. Redis 7 ends it with
 * EXECABORT then, and gives the reason. */
static bool forbids_transactions(const char *words)
{
	return strstr(words, "NOPERM") != NULL || !strncmp(words, "ERR unknown command", 19);
}

/* Kept for as long as the daemon runs: without transactions only a connection that breaks costs repeats. */
static void go_one_by_one(struct publisher *publisher, const char *words)
{
	if (publisher->one_by_one)
		return;
	publisher->one_by_one = true;
	log_write(LOG_NOTICE,
	          "Redis doesn't allow transactions, so entries are published without them reply=\"%s\"",
	          words);
}

static void on_last(void *arg, const redisReply *reply)
{
	struct publisher *publisher = arg;
	if (!reply)
		return; /* publisher_reset() comes with the next connection */
	on_queued(publisher, reply);
	settle(publisher);
}

static void on_multi(void *arg, const redisReply *reply)
{
	struct publisher *publisher = arg;
	if (reply && reply->type == REDIS_REPLY_ERROR && forbids_transactions(reply->str))
		go_one_by_one(publisher, reply->str);
}

/* Before Redis 6.2 a connection whose EXEC was refused is still in the transaction: it can't be used any
 * more. */
static void on_exec_refused(struct publisher *publisher, const char *words)
{
	if (!publisher->refused && !publisher->one_by_one && forbids_transactions(words)) {
		go_one_by_one(publisher, words);
		if (strncmp(words, "EXECABORT", 9) != 0)
			link_renew(publisher->link, words);
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
	settle(publisher);
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
	bool transaction = n > 1 && !publisher->one_by_one;
	publisher->n_sent = n;
	publisher->n_answered = 0;
	publisher->refused = false;
	if (transaction)
		send_word(publisher, "MULTI", on_multi);
	for (size_t i = 0; i < n; i++)
		add_row(publisher, publisher->sent[i], transaction || i + 1 < n ? on_queued : on_last);
	if (transaction)
		send_word(publisher, "EXEC", on_exec);
}
