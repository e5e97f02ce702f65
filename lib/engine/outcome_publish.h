/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_OUTCOME_PUBLISH_H
#define ENGINE_OUTCOME_PUBLISH_H

struct engine;

/* Rows of the outbox that were not handed out yet, this turn's included: as many as may go. */
void engine_publish_outcomes(struct engine *engine);

#endif
