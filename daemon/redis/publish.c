/* SPDX-License-Identifier: MIT */
#include "redis/publish.h"

#include "base/backoff.h"
#include "base/mem.h"
#include "clock.h"
#include "log.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct backoff pace = {.min_ms = 100, .max_ms = 5000};

struct publisher {
	struct engine_thread *engine;
	struct link *link;
	struct publications *first, **last; /* batches not yet confirmed to their end */
	size_t confirmed;                   /* rows of the first batch that are */
	size_t waiting;                     /* rows in all */
	size_t sent;                        /* rows in the transaction under way; 0: none is */
	size_t rows_max; /* in the next one: falls to 1 after a fault, so that the row at fault
	                    stands alone and those before it are through */
	unsigned failures;
	struct tick retry_at;
	char fault[200]; /* the first refusal in the transaction under way */
};

struct publisher *publisher_new(struct engine_thread *engine, struct link *link)
{
	struct publisher *publisher = mem_alloc(sizeof(*publisher));
	publisher->engine = engine;
	publisher->link = link;
	publisher->last = &publisher->first;
	publisher->rows_max = PUBLISH_ROWS_MAX;
	return publisher;
}

static void drop_batch(struct publisher *publisher)
{
	struct publications *batch = publisher->first;
	publisher->first = batch->next;
	if (!publisher->first)
		publisher->last = &publisher->first;
	publisher->confirmed = 0;
	publications_free(batch);
}

struct publisher *publisher_free(struct publisher *publisher)
{
	if (!publisher)
		return NULL;
	while (publisher->first)
		drop_batch(publisher);
	free(publisher);
	return NULL;
}

void publisher_add(struct publisher *publisher, struct publications *list)
{
	*publisher->last = list;
	for (; list; list = list->next) {
		publisher->waiting += list->n;
		publisher->last = &list->next;
	}
}

void publisher_reset(struct publisher *publisher)
{
	publisher->sent = 0;
	publisher->retry_at.ms = 0;
}

size_t publisher_waiting(const struct publisher *publisher)
{
	return publisher->waiting;
}

/* ---- answers */

static void confirm(struct publisher *publisher, size_t rows)
{
	int64_t seq = 0;
	publisher->waiting -= rows;
	while (rows) {
		struct publications *batch = publisher->first;
		size_t left = batch->n - publisher->confirmed, n = rows < left ? rows : left;
		publisher->confirmed += n;
		rows -= n;
		seq = batch->rows[publisher->confirmed - 1].seq;
		if (publisher->confirmed == batch->n)
			drop_batch(publisher);
	}
	if (seq)
		engine_thread_published(publisher->engine, seq);
}

static void note_fault(struct publisher *publisher, const redisReply *reply)
{
	if (reply && reply->type == REDIS_REPLY_ERROR && !publisher->fault[0])
		snprintf(publisher->fault, sizeof(publisher->fault), "%s", reply->str);
}

/* How many rows from the first on Redis has taken. */
static size_t rows_taken(struct publisher *publisher, const redisReply *reply)
{
	if (reply->type == REDIS_REPLY_STRING) /* a single XADD */
		return 1;
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != publisher->sent)
		return 0;
	for (size_t i = 0; i < reply->elements; i++) {
		note_fault(publisher, reply->element[i]);
		if (reply->element[i]->type != REDIS_REPLY_STRING)
			return i;
	}
	return reply->elements;
}

static void on_queued(void *arg, const redisReply *reply)
{
	note_fault(arg, reply);
}

static void on_done(void *arg, const redisReply *reply)
{
	struct publisher *publisher = arg;
	if (!reply)
		return; /* publisher_reset() comes with the next connection */
	note_fault(publisher, reply);
	size_t sent = publisher->sent, taken = rows_taken(publisher, reply);
	publisher->sent = 0;
	if (taken == sent) {
		publisher->failures = 0;
		publisher->rows_max *= 2;
		if (publisher->rows_max > PUBLISH_ROWS_MAX)
			publisher->rows_max = PUBLISH_ROWS_MAX;
	} else {
		log_fault(LOG_ERR, "Redis refuses an entry; it is kept and tried again reply=\"%s\"",
		          publisher->fault);
		publisher->rows_max = 1;
		publisher->retry_at.ms =
		        clock_tick().ms + backoff_ms(pace, ++publisher->failures, link_random());
	}
	if (taken)
		confirm(publisher, taken);
	publisher_turn(publisher);
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

static size_t row_bytes(const struct publication *row)
{
	size_t bytes = 0;
	for (size_t i = 0; i < row->n_fields; i++)
		bytes += row->fields[i].name_len + row->fields[i].value_len;
	return bytes;
}

/* How many rows the next transaction takes. */
static size_t rows_to_send(const struct publisher *publisher)
{
	size_t rows = 0, bytes = 0, at = publisher->confirmed;
	for (const struct publications *batch = publisher->first; batch; batch = batch->next, at = 0)
		for (; at < batch->n; at++) {
			bytes += row_bytes(&batch->rows[at]);
			if (rows && (rows >= publisher->rows_max || bytes > PUBLISH_BYTES_MAX))
				return rows;
			rows++;
		}
	return rows;
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
	if (!publisher->waiting || publisher->sent || !link_ready(publisher->link) ||
	    clock_tick().ms < publisher->retry_at.ms)
		return;
	size_t rows = rows_to_send(publisher), at = publisher->confirmed;
	publisher->fault[0] = '\0';
	publisher->sent = rows;
	if (rows > 1)
		send_word(publisher, "MULTI", on_queued);
	const struct publications *batch = publisher->first;
	for (size_t left = rows; left > 0; left--) {
		while (at == batch->n) {
			batch = batch->next;
			at = 0;
		}
		add_row(publisher, &batch->rows[at++], rows > 1 ? on_queued : on_done);
	}
	if (rows > 1)
		send_word(publisher, "EXEC", on_done);
}
