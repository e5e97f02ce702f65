/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_MAIL_SUPERSEDE_H
#define ENGINE_MAIL_SUPERSEDE_H

#include "rules/rules.h"
#include "spool/spool.h"

struct engine;

/* What the event's job leaves behind with its new state. */
void engine_supersede(struct engine *engine, const struct spool_event *event,
                      const struct verdict *verdict);
/* The same for a mail that a person brings back: what its jobs have left behind meanwhile leaves
 * it. */
void engine_supersede_brought_back(struct engine *engine, struct spool_mail *mail);

#endif
