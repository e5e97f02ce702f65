/* SPDX-License-Identifier: MIT */
#include "dispatchd/redis/takeover.h"

#include "base/buf.h"
#include "base/mem.h"
#include "common/clock.h"
#include "dispatchd/sys/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOOK_MIN_MS = 500, LOOK_MAX_MS = 30 * 1000, SIGN_MIN_MS = 5000, STRANGERS_MAX = 1000 };

/* Another consumer's processing list. */
struct stranger {
	struct stranger *next;
	struct heritage *heritage;
	char *oldest; /* its oldest item when it was looked at; NULL before the first time */
	size_t oldest_len;
	struct tick since; /* when that item was first seen to be the oldest */
	bool seen;         /* in the scan under way */
	bool asked;        /* an answer is awaited */
	bool looked_at;    /* it is that of a look at the oldest item */
	bool unread;       /* its oldest item is too long to be looked at: it stays where it is */
	char *sign;        /* its consumer's sign of life */
	char name[];
};

struct heritage {
	struct flow *flow;
	const char *key;
	char *prefix;     /* of all processing lists */
	char *processing; /* ours */
	char *sign;       /* ours */
	int64_t claim_after_ms;
	struct stranger *strangers;
	size_t n;
	struct tick sign_at, look_at;
	bool signing, scanning;   /* answers are awaited */
	bool came;                /* items have come into our list */
	bool no_sign, no_scripts; /* the user has no right to; it was logged */
};

/* Every item of theirs to the old end of ours, unless its consumer is alive or has done something. */
static const char take_script[] =
        "if redis.call('EXISTS', KEYS[3]) == 1 or redis.call('LINDEX', KEYS[1], -1) ~= ARGV[1] then return 0 "
        "end\n"
        "local n = 0\n"
        "while n < 10000 and redis.call('LMOVE', KEYS[1], KEYS[2], 'LEFT', 'RIGHT') do n = n + 1 end\n"
        "return n\n";

static char *join(const char *a, const char *b, const char *c)
{
	char *text;
	if (asprintf(&text, "%s%s%s", a, b, c) < 0)
		bug("no memory for a name");
	return text;
}

struct heritage *heritage_new(struct flow *flow, const char *key, int64_t claim_after_ms)
{
	struct heritage *heritage = mem_alloc(sizeof(*heritage));
	*heritage = (struct heritage){.flow = flow, .key = key, .claim_after_ms = claim_after_ms};
	heritage->prefix = join(key, ":processing:", "");
	heritage->processing = join(heritage->prefix, flow->consumer, "");
	heritage->sign = join(key, ":consumer:", flow->consumer);
	return heritage;
}

static struct stranger *stranger_free(struct stranger *stranger)
{
	struct stranger *next = stranger->next;
	free(stranger->oldest);
	free(stranger->sign);
	free(stranger);
	return next;
}

struct heritage *heritage_free(struct heritage *heritage)
{
	if (!heritage)
		return NULL;
	while (heritage->strangers)
		heritage->strangers = stranger_free(heritage->strangers);
	free(heritage->prefix);
	free(heritage->processing);
	free(heritage->sign);
	free(heritage);
	return NULL;
}

void heritage_set(struct heritage *heritage, int64_t claim_after_ms)
{
	heritage->claim_after_ms = claim_after_ms;
	heritage->sign_at.ms = heritage->look_at.ms = 0;
}

void heritage_reset(struct heritage *heritage)
{
	heritage->signing = heritage->scanning = false;
	heritage->sign_at.ms = heritage->look_at.ms = 0;
	for (struct stranger *stranger = heritage->strangers; stranger; stranger = stranger->next)
		stranger->asked = stranger->looked_at = false;
}

/* The answers come in the order of the questions: the first that is missing is the one. */
void heritage_too_long(struct heritage *heritage)
{
	struct stranger *stranger = heritage->strangers;
	while (stranger && !stranger->looked_at)
		stranger = stranger->next;
	if (!stranger)
		return;
	stranger->unread = true;
	log_write(LOG_ERR,
	          "another consumer's list can't be taken over: its oldest item is too large to be read; "
	          "remove it by hand processing=%s",
	          stranger->name);
}

