/* SPDX-License-Identifier: MIT */
/*
 * Between the command line and the kinds' table. Nothing is checked here but what only the command line
 * has: spelling with dashes, days like `+30d`, flags without a value. What a field may hold, the store
 * says.
 */
#include "dispatchctl/nouns/fields.h"

#include "base/buf.h"

#include <string.h>
#include <sysexits.h>

/* What a value is called where the type alone says it; completion goes by the same words. */
static const char *const value_names[] = {
        [FIELD_LINE] = "TEXT",       [FIELD_TEXT] = "TEXT",     [FIELD_CHOICE] = "WORD",
        [FIELD_DAY] = "DAY",         [FIELD_INSTANT] = "TIME",  [FIELD_FLAG] = "[yes|no]",
        [FIELD_WHOLE] = "N",         [FIELD_AMOUNT] = "AMOUNT", [FIELD_DEGREES] = "DEGREES",
        [FIELD_EMAIL] = "ADDRESS",   [FIELD_PHONE] = "PHONE",   [FIELD_ZONE] = "ZONE",
        [FIELD_LOCALE] = "LOCALE",   [FIELD_STATES] = "STATES", [FIELD_SCOPES] = "SCOPES",
        [FIELD_CUSTOMER] = "NUMBER", [FIELD_NAME] = "TEXT",     [FIELD_MOMENT] = "DAY[THH:MM]",
};

static const char *choices_of(const struct field *field, struct arena *arena)
{
	const char *text = NULL;
	for (size_t i = 0; field->choices[i] != NULL; i++)
		text = text ? arena_printf(arena, "%s|%s", text, field->choices[i]) : field->choices[i];
	return text;
}

static char *dashed(const char *name, struct arena *arena)
{
	char *copy = arena_strdup(arena, name);
	for (char *p = copy; *p != '\0'; p++)
		*p = *p == '_' ? '-' : *p;
	return copy;
}

/* What counts only when a record is made: whether it is needed, what it is where left out. */
static const char *help_of(const struct field *field, bool adds, struct arena *arena)
{
	if (!adds || !field->needed)
		return field->help;
	if (field->initial == NULL)
		return arena_printf(arena, "%s (needed)", field->help);
	if (field->type == FIELD_FLAG)
		return field->help;
	return arena_printf(arena, "%s; %s where left out", field->help, field->initial);
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

/* Whether `names`, words with blanks between, has `name`. */
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

static bool is_option(const struct command *command, const struct field *field)
{
	bool changes = strcmp(command->verb, "set") == 0;
	return (!field->kept || (field->by_hand && changes)) && !(field->fixed && changes) &&
	       !among(command->without, field->name);
}

const struct option *command_options(const struct command *command, struct arena *arena)
{
	size_t n = 0, own = 0;
	const struct kind *kind = command->fields ? kind_find(command->kind) : NULL;
	for (const struct option *o = command->options; o != NULL && o->name != NULL; o++)
		own++;
	struct option *all = arena_new_array(arena, own + KIND_FIELDS_MAX + 1, struct option);
	for (size_t i = 0; kind != NULL && i < kind->n_fields; i++)
		if (is_option(command, &kind->fields[i]))
			all[n++] = field_option(&kind->fields[i], strcmp(command->verb, "add") == 0, arena);
	for (size_t i = 0; i < own; i++)
		all[n++] = command->options[i];
	return all;
}

static const char *flag_text(const char *value)
{
	if (*value == '\0' || strcmp(value, "yes") == 0)
		return "true";
	return strcmp(value, "no") == 0 ? "false" : value;
}

/* "tomorrow 09:30": the day in figures, with what stands behind it; what is no day the store refuses. */
static const char *moment_text(const struct ctl *ctl, const char *value)
{
	struct day day;
	char text[DAY_TEXT_MAX];
	size_t len = strcspn(value, " ");
	if (!day_read(arena_strndup(ctl->arena, value, len), ctl->now, zone_host(ctl->zones), &day, NULL))
		return value;
	return arena_printf(ctl->arena, "%s%s", day_format(day, text), value + len);
}

/* The text that the store takes; NULL on a fault. */
static const char *store_text(const struct ctl *ctl, const struct field *field, const char *value,
                              struct error *err)
{
	const struct zone *zone = zone_host(ctl->zones);
	if (field->type == FIELD_FLAG || field->by_hand)
		return flag_text(value);
	if (field->type == FIELD_MOMENT)
		return moment_text(ctl, value);
	if (field->type == FIELD_DAY && *value != '\0') {
		struct day day;
		char text[DAY_TEXT_MAX];
		return day_read(value, ctl->now, zone, &day, err)
		               ? arena_strdup(ctl->arena, day_format(day, text))
		               : NULL;
	}
	if (field->type == FIELD_INSTANT && *value != '\0') {
		struct instant at;
		char text[INSTANT_TEXT_MAX];
		return time_read(value, ctl->now, zone, &at, err)
		               ? arena_strdup(ctl->arena, instant_format(at, zone_offset_s(zone, at), text))
		               : NULL;
	}
	return value;
}

json_t *fields_given(const struct ctl *ctl, struct error *err)
{
	json_t *object = json_object();
	const struct kind *kind = kind_find(ctl->command->kind);
	for (size_t i = 0; i < ctl->n_given; i++) {
		const struct field *field = kind_field(kind, ctl->given[i].name);
		if (field == NULL || !is_option(ctl->command, field))
			continue;
		const char *text = store_text(ctl, field, ctl->given[i].value, err);
		json_t *value = text == NULL || *text == '\0' ? json_null() : json_string(text);
		if (text == NULL || value == NULL) {
			json_decref(object);
			error_prefix(err, "--%s", ctl->given[i].name);
			if (text != NULL)
				error_set(err, EX_DATAERR, "--%s: the text is not valid UTF-8",
				          ctl->given[i].name);
			return NULL;
		}
		json_object_set_new(object, field->name, value);
	}
	return object;
}

const char *fields_name(const struct ctl *ctl, const json_t *values, const char *field)
{
	static const char blanks[] = " \t\r\n";
	const char *text = json_string_value(json_object_get(values, field));
	if (text == NULL)
		return NULL;
	text += strspn(text, blanks);
	size_t len = strlen(text);
	while (len > 0 && strchr(blanks, text[len - 1]) != NULL)
		len--;
	return arena_strndup(ctl->arena, text, len);
}
