/* SPDX-License-Identifier: MIT */
/*
 * The limits of rule 13.
 *
 * per_contact: each mail to a contact has a contact slot, the time at which it counts: when it was
 * made, or will be due. One more may go at the first moment that has room for it, before and behind
 * others that wait for a later time; most join one of these (a group). A mail that goes nowhere
 * gives its slot back. New mails are asked about (the turn's rule 13, and `explain`), and those
 * that get another time (mail_wait.c).
 *
 * burst: new mails by the time at which they were made, a row for a thousandth of the window, so
 * that a turn costs one row at most and the window's count is a sum in memory. breaker.c acts on
 * it.
 */
#include "engine/limits.h"

#include "engine/engine_private.h"

#include <stdlib.h>
#include <string.h>

enum {
	GROUP_MAX = 500, /* events in one mail; the next one begins another */
	BURSTS_IN_WINDOW = 1000,
};

/* ---- per_contact ---- */

/* The earliest moment with room for one more, while the slots pass in order. */
struct search {
	const struct limit *limit;
	int64_t at;
	int64_t latest[PER_CONTACT_MAX]; /* as many as the limit allows in a window, in a ring */
	size_t n;
};

/*
 * As many slots as the limit allows, within less than a window, leave no room from a window before
 * the last of them to a window behind the first:
 *
 *   ─────────┬──────────x───x──x─────────┬─────────▶
 *            └ last − window             └ first + window
 *
 * Both ends only move on from one such run of slots to the next, so that a single pass finds the
 * first moment that lies in none, and ends behind it.
 */
static bool pass_slot(void *arg, int64_t slot)
{
	struct search *search = arg;
	size_t most = (size_t)search->limit->most;
	int64_t window_ms = search->limit->window_ms;
	if (slot - window_ms >= search->at)
		return false;
	search->latest[search->n++ % most] = slot;
	if (search->n < most)
		return true;
	int64_t first = search->latest[search->n % most];
	if (slot - first < window_ms && search->at < first + window_ms)
		search->at = first + window_ms;
	return true;
}

/* `mail`: whose own slot doesn't count; 0: of none. */
static struct instant slot_for(struct spool *spool, const struct limit *limit, int64_t contact,
                               int64_t mail, struct instant from)
{
	struct search search = {.limit = limit, .at = from.ms};
	spool_each_slot(spool, contact, instant_add(from, -limit->window_ms), mail, pass_slot,
	                &search);
	return (struct instant){search.at};
}

/* ---- Groups ---- */

/* Not where it is full, or goes too late; what is held back goes when it is released. */
static bool takes(struct spool *spool, const struct spool_mail *group, struct instant expires,
                  size_t n)
{
	return (spool_mail_is_held(group) || instant_before(group->due, expires)) &&
	       spool_notice_count(spool, group->id) + n <= GROUP_MAX;
}

static int64_t open_group(struct spool *spool, const struct rules_one_more *mail,
                          struct instant from, struct instant until, int64_t but)
{
	return spool_mail_open_group(spool, mail->contact, job_state_name(mail->state), from, until,
	                             but);
}

bool engine_find_group(struct engine *engine, const struct rules_one_more *mail,
                       struct instant until, size_t n, int64_t but, struct spool_mail *ret)
{
	int64_t id = open_group(engine->spool, mail, mail->from, until, but);
	if (id == 0 || !spool_mail_load(engine->spool, id, engine->arena, ret))
		return false;
	if (takes(engine->spool, ret, mail->expires, n))
		return true;
	spool_mail_close_group(engine->spool, id);
	return false;
}

/* ---- What rule 13 asks of per_contact ---- */

/* Whether one more may join a mail that is due then, and when that is. */
static bool may_join(const struct limits_asked *ask, const struct rules_one_more *mail,
                     struct instant from, struct instant until, struct instant *ret_due)
{
	struct spool_mail group;
	int64_t id = open_group(ask->spool, mail, from, until, ask->mail);
	if (id == 0 || !spool_mail_load(ask->spool, id, ask->arena, &group) ||
	    !takes(ask->spool, &group, mail->expires, 1))
		return false;
	*ret_due = group.due;
	return true;
}

