/* SPDX-License-Identifier: MIT */
/*
 * A resolution is shared by the loop and its thread. Whichever of the two lets go last frees it: a
 * thread that hangs in a name server's timeout may outlive the loop's request.
 */
#include "dispatchd/redis/resolve.h"

#include "base/mem.h"
#include "common/sentinel.h"

#include <errno.h>
#include <event2/event.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct resolution {
	pthread_mutex_t lock;
	int holders; /* under the lock */
	struct event *ready;
	char *host;
	int port;
	struct sentinels *sentinels; /* NULL without them */
	char *user, *password;       /* for these; NULL for none */
	bool agreed;                 /* most of them have to say it */
	/* Written by the thread, read after `ready`; the address is "" where there is none. */
	struct resolved found;
	char why[256];
	resolve_done *done;
	void *arg;
};

static void resolve_let_go(struct resolution *r)
{
	pthread_mutex_lock(&r->lock);
	int left = --r->holders;
	pthread_mutex_unlock(&r->lock);
	if (left)
		return;
	pthread_mutex_destroy(&r->lock);
	free(r->host);
	sentinels_free(r->sentinels);
	if (r->password)
		explicit_bzero(r->password, strlen(r->password));
	free(r->password);
	free(r->user);
	free(r);
}

static void resolve_look_up(struct resolution *r, const char *host, int port)
{
	struct addrinfo wanted = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG},
	                *found = NULL;
	int rc = getaddrinfo(host, NULL, &wanted, &found);
	if (!rc)
		rc = getnameinfo(found->ai_addr, found->ai_addrlen, r->found.address,
		                 sizeof(r->found.address), NULL, 0, NI_NUMERICHOST);
	if (rc) {
		r->found.address[0] = '\0';
		snprintf(r->why, sizeof(r->why), "%s: %s", host,
		         rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc));
	}
	r->found.port = port;
	if (found)
		freeaddrinfo(found);
}

static void resolve_ask(struct resolution *r)
{
	struct sentinel_answer answer;
	struct error err = {0};
	const struct sentinel_login login = {r->user, r->password};
	bool known = r->agreed ? sentinels_agree(r->sentinels, &login, &answer, &err)
	                       : sentinels_ask(r->sentinels, &login, &answer, &err);
	if (known)
		resolve_look_up(r, answer.host, answer.port);
	else
		snprintf(r->why, sizeof(r->why), "%.255s", err.text);
}

static void *resolve_thread(void *arg)
{
	struct resolution *r = arg;
	if (r->sentinels)
		resolve_ask(r);
	else
		resolve_look_up(r, r->host, r->port);
	pthread_mutex_lock(&r->lock);
	if (r->ready) /* not abandoned */
		event_active(r->ready, EV_READ, 0);
	pthread_mutex_unlock(&r->lock);
	resolve_let_go(r);
	return NULL;
}

static void resolve_on_ready(evutil_socket_t fd, short what, void *arg)
{
	struct resolution *r = arg;
	(void)fd;
	(void)what;
	resolve_done *done = r->done;
	void *done_arg = r->arg;
	struct resolved found = r->found;
	char why[sizeof(r->why)];
	memcpy(why, r->why, sizeof(why));
	resolve_abandon(r);
	done(done_arg, found.address[0] ? &found : NULL, why);
}

/* Without a thread there is no answer: reported through the loop, as every other failure. */
static void start_thread(struct resolution *r)
{
	pthread_t thread;
	int rc = pthread_create(&thread, NULL, resolve_thread, r);
	if (!rc) {
		pthread_detach(thread);
		return;
	}
	r->holders--;
	snprintf(r->why, sizeof(r->why), "no thread to find the server: %s", strerror(rc));
	event_active(r->ready, EV_READ, 0);
}

static struct resolution *begin(struct event_base *base, const struct target *target, bool agreed,
                                resolve_done *done, void *arg)
{
	struct resolution *r = mem_alloc(sizeof(*r));
	pthread_mutex_init(&r->lock, NULL);
	r->holders = 2;
	r->host = mem_strdup(target_host(target));
	r->port = target_port(target);
	r->sentinels = target->sentinels ? sentinels_copy(target->sentinels) : NULL;
	r->user = mem_strdup(target->user);
	r->password = mem_strdup(target->password);
	r->agreed = agreed;
	r->done = done;
	r->arg = arg;
	r->ready = event_new(base, -1, 0, resolve_on_ready, r);
	start_thread(r);
	return r;
}

struct resolution *resolve_start(struct event_base *base, const struct target *target,
                                 resolve_done *done, void *arg)
{
	return begin(base, target, false, done, arg);
}

struct resolution *resolve_agreed(struct event_base *base, const struct target *target,
                                  resolve_done *done, void *arg)
{
	return begin(base, target, true, done, arg);
}

struct resolution *resolve_abandon(struct resolution *r)
{
	if (!r)
		return NULL;
	pthread_mutex_lock(&r->lock);
	struct event *ready = r->ready;
	r->ready = NULL;
	pthread_mutex_unlock(&r->lock);
	event_free(ready);
	resolve_let_go(r);
	return NULL;
}