/* ---- our own sign of life */

static int64_t sign_ms(const struct heritage *heritage)
{
	return heritage->claim_after_ms > SIGN_MIN_MS ? heritage->claim_after_ms : SIGN_MIN_MS;
}

static void on_signed(void *arg, const redisReply *reply)
{
	struct heritage *heritage = arg;
	heritage->signing = false;
	if (!reply || reply->type != REDIS_REPLY_ERROR || heritage->no_sign)
		return;
	heritage->no_sign = true;
	log_write(
	        LOG_WARNING,
	        "we can't give a sign of life for our processing list: another dispatchd may take over what "
	        "we have in hand for longer than claim_after key=%s reply=\"%s\"",
	        heritage->sign, reply->str);
}

static void give_sign(struct heritage *heritage, struct tick now)
{
	struct args args = {0};
	if (heritage->signing || now.ms < heritage->sign_at.ms)
		return;
	args_add_all(&args, "SET", heritage->sign, "1", "PX", NULL);
	args_add_number(&args, sign_ms(heritage));
	heritage->signing = redis_connection_send(heritage->flow->commands, &args, on_signed, heritage);
	heritage->sign_at.ms = now.ms + sign_ms(heritage) / 4;
	args_free(&args);
}

/* ---- taking over */

static void on_taken(void *arg, const redisReply *reply)
{
	struct stranger *stranger = arg;
	struct heritage *heritage = stranger->heritage;
	if (!reply)
		return; /* heritage_reset() comes with the next connection */
	stranger->asked = false;
	if (reply->type == REDIS_REPLY_INTEGER && reply->integer > 0) {
		log_write(LOG_NOTICE, "list taken over that another consumer left processing=%s n=%lld",
		          stranger->name, reply->integer);
		heritage->came = true;
		heritage->flow->wake(heritage->flow->wake_arg);
	}
	if (reply->type != REDIS_REPLY_ERROR || heritage->no_scripts)
		return;
	heritage->no_scripts = true;
	log_write(LOG_WARNING,
	          "what consumers that are gone left can't be taken over: we may not run scripts in Redis; "
	          "move "
	          "it back by hand processing=%s reply=\"%s\"",
	          stranger->name, reply->str);
}

static bool take_over(struct stranger *stranger)
{
	struct heritage *heritage = stranger->heritage;
	struct args args = {0};
	args_add_all(&args, "EVAL", take_script, "3", stranger->name, heritage->processing, stranger->sign,
	             NULL);
	args_add_bytes(&args, stranger->oldest, stranger->oldest_len);
	bool sent = redis_connection_send(heritage->flow->commands, &args, on_taken, stranger);
	args_free(&args);
	return sent;
}

static void note_oldest(struct stranger *stranger, const redisReply *item)
{
	if (stranger->oldest && stranger->oldest_len == item->len &&
	    !memcmp(stranger->oldest, item->str, item->len))
		return;
	free(stranger->oldest);
	stranger->oldest = mem_alloc(item->len + 1);
	memcpy(stranger->oldest, item->str, item->len);
	stranger->oldest_len = item->len;
	stranger->since = clock_tick();
}

static void on_oldest(void *arg, const redisReply *reply)
{
	struct stranger *stranger = arg;
	struct heritage *heritage = stranger->heritage;
	if (!reply)
		return; /* heritage_reset() comes with the next connection */
	stranger->asked = stranger->looked_at = false;
	if (reply->type != REDIS_REPLY_STRING)
		return; /* it is empty by now */
	note_oldest(stranger, reply);
	if (clock_tick().ms - stranger->since.ms >= heritage->claim_after_ms && !heritage->no_scripts)
		stranger->asked = take_over(stranger);
}

/* ---- looking for them */

static struct stranger *find(struct heritage *heritage, const redisReply *name)
{
	struct stranger *stranger = heritage->strangers;
	while (stranger &&
	       (strlen(stranger->name) != name->len || memcmp(stranger->name, name->str, name->len)))
		stranger = stranger->next;
	return stranger;
}

