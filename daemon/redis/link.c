/* SPDX-License-Identifier: MIT */
/*
 * One connection over hiredis 0.14 and its libevent adapter.
 *
 * hiredis frees the context by itself when a connection attempt fails or the peer goes, and must not
 * be asked to from onConnect or onDisconnect (FACTS: double free). So there are two ways out and no
 * third: hiredis ends it and tells us, or on_timer() ends it from the loop's top. Everything else
 * only marks (LINK_FAILING) and lets the timer ring.
 */
#include "redis/link.h"

#include "base/backoff.h"
#include "base/mem.h"
#include "clock.h"
#include "redis/resolve.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#include <hiredis/adapters/libevent.h>
#pragma GCC diagnostic pop

enum { CONNECT_MS = 5000, RENEWALS_APART_MS = 30000 };
static const struct backoff pace = {.min_ms = 100, .max_ms = 3 * 1000};

enum link_state {
	LINK_RESTING, /* the timer rings for the next try */
	LINK_RESOLVING,
	LINK_CONNECTING,
	LINK_GREETING,
	LINK_READY,
	LINK_FAILING, /* the timer rings at once and ends the connection */
	LINK_CLOSED,  /* for good */
	LINK_STATES,
};

/* From which state a link may go to which. */
static const unsigned allowed[LINK_STATES] = {
        [LINK_RESTING] = 1u << LINK_RESOLVING | 1u << LINK_CONNECTING,
        [LINK_RESOLVING] = 1u << LINK_CONNECTING | 1u << LINK_RESTING,
        [LINK_CONNECTING] = 1u << LINK_GREETING | 1u << LINK_FAILING | 1u << LINK_RESTING,
        [LINK_GREETING] = 1u << LINK_READY | 1u << LINK_FAILING | 1u << LINK_RESTING,
        [LINK_READY] = 1u << LINK_FAILING | 1u << LINK_RESTING,
        [LINK_FAILING] = 1u << LINK_RESTING,
        [LINK_CLOSED] = 0,
};

struct link {
	struct event_base *base;
	const struct target *target;
	int64_t patience_ms;
	const struct link_events *events;
	void *arg;
	enum link_state state;
	redisAsyncContext *context; /* CONNECTING to FAILING */
	struct resolution *resolution;
	struct event *timer;
	unsigned awaited;
	unsigned failures; /* in a row */
	unsigned renewals; /* in a row, each soon after the one before */
	struct tick renewed;
	link_reply *on_message;
	void *on_message_arg;
	char why[256]; /* of the failure under way */
};

/* A command on its way; hiredis carries it to its answer. */
struct call {
	struct link *link;
	link_reply *fn;
	void *arg;
};

static void move_to(struct link *link, enum link_state to)
{
	if (!(allowed[link->state] & 1u << to))
		bug("a Redis link can't go from state %d to %d", (int)link->state, (int)to);
	link->state = to;
}

static void ring_in(struct link *link, int64_t ms)
{
	struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	event_add(link->timer, &wait);
}

uint32_t link_random(void)
{
	uint32_t random = 0;
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
		return 0;
	return random;
}

static void rest(struct link *link)
{
	move_to(link, LINK_RESTING);
	link->awaited = 0;
	ring_in(link, backoff_ms(pace, ++link->failures, link_random()));
}

static void lost(struct link *link, const char *why)
{
	if (!link->why[0])
		snprintf(link->why, sizeof(link->why), "%s", why && *why ? why : "connection closed");
	rest(link);
	link->events->down(link->arg, link->why);
	link->why[0] = '\0';
}

/* Drops the connection after the callback that is running, and tries again later. */
static void link_fail(struct link *link, const char *why)
{
	if (!link->context || link->state == LINK_FAILING)
		return;
	snprintf(link->why, sizeof(link->why), "%s", why);
	move_to(link, LINK_FAILING);
	ring_in(link, 0);
}

