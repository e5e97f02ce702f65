/* SPDX-License-Identifier: MIT */
/*
 * What the engine's side and the mailers share, all under the pool's lock and never for longer than
 * a few list operations: the queue, the credits, the results.
 */
#include "dispatchd/mailer/pool_private.h"

#include "base/mem.h"
#include "common/clock_ms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The engine puts mails one by one: a mail waits this long for one that reveals more about the
 * relay. */
enum { BETTER_WAIT_MS = 100 };

/* Of mails that are queued or in hand. One more turn's may come. */
enum { OUTGOING_BYTES_MAX = 4 << 20 };

/* ---- room ---- */

size_t pool_size(const struct pool *pool)
{
	size_t most = pool->config->connections;

	return most + (pool->n_stuck < most ? pool->n_stuck : most);
}

bool pool_has_usable_relay(struct pool *pool)
{
	const struct transport_targets *targets = &pool->config->targets;
	int64_t now_ms = clock_mono_ms();

	for (size_t i = 0; i < targets->n; i++)
		if (relay_usable(pool_relay_named(pool, targets->list[i].name), now_ms))
			return true;
	return false;
}

bool pool_has_other_relay(struct pool *pool, const struct relay *relay)
{
	const struct transport_targets *targets = &pool->config->targets;
	int64_t now_ms = clock_mono_ms();

	for (size_t i = 0; i < targets->n; i++) {
		const struct relay *other = pool_relay_named(pool, targets->list[i].name);
		if (other != relay && !other->stalled && relay_usable(other, now_ms))
			return true;
	}
	return false;
}

static size_t less(size_t a, size_t b)
{
	return a > b ? a - b : 0;
}

/* Results held back take nobody's place: a relay that refuses one kind of mail doesn't hold up the
 * rest. They are bounded by themselves. */
static size_t count_held(const struct pool *pool)
{
	size_t n = 0;

	for (const struct relay *relay = pool->relays; relay; relay = relay->next)
		n += relay->refusals.n_held;
	return n;
}

static bool any_breaker_open(const struct pool *pool)
{
	for (const struct relay *relay = pool->relays; relay; relay = relay->next)
		if (refusals_breaker_open(&relay->refusals))
			return true;
	return false;
}

/* Where mails go fast, some more may be in hand: fewer turns then make as many. */
size_t mail_queue_places(const struct pool *pool)
{
	size_t places = pool->limits->places +
	                pool->limits->places_each * pool->config->connections +
	                pace_mails(&pool->pace, clock_mono_ms());
	if (any_breaker_open(pool) && places < pool->limits->places_refused)
		places = pool->limits->places_refused;
	return places;
}

/* Of the relays whose turn it is, and over all; 0: no limit. */
static double rate_now(struct pool *pool)
{
	const struct transport_targets *targets = &pool->config->targets;
	int64_t now_ms = clock_mono_ms();
	double all = pool->config->rate, sum = 0;
	const struct relay *first = NULL;

	for (size_t i = 0; i < targets->n; i++) {
		const struct relay *relay = pool_relay_named(pool, targets->list[i].name);
		if (!relay_usable(relay, now_ms) || (first && first->rank != relay->rank))
			continue;
		first = first ? first : relay;
		if (relay->bucket.rate <= 0)
			return all;
		sum += relay->bucket.rate;
	}
	return all > 0 && all < sum ? all : sum;
}

/* With a rate, no more wait here than two seconds' worth: what waits longer had better be
 * judged again. */
size_t mail_queue_room(struct pool *pool)
{
	size_t room = less(mail_queue_places(pool), less(pool->n_out, count_held(pool)));

	if (pool->stopping || !pool_has_usable_relay(pool) || pool->bytes >= OUTGOING_BYTES_MAX)
		return 0;
	double rate = rate_now(pool);
	if (rate > 0) {
		size_t most = less((size_t)(rate * 2) + 1, pool->n_queued);
		room = room < most ? room : most;
	}
	return room;
}

struct relay *pool_relay_named(struct pool *pool, const char *name)
{
	struct relay **end = &pool->relays;

	for (; *end; end = &(*end)->next)
		if (relay_is_named(*end, name))
			return *end;
	*end = relay_new(name);
	return *end;
}

/* ---- the queue ---- */

/* A connection that waits is asked before one is opened. */
static void announce(struct pool *pool)
{
	coroutine_signal(pool->n_queued <= pool->n_feeding ? &pool->feed : &pool->work);
}

void mail_queue_append(struct pool *pool, struct queued_mail *queued)
{
	queued->next = NULL;
	queued->put_ms = clock_mono_ms();
	if (pool->tail)
		pool->tail->next = queued;
	else
		pool->head = queued;
	pool->tail = queued;
	pool->n_queued++;
	announce(pool);
}

