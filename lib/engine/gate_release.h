/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_GATE_RELEASE_H
#define ENGINE_GATE_RELEASE_H

#include "model/customer.h"
#include "spool/spool.h"

#include <stdbool.h>

struct engine;

/* Writes the released job's entry of the dispatch stream. */
void engine_release_job(struct engine *engine, const struct spool_request *request,
                        const struct customer *customer, bool outside_hours);

#endif
