/* SPDX-License-Identifier: MIT */
#include "dispatchd/mailer/relay.h"

#include "base/backoff.h"
#include "base/mem.h"
#include "dispatchd/mailer/clock.h"

#include <stdio.h>
#include <stdlib.h>

/* How long until a relay that limits our connections is asked for one more, after it took one more. */
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

bool relay_hopeful(const struct relay *relay, int64_t now_ms)
{
	return relay->state != RELAY_RESTING || now_ms >= relay->rest_until_ms || relay->allowed > 0;
}

/* What the state lets in now; RELAY_TRYING as an answer means one, as a trial. */
static bool may_open(const struct relay *relay, int64_t now_ms, bool *ret_trial)
{
	*ret_trial = false;
	if (relay->state == RELAY_UP || relay->sessions < relay->allowed)
		return true;
	*ret_trial = relay->state == RELAY_RESTING && now_ms >= relay->rest_until_ms;
	return *ret_trial;
}

bool relay_open(struct relay *relay, int64_t now_ms, struct relay_session *ret)
{
	bool trial;

	if (!may_open(relay, now_ms, &trial))
		return false;
	*ret = (struct relay_session){
	        .relay = relay, .from_ms = now_ms, .epoch = relay->epoch, .trial = trial};
	relay->sessions++;
	if (trial)
		relay->state = RELAY_TRYING;
	return true;
}

void relay_close(struct relay_session *session)
{
	struct relay *relay = session->relay;

	relay->sessions--;
	relay->proven -= session->proven;
	/* A trial that ended without a verdict (the pool stopped, the mail couldn't be rendered) is open to
	 * the next. */
	if (session->trial && relay->state == RELAY_TRYING)
		relay->state = RELAY_RESTING;
}

bool relay_calls(struct relay *relay, int64_t now_ms)
{
	if (relay->stalled)
		return false;
	if (relay->state == RELAY_UP)
		return true;
	if (relay->state != RELAY_RESTING || now_ms < relay->rest_until_ms || relay->called)
		return false;
	relay->called = true;
	return true;
}

bool relay_goes_on(const struct relay_session *session)
{
	return session->epoch == session->relay->epoch;
}

static void settle(struct relay *relay)
{
	bool up = relay->state == RELAY_UP || relay->allowed > 0;

	if (up != relay->up)
		relay->since = clock_wall();
	relay->up = up;
}

static void rest(struct relay *relay, const struct mailer_limits *limits, const char *words)
{
	struct backoff backoff = {.min_ms = limits->rest_min_ms, .max_ms = limits->rest_max_ms};
	int64_t now_ms = clock_mono_ms(), wait_ms = backoff_ms(backoff, ++relay->faults, arc4random());

	relay->state = RELAY_RESTING;
	relay->called = false;
	relay->rest_from_ms = now_ms;
	relay->rest_until_ms = now_ms + wait_ms;
	relay->rests_until = instant_add(clock_wall(), wait_ms);
	snprintf(relay->words, sizeof relay->words, "%s", words);
	settle(relay);
}

/* Connections that fail while a rest lasts don't prolong it: they only show that fewer are welcome. */
static void fewer(struct relay *relay, unsigned others)
{
	if (relay->allowed > 0)
		relay->allowed--;
	if (relay->allowed > others)
		relay->allowed = others;
	settle(relay);
}

void relay_fault(struct relay_session *session, const struct mailer_limits *limits, const char *words)
{
	struct relay *relay = session->relay;
	unsigned others = relay->proven - session->proven;

	relay->tried = true;
	relay->n_faults++;
	if (relay->state != RELAY_UP && !session->trial) {
		fewer(relay, others);
		return;
	}
	/* It was opened before the last rest, and others have found the relay well since: the fault is old.
	 */
	if (!session->trial && session->from_ms < relay->rest_from_ms)
		return;
	session->trial = false;
	relay->allowed = others;
	rest(relay, limits, words);
}

/* It was opened before a fault that others had, perhaps before any had delivered, and goes on: those that do
 * are welcome. */
static void works_still(const struct relay_session *session)
{
	struct relay *relay = session->relay;

	if (relay->state == RELAY_UP || !relay_goes_on(session) || relay->allowed >= relay->proven)
		return;
	relay->allowed = relay->proven;
	settle(relay);
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
		/* It only shows that one more is welcome. The rests still double at the next refusal. */
		relay->allowed++;
		relay->state = RELAY_RESTING;
		relay->rest_until_ms = clock_mono_ms() + GROW_MS;
	} else {
		relay->state = RELAY_UP;
		relay->faults = 0;
		relay->words[0] = '\0';
	}
	settle(relay);
}

void relay_answers(struct relay *relay)
{
	if (relay->state == RELAY_UP || refusals_tripped(&relay->refusals) ||
	    (relay->state == RELAY_RESTING && clock_mono_ms() < relay->rest_until_ms))
		return;
	relay->state = RELAY_UP;
	settle(relay);
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

void relay_refuses(struct relay *relay, const struct mailer_limits *limits, const char *words)
{
	relay->n_faults++;
	relay->allowed = 0;
	relay->epoch++;
	rest(relay, limits, words);
}

void relay_tripped(struct relay_session *session, const struct mailer_limits *limits, const char *words)
{
	if (session->epoch != session->relay->epoch)
		return;
	session->trial = false;
	relay_refuses(session->relay, limits, words);
}

void relay_describe(const struct relay *relay, struct pool_relay *ret)
{
	*ret = (struct pool_relay){
	        .tried = relay->tried,
	        .up = relay->up,
	        .since = relay->since,
	        .rests_until = relay->up ? INSTANT_NONE : relay->rests_until,
	        .sessions = relay->sessions,
	        .delivered = relay->delivered,
	        .faults = relay->n_faults,
	        .failures = relay->failures,
	        .failing_since = relay->failures > 0 ? relay->failing_since : INSTANT_NONE,
	};
	if (relay->failures > 0)
		snprintf(ret->failing_words, sizeof ret->failing_words, "%s", relay->failing_words);
	snprintf(ret->name, sizeof ret->name, "%s", relay->name);
	snprintf(ret->words, sizeof ret->words, "%s", relay->words);
}
