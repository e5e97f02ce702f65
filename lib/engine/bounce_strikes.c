/* SPDX-License-Identifier: MIT */
/*
 * Days on which addresses were busy. Few addresses have any: whose they are is kept in memory, so
 * that a mail that was taken costs nothing where its contact has none. One too many in memory does
 * no harm; a turn that fails leaves such.
 */
#include "engine/bounce_strikes.h"

#include "engine/engine_private.h"
#include "spool/spool_bounce.h"

#include <stdlib.h>
#include <string.h>

static const int64_t day_ms = INT64_C(24) * 3600 * 1000;

/* Where the contact is, or would be. */
static size_t place_of(const struct struck *struck, int64_t contact)
{
	size_t low = 0, high = struck->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (struck->contacts[middle] < contact)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool has(const struct struck *struck, int64_t contact)
{
	size_t i = place_of(struck, contact);
	return i < struck->n && struck->contacts[i] == contact;
}

static void add(struct struck *struck, int64_t contact)
{
	size_t i = place_of(struck, contact);
	if (i < struck->n && struck->contacts[i] == contact)
		return;
	if (struck->n == struck->cap) {
		struck->cap = struck->cap ? 2 * struck->cap : 16;
		struck->contacts =
		        mem_realloc(struck->contacts, struck->cap, sizeof *struck->contacts);
	}
	memmove(struck->contacts + i + 1, struck->contacts + i,
	        (struck->n - i) * sizeof *struck->contacts);
	struck->contacts[i] = contact;
	struck->n++;
}

void engine_load_strikes(struct engine *engine)
{
	size_t n;
	struct arena *arena = arena_new();
	int64_t *contacts = spool_struck(engine->spool, arena, &n);
	engine->struck.n = 0;
	for (size_t i = 0; i < n; i++)
		add(&engine->struck, contacts[i]);
	arena_free(arena);
}

bool engine_strike(struct engine *engine, int64_t contact, const char *address, struct day today)
{
	struct spool_strikes strikes;
	struct day since = {today.n - BOUNCE_STRIKE_DAYS + 1};
	spool_strikes(engine->spool, contact, address, since, &strikes);
	if (!instant_is_none(strikes.taken) &&
	    engine->now.ms - strikes.taken.ms >= BOUNCE_QUIET_DAYS * day_ms)
		spool_strikes_clear(engine->spool, contact, address);
	spool_strike_add(engine->spool, contact, address, today, engine->now);
	add(&engine->struck, contact);
	spool_strikes(engine->spool, contact, address, since, &strikes);
	return strikes.n >= BOUNCE_STRIKES;
}

void engine_strikes_taken(struct engine *engine, const struct spool_mail *mail)
{
	if (engine->struck.n > 0 && has(&engine->struck, mail->contact))
		spool_strikes_taken(engine->spool, mail->contact, mail->address, engine->now);
}
