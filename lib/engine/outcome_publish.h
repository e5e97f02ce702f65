/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_OUTCOME_PUBLISH_H
#define ENGINE_OUTCOME_PUBLISH_H

struct engine;

/* Rows of the outbox that were not yet handed to the publisher, this turn's included, up to the
 * limit. */
void engine_publish_outcomes(struct engine *engine);

#endif
