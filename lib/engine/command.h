/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_COMMAND_H
#define ENGINE_COMMAND_H

struct engine;

/* Answers the turn's commands, in order. */
void engine_process_commands(struct engine *engine);

#endif
