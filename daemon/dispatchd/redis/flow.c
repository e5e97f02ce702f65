/* SPDX-License-Identifier: MIT */
/*
 * Intakes in flight. The token of each is a `struct tracked`, in the intake's own arena. Redis is
 * the one that remembers: an intake that is lost here with the process is pending there and read
 * again, and the engine knows it by its id.
 */
#include "dispatchd/redis/flow.h"

#include "base/mem.h"
#include "common/clock.h"
#include "dispatchd/sys/log.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct tracked {
	struct source *source;
	struct tracked *newer, *older;
	struct tick born;
	size_t bytes;
	size_t max;       /* entries that there is room for */
	unsigned waiting; /* acknowledgements sent and not yet answered */
	bool failed;      /* one of them was not done */
};

void flow_add(struct flow *flow, struct source *source)
{
	if (flow->n_sources == FLOW_SOURCES_MAX)
		bug("more sources than there is room for");
	source->flow = flow;
	source->reading = (struct health){.kind = source->kind, .name = source->key, .use = "read"};
	source->acknowledging =
	        (struct health){.kind = source->kind, .name = source->key, .use = "acknowledged"};
	source->alone =
	        (struct health){.kind = source->kind, .name = source->key, .use = "read alone"};
	source->number = (int)flow->n_sources;
	source->committed_tail = &source->committed;
	flow->sources[flow->n_sources++] = source;
}

bool flow_open(const struct flow *flow)
{
	return !flow->closed && flow->in_flight < FLOW_INTAKES_MAX &&
	       flow->bytes < FLOW_BYTES_MAX && engine_thread_open(flow->engine);
}

bool flow_wants(const struct source *source)
{
	const struct flow *flow = source->flow;
	size_t events = 0;
	for (size_t i = 0; i < flow->n_sources; i++)
		if (flow->sources[i]->feed == FEED_EVENTS)
			events += flow->sources[i]->in_flight;
	return flow_open(flow) &&
	       (source->feed != FEED_EVENTS ||
	        (events < FLOW_EVENTS_MAX && flow->bytes < FLOW_EVENTS_BYTES_MAX));
}

size_t flow_read_max(const struct flow *flow)
{
	size_t size = flow->largest > flow->entry_max ? flow->largest : flow->entry_max;
	size_t n = FLOW_READ_BYTES / (size + FLOW_ENTRY_OVERHEAD);
	n = n < FLOW_READ_ENTRIES ? n : FLOW_READ_ENTRIES;
	return n > 0 ? n : 1;
}

void flow_read_less(struct flow *flow)
{
	flow->largest = FLOW_READ_BYTES / (1 + flow_read_max(flow) / 8);
}

/* ---- making an intake */

struct intake *flow_intake(struct source *source, size_t max)
{
	struct intake *intake = intake_new();
	struct tracked *tracked = arena_alloc(intake->arena, sizeof(*tracked));
	*tracked = (struct tracked){.source = source, .max = max};
	intake->source = source->number;
	intake->token = tracked;
	intake->entries = arena_new_array(intake->arena, max, struct entry);
	return intake;
}

static struct entry *next_entry(struct intake *intake)
{
	struct tracked *tracked = intake->token;
	if (intake->n == tracked->max)
		bug("an intake has more entries than were announced");
	struct entry *entry = &intake->entries[intake->n++];
	*entry = (struct entry){.feed = tracked->source->feed, .id = "", .received = clock_now()};
	tracked->bytes += FLOW_ENTRY_OVERHEAD;
	return entry;
}

static bool flow_is_text(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS;
}

static void copy_fields(struct intake *intake, struct entry *entry, const redisReply *list)
{
	struct tracked *tracked = intake->token;
	struct entry_field *fields =
	        arena_new_array(intake->arena, list->elements / 2, struct entry_field);
	for (size_t i = 0; i + 1 < list->elements; i += 2) {
		const redisReply *name = list->element[i], *value = list->element[i + 1];
		if (!flow_is_text(name) || !flow_is_text(value))
			continue;
		fields[entry->n_fields++] = (struct entry_field){
		        .name = arena_strndup(intake->arena, name->str, name->len),
		        .name_len = name->len,
		        .value = arena_strndup(intake->arena, value->str, value->len),
		        .value_len = value->len,
		};
		tracked->bytes += name->len + value->len + FLOW_FIELD_OVERHEAD;
	}
	entry->fields = fields;
}

