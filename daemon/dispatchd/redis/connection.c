/* SPDX-License-Identifier: MIT */
/*
 * One connection after the other. A wire ends by itself when the peer goes, and reports it; or
 * on_timer() ends it from the loop's top. Everything else only marks (CONNECTION_FAILING) and lets
 * the timer ring, so that no wire is freed under its own calls.
 */
#include "dispatchd/redis/connection.h"

#include "base/backoff.h"
#include "base/mem.h"
#include "common/clock.h"
#include "common/sentinel.h"
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

enum connection_state {
	CONNECTION_BACKOFF, /* the timer rings for the next try */
	CONNECTION_RESOLVING,
	CONNECTION_CONNECTING,
	CONNECTION_HANDSHAKE,
	CONNECTION_READY,
	CONNECTION_FAILING, /* the timer rings at once and ends the connection */
	CONNECTION_CLOSED,  /* for good */
	CONNECTION_STATES,
};

/* From which state a connection may go to which. */
static const unsigned allowed[CONNECTION_STATES] = {
        [CONNECTION_BACKOFF] = 1u << CONNECTION_RESOLVING | 1u << CONNECTION_CONNECTING,
        [CONNECTION_RESOLVING] = 1u << CONNECTION_CONNECTING | 1u << CONNECTION_BACKOFF,
        [CONNECTION_CONNECTING] =
                1u << CONNECTION_HANDSHAKE | 1u << CONNECTION_FAILING | 1u << CONNECTION_BACKOFF,
        [CONNECTION_HANDSHAKE] =
                1u << CONNECTION_READY | 1u << CONNECTION_FAILING | 1u << CONNECTION_BACKOFF,
        [CONNECTION_READY] = 1u << CONNECTION_FAILING | 1u << CONNECTION_BACKOFF,
        [CONNECTION_FAILING] = 1u << CONNECTION_BACKOFF,
        [CONNECTION_CLOSED] = 0,
};

struct redis_connection {
	struct event_base *base;
	const struct target *target;
	int64_t patience_ms;
	const struct redis_connection_events *events;
	void *arg;
	enum connection_state state;
	struct wire *wire; /* CONNECTING to FAILING */
	struct resolution *resolution;
	struct resolved peer; /* CONNECTING to FAILING; the address is "" for a Unix socket */
	struct event *timer;
	unsigned awaited;
	unsigned failures;    /* in a row; one that is ready for a short while only counts, too */
	struct tick ready_at; /* when it was last; 0: it has failed since */
	redis_connection_reply *on_message;
	void *on_message_arg;
	char why[256]; /* of the failure under way */
};

/* A command on its way; the wire carries it to its answer. */
struct call {
	struct redis_connection *connection;
	redis_connection_reply *fn;
	void *arg;
};

static void connection_move_to(struct redis_connection *connection, enum connection_state to)
{
	if (!(allowed[connection->state] & 1u << to))
		bug("a Redis connection can't go from state %d to %d", (int)connection->state,
		    (int)to);
	connection->state = to;
}

static void ring_in(struct redis_connection *connection, int64_t ms)
{
	struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	event_add(connection->timer, &wait);
}

uint32_t redis_connection_random(void)
{
	uint32_t random = 0;
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
		return 0;
	return random;
}

static void connection_back_off(struct redis_connection *connection)
{
	if (connection->ready_at.ms && clock_tick().ms - connection->ready_at.ms >= STEADY_MS)
		connection->failures = 0;
	connection->ready_at.ms = 0;
	connection_move_to(connection, CONNECTION_BACKOFF);
	connection->awaited = 0;
	ring_in(connection, backoff_ms(pace, ++connection->failures, redis_connection_random()));
}

static void lost(struct redis_connection *connection, const char *why)
{
	if (!connection->why[0])
		snprintf(connection->why, sizeof(connection->why), "%s",
		         why && *why ? why : "connection closed");
	connection_back_off(connection);
	connection->events->down(connection->arg, connection->why);
	connection->why[0] = '\0';
}

/* Drops the connection after the callback that is running, and tries again later. */
static void link_fail(struct redis_connection *connection, const char *why)
{
	if (!connection->wire || connection->state == CONNECTION_FAILING)
		return;
	snprintf(connection->why, sizeof(connection->why), "%s", why);
	connection_move_to(connection, CONNECTION_FAILING);
	ring_in(connection, 0);
}

/* Ends our side of a connection, from the loop's top only: callbacks that still wait get their NULL
 * here. */
static void end_wire(struct redis_connection *connection)
{
	struct wire *wire = connection->wire;
	connection->wire = NULL;
	wire_free(wire);
}

void redis_connection_renew(struct redis_connection *connection, const char *why)
{
	if (connection->state == CONNECTION_READY)
		link_fail(connection, why);
}

