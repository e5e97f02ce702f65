/* SPDX-License-Identifier: MIT */
/* Asks on the connection for commands as it comes, and sentinels by a timer. */
#include "dispatchd/redis/server.h"

#include "base/mem.h"
#include "common/clock.h"
#include "dispatchd/redis/resolve.h"
#include "dispatchd/sys/log.h"

#include <event2/event.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RUN_ID_MAX = 64 };

struct server {
	struct event_base *base;
	struct target *target;
	struct publisher *publisher;
	void (*named)(void *arg, const struct resolved *master);
	void *arg;
	char serving[RUN_ID_MAX]; /* the one that has what was confirmed; "" before the first */
	char present[RUN_ID_MAX]; /* of this connection; "" before it has said so */
	struct redis_connection *commands;
	struct event *timer; /* for the next look; NULL without Sentinel */
	struct resolution *look;
};

/* ---- its run id */

/* The value behind `name` in INFO's lines; false where it isn't there or is too long. */
static bool info_find(const char *info, const char *name, char *ret, size_t size)
{
	const char *at = strstr(info, name);
	if (!at)
		return false;
	at += strlen(name);
	size_t len = strcspn(at, "\r\n");
	if (len == 0 || len >= size)
		return false;
	memcpy(ret, at, len);
	ret[len] = '\0';
	return true;
}

/* A user who may not ask (NOPERM) doesn't learn of another server. */
static void on_info(void *arg, const redisReply *reply)
{
	struct server *server = arg;
	if (!reply || !redis_connection_ready(server->commands))
		return; /* server_reset() comes with the next connection */
	if (reply->type != REDIS_REPLY_STRING ||
	    !info_find(reply->str, "\nrun_id:", server->present, sizeof(server->present)))
		server->present[0] = '\0';
	bool same = !server->serving[0] || !server->present[0] ||
	            strcmp(server->serving, server->present) == 0;
	if (same && server->present[0])
		memcpy(server->serving, server->present, sizeof(server->serving));
	if (same)
		publisher_go(server->publisher);
	else if (publisher_again(server->publisher))
		log_fault(LOG_NOTICE,
		          "Redis is a different server, or was restarted, or the cluster has a new "
		          "owner: what may be lost is published again redis=%s",
		          server->target->name);
}

void server_succeed(struct server *server)
{
	(void)snprintf(server->serving, sizeof(server->serving), "another machine's");
	publisher_lost(server->publisher);
}

void server_reset(struct server *server, struct redis_connection *commands)
{
	struct args args = {0};
	server->commands = commands;
	server->present[0] = '\0';
	args_add_all(&args, "INFO", "server", NULL);
	redis_connection_send(commands, &args, on_info, server);
	args_free(&args);
}

/* Where it didn't serve, what was lost with the one before is still to be published. */
void server_lost(struct server *server)
{
	bool served = server->present[0] && (publisher_confirmed(server->publisher) ||
	                                     strcmp(server->present, server->serving) == 0);
	if (served) {
		memcpy(server->serving, server->present, sizeof(server->serving));
		publisher_lost(server->publisher);
	}
	server->present[0] = '\0';
}

/* ---- looks at what the sentinels say */

static void look_again(struct server *server)
{
	struct timeval wait = {.tv_sec = SERVER_LOOK_MS / 1000};
	event_add(server->timer, &wait);
}

static void on_found(void *arg, const struct resolved *found, const char *why)
{
	struct server *server = arg;
	(void)why; /* that they don't answer or agree is no reason to leave a server that does */
	server->look = NULL;
	look_again(server);
	if (found)
		server->named(server->arg, found);
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
	struct server *server = arg;
	(void)fd;
	(void)what;
	server->look = resolve_agreed(server->base, server->target, on_found, server);
}

struct server *server_new(struct event_base *base, struct target *target,
                          struct publisher *publisher,
                          void (*named)(void *arg, const struct resolved *master), void *arg)
{
	struct server *server = mem_alloc(sizeof(*server));
	*server = (struct server){
	        .base = base, .target = target, .publisher = publisher, .named = named, .arg = arg};
	if (!target->sentinels)
		return server;
	server->timer = event_new(base, -1, 0, on_look, server);
	if (!server->timer)
		bug("no memory for a timer");
	look_again(server);
	return server;
}

struct server *server_free(struct server *server)
{
	if (!server)
		return NULL;
	resolve_abandon(server->look);
	if (server->timer)
		event_free(server->timer);
	free(server);
	return NULL;
}
