/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_ERASE_H
#define ENGINE_ERASE_H

struct engine;

/* Marks the jobs of customers that were erased; before anything of the turn makes new ones. */
void engine_follow_erased(struct engine *engine);
/* Their words go, of jobs of which nothing is under way. */
void engine_erase(struct engine *engine);

#endif
