/* SPDX-License-Identifier: MIT */
/*
 * Called by the publisher alone. A batch is let go once Redis has all of it. One of which only a
 * few rows are left is copied without the others, so that rows that nobody takes keep no more than
 * themselves.
 */
#include "dispatchd/redis/outbox.h"

#include "base/backoff.h"
#include "base/mem.h"
#include "common/clock.h"
#include "dispatchd/redis/connection.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

static const struct backoff pace = {.min_ms = 100, .max_ms = 5000};

/* A stream that has refused an entry. */
struct blocked_stream {
	struct blocked_stream *next;
	unsigned failures; /* in a row */
	struct tick retry_at;
	bool refused, took; /* in the transaction under way */
	char stream[];
};

struct outbox {
	struct publications *first, **last;
	struct blocked_stream *blocked;
	size_t waiting;
	uint64_t taken; /* what all rows weigh that Redis has got */
	int64_t newest; /* the last row's seq of all that were added */
};

struct outbox *outbox_new(void)
{
	struct outbox *outbox = mem_alloc(sizeof(*outbox));
	outbox->last = &outbox->first;
	return outbox;
}

struct outbox *outbox_free(struct outbox *outbox)
{
	if (!outbox)
		return NULL;
	outbox_retry(outbox);
	outbox_clear(outbox, 0);
	free(outbox);
	return NULL;
}

void outbox_skip(struct outbox *outbox, struct publications *list)
{
	while (list) {
		struct publications *next = list->next;
		for (size_t i = 0; i < list->n; i++)
			if (!list->rows[i].taken)
				outbox->taken += list->rows[i].weight;
		publications_free(list);
		list = next;
	}
}

void outbox_clear(struct outbox *outbox, int64_t seq)
{
	outbox_skip(outbox, outbox->first);
	outbox->first = NULL;
	outbox->last = &outbox->first;
	outbox->waiting = 0;
	outbox->newest = seq;
}

uint64_t outbox_weight_taken(const struct outbox *outbox)
{
	return outbox->taken;
}

void outbox_add(struct outbox *outbox, struct publications *list)
{
	*outbox->last = list;
	for (; list; list = list->next) {
		outbox->waiting += list->n;
		outbox->newest = list->rows[list->n - 1].seq;
		outbox->last = &list->next;
	}
}

size_t outbox_waiting(const struct outbox *outbox)
{
	return outbox->waiting;
}

/* ---- choosing */

struct choice {
	struct publication **rows;
	size_t n, max, bytes, max_bytes;
	bool trial;       /* of a stream that was blocked: it goes alone */
	GHashTable *held; /* jobs of which a row was passed over; NULL while there is none */
	struct tick now;
};

static struct blocked_stream *find_blocked(const struct outbox *outbox, const char *stream)
{
	struct blocked_stream *blocked = outbox->blocked;
	while (blocked && strcmp(blocked->stream, stream))
		blocked = blocked->next;
	return blocked;
}

static void pass_over(struct choice *choice, const struct publication *row)
{
	if (!choice->held)
		choice->held = g_hash_table_new(g_int64_hash, g_int64_equal);
	if (row->job)
		g_hash_table_add(choice->held, (gpointer)(uintptr_t)&row->job);
}

static bool may_go(const struct choice *choice, const struct blocked_stream *blocked,
                   const struct publication *row)
{
	if (blocked && (choice->n || blocked->retry_at.ms > choice->now.ms))
		return false;
	return !choice->held || !g_hash_table_contains(choice->held, &row->job);
}

static size_t row_bytes(const struct publication *row)
{
	size_t bytes = 0;
	for (size_t i = 0; i < row->n_fields; i++)
		bytes += row->fields[i].name_len + row->fields[i].value_len;
	return bytes;
}

/* False where there is no room for more. */
static bool consider(struct choice *choice, const struct outbox *outbox, struct publication *row)
{
	const struct blocked_stream *blocked =
	        outbox->blocked ? find_blocked(outbox, row->stream) : NULL;
	if (!may_go(choice, blocked, row)) {
		pass_over(choice, row);
		return true;
	}
	choice->bytes += row_bytes(row);
	if (choice->n && choice->bytes > choice->max_bytes)
		return false;
	choice->trial = blocked;
	choice->rows[choice->n++] = row;
	return choice->n < choice->max && !choice->trial;
}

static void look_through(struct choice *choice, const struct outbox *outbox)
{
	for (const struct publications *batch = outbox->first; batch; batch = batch->next)
		for (size_t i = 0; i < batch->n; i++)
			if (!batch->rows[i].taken && !consider(choice, outbox, &batch->rows[i]))
				return;
}