/* Redis' errors that mean an unusable server, not a bad command or key. */
static bool is_unusable(const redisReply *reply)
{
	static const char *const words[] = {"READONLY ",    "MASTERDOWN ", "LOADING ", "UNBLOCKED ",
	                                    "CLUSTERDOWN ", "NOREPLICAS ", "NOAUTH ",  "WRONGPASS ",
	                                    "MOVED ",       "TRYAGAIN "};
	if (reply->type != REDIS_REPLY_ERROR)
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strncmp(reply->str, words[i], strlen(words[i])))
			return true;
	return false;
}

/* ---- answers */

static void watch_peer(struct redis_connection *connection)
{
	if (connection->state == CONNECTION_FAILING || connection->state == CONNECTION_CLOSED)
		return;
	if (connection->awaited)
		ring_in(connection, connection->state == CONNECTION_READY ? connection->patience_ms
		                                                          : CONNECT_MS);
	else
		event_del(connection->timer);
}

static void on_reply(void *arg, const redisReply *reply)
{
	struct call *call = arg;
	struct redis_connection *connection = call->connection;
	if (reply) {
		connection->awaited--;
		watch_peer(connection);
		if (is_unusable(reply)) {
			if (connection->state == CONNECTION_READY)
				connection->events->unusable(connection->arg, reply->str);
			if (connection->state == CONNECTION_FAILING)
				reply = NULL;
		}
	}
	call->fn(call->arg, reply);
	free(call);
}

static bool send_call(struct redis_connection *connection, const struct args *args,
                      redis_connection_reply *fn, void *arg)
{
	if (!connection->wire)
		return false;
	struct call *call = mem_alloc(sizeof(*call));
	*call = (struct call){.connection = connection, .fn = fn, .arg = arg};
	wire_send(connection->wire, args, on_reply, call);
	if (!connection->awaited++)
		watch_peer(connection);
	return true;
}

bool redis_connection_send(struct redis_connection *connection, const struct args *args,
                           redis_connection_reply *fn, void *arg)
{
	return connection->state == CONNECTION_READY && send_call(connection, args, fn, arg);
}

/* Messages, and the confirmations of SUBSCRIBE, which is what is awaited. */
static void on_pushed(void *arg, const redisReply *reply)
{
	struct redis_connection *connection = arg;
	if (reply && !strcmp(reply->element[0]->str, "subscribe") && connection->awaited) {
		connection->awaited--;
		watch_peer(connection);
	}
	connection->on_message(connection->on_message_arg, reply);
}

bool redis_connection_subscribe(struct redis_connection *connection, const char *channel,
                                redis_connection_reply *fn, void *arg)
{
	struct args args = {0};
	connection->on_message = fn;
	connection->on_message_arg = arg;
	args_add_all(&args, "SUBSCRIBE", channel, NULL);
	bool ready = connection->state == CONNECTION_READY;
	if (ready)
		wire_subscribe(connection->wire, &args);
	args_free(&args);
	if (ready && !connection->awaited++)
		watch_peer(connection);
	return ready;
}

/* ---- the handshake: AUTH, SELECT and ROLE where the target asks for them, then PING, whose answer
 * decides */

static bool is_denied(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_ERROR && !strncmp(reply->str, "NOPERM", 6);
}

static void on_handshake(void *arg, const redisReply *reply)
{
	struct redis_connection *connection = arg;
	if (reply && connection->state == CONNECTION_HANDSHAKE && reply->type == REDIS_REPLY_ERROR)
		link_fail(connection, reply->str);
}

/* What sentinels say may be out of date. A user who may not ask finds out by READONLY. */
static void on_role(void *arg, const redisReply *reply)
{
	struct redis_connection *connection = arg;
	if (!reply || connection->state != CONNECTION_HANDSHAKE || is_denied(reply))
		return;
	if (!sentinel_is_master(reply))
		link_fail(connection, "the sentinels name a server that isn't a master");
}

/* A user who may not PING may do everything else. */
static void on_pong(void *arg, const redisReply *reply)
{
	struct redis_connection *connection = arg;
	if (!reply || connection->state != CONNECTION_HANDSHAKE)
		return;
	if (reply->type == REDIS_REPLY_ERROR && !is_denied(reply)) {
		link_fail(connection, reply->str);
	} else if (reply->type != REDIS_REPLY_ERROR &&
	           (reply->type != REDIS_REPLY_STATUS || strcmp(reply->str, "PONG") != 0)) {
		link_fail(connection, "protocol error: PING was not answered with PONG");
	} else {
		connection_move_to(connection, CONNECTION_READY);
		connection->ready_at = clock_tick();
		connection->events->up(connection->arg);
	}
}

