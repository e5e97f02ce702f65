/* SPDX-License-Identifier: MIT */
/*
 * What the engine's side and the mailers share, all under the pool's lock and never for longer than
 * a few list operations: the queue, the credits, the results.
 */
#include "mailer/crew.h"

#include "base/mem.h"
#include "mailer/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The engine puts letters one by one: so long a suspect waits for one that is none. */
enum { SUSPECTS_WAIT_MS = 100 };

/* Of letters that are queued or in hand. One more turn's may come. */
enum { LETTERS_BYTES_MAX = 4 << 20 };

/* ---- room ---- */

bool desk_hopeful(struct pool *pool)
{
	int64_t now_ms = clock_mono_ms();

	if (pool->plan->transport == TRANSPORT_MAILDIR)
		return relay_hopeful(desk_relay(pool, pool->plan->maildir), now_ms);
	for (size_t i = 0; i < pool->plan->n_relays; i++)
		if (relay_hopeful(desk_relay(pool, pool->plan->relays[i].name), now_ms))
			return true;
	return false;
}

static size_t less(size_t a, size_t b)
{
	return a > b ? a - b : 0;
}

/* With a rate, no more wait here than two seconds' worth: what lies longer is better judged again. */
size_t desk_room(struct pool *pool)
{
	size_t places = pool->limits->places + pool->limits->places_each * pool->plan->connections;
	size_t room = less(places, pool->n_out);

	if (pool->stopping || !desk_hopeful(pool) || pool->bytes >= LETTERS_BYTES_MAX)
		return 0;
	if (pool->plan->rate > 0) {
		size_t most = less((size_t)(pool->plan->rate * 2) + 1, pool->n_queued);
		room = room < most ? room : most;
	}
	return room;
}

struct relay *desk_relay(struct pool *pool, const char *name)
{
	struct relay **end = &pool->relays;

	for (; *end; end = &(*end)->next)
		if (strncmp((*end)->name, name, sizeof(*end)->name - 1) == 0)
			return *end;
	*end = relay_new(name);
	return *end;
}

/* ---- the queue ---- */

/* A connection that waits is asked before one is opened. */
static void announce(struct pool *pool)
{
	pthread_cond_signal(pool->n_queued <= pool->n_feeding ? &pool->feed : &pool->work);
}

void desk_append(struct pool *pool, struct item *item)
{
	item->next = NULL;
	item->put_ms = clock_mono_ms();
	if (pool->tail)
		pool->tail->next = item;
	else
		pool->head = item;
	pool->tail = item;
	pool->n_queued++;
	announce(pool);
}

/* To the front, so that it keeps its turn. */
void desk_put_back(struct pool *pool, struct item *item)
{
	if (pool->stopping) {
		desk_report_relay(pool, item);
		return;
	}
	item->next = pool->head;
	pool->head = item;
	if (!pool->tail)
		pool->tail = item;
	pool->n_queued++;
	bucket_give_back(&pool->bucket);
	announce(pool);
}

static struct item **choose(struct pool *pool, const struct relay *relay, int64_t *ret_wait_ms)
{
	int64_t waited_ms = clock_mono_ms() - pool->head->put_ms;

	if (relay->refusals.n_suspects == 0 || relay->refusals.convicted)
		return &pool->head;
	for (struct item **at = &pool->head; *at; at = &(*at)->next)
		if (!refusals_suspect(&relay->refusals, (*at)->letter->to))
			return at;
	if (waited_ms < SUSPECTS_WAIT_MS)
		*ret_wait_ms = SUSPECTS_WAIT_MS - waited_ms;
	return &pool->head;
}

static struct item *unlink_item(struct pool *pool, struct item **at)
{
	struct item *item = *at;

	*at = item->next;
	if (pool->tail == item) {
		pool->tail = NULL;
		for (struct item *i = pool->head; i; i = i->next)
			pool->tail = i;
	}
	pool->n_queued--;
	return item;
}

struct item *desk_take(struct pool *pool, const struct relay *relay, int64_t *ret_wait_ms)
{
	struct item **at;