/* To the front, so that it keeps its turn. */
void mail_queue_put_back(struct pool *pool, struct relay *relay, struct queued_mail *queued)
{
	if (pool->stopping) {
		mail_queue_return(pool, queued);
		return;
	}
	queued->next = pool->head;
	pool->head = queued;
	if (!pool->tail)
		pool->tail = queued;
	pool->n_queued++;
	bucket_give_back(&pool->bucket);
	bucket_give_back(&relay->bucket);
	announce(pool);
}

/* The first of those that need a fresh connection; NULL for none. */
static struct queued_mail **find_second(struct pool *pool)
{
	for (struct queued_mail **at = &pool->head; *at; at = &(*at)->next)
		if ((*at)->second)
			return at;
	return NULL;
}

/* What reveals most about the relay: the first of those with the best rank; NULL for none. */
static struct queued_mail **find_best(struct pool *pool, const struct relay *relay,
                                      int64_t *ret_rank)
{
	bool open = refusals_unresolved(&relay->refusals);
	struct queued_mail **best = NULL;

	for (struct queued_mail **at = &pool->head; *at; at = &(*at)->next) {
		const struct outgoing_mail *outgoing = (*at)->outgoing;
		int64_t rank =
		        open ? refusals_rank(&relay->refusals, outgoing->to, outgoing->template)
		             : REFUSALS_RANK_BEST;
		if ((*at)->second || (best && rank <= *ret_rank))
			continue;
		best = at;
		*ret_rank = rank;
		if (rank == REFUSALS_RANK_BEST)
			break;
	}
	return best;
}

static struct queued_mail **choose(struct pool *pool, const struct relay *relay, bool fresh,
                                   int64_t *ret_wait_ms)
{
	struct queued_mail **at = fresh ? find_second(pool) : NULL;
	int64_t rank = REFUSALS_RANK_BEST, waited_ms;

	if (at)
		return at;
	at = find_best(pool, relay, &rank);
	if (!at || rank == REFUSALS_RANK_BEST || (rank > 0 && relay->breaker == BREAKER_CLOSED))
		return at;
	waited_ms = clock_mono_ms() - (*at)->put_ms;
	if (waited_ms < BETTER_WAIT_MS)
		*ret_wait_ms = BETTER_WAIT_MS - waited_ms;
	return at;
}

static struct queued_mail *unlink_queued(struct pool *pool, struct queued_mail **at)
{
	struct queued_mail *queued = *at;

	*at = queued->next;
	if (pool->tail == queued) {
		pool->tail = NULL;
		for (struct queued_mail *i = pool->head; i; i = i->next)
			pool->tail = i;
	}
	pool->n_queued--;
	return queued;
}

/* One of the relay's rate and one of that over all, or neither and how long to wait. */
static int64_t take_tokens(struct pool *pool, struct relay *relay)
{
	int64_t now_ms = clock_mono_ms(), wait_ms = bucket_take(&relay->bucket, now_ms);

	if (wait_ms > 0)
		return wait_ms;
	wait_ms = bucket_take(&pool->bucket, now_ms);
	if (wait_ms > 0)
		bucket_give_back(&relay->bucket);
	return wait_ms;
}

struct queued_mail *mail_queue_take(struct pool *pool, struct relay *relay, bool fresh,
                                    int64_t *ret_wait_ms)
{
	struct queued_mail **at, *queued;

	*ret_wait_ms = 0;
	at = choose(pool, relay, fresh, ret_wait_ms);
	if (!at)
		return NULL;
	if (*ret_wait_ms == 0)
		*ret_wait_ms = take_tokens(pool, relay);
	if (*ret_wait_ms > 0)
		return NULL;
	queued = unlink_queued(pool, at);
	queued->begun = refusals_begin(&relay->refusals);
	return queued;
}

/* ---- results ---- */

static void mail_queue_publish(struct pool *pool, const struct delivery_result *result)
{
	if (pool->n_results == pool->results_size)
		bug("no place for a result");
	pool->results[(pool->first_result + pool->n_results++) % pool->results_size] = *result;
}

static void publish_for(void *pool, const struct delivery_result *result)
{
	mail_queue_publish(pool, result);
}

/* By pool_unlock(): the engine's thread has made it, and may be at the same memory just now. */
static void free_queued(struct pool *pool, struct queued_mail *queued)
{
	pool->bytes -= outgoing_mail_bytes(queued->outgoing);
	queued->next = pool->spent;
	pool->spent = queued;
}

void mail_queue_free_spent(struct queued_mail *spent)
{
	while (spent) {
		struct queued_mail *next = spent->next;
		outgoing_mail_free(spent->outgoing);
		free(spent->envelope);
		free(spent);
		spent = next;
	}
}

static void mail_queue_describe(const struct queued_mail *queued, struct delivery_result *result)
{
	result->mail = queued->outgoing->mail;
	result->yields = queued->yields;
	result->template_broken = queued->template_broken;
	result->rendering = queued->rendering;
	snprintf(result->to, sizeof result->to, "%s", queued->outgoing->to);
	snprintf(result->fault, sizeof result->fault, "%s", queued->fault);
	result->at = clock_wall();
}