static void start_handshake(struct redis_connection *connection)
{
	const struct target *target = connection->target;
	struct args args = {0};
	if (target->password) {
		args_add(&args, "AUTH");
		if (target->user)
			args_add(&args, target->user);
		args_add(&args, target->password);
		send_call(connection, &args, on_handshake, connection);
		args_reset(&args);
	}
	if (target->db) {
		args_add(&args, "SELECT");
		args_add_number(&args, target->db);
		send_call(connection, &args, on_handshake, connection);
		args_reset(&args);
	}
	if (target->sentinels) {
		args_add(&args, "ROLE");
		send_call(connection, &args, on_role, connection);
		args_reset(&args);
	}
	args_add(&args, "PING");
	send_call(connection, &args, on_pong, connection);
	args_free(&args);
}

/* ---- connecting */

static void on_connected(void *arg)
{
	struct redis_connection *connection = arg;
	if (connection->state != CONNECTION_CONNECTING)
		return;
	connection_move_to(connection, CONNECTION_HANDSHAKE);
	start_handshake(connection);
}

static void on_broken(void *arg, const char *why)
{
	struct redis_connection *connection = arg;
	connection->wire = NULL;
	lost(connection, why);
}

static const struct wire_events wire_hooks = {
        .connected = on_connected, .broken = on_broken, .pushed = on_pushed};

static void connection_connect(struct redis_connection *connection, const char *address, int port)
{
	const struct target *target = connection->target;
	char why[sizeof(connection->why)];
	connection_move_to(connection, CONNECTION_CONNECTING);
	struct wire_peer peer = {.path = target->socket,
	                         .address = address,
	                         .port = port,
	                         .trust = target->trust,
	                         .host = target_host(target)};
	connection->peer.port = port;
	snprintf(connection->peer.address, sizeof(connection->peer.address), "%s", address);
	connection->wire = wire_connect(connection->base, &peer, &wire_hooks, connection, why);
	if (connection->wire)
		ring_in(connection, CONNECT_MS);
	else
		lost(connection, why);
}

static void on_resolved(void *arg, const struct resolved *found, const char *why)
{
	struct redis_connection *connection = arg;
	connection->resolution = NULL;
	if (found)
		connection_connect(connection, found->address, found->port);
	else
		lost(connection, why);
}

static bool is_numeric(const char *host)
{
	struct in6_addr address;
	return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

void redis_connection_open(struct redis_connection *connection)
{
	const struct target *target = connection->target;
	if (target->socket || is_numeric(target_host(target))) {
		connection_connect(connection, target_host(target), target_port(target));
		return;
	}
	connection_move_to(connection, CONNECTION_RESOLVING);
	connection->resolution = resolve_start(connection->base, target, on_resolved, connection);
}

/* The one timer: the end of a back-off, of patience, or of a connection that was marked. */
static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct redis_connection *connection = arg;
	(void)fd;
	(void)what;
	if (connection->state == CONNECTION_BACKOFF) {
		redis_connection_open(connection);
		return;
	}
	bool tls = connection->target->trust && connection->state == CONNECTION_HANDSHAKE;
	end_wire(connection);
	lost(connection,
	     tls ? "no answer in time; perhaps this port doesn't speak TLS" : "no answer in time");
}

struct redis_connection *redis_connection_new(struct event_base *base, const struct target *target,
                                              int64_t patience_ms,
                                              const struct redis_connection_events *events,
                                              void *arg)
{
	struct redis_connection *connection = mem_alloc(sizeof(*connection));
	*connection = (struct redis_connection){.base = base,
	                                        .target = target,
	                                        .patience_ms = patience_ms,
	                                        .events = events,
	                                        .arg = arg};
	connection->timer = event_new(base, -1, 0, on_timer, connection);
	return connection;
}

/* Every state may end here. Callbacks that learn of it can't send anymore. */
void redis_connection_close(struct redis_connection *connection)
{
	connection->state = CONNECTION_CLOSED;
	connection->resolution = resolve_abandon(connection->resolution);
	event_del(connection->timer);
	end_wire(connection);
	connection->awaited = 0;
}

struct redis_connection *redis_connection_free(struct redis_connection *connection)
{
	if (!connection)
		return NULL;
	redis_connection_close(connection);
	event_free(connection->timer);
	free(connection);
	return NULL;
}

const struct resolved *redis_connection_peer(const struct redis_connection *connection)
{
	bool there = connection->state == CONNECTION_READY && connection->peer.address[0];
	return there ? &connection->peer : NULL;
}

bool redis_connection_ready(const struct redis_connection *connection)
{
	return connection->state == CONNECTION_READY;
}

unsigned redis_connection_awaited(const struct redis_connection *connection)
{
	return connection->awaited;
}