	*ret_wait_ms = 0;
	if (!pool->head)
		return NULL;
	at = choose(pool, relay, ret_wait_ms);
	if (*ret_wait_ms == 0)
		*ret_wait_ms = bucket_take(&pool->bucket, clock_mono_ms());
	return *ret_wait_ms > 0 ? NULL : unlink_item(pool, at);
}

/* ---- results ---- */

static void publish(struct pool *pool, const struct delivery_result *result)
{
	if (pool->n_results == pool->results_size)
		bug("a result has no place");
	pool->results[(pool->first_result + pool->n_results++) % pool->results_size] = *result;
}

static void publish_all(struct pool *pool, const struct delivery_result *results, size_t n)
{
	for (size_t i = 0; i < n; i++)
		publish(pool, &results[i]);
}

static void free_item(struct pool *pool, struct item *item)
{
	pool->bytes -= letter_bytes(item->letter);
	letter_free(item->letter);
	free(item);
}

static void describe(const struct item *item, struct delivery_result *result)
{
	result->mail = item->letter->mail;
	result->template_broken = item->template_broken;
	snprintf(result->to, sizeof result->to, "%s", item->letter->to);
	snprintf(result->fault, sizeof result->fault, "%s", item->fault);
	result->at = clock_wall();
}

void desk_finish(struct pool *pool, struct relay_session *session, struct item *item,
                 struct delivery_result *result)
{
	struct delivery_result out[REFUSALS_HELD + 1];
	struct relay *relay = session->relay;
	bool tripped;

	describe(item, result);
	snprintf(result->relay, sizeof result->relay, "%s", relay->name);
	size_t n = refusals_add(&relay->refusals, result, clock_mono_ms(), out, &tripped);
	/* From a connection that was open when the tenth was refused: nothing is left to wait for. */
	if (relay->refusals.in_row && !relay_goes_on(session))
		n += refusals_flush(&relay->refusals, out + n);
	publish_all(pool, out, n);
	free_item(pool, item);
	if (tripped)
		relay_tripped(session, pool->limits, result->reply);
	else if (result->delivery == DELIVERY_SENT ||
	         (relay->refusals.n_held == 0 && !relay->refusals.in_row))
		relay_good(session, result->delivery == DELIVERY_SENT);
	/* What is held back is let go by the warden. */
	if (relay->refusals.n_held > 0 || tripped)
		pthread_cond_signal(&pool->clock);
	if (tripped && !desk_hopeful(pool))
		desk_report_all(pool);
}

void desk_report_relay(struct pool *pool, struct item *item)
{
	struct delivery_result result = {.delivery = DELIVERY_RELAY};

	describe(item, &result);
	snprintf(result.relay, sizeof result.relay, "%s", item->relay);
	snprintf(result.reply, sizeof result.reply, "%s", item->words);
	publish(pool, &result);
	free_item(pool, item);
}

void desk_recall(struct pool *pool, int64_t mail)
{
	for (struct item **at = &pool->head; *at; at = &(*at)->next)
		if ((*at)->letter->mail == mail) {
			desk_report_relay(pool, unlink_item(pool, at));
			return;
		}
}

void desk_report_all(struct pool *pool)
{
	while (pool->head)
		desk_report_relay(pool, unlink_item(pool, &pool->head));
}

void desk_flush(struct pool *pool, struct relay *relay)
{
	struct delivery_result out[REFUSALS_HELD];
	size_t n = refusals_flush(&relay->refusals, out);

	publish_all(pool, out, n);
	if (n == 0 || !relay->refusals.in_row)
		return;
	relay_refuses(relay, pool->limits, out[n - 1].reply);
	if (!desk_hopeful(pool))
		desk_report_all(pool);
}

void desk_unlock(struct pool *pool, bool news)
{
	if (pool->starved && desk_room(pool) > 0) {
		pool->starved = false;
		news = true;
	}
	pthread_mutex_unlock(&pool->lock);
	if (news)
		pool->wake(pool->wake_arg);
}
