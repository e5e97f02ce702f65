/* SPDX-License-Identifier: MIT */
/* The messages between loop and engine: made, freed, strung together. */
#include "dispatchd/engine/engine_thread.h"

#include <stdlib.h>

struct intake *intake_new(void)
{
	struct intake *intake = mem_alloc(sizeof *intake);
	intake->arena = arena_new();
	return intake;
}

struct intake *intake_free(struct intake *intake)
{
	if (intake != NULL)
		arena_free(intake->arena);
	free(intake);
	return NULL;
}

bool intake_is_events(const struct intake *intake)
{
	return intake->n > 0 && intake->entries[0].feed == FEED_EVENTS;
}

struct command *command_new(struct command_route route, const char *text)
{
	struct command *command = mem_alloc(sizeof *command);
	command->route = route;
	command->text = mem_strdup(text);
	return command;
}

struct command *command_free(struct command *command)
{
	if (command != NULL) {
		free(command->text);
		free(command->bytes);
	}
	free(command);
	return NULL;
}

static void effects_free_one(struct effects *effects)
{
	for (struct intake *i = effects->done, *next; i != NULL; i = next) {
		next = i->next;
		intake_free(i);
	}
	for (struct command *c = effects->commands, *next; c != NULL; c = next) {
		next = c->next;
		command_free(c);
	}
	turn_output_clear(&effects->out);
	free(effects);
}

struct effects *effects_free(struct effects *list)
{
	while (list != NULL) {
		struct effects *next = list->next;
		effects_free_one(list);
		list = next;
	}
	return NULL;
}
