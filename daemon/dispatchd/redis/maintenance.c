/* SPDX-License-Identifier: MIT */
/*
 * What each stream needs now and then: entries of other consumers claimed, old entries trimmed,
 * idle consumers removed. Every job asks Redis, takes the answer, and is due again later.
 */
#include "dispatchd/redis/maintenance.h"

#include "base/mem.h"
#include "common/clock.h"
#include "dispatchd/sys/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	ID_MAX = 48,
	CLAIM_COUNT = 100,
	WAIT_MIN_MS = 1000,
	CLAIM_MARGIN_MS = 1000,
	CLAIM_WAIT_MAX_MS = 60 * 1000,
	TRIM_WAIT_MAX_MS = 600 * 1000
};

struct stream_id {
	uint64_t ms, seq;
};

/* A stream's maintenance: two jobs, of which each is asked for, answered and due again later. */
struct stream_state {
	struct maintenance *maintenance;
	size_t number; /* of the reader's stream */
	struct tick claim_at, trim_at, sweep_at;
	bool claiming, trimming, sweeping;
	char cursor[ID_MAX];   /* XAUTOCLAIM goes on here */
	struct stream_id keep; /* trimming: what has to stay begins here */
	unsigned groups;       /* trimming: XPENDING not yet answered */
	bool unsure; /* trimming: something was not answered as it should be; not this time */
};

struct maintenance {
	struct flow *flow;
	struct reader *reader;
	int64_t claim_after_ms, keep_ms;
	bool no_scripts; /* the user may not run them; it was logged */
	struct stream_state streams[READER_STREAMS_MAX];
};

static int64_t between(int64_t low, int64_t value, int64_t high)
{
	return value < low ? low : value > high ? high : value;
}

struct maintenance *maintenance_new(struct flow *flow, struct reader *reader,
                                    int64_t claim_after_ms, int64_t keep_ms)
{
	struct maintenance *maintenance = mem_alloc(sizeof(*maintenance));
	*maintenance = (struct maintenance){.flow = flow,
	                                    .reader = reader,
	                                    .claim_after_ms = claim_after_ms,
	                                    .keep_ms = keep_ms};
	for (size_t i = 0; i < READER_STREAMS_MAX; i++)
		maintenance->streams[i] = (struct stream_state){
		        .maintenance = maintenance, .number = i, .cursor = "0-0"};
	return maintenance;
}

void maintenance_set(struct maintenance *maintenance, int64_t claim_after_ms, int64_t keep_ms)
{
	maintenance->claim_after_ms = claim_after_ms;
	maintenance->keep_ms = keep_ms;
	for (size_t i = 0; i < READER_STREAMS_MAX; i++)
		maintenance->streams[i].claim_at.ms = maintenance->streams[i].trim_at.ms =
		        maintenance->streams[i].sweep_at.ms = 0;
}

struct maintenance *maintenance_free(struct maintenance *maintenance)
{
	free(maintenance);
	return NULL;
}

void maintenance_reset(struct maintenance *maintenance)
{
	for (size_t i = 0; i < READER_STREAMS_MAX; i++)
		maintenance->streams[i].claiming = maintenance->streams[i].trimming =
		        maintenance->streams[i].sweeping = false;
}

static struct source *source_of(const struct stream_state *state)
{
	return reader_stream(state->maintenance->reader, state->number);
}

static bool answered(const redisReply *reply, int type, const struct stream_state *state,
                     const char *what)
{
	if (!reply)
		return false;
	if (reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "NOGROUP", 7))
		log_fault(LOG_WARNING, "Redis refuses %s stream=%s reply=\"%s\"", what,
		          source_of(state)->key, reply->str);
	return reply->type == type;
}

/* ---- claiming */

/* Entries that were pending and aren't there anymore: Redis 7 names them, 6.2 has nil in their
 * places. */
static void take_deleted(struct source *source, const redisReply *reply)
{
	const redisReply *entries = reply->element[1];
	size_t n = reply->elements > 2 && reply->element[2]->type == REDIS_REPLY_ARRAY
	                   ? reply->element[2]->elements
	                   : 0;
	for (size_t i = 0; i < entries->elements; i++)
		n += entries->element[i]->type == REDIS_REPLY_NIL;
	flow_lost(source, (int64_t)n);
}

