/* SPDX-License-Identifier: MIT */
/*
 * Where each key is set, for faults that are found later, and the list of all that is in force.
 */
#include "model/settings_places.h"

#include "base/redis_url.h"

#include <string.h>

struct settings_places {
	const char *text[SETTING_ROWS_MAX]; /* "FILE:LINE" for each row of the table */
	bool given[SETTING_ROWS_MAX];
	const char *state[JOB_STATE_COUNT][SETTING_ROWS_MAX]; /* of [notify]; NULL: not set */
	/* Of each of settings->relays, for the rows of [smtp]: where it is or would be set; what
	 * nobody sets is NULL in `relay_set`. */
	const char *(*relay)[SETTING_ROWS_MAX], *(*relay_set)[SETTING_ROWS_MAX];
};

/* ---- while the configuration is read */

struct conf_place settings_default_place(const struct conf *conf, const struct setting *row)
{
	for (size_t i = 0; i < conf->n_sections; i++)
		if (strcmp(conf->sections[i].section, row->section) == 0)
			return conf->sections[i];
	return (struct conf_place){.section = row->section, .line = conf->last_line};
}

static const char *place_text(const struct found_places *found, struct conf_place place,
                              struct arena *arena)
{
	return arena_printf(arena, "%s:%d", found->conf->files[place.file], place.line);
}

static void note_row(const struct found_places *found, size_t number,
                     struct settings_places *places, struct arena *arena)
{
	struct conf_place place = found->row[number];
	places->given[number] = place.line > 0;
	if (place.line == 0)
		place = settings_default_place(found->conf, setting_at(number));
	places->text[number] = place_text(found, place, arena);
	for (int state = 0; state < JOB_STATE_COUNT; state++) {
		place = found->state[state][number];
		places->state[state][number] =
		        place.line > 0 ? place_text(found, place, arena) : NULL;
	}
}

static void note_relay(const struct found_places *found, size_t relay, size_t number,
                       struct settings_places *places, struct arena *arena)
{
	const struct relay_section *section =
	        relay_sections_named(found->relays, found->settings->relays[relay].section);
	bool set = places->given[number];
	const char *text = places->text[number];
	if (section != NULL) {
		struct conf_place place =
		        relay_section_place(found->relays, section, setting_at(number));
		set = place.line > 0;
		text = place_text(found, set ? place : section->header, arena);
	}
	places->relay[relay][number] = text;
	places->relay_set[relay][number] = set ? text : NULL;
}

struct settings_places *settings_places_note(const struct found_places *found, struct arena *arena)
{
	struct settings_places *places = arena_alloc(arena, sizeof *places);
	size_t n = found->settings->n_relays;
	places->relay = arena_alloc(arena, n * sizeof places->relay[0]);
	places->relay_set = arena_alloc(arena, n * sizeof places->relay_set[0]);
	for (size_t i = 0; i < setting_count(); i++) {
		note_row(found, i, places, arena);
		for (size_t relay = 0; relay < n && strcmp(setting_at(i)->section, "smtp") == 0;
		     relay++)
			note_relay(found, relay, i, places, arena);
	}
	return places;
}

/* ---- afterwards */

static size_t row_number(const char *name)
{
	for (size_t i = 0; i < setting_count(); i++)
		if (strcmp(setting_at(i)->name, name) == 0)
			return i;
	bug("there is no key %s", name);
}

bool settings_has_default(const struct settings *settings, const char *name)
{
	struct arena *arena = arena_new();
	const struct setting *row = setting_at(row_number(name));
	const void *member = (const char *)settings + row->offset;
	bool same = strcmp(setting_format(row, member, arena), row->fallback) == 0;
	arena_free(arena);
	return same;
}

bool settings_given(const struct settings *settings, const char *name)
{
	return settings->places != NULL && settings->places->given[row_number(name)];
}

const char *settings_place(const struct settings *settings, const char *name)
{
	return settings->places != NULL ? settings->places->text[row_number(name)] : settings->file;
}

const char *settings_relay_place(const struct settings *settings, size_t relay, const char *key,
                                 const char *because)
{
	const struct settings_places *places = settings->places;
	size_t number = setting_number(setting_find("smtp", key));
	if (places == NULL)
		return settings->file;
	if (places->relay_set[relay][number] != NULL || because == NULL)
		return places->relay[relay][number];
	const char *other = places->relay_set[relay][setting_number(setting_find("smtp", because))];
	return other != NULL ? other : places->relay[relay][number];
}

static void list_relay(const struct settings *settings, size_t relay, struct arena *arena,
                       settings_value *value, void *arg)
{
	const struct relay_settings *of = &settings->relays[relay];
	for (size_t i = 0; i < setting_count(); i++)
		if (strcmp(setting_at(i)->section, "smtp") == 0)
			value(arg, of->section, setting_at(i)->key,
			      setting_format(setting_at(i), relay_section_member(of, setting_at(i)),
			                     arena),
			      settings->places->relay_set[relay][i]);
}

static void list_row(const struct settings *settings, size_t number, enum job_state state,
                     struct arena *arena, settings_value *value, void *arg)
{
	const struct setting *row = setting_at(number);
	const struct settings_places *places = settings->places;
	bool of_state = state != JOB_NONE;
	const char *place = of_state                ? places->state[state][number]
	                    : places->given[number] ? places->text[number]
	                                            : NULL;
	const void *member = setting_member((struct settings *)settings, row,
	                                    of_state ? state : (enum job_state)0);
	const char *text = setting_format(row, member, arena);
	value(arg,
	      of_state ? arena_printf(arena, "notify.%s", job_state_name(state)) : row->section,
	      row->key, row->secret ? redis_url_redacted(text, arena) : text, place);
}

void settings_list(const struct settings *settings, settings_value *value, void *arg)
{
	struct arena *arena = arena_new();
	for (size_t i = 0; i < setting_count(); i++)
		if (strcmp(setting_at(i)->section, "notify") != 0)
			list_row(settings, i, JOB_NONE, arena, value, arg);
	for (int state = 0; state < JOB_STATE_COUNT; state++)
		for (size_t i = 0; i < setting_count(); i++)
			if (strcmp(setting_at(i)->section, "notify") == 0)
				list_row(settings, i, (enum job_state)state, arena, value, arg);
	for (size_t i = 0; i < settings->n_relays; i++)
		if (settings->relays[i].name[0] != '\0')
			list_relay(settings, i, arena, value, arg);
	arena_free(arena);
}
