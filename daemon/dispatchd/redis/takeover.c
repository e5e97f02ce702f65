/* SPDX-License-Identifier: MIT */
/*
 * Takes over the processing lists of consumers that are gone: whoever sends no heartbeat for
 * claim_after, and whose oldest item stays the same for as long, loses its list to ours in one
 * step.
 */
#include "dispatchd/redis/takeover.h"

#include "base/buf.h"
#include "base/mem.h"
#include "common/clock.h"
#include "dispatchd/sys/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOOK_MIN_MS = 500, LOOK_MAX_MS = 30 * 1000, HEARTBEAT_MIN_MS = 5000, OTHERS_MAX = 1000 };

/* Another consumer's processing list. */
struct other_consumer {
	struct other_consumer *next;
	struct takeover *takeover;
	char *oldest; /* its oldest item at the last check; NULL before the first one */
	size_t oldest_len;
	struct tick since; /* when that item was first seen to be the oldest */
	bool seen;         /* in the scan under way */
	bool asked;        /* an answer is awaited */
	bool in_check;     /* it belongs to a check of the oldest item */
	bool unread;       /* its oldest item is too long to be checked: it is not moved */
	char *heartbeat;   /* its consumer's heartbeat: a key */
	char name[];
};

struct takeover {
	struct flow *flow;
	const char *key;
	char *prefix;     /* of all processing lists */
	char *processing; /* ours */
	char *heartbeat;  /* ours */
	int64_t claim_after_ms;
	struct other_consumer *others;
	size_t n;
	struct tick heartbeat_at, scan_at;
	bool heartbeat_pending, scanning; /* answers are awaited */
	bool came;                        /* items have come into our list */
	bool no_heartbeat, no_scripts;    /* the user has no right to; it was logged */
};

/* Moves every item of theirs to the old end of ours, unless its consumer is alive or has done
 * something. */
static const char take_script[] = "if redis.call('EXISTS', KEYS[3]) == 1 or redis.call('LINDEX', "
                                  "KEYS[1], -1) ~= ARGV[1] then return 0 "
                                  "end\n"
                                  "local n = 0\n"
                                  "while n < 10000 and redis.call('LMOVE', KEYS[1], KEYS[2], "
                                  "'LEFT', 'RIGHT') do n = n + 1 end\n"
                                  "return n\n";

static char *takeover_join(const char *a, const char *b, const char *c)
{
	char *text;
	if (asprintf(&text, "%s%s%s", a, b, c) < 0)
		bug("no memory for a name");
	return text;
}

struct takeover *takeover_new(struct flow *flow, const char *key, int64_t claim_after_ms)
{
	struct takeover *takeover = mem_alloc(sizeof(*takeover));
	*takeover = (struct takeover){.flow = flow, .key = key, .claim_after_ms = claim_after_ms};
	takeover->prefix = takeover_join(key, ":processing:", "");
	takeover->processing = takeover_join(takeover->prefix, flow->consumer, "");
	takeover->heartbeat = takeover_join(key, ":consumer:", flow->consumer);
	return takeover;
}

static struct other_consumer *other_consumer_free(struct other_consumer *other)
{
	struct other_consumer *next = other->next;
	free(other->oldest);
	free(other->heartbeat);
	free(other);
	return next;
}

struct takeover *takeover_free(struct takeover *takeover)
{
	if (!takeover)
		return NULL;
	while (takeover->others)
		takeover->others = other_consumer_free(takeover->others);
	free(takeover->prefix);
	free(takeover->processing);
	free(takeover->heartbeat);
	free(takeover);
	return NULL;
}

void takeover_set(struct takeover *takeover, int64_t claim_after_ms)
{
	takeover->claim_after_ms = claim_after_ms;
	takeover->heartbeat_at.ms = takeover->scan_at.ms = 0;
}

void takeover_reset(struct takeover *takeover)
{
	takeover->heartbeat_pending = takeover->scanning = false;
	takeover->heartbeat_at.ms = takeover->scan_at.ms = 0;
	for (struct other_consumer *other = takeover->others; other; other = other->next)
		other->asked = other->in_check = false;
}

