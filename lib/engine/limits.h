/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_LIMITS_H
#define ENGINE_LIMITS_H

#include "base/mem.h"
#include "model/settings.h"
#include "rules/rules.h"
#include "spool/spool.h"
#include "spool/spool_limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct engine;

/*
 * [rules] per_contact and burst (rule 13): what they count, and what they say of one more mail. The
 * engine keeps the window's count in memory, and the spool has the same; where neither is set,
 * nothing is counted.
 */
struct limits {
	bool known; /* what follows is as in the spool; false after a turn that failed, and at first
	             */
	bool open;  /* the breaker is, and [rules] burst is still set */
	bool tripped;               /* this turn held back a mail while the breaker was closed */
	struct spool_burst *bursts; /* [first, n), in order, all within the window */
	size_t first, n, cap;
	int64_t made; /* their sum */
	bool changed; /* the last of them, in this turn */
};
void limits_clear(struct limits *limits);

/* What rule 13 asks: of the engine's turn, or of a spool that is only read. */
struct limits_asked {
	struct rules_limits rules;
	struct spool *spool;
	const struct settings *settings;
	struct arena *arena;
};
/* NULL: nothing is limited. The answer is in `ask`, which has to live as long as it is used. */
const struct rules_limits *engine_limits(struct engine *engine, struct limits_asked *ask);
/* The same for `explain`, by what the spool has at `now`; ask->spool, settings and arena are set.
 */
const struct rules_limits *limits_read(struct limits_asked *ask, struct instant now);

/* The first step of a turn: what the spool has of it is known, and what left the window is left
 * out. */
void engine_load_limits(struct engine *engine);
/* A new mail to a contact: counted. */
void engine_count_mail(struct engine *engine, const struct spool_mail *mail);
/* It was counted and goes at another time; or nowhere. */
void engine_slot_moved(struct engine *engine, const struct spool_mail *mail);
void engine_slot_freed(struct engine *engine, const struct spool_mail *mail);
/* When one more mail to the contact may go, `from` or later. */
struct instant engine_contact_allows(struct engine *engine, int64_t contact, struct instant from);
/* Keeps what was counted in this turn. */
void engine_keep_bursts(struct engine *engine);
/* When the window's count falls under the limit; INSTANT_NEVER where it is. */
struct instant engine_burst_over(const struct engine *engine);

#endif
