/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_MAIL_YIELD_H
#define ENGINE_MAIL_YIELD_H

#include <stdbool.h>
#include <stdint.h>

struct engine;

/* Whether the mail is dispatched after all others; what isn't known here is forgotten with the
 * process. */
void engine_yield(struct engine *engine, int64_t mail, bool on);
bool engine_yields(const struct engine *engine, int64_t mail);

#endif
