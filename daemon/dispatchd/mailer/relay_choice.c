/* SPDX-License-Identifier: MIT */
/*
 * Which relay a mailer turns to. Relays with a weight that follow one another in the configuration
 * have one rank and share the mails:
 *
 *      share = mails that it got / weight      the least has its turn next
 *
 * That counts mails, not connections, and so holds for relays of any speed. One that was away comes
 * back little behind the others: what it missed isn't made up for.
 */
#include "dispatchd/mailer/pool_private.h"

#include "common/clock_ms.h"

/* By how many mails a connection's relay may be ahead before it ends for another one's sake; by how
 * many of the lighter relay's at most one may be ahead of another, whatever happened. More than the
 * first and what connections have in hand, or shares would be lost in everyday work. */
enum { AHEAD_CALLS = 10, AHEAD_MAX = 40 };

static struct relay *relay_at(struct pool *pool, size_t i)
{
	return pool_relay_named(pool, pool->config->targets.list[i].name);
}

static double mails_of(const struct relay *relay, unsigned n)
{
	return (double)n / (relay->weight > 0 ? relay->weight : 1);
}

/* Those that may get a session and that are wanted, the one that is furthest behind; -1: none. */
static int furthest_behind(struct pool *pool, size_t first, size_t end, bool stalled,
                           int64_t now_ms)
{
	int best = -1;
	int64_t wait_ms;

	for (size_t i = first; i < end; i++) {
		struct relay *relay = relay_at(pool, i);
		if (relay->stalled != stalled || !relay_admits(relay, now_ms) ||
		    relay_is_full(relay, now_ms, &wait_ms))
			continue;
		if (best < 0 || relay->share < relay_at(pool, (size_t)best)->share)
			best = (int)i;
	}
	return best;
}

static bool any_full(struct pool *pool, size_t first, size_t end, int64_t now_ms,
                     int64_t *ret_wait_ms)
{
	bool full = false;
	int64_t wait_ms;

	for (size_t i = first; i < end; i++)
		if (relay_is_full(relay_at(pool, i), now_ms, &wait_ms)) {
			full = true;
			if (wait_ms > 0 && wait_ms < *ret_wait_ms)
				*ret_wait_ms = wait_ms;
		}
	return full;
}

int relay_choose(struct pool *pool, bool stalled, struct relay_session *ret, int64_t *ret_wait_ms)
{
	const struct transport_targets *targets = &pool->config->targets;
	int64_t now_ms = clock_mono_ms();

	for (size_t first = 0, end; first < targets->n; first = end) {
		for (end = first + 1;
		     end < targets->n && targets->list[end].rank == targets->list[first].rank;)
			end++;
		int i = furthest_behind(pool, first, end, stalled, now_ms);
		if (i >= 0 && relay_session_open(relay_at(pool, (size_t)i), now_ms, ret))
			return i;
		if (any_full(pool, first, end, now_ms, ret_wait_ms))
			return -1;
	}
	return -1;
}

/* Neither is further behind than what is made up for. */
static void draw_level(struct relay *one, struct relay *other)
{
	const struct relay *lighter = other->weight < one->weight ? other : one;
	double most = mails_of(lighter, AHEAD_MAX);

	if (other->share < one->share - most)
		other->share = one->share - most;
	if (one->share < other->share - most)
		one->share = other->share - most;
}

void relay_choice_note(struct pool *pool, struct relay *relay)
{
	const struct transport_targets *targets = &pool->config->targets;

	if (relay->weight == 0)
		return;
	relay->share += mails_of(relay, 1);
	for (size_t i = 0; i < targets->n; i++)
		if (targets->list[i].rank == relay->rank)
			draw_level(relay, relay_at(pool, i));
}

/* In the same rank. */
static bool is_far_behind(struct relay *other, const struct relay *relay, int64_t now_ms)
{
	int64_t wait_ms;

	return other->share + mails_of(relay, AHEAD_CALLS) < relay->share &&
	       !relay_is_full(other, now_ms, &wait_ms);
}

bool relay_choice_calls(struct pool *pool, const struct relay *relay)
{
	const struct transport_targets *targets = &pool->config->targets;
	int64_t now_ms = targets->n > 1 ? clock_mono_ms() : 0;

	for (size_t i = 0; targets->n > 1 && i < targets->n; i++) {
		if (targets->list[i].rank > relay->rank)
			break;
		struct relay *other = relay_at(pool, i);
		bool before = other->rank < relay->rank || is_far_behind(other, relay, now_ms);
		if (before && other != relay && relay_calls(other, now_ms))
			return true;
	}
	return false;
}