/* Ends our side of a connection, from the loop's top only: callbacks that still wait get their NULL here. */
static void end_context(struct link *link)
{
	redisAsyncContext *context = link->context;
	if (!context)
		return;
	link->context = NULL;
	context->data = NULL; /* on_disconnect has nobody to tell */
	redisAsyncFree(context);
}

void link_renew(struct link *link, const char *why)
{
	struct tick now = clock_tick();
	if (link->state != LINK_READY)
		return;
	if (now.ms - link->renewed.ms > RENEWALS_APART_MS)
		link->renewals = 0;
	link->renewed = now;
	link->failures = link->renewals++;
	link_fail(link, why);
}

/* What Redis says where it is the server that is unusable, not the command or the key. */
static bool is_unusable(const redisReply *reply)
{
	static const char *const words[] = {"READONLY ",    "MASTERDOWN ", "LOADING ", "UNBLOCKED ",
	                                    "CLUSTERDOWN ", "NOREPLICAS ", "NOAUTH ",  "WRONGPASS "};
	if (reply->type != REDIS_REPLY_ERROR)
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strncmp(reply->str, words[i], strlen(words[i])))
			return true;
	return false;
}

/* ---- answers */

static void watch_peer(struct link *link)
{
	if (link->state == LINK_FAILING || link->state == LINK_CLOSED)
		return;
	if (link->awaited)
		ring_in(link, link->state == LINK_READY ? link->patience_ms : CONNECT_MS);
	else
		event_del(link->timer);
}

static void on_reply(redisAsyncContext *context, void *reply, void *arg)
{
	struct call *call = arg;
	struct link *link = call->link;
	if (link->context == context && reply) {
		link->awaited--;
		watch_peer(link);
		if (link->state == LINK_READY && is_unusable(reply)) {
			link->events->unusable(link->arg, ((const redisReply *)reply)->str);
			reply = NULL;
		}
	}
	call->fn(call->arg, reply);
	free(call);
}

static bool send_call(struct link *link, const struct args *args, link_reply *fn, void *arg)
{
	if (!link->context)
		return false;
	struct call *call = mem_alloc(sizeof(*call));
	*call = (struct call){.link = link, .fn = fn, .arg = arg};
	if (redisAsyncCommandArgv(link->context, on_reply, call, args->n, args->argv, args->lens) !=
	    REDIS_OK) {
		free(call);
		link_fail(link, "connection closed");
		return false;
	}
	if (!link->awaited++)
		watch_peer(link);
	return true;
}

bool link_send(struct link *link, const struct args *args, link_reply *fn, void *arg)
{
	return link->state == LINK_READY && send_call(link, args, fn, arg);
}

/* Called for messages and for each confirmation of SUBSCRIBE, which is what is awaited. */
static void on_message(redisAsyncContext *context, void *reply, void *arg)
{
	struct link *link = arg;
	const redisReply *message = reply;
	if (link->context == context && message && message->type == REDIS_REPLY_ARRAY &&
	    !strcmp(message->element[0]->str, "subscribe") && link->awaited) {
		link->awaited--;
		watch_peer(link);
	}
	link->on_message(link->on_message_arg, message);
}

bool link_subscribe(struct link *link, const char *channel, link_reply *fn, void *arg)
{
	link->on_message = fn;
	link->on_message_arg = arg;
	if (link->state != LINK_READY ||
	    redisAsyncCommand(link->context, on_message, link, "SUBSCRIBE %b", channel, strlen(channel)))
		return false;
	if (!link->awaited++)
		watch_peer(link);
	return true;
}

/* ---- greeting: AUTH and SELECT where the target asks for them, then PING, whose answer decides */

static void on_greeting(void *arg, const redisReply *reply)
{
	struct link *link = arg;
	if (reply && link->state == LINK_GREETING && reply->type == REDIS_REPLY_ERROR)
		link_fail(link, reply->str);
}

/* A user who may not PING may do the rest all the same. */
static void on_pong(void *arg, const redisReply *reply)
{
	struct link *link = arg;
	if (!reply || link->state != LINK_GREETING)
		return;
	if (reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "NOPERM", 6)) {
		link_fail(link, reply->str);
	} else {
		move_to(link, LINK_READY);
		link->failures = 0;
		link->events->up(link->arg);
	}
}

