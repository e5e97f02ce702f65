/* SPDX-License-Identifier: MIT */
/*
 * The thread that watches the clock for all mailers: shuts down what takes too long, finds relays
 * that are stalled, lets go of refusals held back, wakes mailers when a breaker may be tried, gives
 * back what waits for a mailer for too long, bounds a test of the relays, and ends the grace of a
 * stop. It sleeps until the next of these is due; deadlines of connections are looked at four times
 * a second while there are any.
 */
#include "dispatchd/mailer/pool_private.h"

#include "common/clock_ms.h"
#include "dispatchd/sys/mono_cond.h"

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t check_watches(struct pool *pool, int64_t now_ms)
{
	int64_t next_ms = CLOCK_NEVER_MS;

	for (size_t i = 0; i < pool->n_workers; i++)
		if (watch_check(&pool->workers[i]->watch, now_ms) != CLOCK_NEVER_MS)
			next_ms = now_ms + POOL_LOOK_MS;
	/* A connection that is only being opened has armed nothing yet. */
	for (struct relay *relay = pool->relays; relay; relay = relay->next)
		if (relay->sessions > 0)
			next_ms = now_ms + POOL_LOOK_MS;
	return next_ms;
}

static bool is_stuck(struct pool *pool, struct worker *worker, int64_t now_ms,
                     int64_t *ret_since_ms)
{
	return worker->relay && !worker->leaving &&
	       watch_waits(&worker->watch, now_ms, pool->limits->stall_ms, ret_since_ms);
}

/*
 * A relay is stalled while a connection waits for it for too long, and no mail has got an answer
 * since that wait began. With another relay in the list new mails go there, and others work in the
 * places of those that wait.
 */
static void check_stalls(struct pool *pool, int64_t now_ms)
{
	size_t n_stuck = 0;
	bool changed = false;
	int64_t since_ms;

	for (struct relay *relay = pool->relays; relay; relay = relay->next) {
		bool stalled = false;
		for (size_t i = 0; i < pool->n_workers; i++)
			stalled |= pool->workers[i]->relay == relay &&
			           is_stuck(pool, pool->workers[i], now_ms, &since_ms) &&
			           relay->answered_ms < since_ms;
		changed |= stalled != relay->stalled;
		relay->stalled = stalled;
	}
	for (size_t i = 0; i < pool->n_workers && pool->config->targets.n > 1; i++)
		n_stuck += is_stuck(pool, pool->workers[i], now_ms, &since_ms) &&
		           pool->workers[i]->relay->stalled;
	changed |= n_stuck != pool->n_stuck;
	pool->n_stuck = n_stuck;
	if (!changed || pool->stopping)
		return;
	(void)pool_start_workers(pool);
	coroutine_broadcast(&pool->feed);
	coroutine_broadcast(&pool->work);
	coroutine_broadcast(&pool->spare);
}

static int64_t check_held(struct pool *pool, int64_t now_ms, bool *ret_news)
{
	int64_t next_ms = CLOCK_NEVER_MS;

	for (struct relay *relay = pool->relays; relay; relay = relay->next)
		next_ms = earlier(next_ms, mail_queue_expire(pool, relay, now_ms, ret_news));
	return next_ms;
}

/* When a breaker's time is over, mailers may try; pool_unlock() wakes the engine, since there is
 * room. */
static int64_t check_breakers(struct pool *pool, int64_t now_ms)
{
	int64_t next_ms = CLOCK_NEVER_MS;

	for (struct relay *relay = pool->relays; relay; relay = relay->next)
		if (relay->breaker == BREAKER_OPEN && relay->open_until_ms > now_ms)
			next_ms = earlier(next_ms, relay->open_until_ms);
		else if (relay->breaker == BREAKER_OPEN && pool->head)
			coroutine_signal(&pool->work);
	return next_ms;
}

/* The oldest are first. While there is a queue, some connection is at work, and so is the clock. */
static int64_t check_queue(struct pool *pool, int64_t now_ms, bool *ret_news)
{
	while (pool->head && now_ms - pool->head->put_ms >= pool->limits->wait_ms) {
		mail_queue_recall(pool, pool->head->outgoing->mail);
		*ret_news = true;
	}
	return pool->head ? pool->head->put_ms + pool->limits->wait_ms : CLOCK_NEVER_MS;
}

static int64_t check_cut(struct pool *pool, int64_t now_ms)
{
	if (!pool->stopping || pool->cut_ms == CLOCK_NEVER_MS)
		return CLOCK_NEVER_MS;
	if (now_ms < pool->cut_ms)
		return pool->cut_ms;
	for (size_t i = 0; i < pool->n_workers; i++)
		watch_cut(&pool->workers[i]->watch, "dispatchd is stopping");
	pool->cut_ms = CLOCK_NEVER_MS;
	return CLOCK_NEVER_MS;
}

void *supervisor_main(void *arg)
{
	struct pool *pool = arg;

	(void)pthread_setname_np(pthread_self(), "supervisor");
	pthread_mutex_lock(&pool->lock);
	while (!pool->over) {
		int64_t now_ms = clock_mono_ms(), next_ms;
		bool news = false;
		next_ms = check_watches(pool, now_ms);
		check_stalls(pool, now_ms);
		next_ms = earlier(next_ms, check_held(pool, now_ms, &news));
		next_ms = earlier(next_ms, check_breakers(pool, now_ms));
		next_ms = earlier(next_ms, check_queue(pool, now_ms, &news));
		next_ms = earlier(next_ms, check_cut(pool, now_ms));
		next_ms = earlier(next_ms, pool_test_check(pool, now_ms));
		if (news || (pool->starved && mail_queue_room(pool) > 0)) {
			pool_unlock(pool, news);
			pthread_mutex_lock(&pool->lock);
			continue;
		}
		(void)mono_cond_wait(&pool->clock, &pool->lock, next_ms);
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}