static void on_claimed(void *arg, const redisReply *reply)
{
	struct stream_state *state = arg;
	struct source *source = source_of(state);
	state->claiming = false;
	snprintf(state->cursor, ID_MAX, "0-0");
	if (!answered(reply, REDIS_REPLY_ARRAY, state,
	              "to hand over entries of another consumer") ||
	    reply->elements < 2 || reply->element[1]->type != REDIS_REPLY_ARRAY)
		return;
	if (reply->element[0]->type == REDIS_REPLY_STRING)
		snprintf(state->cursor, ID_MAX, "%s", reply->element[0]->str);
	if (strcmp(state->cursor, "0-0"))
		state->claim_at.ms = 0; /* there is more */
	const redisReply *entries = reply->element[1];
	take_deleted(source, reply);
	if (!entries->elements)
		return;
	struct intake *intake = flow_intake(source, entries->elements);
	for (size_t i = 0; i < entries->elements; i++)
		flow_add_stream_entry(intake, entries->element[i]);
	if (intake->n)
		log_state(LOG_NOTICE, source->key,
		          "took over entries of another consumer stream=%s n=%zu", source->key,
		          intake->n);
	flow_submit(source, intake);
}

/* What this very process has had in hand for so long would be handed to it again: then it waits. */
static void claim(struct stream_state *state, struct tick now)
{
	struct maintenance *maintenance = state->maintenance;
	struct source *source = source_of(state);
	int64_t margin_ms = between(0, maintenance->claim_after_ms / 2, CLAIM_MARGIN_MS);
	if (state->claiming || now.ms < state->claim_at.ms ||
	    flow_age_ms(source) + margin_ms > maintenance->claim_after_ms ||
	    !flow_open(maintenance->flow))
		return;
	struct args args = {0};
	args_add_all(&args, "XAUTOCLAIM", source->key, maintenance->flow->group,
	             maintenance->flow->consumer, NULL);
	args_add_number(&args, maintenance->claim_after_ms);
	args_add_all(&args, state->cursor, "COUNT", NULL);
	size_t most = flow_read_max(maintenance->flow);
	args_add_number(&args, most < CLAIM_COUNT ? (int64_t)most : CLAIM_COUNT);
	state->claiming =
	        redis_connection_send(maintenance->flow->commands, &args, on_claimed, state);
	state->claim_at.ms =
	        now.ms + between(WAIT_MIN_MS, maintenance->claim_after_ms / 4, CLAIM_WAIT_MAX_MS);
	args_free(&args);
}

/* ---- trimming: XINFO GROUPS, XPENDING for each group, XTRIM */

static bool read_id(const redisReply *reply, struct stream_id *ret)
{
	return reply && reply->type == REDIS_REPLY_STRING &&
	       sscanf(reply->str, "%" SCNu64 "-%" SCNu64, &ret->ms, &ret->seq) == 2;
}

static void keep_from(struct stream_state *state, struct stream_id id)
{
	if (id.ms < state->keep.ms || (id.ms == state->keep.ms && id.seq < state->keep.seq))
		state->keep = id;
}

/* The value behind a name in one group's flat list; NULL where there is none. */
static const redisReply *group_value(const redisReply *group, const char *name)
{
	for (size_t i = 0; i + 1 < group->elements; i += 2)
		if (group->element[i]->type == REDIS_REPLY_STRING &&
		    !strcmp(group->element[i]->str, name))
			return group->element[i + 1];
	return NULL;
}

static void on_trimmed(void *arg, const redisReply *reply)
{
	struct stream_state *state = arg;
	state->trimming = false;
	if (answered(reply, REDIS_REPLY_INTEGER, state, "to trim") && reply->integer > 0)
		log_state(LOG_INFO, source_of(state)->key, "old entries trimmed stream=%s n=%lld",
		          source_of(state)->key, reply->integer);
}

static void maintenance_trim(struct stream_state *state)
{
	struct args args = {0};
	char id[ID_MAX];
	snprintf(id, sizeof(id), "%" PRIu64 "-%" PRIu64, state->keep.ms, state->keep.seq);
	args_add_all(&args, "XTRIM", source_of(state)->key, "MINID", id, NULL);
	if (state->unsure ||
	    !redis_connection_send(state->maintenance->flow->commands, &args, on_trimmed, state))
		state->trimming = false;
	args_free(&args);
}

/* [count, smallest id, largest id, consumers] */
static void on_pending(void *arg, const redisReply *reply)
{
	struct stream_state *state = arg;
	struct stream_id oldest;
	if (!reply)
		return; /* maintenance_reset() comes with the next connection */
	if (!answered(reply, REDIS_REPLY_ARRAY, state, "to say what is pending") ||
	    reply->elements < 2 || reply->element[0]->type != REDIS_REPLY_INTEGER)
		state->unsure = true;
	else if (reply->element[0]->integer && !read_id(reply->element[1], &oldest))
		state->unsure = true;
	else if (reply->element[0]->integer)
		keep_from(state, oldest);
	if (!--state->groups)
		maintenance_trim(state);
}

