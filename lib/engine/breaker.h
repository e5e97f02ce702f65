/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_BREAKER_H
#define ENGINE_BREAKER_H

#include "base/instant.h"
#include "spool/spool.h"

struct engine;

/*
 * The breaker of [rules] burst: opens where a turn has held a mail back, closes once nothing is
 * held and the window's count is under the limit. At its opening the office gets one mail.
 *
 * Before all that makes mails: it closes if it may.
 */
void engine_close_breaker(struct engine *engine);
/* Behind all that makes mails or releases them, before mails are dispatched. */
void engine_follow_breaker(struct engine *engine);
/* When it may close by itself; INSTANT_NEVER. */
struct instant engine_next_breaker(const struct engine *engine);

#endif
