/* SPDX-License-Identifier: MIT */
/* Starts mailers: at the start, at a reload, when the supervisor needs more of them. */
#include "dispatchd/mailer/pool_private.h"

#include "base/mem.h"

#include <signal.h>
#include <stdlib.h>

bool pool_start_thread(pthread_t *thread, void *(*run)(void *), void *arg)
{
	sigset_t all, old;
	int failed;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	failed = pthread_create(thread, NULL, run, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return failed == 0;
}

bool pool_start_workers(struct pool *pool)
{
	while (pool->n_workers < pool_size(pool)) {
		struct worker *worker = mem_alloc(sizeof *worker);
		worker->pool = pool;
		worker->index = pool->n_workers;
		watch_init(&worker->watch);
		pool->workers =
		        mem_realloc(pool->workers, pool->n_workers + 1, sizeof(struct worker *));
		if (!coroutines_add(pool->mailers, worker_main, worker)) {
			watch_destroy(&worker->watch);
			free(worker);
			return pool->n_workers > 0;
		}
		pool->workers[pool->n_workers++] = worker;
	}
	return true;
}
