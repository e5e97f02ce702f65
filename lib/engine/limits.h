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
	/* What follows is as in the spool: not at first, nor after a turn that failed. */
	bool known;
	bool open;                  /* the breaker is */
	bool tripped;               /* this turn held back a mail while the breaker was closed */
	struct spool_burst *bursts; /* [first, n), in order, all within the window */
	size_t first, n, cap;
	int64_t made; /* their sum */
	bool changed; /* the last of them was, in this turn */
};
void limits_clear(struct limits *limits);

/* What rule 13 asks: of the engine's turn, or of a spool that is only read. */
struct limits_asked {
	struct rules_limits rules;
	int64_t mail; /* which is asked about: its slot doesn't count; 0: one to be made */
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
/* Counts a new mail to a contact, and gives it its slot. */
void engine_count_mail(struct engine *engine, const struct spool_mail *mail);
/* A mail goes at another time, or nowhere. */
void engine_slot_moved(struct engine *engine, const struct spool_mail *mail);
void engine_slot_freed(struct engine *engine, const struct spool_mail *mail);

/*
 * When a mail goes by [rules] per_contact that could go at mail->from: whoever makes a mail wait,
 * or lets it go, asks this. With others that wait for the limit, unless mail->alone. `id`: its own;
 * 0: it is still to be made.
 */
struct instant engine_waits_until(struct engine *engine, const struct rules_one_more *mail,
                                  int64_t id);
/*
 * The mail that gathers others for that contact and state, is due in [mail->from, until], and takes
 * `n` more. One that is full or would go when this one isn't worth sending anymore takes none, and
 * is closed. Never `but`.
 */
bool engine_find_group(struct engine *engine, const struct rules_one_more *mail,
                       struct instant until, size_t n, int64_t but, struct spool_mail *ret);
/* Keeps what was counted in this turn. */
void engine_keep_bursts(struct engine *engine);
/* When the window's count falls under the limit; INSTANT_NEVER where it is there already. */
struct instant engine_burst_over(const struct engine *engine);

#endif