bool flow_add_stream_entry(struct intake *intake, const redisReply *reply)
{
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
	    !flow_is_text(reply->element[0]))
		return false; /* nil: XAUTOCLAIM's answer for a deleted entry before Redis 7 */
	struct entry *entry = next_entry(intake);
	entry->id = arena_strndup(intake->arena, reply->element[0]->str, reply->element[0]->len);
	if (reply->element[1]->type == REDIS_REPLY_ARRAY)
		copy_fields(intake, entry, reply->element[1]);
	return true;
}

void flow_add_message(struct intake *intake, const char *text, size_t len)
{
	struct tracked *tracked = intake->token;
	struct entry *entry = next_entry(intake);
	struct entry_field *field = arena_alloc(intake->arena, sizeof(*field));
	*field = (struct entry_field){.name = "event",
	                              .name_len = strlen("event"),
	                              .value = arena_strndup(intake->arena, text, len),
	                              .value_len = len};
	entry->fields = field;
	entry->n_fields = 1;
	tracked->bytes += len;
}

void flow_add_unread(struct intake *intake, const char *id)
{
	struct entry *entry = next_entry(intake);
	entry->id = arena_strdup(intake->arena, id);
	entry->unread = true;
}

size_t flow_bytes(const struct intake *intake)
{
	return ((const struct tracked *)intake->token)->bytes;
}

/* ---- its way to the engine and back */

static void track(struct source *source, struct tracked *tracked)
{
	tracked->born = clock_tick();
	tracked->older = source->newest;
	if (source->newest)
		source->newest->newer = tracked;
	else
		source->oldest = tracked;
	source->newest = tracked;
	source->in_flight++;
	source->flow->in_flight++;
	source->flow->bytes += tracked->bytes;
}

/* What breaks the limit may come in numbers, so reads get smaller; a publisher that is repaired is
 * forgotten. */
static void note_size(struct flow *flow, const struct intake *intake)
{
	size_t average = intake->bytes / intake->n;
	flow->largest = average > flow->entry_max ? average : flow->largest / 2;
}

static void untrack(struct intake *intake)
{
	struct tracked *tracked = intake->token;
	struct source *source = tracked->source;
	*(tracked->newer ? &tracked->newer->older : &source->newest) = tracked->older;
	*(tracked->older ? &tracked->older->newer : &source->oldest) = tracked->newer;
	source->in_flight--;
	source->flow->in_flight--;
	source->flow->bytes -= tracked->bytes;
	source->flow->wake(source->flow->wake_arg);
	intake_free(intake);
}

int64_t flow_age_ms(const struct source *source)
{
	return source->oldest ? clock_tick().ms - source->oldest->born.ms : 0;
}

static void to_acknowledge(struct intake *intake)
{
	struct tracked *tracked = intake->token;
	struct source *source = tracked->source;
	tracked->failed = false;
	intake->next = NULL;
	*source->committed_tail = intake;
	source->committed_tail = &intake->next;
	source->flow->wake(source->flow->wake_arg);
}

/* Entries that somebody has deleted (XDEL, XTRIM) while they were pending go into an intake of
 * their own. */
static struct intake *split_deleted(struct source *source, struct intake *intake)
{
	size_t n = 0;
	struct intake *deleted = NULL;
	for (size_t i = 0; i < intake->n; i++) {
		if (intake->entries[i].n_fields || intake->entries[i].unread) {
			intake->entries[n++] = intake->entries[i];
			continue;
		}
		if (!deleted)
			deleted = flow_intake(source, intake->n);
		next_entry(deleted)->id = arena_strdup(deleted->arena, intake->entries[i].id);
	}
	intake->n = n;
	return deleted;
}