static bool ask_pending(struct stream_state *state, const redisReply *group)
{
	const redisReply *name =
	        group->type == REDIS_REPLY_ARRAY ? group_value(group, "name") : NULL;
	struct stream_id last;
	if (!name || name->type != REDIS_REPLY_STRING ||
	    !read_id(group_value(group, "last-delivered-id"), &last))
		return false;
	last.seq++; /* what was delivered last may go; no millisecond has 2⁶⁴ entries */
	keep_from(state, last);
	struct args args = {0};
	args_add_all(&args, "XPENDING", source_of(state)->key, NULL);
	args_add_bytes(&args, name->str, name->len);
	bool sent =
	        redis_connection_send(state->maintenance->flow->commands, &args, on_pending, state);
	args_free(&args);
	state->groups += sent;
	return sent;
}

static void on_groups(void *arg, const redisReply *reply)
{
	struct stream_state *state = arg;
	state->groups = 0;
	state->unsure = false;
	if (!answered(reply, REDIS_REPLY_ARRAY, state, "to list groups") || !reply->elements) {
		state->trimming = false;
		return;
	}
	for (size_t i = 0; i < reply->elements; i++)
		if (!ask_pending(state, reply->element[i]))
			state->unsure = true;
	if (!state->groups)
		state->trimming = false;
}

static void start_trim(struct stream_state *state, struct tick now)
{
	struct maintenance *maintenance = state->maintenance;
	int64_t before_ms = clock_now().ms - maintenance->keep_ms;
	if (state->trimming || now.ms < state->trim_at.ms || before_ms <= 0)
		return;
	struct args args = {0};
	state->keep = (struct stream_id){.ms = (uint64_t)before_ms};
	args_add_all(&args, "XINFO", "GROUPS", source_of(state)->key, NULL);
	state->trimming =
	        redis_connection_send(maintenance->flow->commands, &args, on_groups, state);
	state->trim_at.ms =
	        now.ms + between(WAIT_MIN_MS, maintenance->keep_ms / 8, TRIM_WAIT_MAX_MS);
	args_free(&args);
}

/* ---- consumers that are gone */

/* Checked and removed in one step: one that gets an entry in between would lose it with its
 * name. */
static const char sweep_script[] =
        "local n = 0\n"
        "for _, row in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do\n"
        "  local c = {}\n"
        "  for i = 1, #row, 2 do c[row[i]] = row[i + 1] end\n"
        "  if c.name ~= ARGV[2] and c.pending == 0 and c.idle >= tonumber(ARGV[3]) then\n"
        "    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], c.name)\n"
        "    n = n + 1\n"
        "  end\n"
        "end\n"
        "return n\n";

static void on_swept(void *arg, const redisReply *reply)
{
	struct stream_state *state = arg;
	state->sweeping = false;
	if (!reply)
		return; /* maintenance_reset() comes with the next connection */
	if (reply->type == REDIS_REPLY_INTEGER && reply->integer > 0)
		log_state(LOG_INFO, source_of(state)->key,
		          "consumers that are gone were removed stream=%s n=%lld",
		          source_of(state)->key, reply->integer);
	if (reply->type != REDIS_REPLY_ERROR || strncmp(reply->str, "NOGROUP", 7) == 0)
		return;
	if (!state->maintenance->no_scripts)
		log_fault(LOG_NOTICE,
		          "can't remove consumers that are gone: Redis refuses scripts "
		          "stream=%s reply=\"%s\"",
		          source_of(state)->key, reply->str);
	state->maintenance->no_scripts = true;
}

static void maintenance_sweep(struct stream_state *state, struct tick now)
{
	struct maintenance *maintenance = state->maintenance;
	struct args args = {0};
	if (state->sweeping || maintenance->no_scripts || now.ms < state->sweep_at.ms)
		return;
	args_add_all(&args, "EVAL", sweep_script, "1", source_of(state)->key,
	             maintenance->flow->group, maintenance->flow->consumer, NULL);
	args_add_number(&args, maintenance->keep_ms);
	state->sweeping =
	        redis_connection_send(maintenance->flow->commands, &args, on_swept, state);
	state->sweep_at.ms =
	        now.ms + between(WAIT_MIN_MS, maintenance->keep_ms / 8, TRIM_WAIT_MAX_MS);
	args_free(&args);
}

void maintenance_turn(struct maintenance *maintenance)
{
	struct tick now = clock_tick();
	if (maintenance->flow->closed || !redis_connection_ready(maintenance->flow->commands))
		return;
	for (size_t i = 0; i < reader_streams(maintenance->reader); i++) {
		if (!reader_usable(maintenance->reader, i))
			continue;
		claim(&maintenance->streams[i], now);
		start_trim(&maintenance->streams[i], now);
		maintenance_sweep(&maintenance->streams[i], now);
	}
}