/* A mail that waits with others needs no room of its own, one over the limit joins those that wait
 * for room. */
static struct instant allows(void *arg, const struct rules_one_more *mail)
{
	const struct limits_asked *ask = arg;
	struct instant from = mail->from, due;
	int64_t wait_ms = ask->settings->notify[mail->state].group_wait_ms;
	if (mail->grouped && may_join(ask, mail, instant_add(from, -wait_ms), from, &due))
		return from;
	struct instant at = slot_for(ask->spool, &ask->settings->rules.per_contact, mail->contact,
	                             ask->mail, from);
	if (at.ms == from.ms || mail->alone)
		return at;
	struct instant until = instant_add(from, ask->settings->spool.keep_ms);
	return may_join(ask, mail, instant_add(from, 1), until, &due) ? due : at;
}

static const struct rules_limits *asked(struct limits_asked *ask)
{
	if (ask->settings->rules.per_contact.most > 0) {
		ask->rules.allows = allows;
		ask->rules.arg = ask;
	}
	return ask->rules.held_back || ask->rules.allows != NULL ? &ask->rules : NULL;
}

/* ---- burst, and what rule 13 asks of the engine or of a file ---- */

/* What the spool has of it. */
struct burst_state {
	bool open;                        /* the breaker is */
	const struct spool_burst *bursts; /* of the window; none where there is no limit */
	size_t n;
	int64_t made;
};

static struct burst_state read_burst(struct spool *spool, const struct limit *limit,
                                     struct instant now, struct arena *arena)
{
	struct burst_state state = {.bursts = NULL};
	struct spool_breaker breaker;
	spool_breaker_load(spool, arena, &breaker);
	state.open = !instant_is_none(breaker.since);
	if (limit->most > 0)
		state.bursts =
		        spool_bursts(spool, instant_add(now, -limit->window_ms), arena, &state.n);
	for (size_t i = 0; i < state.n; i++)
		state.made += state.bursts[i].mails;
	return state;
}

static bool holds_back(const struct limit *limit, bool open, int64_t made)
{
	return limit->most > 0 && (open || made >= limit->most);
}

const struct rules_limits *engine_limits(struct engine *engine, struct limits_asked *ask)
{
	const struct limits *limits = &engine->limits;
	*ask = (struct limits_asked){
	        .spool = engine->spool, .settings = engine->settings, .arena = engine->arena};
	ask->rules.held_back =
	        holds_back(&engine->settings->rules.burst, limits->open, limits->made);
	return asked(ask);
}

const struct rules_limits *limits_read(struct limits_asked *ask, struct instant now)
{
	const struct limit *burst = &ask->settings->rules.burst;
	struct burst_state state = read_burst(ask->spool, burst, now, ask->arena);
	ask->rules = (struct rules_limits){.held_back = holds_back(burst, state.open, state.made)};
	return asked(ask);
}

void limits_clear(struct limits *limits)
{
	free(limits->bursts);
	*limits = (struct limits){.known = false};
}

/* Those that have left the window make room once they are half of it, so that a row is moved once
 * on average. */
static void make_room(struct limits *limits)
{
	if (limits->bursts != NULL && limits->n < limits->cap)
		return;
	if (limits->bursts != NULL && limits->first > limits->cap / 2) {
		limits->n -= limits->first;
		memmove(limits->bursts, limits->bursts + limits->first,
		        limits->n * sizeof *limits->bursts);
		limits->first = 0;
		return;
	}
	limits->cap = limits->cap > 0 ? 2 * limits->cap : 64;
	limits->bursts = mem_realloc(limits->bursts, limits->cap, sizeof *limits->bursts);
}

static void add_burst(struct limits *limits, struct spool_burst burst)
{
	make_room(limits);
	limits->bursts[limits->n++] = burst;
	limits->made += burst.mails;
}

static void load(struct engine *engine)
{
	struct limits *limits = &engine->limits;
	limits_clear(limits);
	struct burst_state state = read_burst(engine->spool, &engine->settings->rules.burst,
	                                      engine->now, engine->arena);
	limits->open = state.open;
	for (size_t i = 0; i < state.n; i++)
		add_burst(limits, state.bursts[i]);
	limits->known = !spool_failed(engine->spool);
}

