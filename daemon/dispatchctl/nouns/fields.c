/* SPDX-License-Identifier: MIT */
/*
 * Between the command line and the kinds' table. Only what is special to the command line is
 * checked here: names with dashes, days such as `+30d`, flags without a value. The store checks the
 * values.
 */
#include "dispatchctl/nouns/fields.h"

#include "dispatchctl/base/command_options.h"

#include <string.h>
#include <sysexits.h>

static const char *flag_text(const char *value)
{
	if (*value == '\0' || strcmp(value, "yes") == 0)
		return "true";
	return strcmp(value, "no") == 0 ? "false" : value;
}

/* "tomorrow 09:30": the day as a date, followed by the rest; the store refuses other words. */
static const char *moment_text(const struct ctl *ctl, const char *value)
{
	struct day day;
	char text[DAY_TEXT_MAX];
	size_t len = strcspn(value, " ");
	if (!day_read(arena_strndup(ctl->arena, value, len), ctl->now, zone_host(ctl->zones), &day,
	              NULL))
		return value;
	return arena_printf(ctl->arena, "%s%s", day_format(day, text), value + len);
}

/* The text for the store; NULL on a fault. */
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
		               ? arena_strdup(ctl->arena,
		                              instant_format(at, zone_offset_s(zone, at), text))
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
		if (field == NULL || !command_takes_field(ctl->command, field))
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