/* What has as much in common with those refused as can be makes room for others. */
static void let_others_come(struct pool *pool, const struct relay *relay)
{
	for (struct queued_mail *queued = pool->head; queued; queued = queued->next)
		queued->yields |=
		        refusals_rank(&relay->refusals, queued->outgoing->to,
		                      queued->outgoing->template) <= REFUSALS_RANK_BEST - 2;
}

/* The relay is well if it took the mail; a refusal proves it only when it is clear whose fault it
 * is. */
static void judge_relay(struct pool *pool, struct relay_session *session,
                        const struct queued_mail *queued, const struct delivery_result *result)
{
	const struct failure_course *course = failure_course(result->delivery);
	bool refuses = refusals_add(&session->relay->refusals, result, queued->outgoing->template,
	                            queued->begun, clock_mono_ms(), publish_for, pool);

	if (refuses) {
		let_others_come(pool, session->relay);
		relay_refuses_all(session, pool->limits, result->reply);
	} else if (course->relay == FAILURE_RELAY_WELL) {
		relay_good(session, result->delivery == DELIVERY_SENT);
	} else if (course->relay == FAILURE_RELAY_AT_FAULT) {
		relay_fault(session, pool->limits, result->reply);
	}
	/* The supervisor lets go of what is held back, and watches the breakers. */
	if (course->relay != FAILURE_RELAY_WELL)
		pthread_cond_signal(&pool->clock);
	if (!pool_has_usable_relay(pool))
		mail_queue_return_all(pool);
}

void mail_queue_finish(struct pool *pool, struct relay_session *session, struct queued_mail *queued,
                       struct delivery_result *result)
{
	struct relay *relay = session->relay;

	mail_queue_describe(queued, result);
	snprintf(result->relay, sizeof result->relay, "%s", relay->name);
	relay_count(relay, result);
	pace_note(&pool->pace, clock_mono_ms());
	judge_relay(pool, session, queued, result);
	free_queued(pool, queued);
}

void mail_queue_finish_unsent(struct pool *pool, struct queued_mail *queued,
                              struct delivery_result *result)
{
	mail_queue_describe(queued, result);
	mail_queue_publish(pool, result);
	free_queued(pool, queued);
}

void mail_queue_return(struct pool *pool, struct queued_mail *queued)
{
	struct delivery_result result = {.delivery = DELIVERY_RELAY};

	mail_queue_describe(queued, &result);
	snprintf(result.relay, sizeof result.relay, "%s", queued->relay);
	snprintf(result.reply, sizeof result.reply, "%s", queued->words);
	mail_queue_publish(pool, &result);
	free_queued(pool, queued);
}

static bool recall_held(struct pool *pool, int64_t mail)
{
	struct delivery_result result;

	for (struct relay *relay = pool->relays; relay; relay = relay->next)
		if (refusals_take(&relay->refusals, mail, &result)) {
			result.delivery = DELIVERY_RELAY;
			mail_queue_publish(pool, &result);
			return true;
		}
	return false;
}

void mail_queue_recall(struct pool *pool, int64_t mail)
{
	for (struct queued_mail **at = &pool->head; *at; at = &(*at)->next)
		if ((*at)->outgoing->mail == mail) {
			mail_queue_return(pool, unlink_queued(pool, at));
			return;
		}
	(void)recall_held(pool, mail);
}

void mail_queue_return_all(struct pool *pool)
{
	while (pool->head)
		mail_queue_return(pool, unlink_queued(pool, &pool->head));
}

int64_t mail_queue_expire(struct pool *pool, struct relay *relay, int64_t now_ms, bool *ret_news)
{
	struct refusals_patience patience = {.lone_ms = pool->limits->lone_ms,
	                                     .hold_ms = pool->limits->hold_ms};
	size_t before = relay->refusals.n_held;
	int64_t next_ms = CLOCK_NEVER_MS;

	if (before == 0)
		return next_ms;
	if (relay->breaker != BREAKER_CLOSED)
		patience.open_until_ms = relay->open_until_ms;
	if (pool->stopping || relay->gone)
		refusals_end(&relay->refusals, publish_for, pool);
	else
		next_ms = refusals_expire(&relay->refusals, &patience, now_ms, publish_for, pool);
	if (relay->refusals.n_held < before) {
		relay_answers(relay);
		*ret_news = true;
	}
	return next_ms;
}

static void wake_engine(struct pool *pool)
{
	pthread_mutex_lock(&pool->wake_lock);
	if (pool->wake)
		pool->wake(pool->wake_arg);
	pthread_mutex_unlock(&pool->wake_lock);
}

void pool_unlock(struct pool *pool, bool news)
{
	if (pool->starved && mail_queue_room(pool) > 0) {
		pool->starved = false;
		news = true;
	}
	bool wake = news && !pool->woken;
	struct queued_mail *spent = pool->spent;
	pool->spent = NULL;
	pool->woken |= news;
	pthread_mutex_unlock(&pool->lock);
	if (wake)
		wake_engine(pool);
	mail_queue_free_spent(spent);
}
