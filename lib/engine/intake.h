/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_INTAKE_H
#define ENGINE_INTAKE_H

#include "model/event.h"

struct engine;

void engine_process_entries(struct engine *engine);                          /* the turn's */
void engine_process_entry(struct engine *engine, const struct entry *entry); /* one of any feed */
void engine_process_waiting(struct engine *engine); /* those whose customer has come, or won't */

#endif
