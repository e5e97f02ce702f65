/* SPDX-License-Identifier: MIT */
/* The pool as the engine sees it: starting, feeding, emptying, changing and ending the mailers. */
#include "dispatchd/mailer/pool.h"

#include "base/mem.h"
#include "common/clock_ms.h"
#include "dispatchd/mailer/esmtp.h"
#include "dispatchd/mailer/pool_private.h"
#include "dispatchd/mailer/relay_test.h"
#include "dispatchd/sys/mono_cond.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* ---- start ---- */

static void init_locks(struct pool *pool)
{
	pthread_mutex_init(&pool->lock, NULL);
	pthread_mutex_init(&pool->wake_lock, NULL);
	mono_cond_init(&pool->clock);
}

/* Relays of a new configuration begin well; those known keep their state. */
static void add_relays(struct pool *pool)
{
	const struct transport_targets *targets = &pool->config->targets;

	for (size_t i = 0; i < targets->n; i++)
		relay_configure(pool_relay_named(pool, targets->list[i].name), &targets->list[i],
		                clock_mono_ms());
}

static void prepare_process(void)
{
	signal(SIGPIPE, SIG_IGN);
	setenv("HOME", "/nonexistent", 1);
	setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
	setenv("XDG_CONFIG_DIR", "/nonexistent", 1); /* libesmtp's spelling */
	esmtp_init();
}

struct pool *pool_start_with(const struct settings *settings, struct templates *templates,
                             const struct mailer_limits *limits, struct error *err)
{
	struct mailer_config *config = mailer_config_new(settings, templates, err);
	struct pool *pool;
	bool ok;

	if (!config)
		return NULL;
	prepare_process();
	pool = mem_alloc(sizeof *pool);
	*pool = (struct pool){.limits = limits, .config = config};
	pool->cut_ms = CLOCK_NEVER_MS;
	init_locks(pool);
	bucket_set(&pool->bucket, config->rate, clock_mono_ms());
	add_relays(pool);
	if (!pool_start_thread(&pool->supervisor, supervisor_main, pool))
		bug("can't start a thread");
	pthread_mutex_lock(&pool->lock);
	ok = pool_start_threads(pool);
	pthread_mutex_unlock(&pool->lock);
	if (ok)
		return pool;
	error_set(err, EX_TEMPFAIL, "can't start the mailers' threads");
	return pool_free(pool);
}

struct pool *pool_start(const struct settings *settings, struct templates *templates,
                        struct error *err)
{
	return pool_start_with(settings, templates, &mailer_limits, err);
}

void pool_set_wake(struct pool *pool, pool_wake *wake, void *arg)
{
	pthread_mutex_lock(&pool->wake_lock);
	pool->wake = wake;
	pool->wake_arg = arg;
	pthread_mutex_unlock(&pool->wake_lock);
	pthread_mutex_lock(&pool->lock);
	pool->woken = false;
	pthread_mutex_unlock(&pool->lock);
}

/* ---- mails in, results out ---- */

size_t pool_room(struct pool *pool)
{
	size_t room;

	pthread_mutex_lock(&pool->lock);
	room = mail_queue_room(pool);
	pool->starved = room == 0;
	/* The supervisor wakes the engine when a breaker may be tried. */
	if (pool->starved)
		pthread_cond_signal(&pool->clock);
	pthread_mutex_unlock(&pool->lock);
	return room;
}

struct pool_load pool_load(struct pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	struct pool_load load = {
	        .up = !pool->stopping && pool_has_usable_relay(pool),
	        .room = mail_queue_room(pool),
	        .places = mail_queue_places(pool),
	        .queued = pool->n_queued,
	};
	pthread_mutex_unlock(&pool->lock);
	return load;
}

/* A place for its result, before the mail goes anywhere. */
static void pool_reserve(struct pool *pool)
{
	struct delivery_result *results;
	size_t size = pool->results_size ? pool->results_size * 2 : 64;

	if (++pool->n_out <= pool->results_size)
		return;
	results = mem_alloc(size * sizeof *results);
	for (size_t i = 0; i < pool->n_results; i++)
		/* Without a size there are no results. */
		/* NOLINTNEXTLINE(clang-analyzer-core.DivideZero) */
		results[i] = pool->results[(pool->first_result + i) % pool->results_size];
	free(pool->results);
	pool->results = results;
	pool->results_size = size;
	pool->first_result = 0;
}

void pool_put(struct pool *pool, struct outgoing_mail *outgoing)
{
	struct queued_mail *queued = mem_alloc(sizeof *queued);

	queued->outgoing = outgoing;
	pthread_mutex_lock(&pool->lock);
	pool->bytes += outgoing_mail_bytes(outgoing);
	pool_reserve(pool);
	if (pool->stopping || !pool_has_usable_relay(pool))
		mail_queue_return(pool, queued);
	else
		mail_queue_append(pool, queued);
	pool_unlock(pool, pool->n_results > 0);
}

