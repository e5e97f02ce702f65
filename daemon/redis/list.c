/* SPDX-License-Identifier: MIT */
/*
 * LMOVE moves one item a command, so a round is a blocking move, then as many moves at once as the
 * round before suggests: a quiet list costs one command every few seconds, a busy one is read in
 * batches. Both answers of a round go into one intake.
 */
#include "redis/list.h"

#include "base/buf.h"
#include "base/mem.h"
#include "clock.h"
#include "log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct list {
	struct source source;
	struct link *link;
	char *processing;
	bool left_read;        /* what an earlier process left is read */
	bool waits;            /* the next move blocks: the last round found the end */
	unsigned waiting;      /* answers not yet there */
	unsigned moves;        /* in a round */
	struct intake *intake; /* of the round under way */
	struct tick retry_at;
	bool looked; /* for what other consumers left: once a process */
};

/* A processing list of another consumer, whose length is asked for. */
struct stranger {
	const struct list *list;
	char name[];
};

/* A value is found from the right, where the oldest is; a second equal one is the same event again. */
static void acknowledge(struct source *source, struct intake *intake)
{
	struct list *list = (struct list *)source;
	struct args args = {0};
	for (size_t i = 0; i < intake->n; i++) {
		const struct entry_field *item = intake->entries[i].fields;
		args_add_all(&args, "LREM", list->processing, "-1", NULL);
		args_add_bytes(&args, item->value, item->value_len);
		flow_send_ack(intake, &args);
		args_reset(&args);
	}
	args_free(&args);
}

struct list *list_new(struct flow *flow, struct link *link, const char *key)
{
	struct list *list = mem_alloc(sizeof(*list));
	list->source =
	        (struct source){.kind = "list", .key = key, .feed = FEED_EVENTS, .acknowledge = acknowledge};
	list->link = link;
	flow_add(flow, &list->source);
	if (asprintf(&list->processing, "%s:processing:%s", key, flow->consumer) < 0)
		bug("no memory for a name");
	return list;
}

struct list *list_free(struct list *list)
{
	if (!list)
		return NULL;
	if (list->intake)
		intake_free(list->intake);
	free(list->processing);
	free(list);
	return NULL;
}

/* What a broken round has moved is in the processing list, and read again from there. */
void list_reset(struct list *list)
{
	if (list->intake)
		list->intake = intake_free(list->intake);
	list->left_read = false;
	list->waiting = 0;
	list->waits = false;
	list->moves = 1;
	list->retry_at.ms = 0;
}

static void refused(struct list *list, const redisReply *reply)
{
	log_fault(LOG_ERR, "list can't be read list=%s reply=\"%s\"", list->source.key, reply->str);
	list->retry_at.ms = clock_tick().ms + FLOW_RETRY_MS;
	list->left_read = false;
}

/* ---- what others left: nobody takes a list over by itself, since its consumer may be alive */

static void on_stranger(void *arg, const redisReply *reply)
{
	struct stranger *stranger = arg;
	if (reply && reply->type == REDIS_REPLY_INTEGER && reply->integer > 0)
		log_write(LOG_WARNING,
		          "another consumer holds items of the list; if it is gone for good, move them back "
		          "list=%s processing=%s n=%lld",
		          stranger->list->source.key, stranger->name, reply->integer);
	free(stranger);
}

static void ask_stranger(struct list *list, const redisReply *name)
{
	struct args args = {0};
	if (name->type != REDIS_REPLY_STRING || !strcmp(name->str, list->processing))
		return;
	struct stranger *stranger = mem_alloc(sizeof(*stranger) + name->len + 1);
	stranger->list = list;
	memcpy(stranger->name, name->str, name->len);
	args_add(&args, "LLEN");
	args_add_bytes(&args, name->str, name->len);
	if (!link_send(list->source.flow->commands, &args, on_stranger, stranger))
		free(stranger);
	args_free(&args);
}

static void look_for_strangers(struct list *list, const char *cursor);