/* The clock was set back: what was made later than now was made now. */
static void gather_later(struct engine *engine)
{
	struct limits *limits = &engine->limits;
	struct spool_burst now = {engine->now, 0};
	while (limits->n > limits->first &&
	       !instant_before(limits->bursts[limits->n - 1].at, engine->now))
		now.mails += limits->bursts[--limits->n].mails;
	limits->made -= now.mails;
	add_burst(limits, now);
	spool_burst_forget_later(engine->spool, engine->now);
	limits->changed = true;
}

void engine_load_limits(struct engine *engine)
{
	struct limits *limits = &engine->limits;
	if (!limits->known)
		load(engine);
	limits->tripped = limits->changed = false;
	if (limits->n > limits->first &&
	    instant_before(engine->now, limits->bursts[limits->n - 1].at))
		gather_later(engine);
	struct instant after = instant_add(engine->now, -engine->settings->rules.burst.window_ms);
	for (; limits->first < limits->n; limits->first++) {
		if (instant_before(after, limits->bursts[limits->first].at))
			return;
		limits->made -= limits->bursts[limits->first].mails;
	}
}

/* One row for all of a turn, and for as many turns as end within a thousandth of the window. */
static void count_burst(struct engine *engine)
{
	struct limits *limits = &engine->limits;
	int64_t step_ms = engine->settings->rules.burst.window_ms / BURSTS_IN_WINDOW;
	struct spool_burst *last =
	        limits->n > limits->first ? &limits->bursts[limits->n - 1] : NULL;
	limits->changed = true;
	if (last == NULL || engine->now.ms - last->at.ms > step_ms) {
		add_burst(limits, (struct spool_burst){engine->now, 1});
		return;
	}
	last->mails++;
	limits->made++;
}

void engine_keep_bursts(struct engine *engine)
{
	struct limits *limits = &engine->limits;
	if (!limits->changed || limits->n == limits->first)
		return;
	limits->changed = false;
	spool_burst_set(engine->spool, &limits->bursts[limits->n - 1]);
	spool_burst_forget(engine->spool,
	                   instant_add(engine->now, -engine->settings->rules.burst.window_ms));
}

struct instant engine_burst_over(const struct engine *engine)
{
	const struct limits *limits = &engine->limits;
	const struct limit *burst = &engine->settings->rules.burst;
	int64_t made = limits->made;
	for (size_t i = limits->first; i < limits->n && made >= burst->most; i++) {
		made -= limits->bursts[i].mails;
		if (made < burst->most)
			return instant_add(limits->bursts[i].at, burst->window_ms);
	}
	return INSTANT_NEVER;
}

/* ---- Both ---- */

void engine_count_mail(struct engine *engine, const struct spool_mail *mail)
{
	bool held = spool_mail_is_held(mail);
	if (engine->settings->rules.burst.most > 0)
		count_burst(engine);
	engine->limits.tripped |= held && !engine->limits.open;
	if (!held)
		engine_slot_moved(engine, mail);
}

void engine_slot_moved(struct engine *engine, const struct spool_mail *mail)
{
	if (engine->settings->rules.per_contact.most > 0 && mail->contact != MAIL_OFFICE)
		spool_slot_set(engine->spool, mail->id, mail->contact, mail->due);
}

void engine_slot_freed(struct engine *engine, const struct spool_mail *mail)
{
	if (engine->settings->rules.per_contact.most > 0 && mail->contact != MAIL_OFFICE)
		spool_slot_remove(engine->spool, mail->id);
}

struct instant engine_waits_until(struct engine *engine, const struct rules_one_more *mail,
                                  int64_t id)
{
	struct limits_asked ask;
	const struct rules_limits *limits = engine_limits(engine, &ask);
	ask.mail = id;
	bool limited = limits != NULL && limits->allows != NULL && mail->contact != MAIL_OFFICE;
	return limited ? limits->allows(limits->arg, mail) : mail->from;
}
