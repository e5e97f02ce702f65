/* SPDX-License-Identifier: MIT */
/*
 * getaddrinfo() with a deadline. A thread aside asks the resolver; whoever lets go last, the mailer
 * or that thread, frees what they share.
 */
#include "dispatchd/mailer/lookup.h"

#include "base/mem.h"
#include "common/clock_ms.h"
#include "dispatchd/mailer/coroutine.h"
#include "dispatchd/mailer/libc.h"

#include <stdio.h>
#include <stdlib.h>

/* How long we wait at a time, so that a pool that ends is noticed. */
enum { SLICE_MS = 250 };

/* Shared by the one who asks and the thread; the last of the two frees it. */
struct lookup {
	pthread_mutex_t lock;
	struct coroutine_condition answered;
	bool done, left; /* by the thread; by the one who asked */
	int state;
	struct addrinfo *found;
	char host[256], port[16];
};

static void free_lookup(struct lookup *lookup)
{
	if (lookup->found)
		libc_freeaddrinfo(lookup->found);
	pthread_mutex_destroy(&lookup->lock);
	free(lookup);
}

static void *lookup_main(void *arg)
{
	struct lookup *lookup = arg;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV},
	                *found = NULL;
	int state = libc_getaddrinfo(lookup->host, lookup->port, &hints, &found);
	bool left;

	pthread_mutex_lock(&lookup->lock);
	lookup->state = state;
	lookup->found = state == 0 ? found : NULL;
	lookup->done = true;
	left = lookup->left;
	coroutine_signal(&lookup->answered);
	pthread_mutex_unlock(&lookup->lock);
	if (left)
		free_lookup(lookup);
	return NULL;
}

static void wait_a_while(struct lookup *lookup)
{
	(void)coroutine_wait(&lookup->answered, &lookup->lock, clock_mono_ms() + SLICE_MS);
}

/* Whether there is an answer; without one the thread is left alone with its question. */
static bool wait_for_answer(struct lookup *lookup, int64_t timeout_ms, struct watch *watch)
{
	int64_t end_ms = clock_mono_ms() + timeout_ms;
	bool done;

	pthread_mutex_lock(&lookup->lock);
	while (!lookup->done && clock_mono_ms() < end_ms && !watch_is_cut(watch))
		wait_a_while(lookup);
	done = lookup->done;
	lookup->left = !done;
	pthread_mutex_unlock(&lookup->lock);
	return done;
}

static struct lookup *lookup_start(const char *host, const char *port)
{
	struct lookup *lookup = mem_alloc(sizeof *lookup);
	pthread_t thread;

	snprintf(lookup->host, sizeof lookup->host, "%s", host);
	snprintf(lookup->port, sizeof lookup->port, "%s", port);
	pthread_mutex_init(&lookup->lock, NULL);
	if (pthread_create(&thread, NULL, lookup_main, lookup) != 0) {
		free_lookup(lookup);
		return NULL;
	}
	pthread_detach(thread);
	return lookup;
}

int lookup_name(const char *host, const char *port, int64_t timeout_ms, struct watch *watch,
                struct addrinfo **ret)
{
	struct lookup *lookup = lookup_start(host, port);
	int state;

	if (!lookup || !wait_for_answer(lookup, timeout_ms, watch))
		return EAI_AGAIN;
	state = lookup->state;
	*ret = lookup->found;
	lookup->found = NULL;
	free_lookup(lookup);
	return state;
}