static void meet(struct heritage *heritage, const redisReply *name)
{
	size_t prefix = strlen(heritage->prefix);
	if (name->type != REDIS_REPLY_STRING || name->len < prefix || strlen(name->str) != name->len ||
	    !strcmp(name->str, heritage->processing))
		return;
	struct stranger *stranger = find(heritage, name);
	if (!stranger && heritage->n < STRANGERS_MAX) {
		stranger = mem_alloc(sizeof(*stranger) + name->len + 1);
		memcpy(stranger->name, name->str, name->len);
		stranger->heritage = heritage;
		stranger->sign = join(heritage->key, ":consumer:", stranger->name + prefix);
		stranger->next = heritage->strangers;
		heritage->strangers = stranger;
		heritage->n++;
		log_write(LOG_NOTICE,
		          "another consumer holds items of the list; they are taken over once it has given "
		          "no sign "
		          "of life for claim_after list=%s processing=%s",
		          heritage->key, stranger->name);
	}
	if (stranger)
		stranger->seen = true;
}

static void forget_unseen(struct heritage *heritage)
{
	struct stranger **at = &heritage->strangers;
	while (*at) {
		if ((*at)->seen || (*at)->asked) {
			at = &(*at)->next;
			continue;
		}
		*at = stranger_free(*at);
		heritage->n--;
	}
}

static void end_scan(struct heritage *heritage)
{
	struct args args = {0};
	heritage->scanning = false;
	forget_unseen(heritage);
	for (struct stranger *stranger = heritage->strangers; stranger; stranger = stranger->next) {
		if (stranger->asked || stranger->unread)
			continue;
		args_add_all(&args, "LINDEX", stranger->name, "-1", NULL);
		stranger->asked = redis_connection_send(heritage->flow->commands, &args, on_oldest, stranger);
		stranger->looked_at = stranger->asked;
		args_reset(&args);
	}
	args_free(&args);
}

static void scan(struct heritage *heritage, const char *cursor);

static void on_scanned(void *arg, const redisReply *reply)
{
	struct heritage *heritage = arg;
	if (!reply)
		return; /* heritage_reset() comes with the next connection */
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
	    reply->element[0]->type != REDIS_REPLY_STRING || reply->element[1]->type != REDIS_REPLY_ARRAY) {
		heritage->scanning = false;
		return;
	}
	for (size_t i = 0; i < reply->element[1]->elements; i++)
		meet(heritage, reply->element[1]->element[i]);
	if (strcmp(reply->element[0]->str, "0") != 0)
		scan(heritage, reply->element[0]->str);
	else
		end_scan(heritage);
}

static void scan(struct heritage *heritage, const char *cursor)
{
	struct args args = {0};
	struct buf pattern = {0};
	for (const char *p = heritage->prefix; *p; p++) {
		if (strchr("*?[]\\^", *p))
			buf_addc(&pattern, '\\');
		buf_addc(&pattern, *p);
	}
	buf_adds(&pattern, "*");
	args_add_all(&args, "SCAN", cursor, "MATCH", buf_text(&pattern), "COUNT", "1000", NULL);
	heritage->scanning = redis_connection_send(heritage->flow->commands, &args, on_scanned, heritage);
	args_free(&args);
	buf_free(&pattern);
}

static void look(struct heritage *heritage, struct tick now)
{
	int64_t wait_ms = heritage->claim_after_ms / 4;
	if (heritage->scanning || now.ms < heritage->look_at.ms)
		return;
	heritage->look_at.ms = now.ms + (wait_ms < LOOK_MIN_MS   ? LOOK_MIN_MS
	                                 : wait_ms > LOOK_MAX_MS ? LOOK_MAX_MS
	                                                         : wait_ms);
	for (struct stranger *stranger = heritage->strangers; stranger; stranger = stranger->next)
		stranger->seen = false;
	scan(heritage, "0");
}

bool heritage_turn(struct heritage *heritage)
{
	bool came = heritage->came;
	struct tick now = clock_tick();
	heritage->came = false;
	if (!heritage->flow->closed && redis_connection_ready(heritage->flow->commands)) {
		give_sign(heritage, now);
		look(heritage, now);
	}
	return came;
}
