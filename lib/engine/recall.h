/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_RECALL_H
#define ENGINE_RECALL_H

struct engine;

/* Released jobs against a suspension: some of them a turn. */
void engine_recall_jobs(struct engine *engine);

#endif