static void greet(struct link *link)
{
	const struct target *target = link->target;
	struct args args = {0};
	if (target->password) {
		args_add(&args, "AUTH");
		if (target->user)
			args_add(&args, target->user);
		args_add(&args, target->password);
		send_call(link, &args, on_greeting, link);
		args_reset(&args);
	}
	if (target->db) {
		args_add(&args, "SELECT");
		args_add_number(&args, target->db);
		send_call(link, &args, on_greeting, link);
		args_reset(&args);
	}
	args_add(&args, "PING");
	send_call(link, &args, on_pong, link);
	args_free(&args);
}

/* ---- connecting */

static void on_connect(const redisAsyncContext *context, int status)
{
	struct link *link = context->data;
	if (!link)
		return;
	if (status == REDIS_OK) {
		move_to(link, LINK_GREETING);
		greet(link);
	} else { /* hiredis frees the context when we return, and doesn't call on_disconnect */
		link->context = NULL;
		lost(link, context->errstr);
	}
}

static void on_disconnect(const redisAsyncContext *context, int status)
{
	struct link *link = context->data;
	(void)status;
	if (!link)
		return;
	link->context = NULL;
	lost(link, context->errstr);
}

static void connect_to(struct link *link, const char *address)
{
	const struct target *target = link->target;
	move_to(link, LINK_CONNECTING);
	redisAsyncContext *context = target->socket ? redisAsyncConnectUnix(target->socket)
	                                            : redisAsyncConnect(address, target->port);
	if (!context || context->err) {
		char why[256];
		snprintf(why, sizeof(why), "%s", context ? context->errstr : "no memory for a connection");
		if (context)
			redisAsyncFree(context);
		lost(link, why);
		return;
	}
	link->context = context;
	context->data = link;
	redisLibeventAttach(context, link->base);
	redisAsyncSetConnectCallback(context, on_connect);
	redisAsyncSetDisconnectCallback(context, on_disconnect);
	if (!target->socket)
		redisEnableKeepAlive(&context->c);
	ring_in(link, CONNECT_MS);
}

static void on_resolved(void *arg, const char *address, const char *why)
{
	struct link *link = arg;
	link->resolution = NULL;
	if (address)
		connect_to(link, address);
	else
		lost(link, why);
}

static bool is_numeric(const char *host)
{
	struct in6_addr address;
	return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

void link_open(struct link *link)
{
	const struct target *target = link->target;
	if (target->socket || is_numeric(target->host)) {
		connect_to(link, target->host);
		return;
	}
	move_to(link, LINK_RESOLVING);
	link->resolution = resolve_start(link->base, target->host, on_resolved, link);
}

/* The one timer: the end of a rest, of patience, or of a connection that was marked. */
static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct link *link = arg;
	(void)fd;
	(void)what;
	if (link->state == LINK_RESTING) {
		link_open(link);
		return;
	}
	end_context(link);
	lost(link, "no answer in time");
}

struct link *link_new(struct event_base *base, const struct target *target, int64_t patience_ms,
                      const struct link_events *events, void *arg)
{
	struct link *link = mem_alloc(sizeof(*link));
	*link = (struct link){
	        .base = base, .target = target, .patience_ms = patience_ms, .events = events, .arg = arg};
	link->timer = event_new(base, -1, 0, on_timer, link);
	return link;
}

/* Every state may end so. Callbacks that hear of it can't send any more. */
void link_close(struct link *link)
{
	link->state = LINK_CLOSED;
	link->resolution = resolve_abandon(link->resolution);
	event_del(link->timer);
	end_context(link);
	link->awaited = 0;
}

struct link *link_free(struct link *link)
{
	if (!link)
		return NULL;
	link_close(link);
	event_free(link->timer);
	free(link);
	return NULL;
}

bool link_ready(const struct link *link)
{
	return link->state == LINK_READY;
}

unsigned link_awaited(const struct link *link)
{
	return link->awaited;
}
