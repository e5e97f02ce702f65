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

/* A thread ends with its last worker, so each has one from the start on, even where there are more
 * of them than connections: the others wait. */
static size_t workers_wanted(const struct pool *pool)
{
	size_t workers = pool_size(pool);

	return workers > MAILER_THREADS ? workers : MAILER_THREADS;
}

bool pool_start_workers(struct pool *pool)
{
	while (pool->n_workers < workers_wanted(pool)) {
		struct worker *worker = mem_alloc(sizeof *worker);
		worker->pool = pool;
		worker->index = pool->n_workers;
		watch_init(&worker->watch);
		pool->workers =
		        mem_realloc(pool->workers, pool->n_workers + 1, sizeof(struct worker *));
		if (!coroutines_add(worker_thread(worker)->workers, worker_main, worker)) {
			watch_destroy(&worker->watch);
			free(worker);
			return pool->n_workers >= MAILER_THREADS;
		}
		pool->workers[pool->n_workers++] = worker;
	}
	return true;
}

bool pool_start_threads(struct pool *pool)
{
	for (size_t i = 0; i < MAILER_THREADS; i++)
		if (!(pool->threads[i].workers = coroutines_new()))
			return false;
	if (!pool_start_workers(pool))
		return false;
	for (; pool->n_threads < MAILER_THREADS; pool->n_threads++) {
		struct mailer_thread *thread = &pool->threads[pool->n_threads];
		if (!pool_start_thread(&thread->id, mailers_main, thread))
			return false;
	}
	return true;
}
