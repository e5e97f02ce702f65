/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_MAIL_SUPERSEDE_H
#define ENGINE_MAIL_SUPERSEDE_H

#include "rules/rules.h"
#include "spool/spool.h"

#include <stdbool.h>

struct engine;

/* What the event's job leaves behind with its new state. */
void engine_supersede(struct engine *engine, const struct spool_event *event,
                      const struct verdict *verdict);
/* Whether the job has moved on to a state that leaves no place for the mail. */
bool engine_left_behind(struct engine *engine, const struct spool_mail *mail,
                        const struct spool_notice *notice);
/* The same for a mail that a person brings back: what its jobs have left behind meanwhile leaves
 * it. */
void engine_supersede_brought_back(struct engine *engine, struct spool_mail *mail);

#endif