void flow_lost(struct source *source, int64_t n)
{
	if (n <= 0)
		return;
	source->lost += (uint64_t)n;
	source->lost_at = clock_now();
	log_state(LOG_WARNING | MESSAGE_ENTRIES_LOST, source->key,
	          "entries were removed from Redis before they were read, and are lost; whoever "
	          "trims the %s must keep more %s=%s n=%" PRId64,
	          source->kind, source->kind, source->key, n);
}

void flow_submit(struct source *source, struct intake *intake)
{
	struct intake *deleted = split_deleted(source, intake);
	if (deleted) {
		flow_lost(source, (int64_t)deleted->n);
		track(source, deleted->token);
		to_acknowledge(deleted);
	}
	if (!intake->n) {
		intake_free(intake);
		return;
	}
	source->entries += intake->n;
	intake->bytes = flow_bytes(intake);
	note_size(source->flow, intake);
	track(source, intake->token);
	engine_thread_submit(source->flow->engine, intake);
}

void flow_done(struct flow *flow, struct intake *list)
{
	(void)flow;
	while (list) {
		struct intake *intake = list;
		struct tracked *tracked = intake->token;
		list = intake->next;
		if (tracked->source->acknowledge)
			to_acknowledge(intake);
		else
			untrack(intake);
	}
}

static void end_wait(struct intake *intake)
{
	struct tracked *tracked = intake->token;
	if (--tracked->waiting)
		return;
	if (tracked->failed)
		to_acknowledge(intake);
	else
		untrack(intake);
}

static void ack_refused(struct tracked *tracked, const char *words)
{
	struct source *source = tracked->source;
	if (!strncmp(words, "WRONGTYPE", 9)) {
		/* The key is something else now, and there is nothing left to acknowledge. */
		log_fault(LOG_ERR, "Redis refuses an acknowledgement %s=%s reply=\"%s\"",
		          source->kind, source->key, words);
		return;
	}
	health_refuse(&source->acknowledging, "Redis refuses an acknowledgement", words);
	tracked->failed = true;
	source->retry_at.ms = clock_tick().ms + FLOW_RETRY_MS;
}

static void on_ack(void *arg, const redisReply *reply)
{
	struct intake *intake = arg;
	struct tracked *tracked = intake->token;
	if (!reply)
		tracked->failed = true;
	else if (reply->type == REDIS_REPLY_ERROR)
		ack_refused(tracked, reply->str);
	else if (reply->type != REDIS_REPLY_INTEGER)
		tracked->failed = true; /* QUEUED: in a transaction that could not be ended */
	else
		health_allow(&tracked->source->acknowledging);
	end_wait(intake);
}

void flow_send_ack(struct intake *intake, const struct args *args)
{
	struct tracked *tracked = intake->token;
	if (redis_connection_send(tracked->source->flow->commands, args, on_ack, intake))
		tracked->waiting++;
	else
		tracked->failed = true;
}

/* The `waiting` that is held while commands are sent keeps an answer that comes at once (a NULL)
 * from ending the intake under our hands. */
static void flow_acknowledge(struct source *source, struct intake *intake)
{
	struct tracked *tracked = intake->token;
	tracked->waiting = 1;
	source->acknowledge(source, intake);
	end_wait(intake);
}

static bool may_acknowledge(const struct source *source)
{
	return source->committed && redis_connection_ready(source->flow->commands) &&
	       clock_tick().ms >= source->retry_at.ms;
}

void flow_turn(struct flow *flow)
{
	for (size_t i = 0; i < flow->n_sources; i++) {
		struct source *source = flow->sources[i];
		while (may_acknowledge(source)) {
			struct intake *intake = source->committed;
			source->committed = intake->next;
			if (!source->committed)
				source->committed_tail = &source->committed;
			flow_acknowledge(source, intake);
		}
	}
}

void flow_reset(struct flow *flow)
{
	for (size_t i = 0; i < flow->n_sources; i++)
		flow->sources[i]->retry_at.ms = 0;
}

void flow_free(struct flow *flow)
{
	for (size_t i = 0; i < flow->n_sources; i++) {
		struct source *source = flow->sources[i];
		while (source->committed) {
			struct intake *next = source->committed->next;
			intake_free(source->committed);
			source->committed = next;
		}
	}
}