/* The answers come in the order of the questions: the first that is missing is the one. */
void takeover_too_long(struct takeover *takeover)
{
	struct other_consumer *other = takeover->others;
	while (other && !other->in_check)
		other = other->next;
	if (!other)
		return;
	other->unread = true;
	log_fault(LOG_ERR,
	          "another consumer's list can't be taken over: its oldest item is too large to be "
	          "read; remove it by hand processing=%s",
	          other->name);
}

/* ---- our own heartbeat */

static int64_t heartbeat_ms(const struct takeover *takeover)
{
	return takeover->claim_after_ms > HEARTBEAT_MIN_MS ? takeover->claim_after_ms
	                                                   : HEARTBEAT_MIN_MS;
}

static void on_heartbeat(void *arg, const redisReply *reply)
{
	struct takeover *takeover = arg;
	takeover->heartbeat_pending = false;
	if (!reply || reply->type != REDIS_REPLY_ERROR || takeover->no_heartbeat)
		return;
	takeover->no_heartbeat = true;
	log_fault(
	        LOG_WARNING,
	        "can't send the heartbeat of our processing list: another dispatchd may take over "
	        "what has been in progress for longer than claim_after key=%s reply=\"%s\"",
	        takeover->heartbeat, reply->str);
}

static void send_heartbeat(struct takeover *takeover, struct tick now)
{
	struct args args = {0};
	if (takeover->heartbeat_pending || now.ms < takeover->heartbeat_at.ms)
		return;
	args_add_all(&args, "SET", takeover->heartbeat, "1", "PX", NULL);
	args_add_number(&args, heartbeat_ms(takeover));
	takeover->heartbeat_pending =
	        redis_connection_send(takeover->flow->commands, &args, on_heartbeat, takeover);
	takeover->heartbeat_at.ms = now.ms + heartbeat_ms(takeover) / 4;
	args_free(&args);
}

/* ---- taking over */

static void on_taken(void *arg, const redisReply *reply)
{
	struct other_consumer *other = arg;
	struct takeover *takeover = other->takeover;
	if (!reply)
		return; /* takeover_reset() comes with the next connection */
	other->asked = false;
	if (reply->type == REDIS_REPLY_INTEGER && reply->integer > 0) {
		log_state(LOG_NOTICE, other->name,
		          "took over the list of another consumer processing=%s n=%lld",
		          other->name, reply->integer);
		takeover->came = true;
		takeover->flow->wake(takeover->flow->wake_arg);
	}
	if (reply->type != REDIS_REPLY_ERROR || takeover->no_scripts)
		return;
	takeover->no_scripts = true;
	log_fault(LOG_WARNING,
	          "can't take over the list of a consumer that is gone: Redis refuses scripts; "
	          "move its items back by hand processing=%s reply=\"%s\"",
	          other->name, reply->str);
}

static bool take_over(struct other_consumer *other)
{
	struct takeover *takeover = other->takeover;
	struct args args = {0};
	args_add_all(&args, "EVAL", take_script, "3", other->name, takeover->processing,
	             other->heartbeat, NULL);
	args_add_bytes(&args, other->oldest, other->oldest_len);
	bool sent = redis_connection_send(takeover->flow->commands, &args, on_taken, other);
	args_free(&args);
	return sent;
}

static void note_oldest(struct other_consumer *other, const redisReply *item)
{
	if (other->oldest && other->oldest_len == item->len &&
	    !memcmp(other->oldest, item->str, item->len))
		return;
	free(other->oldest);
	other->oldest = mem_alloc(item->len + 1);
	memcpy(other->oldest, item->str, item->len);
	other->oldest_len = item->len;
	other->since = clock_tick();
}

static void on_oldest(void *arg, const redisReply *reply)
{
	struct other_consumer *other = arg;
	struct takeover *takeover = other->takeover;
	if (!reply)
		return; /* takeover_reset() comes with the next connection */
	other->asked = other->in_check = false;
	if (reply->type != REDIS_REPLY_STRING)
		return; /* it is empty by now */
	note_oldest(other, reply);
	if (clock_tick().ms - other->since.ms >= takeover->claim_after_ms && !takeover->no_scripts)
		other->asked = take_over(other);
}

/* ---- looking for them */

static struct other_consumer *takeover_find(struct takeover *takeover, const redisReply *name)
{
	struct other_consumer *other = takeover->others;
	while (other &&
	       (strlen(other->name) != name->len || memcmp(other->name, name->str, name->len)))
		other = other->next;
	return other;
}

