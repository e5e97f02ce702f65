/* SPDX-License-Identifier: MIT */
/*
 * Reads a command's row for the parser, the help and completion: its noun's verbs, and its
 * arguments from the text that help shows ("NUMBER [ID]").
 */
#include "dispatchctl/base/command.h"

#include "base/nearest.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

bool noun_has_verbs(const struct noun *noun)
{
	return noun->commands[0].verb != NULL;
}

/* "add, set, show and list" */
static const char *verbs_of(const struct noun *noun, char *text, size_t size)
{
	size_t len = 0;
	for (size_t i = 0; i < noun->n && len < size; i++) {
		const char *between = i == 0 ? "" : i + 1 == noun->n ? " and " : ", ";
		int more =
		        snprintf(text + len, size - len, "%s%s", between, noun->commands[i].verb);
		len += more > 0 ? (size_t)more : 0;
	}
	return text;
}

const struct command *command_find(const struct noun *noun, const char *verb, struct error *err)
{
	struct nearest nearest = {.typed = verb};
	for (size_t i = 0; i < noun->n; i++) {
		const char *known = noun->commands[i].verb;
		if (known == NULL || strcmp(known, verb) == 0)
			return &noun->commands[i];
		nearest_try(&nearest, known);
	}
	char text[300];
	if (nearest.name != NULL)
		error_set(err, EX_USAGE, "unknown verb \"%s\"; did you mean \"%s %s\"?", verb,
		          noun->name, nearest.name);
	else
		error_set(err, EX_USAGE, "%s has no verb \"%s\"; it has %s", noun->name, verb,
		          verbs_of(noun, text, sizeof text));
	return NULL;
}

const char *command_name(const struct noun *noun, const struct command *command,
                         struct arena *arena)
{
	return command->verb ? arena_printf(arena, "%s %s", noun->name, command->verb) : noun->name;
}

const char *command_usage(const struct noun *noun, const struct command *command,
                          struct arena *arena)
{
	const char *name = command_name(noun, command, arena);
	bool any = command->args != NULL && *command->args != '\0';
	return any ? arena_printf(arena, "%s %s", name, command->args) : name;
}

static bool ends_with_dots(const char *word, size_t len)
{
	return (len >= 3 && strncmp(word + len - 3, "...", 3) == 0) ||
	       (len >= 4 && strncmp(word + len - 4, "...]", 4) == 0);
}

/* Steps over the next word of an args text; NULL at its end. */
static const char *next_arg(const char **at, size_t *ret_len)
{
	*at += strspn(*at, " ");
	if (**at == '\0')
		return NULL;
	const char *word = *at;
	*ret_len = strcspn(word, " ");
	*at += *ret_len;
	return word;
}

void command_arg_range(const struct command *command, size_t *ret_min, size_t *ret_max)
{
	size_t min = 0, max = 0, len;
	const char *at = command->args ? command->args : "", *word;
	while ((word = next_arg(&at, &len)) != NULL) {
		min += word[0] != '[';
		max = ends_with_dots(word, len) ? SIZE_MAX : max + 1;
	}
	*ret_min = min;
	*ret_max = max;
}

const char *command_arg_name(const struct command *command, size_t i, struct arena *arena)
{
	size_t len = 0;
	const char *at = command->args ? command->args : "", *word = NULL;
	for (size_t k = 0; k <= i; k++) {
		const char *next = next_arg(&at, &len);
		if (next == NULL)
			break;
		word = k == i || ends_with_dots(next, len) ? next : NULL;
	}
	if (word == NULL)
		return "";
	word += *word == '[';
	return arena_strndup(arena, word, strcspn(word, "[]. "));
}
