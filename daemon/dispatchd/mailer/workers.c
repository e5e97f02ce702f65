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

/* A thread ends with its last worker, so there are no more threads than workers. */
static size_t threads_wanted(const struct pool *pool)
{
	size_t workers = pool_size(pool);

	return workers < MAILER_THREADS ? workers : MAILER_THREADS;
}

bool pool_make_mailers(struct pool *pool)
{
	for (size_t i = 0; i < threads_wanted(pool); i++) {
		pool->mailers[i].all = coroutines_new();
		if (!pool->mailers[i].all)
			return false;
		pool->n_sets++;
	}
	return true;
}

bool pool_start_mailers(struct pool *pool)
{
	while (pool->n_mailers < pool->n_sets) {
		struct mailers *mailers = &pool->mailers[pool->n_mailers];

		if (!pool_start_thread(&mailers->thread, mailers_main, mailers))
			return false;
		pool->n_mailers++;
	}
	return true;
}

bool pool_start_workers(struct pool *pool)
{
	while (pool->n_workers < pool_size(pool)) {
		struct worker *worker = mem_alloc(sizeof *worker);
		worker->pool = pool;
		worker->index = pool->n_workers;
		worker->mailers = &pool->mailers[pool->n_workers % pool->n_sets];
		watch_init(&worker->watch);
		pool->workers =
		        mem_realloc(pool->workers, pool->n_workers + 1, sizeof(struct worker *));
		if (!coroutines_add(worker->mailers->all, worker_main, worker)) {
			watch_destroy(&worker->watch);
			free(worker);
			return pool->n_workers > 0;
		}
		pool->workers[pool->n_workers++] = worker;
	}
	return true;
}
