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

struct publications *publications_free(struct publications *publications)
{
	if (publications != NULL)
		arena_free(publications->arena);
	free(publications);
	return NULL;
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
	if (command != NULL)
		free(command->text);
	free(command);
	return NULL;
}

struct report *report_free(struct report *report)
{
	if (report != NULL)
		free(report->text);
	free(report);
	return NULL;
}
