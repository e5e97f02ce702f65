/* SPDX-License-Identifier: MIT */
/* Mails at which a relay failed: dispatched after all others. */
#include "engine/mail_yield.h"

#include "engine/engine_private.h"

#include <string.h>

enum { YIELDING_MAX = 4096 };

/* Where it is, or would be. */
static size_t find_yielding(const struct engine *engine, int64_t mail)
{
	size_t low = 0, high = engine->n_yielding;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (engine->yielding[middle] < mail)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool engine_yields(const struct engine *engine, int64_t mail)
{
	size_t i = find_yielding(engine, mail);
	return i < engine->n_yielding && engine->yielding[i] == mail;
}

void engine_yield(struct engine *engine, int64_t mail, bool on)
{
	if (engine_yields(engine, mail) == on)
		return;
	/* Some of them ended in another way; those that still yield come to be known again. */
	if (on && engine->n_yielding == YIELDING_MAX)
		engine->n_yielding = 0;
	size_t i = find_yielding(engine, mail);
	if (on && engine->n_yielding == engine->cap_yielding) {
		engine->cap_yielding = engine->cap_yielding ? engine->cap_yielding * 2 : 64;
		engine->yielding = mem_realloc(engine->yielding, engine->cap_yielding, sizeof mail);
	}
	int64_t *at = engine->yielding + i;
	memmove(at + on, at + !on, (engine->n_yielding - i - !on) * sizeof mail);
	if (on)
		*at = mail;
	engine->n_yielding += on ? 1 : -(size_t)1;
}