size_t outbox_choose(struct outbox *outbox, struct publication **ret, size_t max, size_t max_bytes)
{
	struct choice choice = {
	        .rows = ret, .max = max, .max_bytes = max_bytes, .now = clock_tick()};
	look_through(&choice, outbox);
	if (choice.held)
		g_hash_table_destroy(choice.held);
	return choice.n;
}

/* ---- what became of them */

void outbox_taken(struct outbox *outbox, struct publication *row)
{
	struct blocked_stream *blocked = find_blocked(outbox, row->stream);
	if (blocked)
		blocked->took = true;
	if (row->taken)
		return;
	row->taken = true;
	outbox->waiting--;
	outbox->taken += row->weight;
}

bool outbox_refused(struct outbox *outbox, const struct publication *row)
{
	struct blocked_stream *blocked = find_blocked(outbox, row->stream);
	if (!blocked) {
		size_t size = strlen(row->stream) + 1;
		blocked = mem_alloc(sizeof(*blocked) + size);
		memcpy(blocked->stream, row->stream, size);
		blocked->next = outbox->blocked;
		outbox->blocked = blocked;
	}
	bool first = !blocked->refused;
	blocked->refused = true;
	return first;
}

static void settle_blocked(struct outbox *outbox)
{
	struct blocked_stream **at = &outbox->blocked;
	while (*at) {
		struct blocked_stream *blocked = *at;
		if (blocked->took && !blocked->refused) {
			*at = blocked->next;
			free(blocked);
			continue;
		}
		if (blocked->refused)
			blocked->retry_at.ms =
			        clock_tick().ms +
			        backoff_ms(pace, ++blocked->failures, redis_connection_random());
		blocked->refused = blocked->took = false;
		at = &blocked->next;
	}
}

static size_t rows_left(const struct publications *batch)
{
	size_t n = 0;
	for (size_t i = 0; i < batch->n; i++)
		n += !batch->rows[i].taken;
	return n;
}

static void copy_row(struct publications *to, const struct publication *row)
{
	struct publication *copy = &to->rows[to->n++];
	struct entry_field *fields = arena_new_array(to->arena, row->n_fields, struct entry_field);
	*copy = *row;
	copy->stream = arena_strdup(to->arena, row->stream);
	for (size_t i = 0; i < row->n_fields; i++) {
		fields[i] = row->fields[i];
		fields[i].name = arena_strndup(to->arena, fields[i].name, fields[i].name_len);
		fields[i].value = arena_strndup(to->arena, fields[i].value, fields[i].value_len);
	}
	copy->fields = fields;
	to->weight += row->weight;
}

/* The batch with nothing but the `left` rows that still have to go; NULL where there are none.
 * Frees `batch`. */
static struct publications *outbox_shrink(struct publications *batch, size_t left)
{
	struct publications *rest = NULL;
	if (left) {
		rest = publications_new(left);
		for (size_t i = 0; i < batch->n; i++)
			if (!batch->rows[i].taken)
				copy_row(rest, &batch->rows[i]);
		rest->next = batch->next;
	}
	publications_free(batch);
	return rest;
}

/* What is kept of a batch. */
static struct publications *outbox_keep(const struct outbox *outbox, struct publications *batch)
{
	size_t left = rows_left(batch);
	bool sparse = outbox->blocked && left <= batch->n / 2;
	return left && !sparse ? batch : outbox_shrink(batch, left);
}

static void outbox_let_go(struct outbox *outbox)
{
	struct publications **at = &outbox->first;
	while (*at) {
		struct publications *next = (*at)->next;
		*at = outbox_keep(outbox, *at);
		if (*at)
			at = &(*at)->next;
		else
			*at = next;
	}
	outbox->last = at;
}

static int64_t first_left(const struct outbox *outbox)
{
	for (size_t i = 0; outbox->first && i < outbox->first->n; i++)
		if (!outbox->first->rows[i].taken)
			return outbox->first->rows[i].seq;
	return outbox->newest + 1;
}

void outbox_settle(struct outbox *outbox, int64_t *ret_seq, uint64_t *ret_taken)
{
	settle_blocked(outbox);
	outbox_let_go(outbox);
	*ret_seq = first_left(outbox) - 1;
	*ret_taken = outbox->taken;
}

void outbox_retry(struct outbox *outbox)
{
	while (outbox->blocked) {
		struct blocked_stream *next = outbox->blocked->next;
		free(outbox->blocked);
		outbox->blocked = next;
	}
}