static void on_scanned(void *arg, const redisReply *reply)
{
	struct list *list = arg;
	if (!reply || reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
	    reply->element[0]->type != REDIS_REPLY_STRING || reply->element[1]->type != REDIS_REPLY_ARRAY)
		return;
	for (size_t i = 0; i < reply->element[1]->elements; i++)
		ask_stranger(list, reply->element[1]->element[i]);
	if (strcmp(reply->element[0]->str, "0"))
		look_for_strangers(list, reply->element[0]->str);
}

static void look_for_strangers(struct list *list, const char *cursor)
{
	struct args args = {0};
	struct buf pattern = {0};
	for (const char *p = list->source.key; *p; p++) {
		if (strchr("*?[]\\^", *p))
			buf_addc(&pattern, '\\');
		buf_addc(&pattern, *p);
	}
	buf_adds(&pattern, ":processing:*");
	args_add_all(&args, "SCAN", cursor, "MATCH", buf_text(&pattern), "COUNT", "1000", NULL);
	link_send(list->source.flow->commands, &args, on_scanned, list);
	args_free(&args);
	buf_free(&pattern);
}

/* ---- what was left, read from its old end */

static void add_left(struct intake *intake, const redisReply *item)
{
	flow_add_message(intake, item->str, item->len);
	intake->entries[intake->n - 1].left = true;
}

static void on_left(void *arg, const redisReply *reply)
{
	struct list *list = arg;
	if (!reply)
		return;
	list->waiting--;
	if (reply->type == REDIS_REPLY_ERROR) {
		refused(list, reply);
	} else if (reply->type == REDIS_REPLY_ARRAY && reply->elements) {
		struct intake *intake = flow_intake(&list->source, reply->elements);
		for (size_t i = reply->elements; i > 0; i--)
			if (reply->element[i - 1]->type == REDIS_REPLY_STRING)
				add_left(intake, reply->element[i - 1]);
		flow_submit(&list->source, intake);
	} else {
		list->left_read = true;
	}
	list->source.flow->wake(list->source.flow->wake_arg);
}

/* Only when nothing is on its way, so that nothing is read twice. */
static void read_left(struct list *list)
{
	struct args args = {0};
	if (list->source.in_flight)
		return;
	args_add_all(&args, "LRANGE", list->processing, "-64", "-1", NULL);
	if (link_send(list->link, &args, on_left, list))
		list->waiting = 1;
	args_free(&args);
}

/* ---- rounds of moves */

static void end_round(struct list *list)
{
	if (!list->waits && list->moves < FLOW_READ_ENTRIES)
		list->moves *= 2;
	if (list->waits)
		list->moves = 1;
	if (list->intake)
		flow_submit(&list->source, list->intake);
	list->intake = NULL;
	list->source.flow->wake(list->source.flow->wake_arg);
}

static void on_move(void *arg, const redisReply *reply)
{
	struct list *list = arg;
	if (!reply)
		return;
	list->waiting--;
	if (reply->type == REDIS_REPLY_STRING) {
		if (!list->intake)
			list->intake = flow_intake(&list->source, list->waiting + 1);
		flow_add_message(list->intake, reply->str, reply->len);
	} else {
		list->waits = true; /* the end of the list */
		if (reply->type == REDIS_REPLY_ERROR)
			refused(list, reply);
	}
	if (!list->waiting)
		end_round(list);
}

static void move(struct list *list)
{
	struct args args = {0};
	args_add_all(&args, list->waits ? "BLMOVE" : "LMOVE", list->source.key, list->processing, "RIGHT",
	             "LEFT", NULL);
	if (list->waits)
		args_add_number(&args, LIST_BLOCK_MS / 1000);
	for (unsigned n = list->waits ? 1 : list->moves; n > 0; n--)
		if (link_send(list->link, &args, on_move, list))
			list->waiting++;
	list->waits = false;
	args_free(&args);
}

void list_turn(struct list *list, bool feed_first)
{
	if (list && !list->looked && link_ready(list->source.flow->commands)) {
		list->looked = true;
		look_for_strangers(list, "0");
	}
	if (!list || feed_first || list->waiting || !link_ready(list->link) ||
	    !flow_open(list->source.flow) || clock_tick().ms < list->retry_at.ms)
		return;
	if (!list->left_read)
		read_left(list);
	else
		move(list);
}