static void note_other(struct takeover *takeover, const redisReply *name)
{
	size_t prefix = strlen(takeover->prefix);
	if (name->type != REDIS_REPLY_STRING || name->len < prefix ||
	    strlen(name->str) != name->len || !strcmp(name->str, takeover->processing))
		return;
	struct other_consumer *other = takeover_find(takeover, name);
	if (!other && takeover->n < OTHERS_MAX) {
		other = mem_alloc(sizeof(*other) + name->len + 1);
		memcpy(other->name, name->str, name->len);
		other->takeover = takeover;
		other->heartbeat = takeover_join(takeover->key, ":consumer:", other->name + prefix);
		other->next = takeover->others;
		takeover->others = other;
		takeover->n++;
		log_fault(LOG_NOTICE,
		          "another consumer holds items of the list; they are taken over once it "
		          "has sent no heartbeat for claim_after list=%s processing=%s",
		          takeover->key, other->name);
	}
	if (other)
		other->seen = true;
}

static void forget_unseen(struct takeover *takeover)
{
	struct other_consumer **at = &takeover->others;
	while (*at) {
		if ((*at)->seen || (*at)->asked) {
			at = &(*at)->next;
			continue;
		}
		*at = other_consumer_free(*at);
		takeover->n--;
	}
}

static void end_scan(struct takeover *takeover)
{
	struct args args = {0};
	takeover->scanning = false;
	forget_unseen(takeover);
	for (struct other_consumer *other = takeover->others; other; other = other->next) {
		if (other->asked || other->unread)
			continue;
		args_add_all(&args, "LINDEX", other->name, "-1", NULL);
		other->asked =
		        redis_connection_send(takeover->flow->commands, &args, on_oldest, other);
		other->in_check = other->asked;
		args_reset(&args);
	}
	args_free(&args);
}

static void scan(struct takeover *takeover, const char *cursor);

static void on_scanned(void *arg, const redisReply *reply)
{
	struct takeover *takeover = arg;
	if (!reply)
		return; /* takeover_reset() comes with the next connection */
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
	    reply->element[0]->type != REDIS_REPLY_STRING ||
	    reply->element[1]->type != REDIS_REPLY_ARRAY) {
		takeover->scanning = false;
		return;
	}
	for (size_t i = 0; i < reply->element[1]->elements; i++)
		note_other(takeover, reply->element[1]->element[i]);
	if (strcmp(reply->element[0]->str, "0") != 0)
		scan(takeover, reply->element[0]->str);
	else
		end_scan(takeover);
}

static void scan(struct takeover *takeover, const char *cursor)
{
	struct args args = {0};
	struct buf pattern = {0};
	for (const char *p = takeover->prefix; *p; p++) {
		if (strchr("*?[]\\^", *p))
			buf_addc(&pattern, '\\');
		buf_addc(&pattern, *p);
	}
	buf_adds(&pattern, "*");
	args_add_all(&args, "SCAN", cursor, "MATCH", buf_text(&pattern), "COUNT", "1000", NULL);
	takeover->scanning =
	        redis_connection_send(takeover->flow->commands, &args, on_scanned, takeover);
	args_free(&args);
	buf_free(&pattern);
}

static void takeover_check(struct takeover *takeover, struct tick now)
{
	int64_t wait_ms = takeover->claim_after_ms / 4;
	if (takeover->scanning || now.ms < takeover->scan_at.ms)
		return;
	takeover->scan_at.ms = now.ms + (wait_ms < LOOK_MIN_MS   ? LOOK_MIN_MS
	                                 : wait_ms > LOOK_MAX_MS ? LOOK_MAX_MS
	                                                         : wait_ms);
	for (struct other_consumer *other = takeover->others; other; other = other->next)
		other->seen = false;
	scan(takeover, "0");
}

bool takeover_turn(struct takeover *takeover)
{
	bool came = takeover->came;
	struct tick now = clock_tick();
	takeover->came = false;
	if (!takeover->flow->closed && redis_connection_ready(takeover->flow->commands)) {
		send_heartbeat(takeover, now);
		takeover_check(takeover, now);
	}
	return came;
}
