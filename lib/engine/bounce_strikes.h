/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_BOUNCE_STRIKES_H
#define ENGINE_BOUNCE_STRIKES_H

#include "base/instant.h"
#include "spool/spool.h"

#include <stdbool.h>
#include <stdint.h>

struct engine;

/* An address was busy on that day of its customer's. Whether that makes BOUNCE_STRIKES days within
 * BOUNCE_STRIKE_DAYS, without a week of quiet after a mail that was taken. */
enum { BOUNCE_STRIKES = 3, BOUNCE_STRIKE_DAYS = 30, BOUNCE_QUIET_DAYS = 7 };
bool engine_strike(struct engine *engine, int64_t contact, const char *address, struct day today);
/* The relay took a mail. */
void engine_strikes_taken(struct engine *engine, const struct spool_mail *mail);
/* At the opening: whose addresses have any. */
void engine_load_strikes(struct engine *engine);

#endif
