/* SPDX-License-Identifier: MIT */
/*
 * LMOVE moves one item a command, so a round is a blocking move, then as many moves at once as the
 * round before suggests: a quiet list costs one command every few seconds, a busy one is read in
 * batches. Both answers of a round go into one intake.
 */
#include "dispatchd/redis/list.h"

#include "base/mem.h"
#include "common/clock.h"
#include "dispatchd/redis/takeover.h"
#include "dispatchd/sys/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct list {
	struct source source;
	struct redis_connection *connection;
	char *processing, *too_large;
	bool alone; /* the read under way asks for one item that was left */
	/* The oldest item is too long by itself. */
	enum { ASIDE_NOT, ASIDE_WANTED, ASIDE_SENT } aside;
	bool left_read;        /* what an earlier process left is read */
	bool waits;            /* the next move blocks: the last round found the end */
	unsigned waiting;      /* answers not yet there */
	unsigned moves;        /* in a round */
	struct intake *intake; /* of the round under way */
	struct tick retry_at;
	struct takeover *takeover; /* what other consumers left */
};

/* A value is found from the right, where the oldest is; a second equal one is the same event. */
static void list_acknowledge(struct source *source, struct intake *intake)
{
	struct list *list = (struct list *)source;
	struct args args = {0};
	for (size_t i = 0; i < intake->n; i++) {
		const struct entry_field *item = intake->entries[i].fields;
		if (!item)
			continue; /* put aside */
		args_add_all(&args, "LREM", list->processing, "-1", NULL);
		args_add_bytes(&args, item->value, item->value_len);
		flow_send_ack(intake, &args);
		args_reset(&args);
	}
	args_free(&args);
}

struct list *list_new(struct flow *flow, struct redis_connection *connection, const char *key,
                      int64_t claim_after_ms)
{
	struct list *list = mem_alloc(sizeof(*list));
	list->source = (struct source){
	        .kind = "list", .key = key, .feed = FEED_EVENTS, .acknowledge = list_acknowledge};
	list->connection = connection;
	flow_add(flow, &list->source);
	if (asprintf(&list->processing, "%s:processing:%s", key, flow->consumer) < 0 ||
	    asprintf(&list->too_large, "%s:too-large", key) < 0)
		bug("no memory for a name");
	list->takeover = takeover_new(flow, key, claim_after_ms);
	return list;
}

struct list *list_free(struct list *list)
{
	if (!list)
		return NULL;
	if (list->intake)
		intake_free(list->intake);
	takeover_free(list->takeover);
	free(list->processing);
	free(list->too_large);
	free(list);
	return NULL;
}

/* What a broken round has moved is in the processing list, and read again from there. */
void list_reset(struct list *list)
{
	if (list->intake)
		list->intake = intake_free(list->intake);
	list->left_read = false;
	list->alone = false;
	list->waiting = 0;
	list->waits = false;
	list->moves = 1;
	list->retry_at.ms = 0;
}

static void list_refused(struct list *list, const redisReply *reply)
{
	health_refuse(&list->source.reading, "list can't be read", reply->str);
	list->retry_at.ms = clock_tick().ms + FLOW_RETRY_MS;
	list->left_read = false;
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
	list->alone = false;
	if (reply->type == REDIS_REPLY_ERROR) {
		list_refused(list, reply);
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
	args_add_all(&args, "LRANGE", list->processing, NULL);
	size_t most = flow_read_max(list->source.flow);
	args_add_number(&args, -(int64_t)most);
	args_add(&args, "-1");
	list->alone = most == 1;
	if (redis_connection_send(list->connection, &args, on_left, list))
		list->waiting = 1;
	args_free(&args);
}

/* ---- an item that is too long by itself */

/* The answer to a move is the item: the connection ends once more, and the item has moved. */
void list_too_long(struct list *list)
{
	flow_read_less(list->source.flow);
	if (list->aside != ASIDE_SENT) {
		list->aside = list->alone ? ASIDE_WANTED : ASIDE_NOT;
		return;
	}
	list->aside = ASIDE_NOT;
	log_fault(LOG_ERR, "an item is too large to be read, and was moved list=%s to=%s",
	          list->source.key, list->too_large);
	struct intake *intake = flow_intake(&list->source, 1);
	flow_add_unread(intake, "");
	flow_submit(&list->source, intake);
}

/* It wasn't that long, or there is none: another process has changed the list. */
static void on_aside(void *arg, const redisReply *reply)
{
	struct list *list = arg;
	if (!reply)
		return; /* list_too_long() was called, or it is asked for again */
	list->waiting--;
	list->aside = ASIDE_NOT;
	if (reply->type == REDIS_REPLY_ERROR)
		list_refused(list, reply);
	if (reply->type == REDIS_REPLY_STRING) {
		struct intake *intake = flow_intake(&list->source, 1);
		add_left(intake, reply);
		flow_submit(&list->source, intake);
	}
	list->source.flow->wake(list->source.flow->wake_arg);
}

static void put_aside(struct list *list)
{
	struct args args = {0};
	if (list->source.in_flight)
		return;
	args_add_all(&args, "LMOVE", list->processing, list->too_large, "RIGHT", "LEFT", NULL);
	if (redis_connection_send(list->connection, &args, on_aside, list)) {
		list->waiting = 1;
		list->aside = ASIDE_SENT;
	}
	args_free(&args);
}

/* ---- rounds of moves */

static void end_round(struct list *list)
{
	if (!list->waits)
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
	if (reply->type != REDIS_REPLY_ERROR)
		health_allow(&list->source.reading);
	if (reply->type == REDIS_REPLY_STRING) {
		if (!list->intake)
			list->intake = flow_intake(&list->source, list->waiting + 1);
		flow_add_message(list->intake, reply->str, reply->len);
	} else {
		list->waits = true; /* the end of the list */
		if (reply->type == REDIS_REPLY_ERROR)
			list_refused(list, reply);
	}
	if (!list->waiting)
		end_round(list);
}

static void list_move(struct list *list)
{
	struct args args = {0};
	args_add_all(&args, list->waits ? "BLMOVE" : "LMOVE", list->source.key, list->processing,
	             "RIGHT", "LEFT", NULL);
	if (list->waits)
		args_add_number(&args, LIST_BLOCK_MS / 1000);
	size_t most = flow_read_max(list->source.flow);
	list->moves = list->moves < most ? list->moves : (unsigned)most;
	for (unsigned n = list->waits ? 1 : list->moves; n > 0; n--)
		if (redis_connection_send(list->connection, &args, on_move, list))
			list->waiting++;
	list->waits = false;
	args_free(&args);
}

void list_turn(struct list *list, bool feed_first)
{
	if (list && takeover_turn(list->takeover))
		list->left_read = false; /* there is more in our processing list */
	if (!list || feed_first || list->waiting || !redis_connection_ready(list->connection) ||
	    !flow_wants(&list->source) || clock_tick().ms < list->retry_at.ms)
		return;
	if (list->aside != ASIDE_NOT)
		put_aside(list);
	else if (!list->left_read)
		read_left(list);
	else
		list_move(list);
}

void list_set(struct list *list, int64_t claim_after_ms)
{
	if (list)
		takeover_set(list->takeover, claim_after_ms);
}

void list_commands_too_long(struct list *list)
{
	if (list)
		takeover_too_long(list->takeover);
}

void list_reset_commands(struct list *list)
{
	if (list)
		takeover_reset(list->takeover);
}
