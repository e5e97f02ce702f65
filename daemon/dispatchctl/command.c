/* SPDX-License-Identifier: MIT */
/*
 * The list of nouns, and finding a command in it. A noun is known here only by its row; what it can do
 * stands in its own file, or comes from the kinds' table (record_nouns.c).
 */
#include "dispatchctl/base/command.h"

#include "base/nearest.h"
#include "dispatchctl/nouns/nouns.h"
#include "dispatchctl/nouns/record_nouns.h"

#include <stdio.h>

#include <stdint.h>
#include <string.h>
#include <sysexits.h>

/* Those with a file of their own; those of the record kinds stand between the office's and the daemon's. */
static const struct noun *const office[] = {
        &noun_customer, &noun_hours, &noun_suspend, &noun_resume, &noun_suspensions,
};
static const struct noun *const daemon_side[] = {
        &noun_job,  &noun_mail, &noun_dead,  &noun_status, &noun_event,    &noun_explain,
        &noun_gate, &noun_hold, &noun_check, &noun_replay, &noun_template, &noun_reload,
};

enum { NOUNS_MAX = 64 };

const struct noun *const *nouns_all(size_t *ret_n)
{
	static const struct noun *all[NOUNS_MAX];
	static size_t n;
	if (n == 0) {
		size_t records;
		const struct noun *kinds = record_nouns(&records);
		for (size_t i = 0; i < sizeof office / sizeof *office; i++)
			all[n++] = office[i];
		for (size_t i = 0; i < records; i++)
			all[n++] = &kinds[i];
		for (size_t i = 0; i < sizeof daemon_side / sizeof *daemon_side; i++)
			all[n++] = daemon_side[i];
	}
	*ret_n = n;
	return all;
}

const struct noun *noun_find(const char *name, struct error *err)
{
	struct nearest nearest = {.typed = name};
	size_t n;
	const struct noun *const *all = nouns_all(&n);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(all[i]->name, name) == 0)
			return all[i];
		nearest_try(&nearest, all[i]->name);
	}
	if (nearest.name != NULL)
		error_set(err, EX_USAGE, "there is no \"%s\"; did you mean %s?", name, nearest.name);
	else
		error_set(err, EX_USAGE, "there is no \"%s\"; see dispatchctl --help", name);
	return NULL;
}

bool noun_has_verbs(const struct noun *noun)
{
	return noun->commands[0].verb != NULL;
}

/* "add, set, show or list" */
static const char *verbs_of(const struct noun *noun, char *text, size_t size)
{
	size_t len = 0;
	for (size_t i = 0; i < noun->n && len < size; i++) {
		const char *between = i == 0 ? "" : i + 1 == noun->n ? " or " : ", ";
		int more = snprintf(text + len, size - len, "%s%s", between, noun->commands[i].verb);
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
		error_set(err, EX_USAGE, "%s has no \"%s\"; did you mean %s %s?", noun->name, verb,
		          noun->name, nearest.name);
	else
		error_set(err, EX_USAGE, "%s has no \"%s\", only %s", noun->name, verb,
		          verbs_of(noun, text, sizeof text));
	return NULL;
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
	return arena_strndup(arena, word, strcspn(word, "]. "));
}
