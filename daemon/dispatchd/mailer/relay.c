/* SPDX-License-Identifier: MIT */
/*
 * The circuit breaker of one relay: which connections it may get, when one is tried again after a
 * fault, what is counted for status and metrics. All of it under the pool's lock.
 */
#include "dispatchd/mailer/relay.h"

#include "base/backoff.h"
#include "base/mem.h"
#include "common/clock_ms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How long after a relay that limits our connections accepted one more it is tried with another. */
enum { GROW_MS = 1000 };

struct relay *relay_new(const char *name)
{
	struct relay *relay = mem_alloc(sizeof *relay);

	snprintf(relay->name, sizeof relay->name, "%s", name);
	relay->since = clock_wall();
	relay->up = true;
	return relay;
}

struct relay *relay_free(struct relay *relay)
{
	free(relay);
	return NULL;
}

void relay_configure(struct relay *relay, const struct transport_target *target, int64_t now_ms)
{
	bool moved = relay->address[0] != '\0' && strcmp(relay->address, target->address) != 0;

	snprintf(relay->address, sizeof relay->address, "%s", target->address);
	relay->rank = target->rank;
	relay->weight = target->weight;
	relay->most = target->connections;
	bucket_set(&relay->bucket, target->rate, now_ms);
	if (moved && relay->breaker == BREAKER_OPEN) {
		relay->open_until_ms = now_ms;
		relay->called = false;
	}
}

bool relay_is_full(struct relay *relay, int64_t now_ms, int64_t *ret_wait_ms)
{
	*ret_wait_ms = 0;
	if (relay->breaker != BREAKER_CLOSED || relay->stalled)
		return false;
	if (relay->most > 0 && relay->sessions >= relay->most)
		return true;
	*ret_wait_ms = bucket_take(&relay->bucket, now_ms);
	if (*ret_wait_ms == 0)
		bucket_give_back(&relay->bucket);
	return *ret_wait_ms > 0;
}

bool relay_is_named(const struct relay *relay, const char *name)
{
	return strncmp(relay->name, name, sizeof relay->name - 1) == 0;
}

bool relay_usable(const struct relay *relay, int64_t now_ms)
{
	return relay->breaker != BREAKER_OPEN || now_ms >= relay->open_until_ms ||
	       relay->allowed > 0;
}

/* What the state lets in now; BREAKER_HALF_OPEN as an answer means one, as a trial. */
static bool may_open(const struct relay *relay, int64_t now_ms, bool *ret_trial)
{
	*ret_trial = false;
	if (relay->most > 0 && relay->sessions >= relay->most)
		return false;
	if (relay->breaker == BREAKER_CLOSED || relay->sessions < relay->allowed)
		return true;
	*ret_trial = relay->breaker == BREAKER_OPEN && now_ms >= relay->open_until_ms;
	return *ret_trial;
}

bool relay_admits(const struct relay *relay, int64_t now_ms)
{
	bool trial;

	return may_open(relay, now_ms, &trial);
}

bool relay_session_open(struct relay *relay, int64_t now_ms, struct relay_session *ret)
{
	bool trial;

	if (!may_open(relay, now_ms, &trial))
		return false;
	*ret = (struct relay_session){
	        .relay = relay, .from_ms = now_ms, .epoch = relay->epoch, .trial = trial};
	relay->sessions++;
	if (trial)
		relay->breaker = BREAKER_HALF_OPEN;
	return true;
}

void relay_session_close(struct relay_session *session)
{
	struct relay *relay = session->relay;

	relay->sessions--;
	relay->proven -= session->proven;
	/* A trial that ended without a verdict (the pool stopped, the mail couldn't be rendered) is
	 * open to the next. */
	if (session->trial && relay->breaker == BREAKER_HALF_OPEN)
		relay->breaker = BREAKER_OPEN;
}

bool relay_calls(struct relay *relay, int64_t now_ms)
{
	if (relay->stalled)
		return false;
	if (relay->breaker == BREAKER_CLOSED)
		return true;
	if (relay->breaker != BREAKER_OPEN || now_ms < relay->open_until_ms || relay->called)
		return false;
	relay->called = true;
	return true;
}

bool relay_goes_on(const struct relay_session *session)
{
	return session->epoch == session->relay->epoch;
}

static void relay_settle(struct relay *relay)
{
	bool up = relay->breaker == BREAKER_CLOSED || relay->allowed > 0;

	if (up != relay->up)
		relay->since = clock_wall();
	relay->up = up;
}

