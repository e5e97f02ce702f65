/* SPDX-License-Identifier: MIT */
/*
 * One connection after the other. A wire ends by itself when the peer goes, and tells us; or on_timer()
 * ends it from the loop's top. Everything else only marks (LINK_FAILING) and lets the timer ring, so that
 * no wire is freed under its own calls.
 */
#include "dispatchd/redis/link.h"

#include "base/backoff.h"
#include "base/mem.h"
#include "common/clock.h"
#include "dispatchd/redis/resolve.h"
#include "dispatchd/redis/wire.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { CONNECT_MS = 5000, STEADY_MS = 10000 };
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
	struct wire *wire; /* CONNECTING to FAILING */
	struct resolution *resolution;
	struct event *timer;
	unsigned awaited;
	unsigned failures;    /* in a row; one that is ready for a short while only counts, too */
	struct tick ready_at; /* when it was last; 0: it has failed since */
	link_reply *on_message;
	void *on_message_arg;
	char why[256]; /* of the failure under way */
};

/* A command on its way; the wire carries it to its answer. */
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
	if (link->ready_at.ms && clock_tick().ms - link->ready_at.ms >= STEADY_MS)
		link->failures = 0;
	link->ready_at.ms = 0;
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
	if (!link->wire || link->state == LINK_FAILING)
		return;
	snprintf(link->why, sizeof(link->why), "%s", why);
	move_to(link, LINK_FAILING);
	ring_in(link, 0);
}

/* Ends our side of a connection, from the loop's top only: callbacks that still wait get their NULL here. */
static void end_wire(struct link *link)
{
	struct wire *wire = link->wire;
	link->wire = NULL;
	wire_free(wire);
}

void link_renew(struct link *link, const char *why)
{
	if (link->state == LINK_READY)
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

static void on_reply(void *arg, const redisReply *reply)
{
	struct call *call = arg;
	struct link *link = call->link;
	if (reply) {
		link->awaited--;
		watch_peer(link);
		if (link->state == LINK_READY && is_unusable(reply)) {
			link->events->unusable(link->arg, reply->str);
			reply = NULL;
		}
	}
	call->fn(call->arg, reply);
	free(call);
}

static bool send_call(struct link *link, const struct args *args, link_reply *fn, void *arg)
{
	if (!link->wire)
		return false;
	struct call *call = mem_alloc(sizeof(*call));
	*call = (struct call){.link = link, .fn = fn, .arg = arg};
	if (!wire_send(link->wire, args, on_reply, call)) {
		free(call);
		link_fail(link, "no memory for a command");
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

/* Messages, and the confirmations of SUBSCRIBE, which is what is awaited. */
static void on_pushed(void *arg, const redisReply *reply)
{
	struct link *link = arg;
	if (reply && !strcmp(reply->element[0]->str, "subscribe") && link->awaited) {
		link->awaited--;
		watch_peer(link);
	}
	link->on_message(link->on_message_arg, reply);
}

bool link_subscribe(struct link *link, const char *channel, link_reply *fn, void *arg)
{
	struct args args = {0};
	link->on_message = fn;
	link->on_message_arg = arg;
	args_add_all(&args, "SUBSCRIBE", channel, NULL);
	bool sent = link->state == LINK_READY && wire_subscribe(link->wire, &args);
	args_free(&args);
	if (sent && !link->awaited++)
		watch_peer(link);
	return sent;
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
	} else if (reply->type != REDIS_REPLY_ERROR &&
	           (reply->type != REDIS_REPLY_STATUS || strcmp(reply->str, "PONG") != 0)) {
		link_fail(link, "protocol error: PING was not answered with PONG");
	} else {
		move_to(link, LINK_READY);
		link->ready_at = clock_tick();
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

static void on_connected(void *arg)
{
	struct link *link = arg;
	if (link->state != LINK_CONNECTING)
		return;
	move_to(link, LINK_GREETING);
	greet(link);
}

static void on_broken(void *arg, const char *why)
{
	struct link *link = arg;
	link->wire = NULL;
	lost(link, why);
}

static const struct wire_events wire_hooks = {
        .connected = on_connected, .broken = on_broken, .pushed = on_pushed};

static void connect_to(struct link *link, const char *address)
{
	const struct target *target = link->target;
	char why[sizeof(link->why)];
	move_to(link, LINK_CONNECTING);
	link->wire = wire_connect(link->base, address, target->port, target->socket, &wire_hooks, link, why);
	if (link->wire)
		ring_in(link, CONNECT_MS);
	else
		lost(link, why);
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
	end_wire(link);
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
	end_wire(link);
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
