/* SPDX-License-Identifier: MIT */
/*
 * The options of a command: its own, and those that the kinds' table gives to commands that enter
 * or change a record. The same list serves the parser, the help, the manual and completion.
 */
#include "dispatchctl/base/command_options.h"

#include "model/job_state.h"

#include <string.h>

const struct option options_global[] = {
        {.name = "config", .value = "FILE", .help = "use this configuration", .letter = 'c'},
        {.name = "json", .help = "print the answer as JSON"},
        {.name = "as", .value = "USER", .help = "record USER as the author (managers only)"},
        {.name = "yes", .help = "don't ask before removing or releasing", .letter = 'y'},
        {.name = "help", .help = "show help", .letter = 'h'},
        {.name = "version", .help = "print the version", .letter = 'V'},
        {0},
};

/* What a value is called, by type; completion uses the same words. */
static const char *const value_names[] = {
        [FIELD_LINE] = "TEXT",       [FIELD_TEXT] = "TEXT",     [FIELD_CHOICE] = "WORD",
        [FIELD_DAY] = "DAY",         [FIELD_INSTANT] = "TIME",  [FIELD_FLAG] = "[yes|no]",
        [FIELD_UNSIGNED] = "N",      [FIELD_AMOUNT] = "AMOUNT", [FIELD_DEGREES] = "DEGREES",
        [FIELD_EMAIL] = "ADDRESS",   [FIELD_PHONE] = "PHONE",   [FIELD_ZONE] = "ZONE",
        [FIELD_LOCALE] = "LOCALE",   [FIELD_STATES] = "STATES", [FIELD_SCOPES] = "SCOPES",
        [FIELD_CUSTOMER] = "NUMBER", [FIELD_NAME] = "TEXT",     [FIELD_MOMENT] = "DAY[THH:MM]",
        [FIELD_SHARE] = "SHARE",
};

static const char *choices_of(const struct field *field, struct arena *arena)
{
	const char *text = NULL;
	for (size_t i = 0; field->choices[i] != NULL; i++)
		text = text ? arena_printf(arena, "%s|%s", text, field->choices[i])
		            : field->choices[i];
	return text;
}

static char *dashed(const char *name, struct arena *arena)
{
	char *copy = arena_strdup(arena, name);
	for (char *p = copy; *p != '\0'; p++)
		*p = *p == '_' ? '-' : *p;
	return copy;
}

/* For a new record the help also says whether the field is required, or its default. */
static const char *help_of(const struct field *field, bool adds, struct arena *arena)
{
	if (!adds || !field->required)
		return field->help;
	if (field->initial == NULL)
		return arena_printf(arena, "%s (required)", field->help);
	if (field->type == FIELD_FLAG)
		return field->help;
	return arena_printf(arena, "%s; %s by default", field->help, field->initial);
}

const struct option *option_find(const struct option *options, const char *name, size_t len)
{
	for (; options != NULL && options->name != NULL; options++)
		if (strlen(options->name) == len && strncmp(options->name, name, len) == 0)
			return options;
	return NULL;
}

static struct option field_option(const struct field *field, bool adds, struct arena *arena)
{
	return (struct option){
	        .name = dashed(field->name, arena),
	        .value = field->type == FIELD_CHOICE ? choices_of(field, arena)
	                 : field->by_hand            ? "yes|no"
	                                             : value_names[field->type],
	        .help = help_of(field, adds, arena),
	};
}

/* Whether `names`, words separated by blanks, contains `name`. */
static bool among(const char *names, const char *name)
{
	size_t len = strlen(name);
	while (names != NULL && *names != '\0') {
		size_t word = strcspn(names, " ");
		if (word == len && strncmp(names, name, len) == 0)
			return true;
		names += word + (names[word] == ' ');
	}
	return false;
}

bool command_takes_field(const struct command *command, const struct field *field)
{
	bool changes = strcmp(command->verb, "set") == 0;
	return (!field->read_only || (field->by_hand && changes)) && !(field->fixed && changes) &&
	       !among(command->without, field->name);
}

const char *option_value(const char *value, struct arena *arena)
{
	char states[JOB_STATES_TEXT_MAX];
	size_t len = strlen(OPTION_JOB_STATE);
	if (value == NULL || strncmp(value, OPTION_JOB_STATE, len) != 0)
		return value;
	return arena_printf(arena, "%s%s", job_states_join("", "|", "|", states), value + len);
}

const struct option *command_options(const struct command *command, struct arena *arena)
{
	size_t n = 0, own = 0;
	const struct kind *kind = command->fields ? kind_find(command->kind) : NULL;
	for (const struct option *o = command->options; o != NULL && o->name != NULL; o++)
		own++;
	struct option *all = arena_new_array(arena, own + KIND_FIELDS_MAX + 1, struct option);
	for (size_t i = 0; kind != NULL && i < kind->n_fields; i++)
		if (command_takes_field(command, &kind->fields[i]))
			all[n++] = field_option(&kind->fields[i], strcmp(command->verb, "add") == 0,
			                        arena);
	for (size_t i = 0; i < own; i++, n++) {
		all[n] = command->options[i];
		all[n].value = option_value(all[n].value, arena);
	}
	return all;
}