static void open_breaker(struct relay *relay, const struct mailer_limits *limits, const char *words)
{
	struct backoff backoff = {.min_ms = limits->open_min_ms, .max_ms = limits->open_max_ms};
	int64_t now_ms = clock_mono_ms(),
	        wait_ms = backoff_ms(backoff, ++relay->faults, arc4random());

	relay->breaker = BREAKER_OPEN;
	relay->called = false;
	relay->opened_ms = now_ms;
	relay->open_until_ms = now_ms + wait_ms;
	relay->open_until = instant_add(clock_wall(), wait_ms);
	snprintf(relay->words, sizeof relay->words, "%s", words);
	relay_settle(relay);
}

/* Connections that fail while the breaker is open don't prolong that: they only show that fewer are
 * welcome. */
static void fewer(struct relay *relay, unsigned others)
{
	if (relay->allowed > 0)
		relay->allowed--;
	if (relay->allowed > others)
		relay->allowed = others;
	relay_settle(relay);
}

void relay_fault(struct relay_session *session, const struct mailer_limits *limits,
                 const char *words)
{
	struct relay *relay = session->relay;
	unsigned others = relay->proven - session->proven;

	relay->tried = true;
	relay->n_faults++;
	if (relay->breaker != BREAKER_CLOSED && !session->trial) {
		fewer(relay, others);
		return;
	}
	/* It was opened before the breaker last opened, and others have found the relay well since:
	 * the fault is old. */
	if (!session->trial && session->from_ms < relay->opened_ms)
		return;
	session->trial = false;
	relay->allowed = others;
	open_breaker(relay, limits, words);
}

/* It was opened before a fault that others had, perhaps before any had delivered, and goes on:
 * those that do are welcome. */
static void works_still(const struct relay_session *session)
{
	struct relay *relay = session->relay;

	if (relay->breaker == BREAKER_CLOSED || !relay_goes_on(session) ||
	    relay->allowed >= relay->proven)
		return;
	relay->allowed = relay->proven;
	relay_settle(relay);
}

void relay_good(struct relay_session *session, bool delivered)
{
	struct relay *relay = session->relay;

	relay->tried = true;
	relay->delivered += delivered;
	if (!session->proven) {
		session->proven = true;
		relay->proven++;
	}
	if (!session->trial) {
		works_still(session);
		return;
	}
	session->trial = false;
	if (relay->allowed > 0) {
		/* It only shows that one more is welcome. The waits still double at the next
		 * refusal. */
		relay->allowed++;
		relay->breaker = BREAKER_OPEN;
		relay->open_until_ms = clock_mono_ms() + GROW_MS;
	} else {
		relay->breaker = BREAKER_CLOSED;
		relay->faults = 0;
		relay->words[0] = '\0';
	}
	relay_settle(relay);
}

void relay_answers(struct relay *relay)
{
	if (relay->breaker == BREAKER_CLOSED || refusals_breaker_open(&relay->refusals) ||
	    (relay->breaker == BREAKER_OPEN && clock_mono_ms() < relay->open_until_ms))
		return;
	relay->breaker = BREAKER_CLOSED;
	relay_settle(relay);
}

void relay_count(struct relay *relay, const struct delivery_result *result)
{
	if (result->delivery == DELIVERY_SENT) {
		relay->failures = 0;
		return;
	}
	if (relay->failures++ == 0)
		relay->failing_since = result->at;
	snprintf(relay->failing_words, sizeof relay->failing_words, "%s", result->reply);
}

void relay_refuses_all(struct relay_session *session, const struct mailer_limits *limits,
                       const char *words)
{
	struct relay *relay = session->relay;

	if (session->epoch != relay->epoch)
		return;
	session->trial = false;
	relay->n_faults++;
	relay->allowed = 0;
	relay->epoch++;
	open_breaker(relay, limits, words);
}

void relay_describe(const struct relay *relay, struct pool_relay *ret)
{
	*ret = (struct pool_relay){
	        .tried = relay->tried,
	        .up = relay->up,
	        .since = relay->since,
	        .open_until = relay->up ? INSTANT_NONE : relay->open_until,
	        .sessions = relay->sessions,
	        .delivered = relay->delivered,
	        .faults = relay->n_faults,
	        .answered_s = relay->answered_s,
	        .failures = relay->failures,
	        .failing_since = relay->failures > 0 ? relay->failing_since : INSTANT_NONE,
	};
	if (relay->failures > 0)
		snprintf(ret->failing_words, sizeof ret->failing_words, "%s", relay->failing_words);
	snprintf(ret->name, sizeof ret->name, "%s", relay->name);
	snprintf(ret->address, sizeof ret->address, "%s", relay->address);
	snprintf(ret->words, sizeof ret->words, "%s", relay->words);
}