void pool_recall(struct pool *pool, const int64_t *mails, size_t n)
{
	pthread_mutex_lock(&pool->lock);
	for (size_t i = 0; i < n; i++)
		mail_queue_recall(pool, mails[i]);
	pool_unlock(pool, pool->n_results > 0);
}

size_t pool_take_results(struct pool *pool, struct delivery_result *results, size_t max)
{
	size_t n = 0;

	pthread_mutex_lock(&pool->lock);
	pool->woken = false;
	for (; n < max && pool->n_results > 0; n++) {
		results[n] = pool->results[pool->first_result];
		pool->first_result = (pool->first_result + 1) % pool->results_size;
		pool->n_results--;
		pool->n_out--;
	}
	pthread_mutex_unlock(&pool->lock);
	return n;
}

/* ---- change ---- */

static bool is_configured(const struct pool *pool, const struct relay *relay)
{
	const struct transport_targets *targets = &pool->config->targets;

	for (size_t i = 0; i < targets->n; i++)
		if (relay_is_named(relay, targets->list[i].name))
			return true;
	return false;
}

/* What such a relay refused is let go by the clock's thread: nothing more will come to compare it
 * with. */
static void mark_gone(struct pool *pool)
{
	for (struct relay *relay = pool->relays; relay; relay = relay->next)
		relay->gone = !is_configured(pool, relay);
}

bool pool_reload(struct pool *pool, const struct settings *settings, struct templates *templates,
                 struct error *err)
{
	struct mailer_config *config = mailer_config_new(settings, templates, err), *old;

	if (!config)
		return false;
	pthread_mutex_lock(&pool->lock);
	old = pool->config;
	pool->config = config;
	bucket_set(&pool->bucket, config->rate, clock_mono_ms());
	add_relays(pool);
	mark_gone(pool);
	if (!pool->stopping)
		(void)pool_start_workers(pool);
	coroutine_broadcast(&pool->feed); /* open connections end */
	coroutine_broadcast(&pool->work);
	coroutine_broadcast(&pool->spare);
	pthread_cond_signal(&pool->clock);
	pool_unlock(pool, false);
	mailer_config_unref(old);
	return true;
}

size_t pool_relays(struct pool *pool, struct pool_relay *relays, size_t max)
{
	size_t n = 0;

	pthread_mutex_lock(&pool->lock);
	for (const struct relay *relay = pool->relays; relay && n < max; relay = relay->next)
		if (is_configured(pool, relay))
			relay_describe(relay, &relays[n++]);
	pthread_mutex_unlock(&pool->lock);
	return n;
}

/* ---- end ---- */

void pool_stop(struct pool *pool, int64_t grace_ms)
{
	int64_t cut_ms = clock_mono_ms() + grace_ms;

	pthread_mutex_lock(&pool->lock);
	if (!pool->stopping || cut_ms < pool->cut_ms)
		pool->cut_ms = cut_ms;
	pool->stopping = true;
	mail_queue_return_all(pool);
	coroutine_broadcast(&pool->feed);
	coroutine_broadcast(&pool->work);
	coroutine_broadcast(&pool->spare);
	pthread_cond_signal(&pool->clock);
	pool_unlock(pool, true);
}

static bool all_ended(const struct pool *pool)
{
	for (size_t i = 0; i < pool->n_workers; i++)
		if (!pool->workers[i]->ended)
			return false;
	return true;
}

bool pool_stopped(struct pool *pool)
{
	bool stopped;

	pthread_mutex_lock(&pool->lock);
	stopped = pool->stopping && all_ended(pool) && pool->n_results == pool->n_out;
	pthread_mutex_unlock(&pool->lock);
	return stopped;
}

/* When no thread uses it anymore. */
static void free_pool(struct pool *pool)
{
	for (size_t i = 0; i < MAILER_THREADS; i++)
		coroutines_free(pool->threads[i].workers);
	for (size_t i = 0; i < pool->n_workers; i++) {
		watch_destroy(&pool->workers[i]->watch);
		free(pool->workers[i]);
	}
	while (pool->relays) {
		struct relay *relay = pool->relays;
		pool->relays = relay->next;
		relay_free(relay);
	}
	mail_queue_free_spent(pool->spent);
	mailer_config_unref(pool->config);
	pthread_cond_destroy(&pool->clock);
	pthread_mutex_destroy(&pool->lock);
	pthread_mutex_destroy(&pool->wake_lock);
	free(pool->workers);
	free(pool->results);
	free(pool);
}

struct pool *pool_free(struct pool *pool)
{
	if (!pool)
		return NULL;
	pool_stop(pool, 0);
	for (size_t i = 0; i < pool->n_threads; i++)
		pthread_join(pool->threads[i].id, NULL);
	relay_test_free(pool->test); /* the supervisor cuts it off */
	pthread_mutex_lock(&pool->lock);
	pool->over = true;
	pthread_cond_signal(&pool->clock);
	pthread_mutex_unlock(&pool->lock);
	pthread_join(pool->supervisor, NULL);
	free_pool(pool);
	return NULL;
}
