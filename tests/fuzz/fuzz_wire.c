/* SPDX-License-Identifier: MIT */
/* Input: what a Redis says on a connection, from the first byte on: the first one says how many
 * commands wait for an answer, and whether the connection is subscribed. Each that waits gets one
 * answer or its NULL, and the connection breaks once. */
#include "dispatchd/redis/wire.h"

#include <event2/event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sockaddr_un place = {.sun_family = AF_UNIX};
static int listener = -1;
static struct event_base *base;
static size_t connected, broken, answered, pushes_ended;

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* Reads every byte of it. */
static size_t weigh(const redisReply *reply)
{
	size_t weight = reply->type == REDIS_REPLY_INTEGER ? (size_t)(reply->integer != 0) : 0;
	if (reply->str != NULL)
		weight += strlen(reply->str) + (unsigned char)reply->str[reply->len];
	for (size_t i = 0; i < reply->elements; i++)
		weight += weigh(reply->element[i]);
	return weight;
}

static void on_connected(void *arg)
{
	(void)arg;
	connected++;
}

static void on_broken(void *arg, const char *why)
{
	(void)arg;
	must(*why != '\0');
	broken++;
}

static void on_reply(void *arg, const redisReply *reply)
{
	(void)arg;
	answered++;
	must(reply == NULL || weigh(reply) < SIZE_MAX);
}

static void on_push(void *arg, const redisReply *reply)
{
	(void)arg;
	must(pushes_ended == 0);
	if (reply == NULL)
		pushes_ended++;
	else
		must(reply->elements == 3 && weigh(reply) < SIZE_MAX);
}

static void remove_socket(void)
{
	(void)unlink(place.sun_path);
	event_base_free(base);
}

static void start(void)
{
	(void)snprintf(place.sun_path, sizeof place.sun_path, "/dev/shm/dispatchd-fuzz-wire-%d",
	               (int)getpid());
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	must(bind(listener, (struct sockaddr *)&place, sizeof place) == 0 &&
	     listen(listener, 1) == 0);
	base = event_base_new();
	must(base != NULL);
	(void)atexit(remove_socket);
}

static void send_commands(struct wire *wire, unsigned n, bool subscribe)
{
	struct args args = {0};
	args_add(&args, "PING");
	for (unsigned i = 0; i < n; i++)
		must(wire_send(wire, &args, on_reply, NULL));
	if (subscribe)
		must(wire_subscribe(wire, &args));
	args_free(&args);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct wire_events events = {on_connected, on_broken, on_push};
	char why[256];
	if (size == 0)
		return 0;
	if (listener < 0)
		start();
	connected = broken = answered = pushes_ended = 0;
	unsigned n = data[0] & 7;
	bool subscribe = data[0] & 8;
	struct wire *wire = wire_connect(base, NULL, 0, place.sun_path, &events, NULL, why);
	must(wire != NULL);
	send_commands(wire, n, subscribe);
	int peer = accept(listener, NULL, NULL);
	must(peer >= 0 && write(peer, data + 1, size - 1) == (ssize_t)size - 1);
	must(shutdown(peer, SHUT_WR) == 0);
	while (broken == 0)
		must(event_base_loop(base, EVLOOP_ONCE) == 0);
	(void)close(peer);
	must(connected == 1 && broken == 1 && answered == n && pushes_ended == subscribe);
	return 0;
}
