/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_ERASE_H
#define ENGINE_ERASE_H

struct engine;

/* Words of customers that were erased go. */
void engine_erase(struct engine *engine);

#endif
