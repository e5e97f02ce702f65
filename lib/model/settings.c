/* SPDX-License-Identifier: MIT */
/*
 * From written values (base/conf) to settings, by the table of keys (model/settings_table). All
 * faults are gathered first and reported in the order of files and lines, so that whoever mends a
 * configuration sees everything at once.
 */
#include "model/settings.h"

#include "base/address.h"
#include "base/conf.h"
#include "base/exposed.h"
#include "base/nearest.h"
#include "base/redis_url.h"
#include "model/settings_places.h"
#include "model/settings_relays.h"
#include "model/settings_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

struct loaded { /* what settings_load() returns: the settings are its first member */
	struct settings settings;
	struct arena *arena;
};

struct loading {
	struct loaded *loaded;
	struct conf *conf;
	const char *const *wanted;
	struct setting_reader reader;
	struct conf_place
	        place[SETTING_ROWS_MAX]; /* where each row was set last; all zero: nowhere */
	/* of [notify], where what holds for a state was set */
	struct conf_place state_place[JOB_STATE_COUNT][SETTING_ROWS_MAX];
	bool bad[SETTING_ROWS_MAX]; /* a value of it had a fault */
	struct relay_sections relays;
};

enum job_state settings_section_state(const char *section)
{
	return strncmp(section, "notify.", 7) == 0 ? job_state_find(section + 7) : JOB_NONE;
}

/* ---- what the caller wants */

/* The name of a section in the table: all of [notify.STATE] are [notify], of [smtp.NAME]
 * [smtp]. */
static const char *table_section(const char *section)
{
	if (relay_section_is(section))
		return "smtp";
	return settings_section_state(section) != JOB_NONE ? "notify" : section;
}

/* Whether anything of a section, or this key of it, counts for the caller. Whoever wants [notify]
 * wants a [notify.STATE] of a state that there isn't. */
static bool setting_wanted(const char *const *wanted, const char *section, const char *key)
{
	if (wanted == NULL)
		return true;
	section = strncmp(section, "notify.", 7) == 0 ? "notify"
	          : relay_section_is(section)         ? "smtp"
	                                              : section;
	size_t len = strlen(section);
	for (; *wanted != NULL; wanted++) {
		if (strncmp(*wanted, section, len) != 0)
			continue;
		const char *rest = *wanted + len;
		if (*rest == '\0' || (*rest == '.' && (key == NULL || strcmp(rest + 1, key) == 0)))
			return true;
	}
	return false;
}

/* ---- unknown names */

/* What there is, for a name that resembles none. */
static const char *all_sections(struct arena *arena)
{
	const char *text = settings_sections[0].name;
	for (size_t i = 1; i < settings_sections_len; i++)
		text = arena_printf(arena, "%s, %s", text, settings_sections[i].name);
	for (int state = 0; state < JOB_STATE_COUNT; state++)
		text = arena_printf(arena, "%s, notify.%s", text,
		                    job_state_name((enum job_state)state));
	return arena_printf(arena, "%s, smtp.NAME", text);
}

static const char *all_keys(const char *section, struct arena *arena)
{
	const char *text = "";
	for (size_t i = 0; i < setting_count(); i++)
		if (strcmp(setting_at(i)->section, table_section(section)) == 0)
			text = arena_printf(arena, "%s%s%s", text, *text ? ", " : "",
			                    setting_at(i)->key);
	return text;
}

static void check_section(struct loading *loading, const struct conf_place *place)
{
	const char *name = table_section(place->section), *dot = strchr(place->section, '.');
	struct nearest nearest = {.typed = place->section};
	struct error err = {0};
	if (relay_section_is(place->section) && setting_wanted(loading->wanted, "smtp", NULL) &&
	    !relay_section_check(place->section, &err))
		conf_add_fault(loading->conf, EX_CONFIG, *place, "[%s]: %s", place->section,
		               err.text);
	for (size_t i = 0; i < settings_sections_len; i++) {
		if (strcmp(settings_sections[i].name, name) == 0)
			return;
		nearest_try(&nearest, settings_sections[i].name);
	}
	for (int state = 0; state < JOB_STATE_COUNT; state++)
		nearest_try(&nearest, arena_printf(loading->conf->arena, "notify.%s",
		                                   job_state_name((enum job_state)state)));
	if (dot != NULL)
		nearest_try(&nearest, arena_printf(loading->conf->arena, "smtp%s", dot));
	if (!setting_wanted(loading->wanted, place->section, NULL))
		return;
	if (nearest.name != NULL)
		conf_add_fault(loading->conf, EX_CONFIG, *place,
		               "unknown section [%s]; did you mean [%s]?", place->section,
		               nearest.name);
	else
		conf_add_fault(loading->conf, EX_CONFIG, *place,
		               "unknown section [%s]; expected one of %s", place->section,
		               all_sections(loading->conf->arena));
}

static bool section_known(const char *section)
{
	for (size_t i = 0; i < settings_sections_len; i++)
		if (strcmp(settings_sections[i].name, table_section(section)) == 0)
			return true;
	return false;
}

static void unknown_key(struct loading *loading, const struct conf_value *value)
{
	const char *section = value->place.section, *elsewhere = NULL;
	struct nearest nearest = {.typed = value->key};
	if (!section_known(section) || !setting_wanted(loading->wanted, section, NULL))
		return; /* the section has its fault already */
	for (size_t i = 0; i < setting_count(); i++) {
		if (strcmp(setting_at(i)->section, table_section(section)) == 0)
			nearest_try(&nearest, setting_at(i)->key);
		else if (strcmp(setting_at(i)->key, value->key) == 0)
			elsewhere = setting_at(i)->section;
	}
	struct conf *conf = loading->conf;
	if (nearest.name != NULL)
		conf_add_fault(conf, EX_CONFIG, value->place,
		               "[%s] %s: unknown key; did you mean \"%s\"?", section, value->key,
		               nearest.name);
	else if (elsewhere != NULL)
		conf_add_fault(conf, EX_CONFIG, value->place,
		               "[%s] %s: unknown key here; it belongs in [%s]", section, value->key,
		               elsewhere);
	else
		conf_add_fault(conf, EX_CONFIG, value->place,
		               "[%s] %s: unknown key; expected one of %s", section, value->key,
		               all_keys(section, conf->arena));
}

/* ---- values */

static const struct setting *find_row(const char *section, const char *key)
{
	return setting_find(table_section(section), key);
}

static void set_default(struct loading *loading, const struct setting *row, enum job_state state)
{
	const char *text = row->fallback;
	struct error err = {0};
	for (size_t i = 0; i < settings_by_state_len && state != JOB_NONE; i++)
		if (strcmp(settings_by_state[i].key, row->key) == 0 &&
		    (settings_by_state[i].states & JOB_BIT(state)) != 0)
			text = settings_by_state[i].value;
	void *member = setting_member(&loading->loaded->settings, row, state);
	if (!setting_read(&loading->reader, row, text, member, &err))
		bug("the default of %s: %s", row->name, err.text);
}

static void set_defaults(struct loading *loading)
{
	if (setting_count() > SETTING_ROWS_MAX)
		bug("%zu keys, room for %d", setting_count(), SETTING_ROWS_MAX);
	for (size_t i = 0; i < setting_count(); i++) {
		const struct setting *row = setting_at(i);
		if (strcmp(row->section, "notify") != 0) {
			set_default(loading, row, JOB_NONE);
			continue;
		}
		for (int state = 0; state < JOB_STATE_COUNT; state++)
			set_default(loading, row, (enum job_state)state);
	}
}

static void set_value(struct loading *loading, const struct setting *row,
                      const struct conf_value *value)
{
	struct settings *settings = &loading->loaded->settings;
	enum job_state state = settings_section_state(value->place.section);
	bool every_state = state == JOB_NONE && strcmp(row->section, "notify") == 0;
	struct error err = {0};
	int from = every_state ? 0 : (int)state,
	    to = every_state ? JOB_STATE_COUNT - 1 : (int)state;
	loading->place[setting_number(row)] = value->place;
	for (int i = from; i <= to; i++) {
		void *member = setting_member(settings, row, (enum job_state)i);
		if (setting_read(&loading->reader, row, value->value, member, &err)) {
			if (i >= 0)
				loading->state_place[i][setting_number(row)] = value->place;
			continue;
		}
		loading->bad[setting_number(row)] = true;
		conf_add_fault(loading->conf, EX_CONFIG, value->place, "[%s] %s: %s",
		               value->place.section, value->key, err.text);
		return;
	}
}

/* A password in a file that everybody can read: also where a later value wins. */
static void check_exposed(struct loading *loading, const struct setting *row,
                          const struct conf_value *value)
{
	struct conf *conf = loading->conf;
	const char *file = conf->files[value->place.file];
	struct redis_url url;
	bool password = row->secret && (redis_url_parse(value->value, conf->arena, &url, NULL)
	                                        ? url.password[0] != '\0'
	                                        : strchr(value->value, '@') != NULL);
	if (!password || !exposed_file(file))
		return;
	char *remedy = exposed_remedy(file);
	conf_add_fault(conf, EX_CONFIG, value->place,
	               "[%s] %s: everybody can read the password in this file; to fix it: %s",
	               value->place.section, value->key, remedy);
	free(remedy);
}

/* Three rounds: what is set for one state or one relay wins over what is set for all, wherever it
 * is. */
enum set_round { SET_FOR_ALL, SET_FOR_STATE, SET_FOR_RELAY };

static enum set_round round_of(const char *section)
{
	if (relay_section_is(section))
		return SET_FOR_RELAY;
	return settings_section_state(section) != JOB_NONE ? SET_FOR_STATE : SET_FOR_ALL;
}

static void set_values(struct loading *loading, enum set_round set_round)
{
	for (size_t i = 0; i < loading->conf->n_values; i++) {
		const struct conf_value *value = &loading->conf->values[i];
		const char *section = value->place.section;
		if (round_of(section) != set_round)
			continue;
		const struct setting *row = find_row(section, value->key);
		struct relay_section *relay = relay_sections_named(&loading->relays, section);
		if (row == NULL)
			unknown_key(loading, value);
		if (row == NULL || !setting_wanted(loading->wanted, section, value->key))
			continue;
		if (relay != NULL)
			relay_section_set(relay, row, value, &loading->reader, loading->conf);
		else if (set_round != SET_FOR_RELAY)
			set_value(loading, row, value);
		check_exposed(loading, row, value);
	}
}

/* When all of [smtp] is read. */
static void set_relays(struct loading *loading)
{
	struct relay_sections *sections = &loading->relays;
	relay_sections_inherit(sections, &loading->loaded->settings, loading->loaded->arena);
	set_values(loading, SET_FOR_RELAY);
	for (size_t i = 0; i < sections->n; i++)
		relay_section_settle(&sections->list[i], &loading->loaded->settings.smtp);
}

/* ---- what one key says about another */

static struct conf_place check_place(const struct loading *loading,
                                     const struct setting_check *check)
{
	const struct setting *row = find_row(check->section, check->key);
	struct conf_place place = loading->place[setting_number(row)];
	if (place.line == 0 && check->because != NULL)
		place = loading->place[setting_number(find_row(check->section, check->because))];
	return place.line > 0 ? place : settings_default_place(loading->conf, row);
}

static bool stands_later(const struct conf_place *a, const struct conf_place *b)
{
	return a->file != b->file ? a->file > b->file : a->line > b->line;
}

static const char *settings_text_of(const struct loading *loading, const struct setting *row)
{
	const void *member = (const char *)&loading->loaded->settings + row->offset;
	const char *const *text = member;
	return *text;
}

/* Two keys, both of them read and good. The fault is the later one's. */
static void check_apart(struct loading *loading, const struct setting *a, const struct setting *b)
{
	const char *name = settings_text_of(loading, a);
	const struct conf_place *at_a = &loading->place[setting_number(a)];
	const struct conf_place *at_b = &loading->place[setting_number(b)];
	if (*name == '\0' || strcmp(name, settings_text_of(loading, b)) != 0)
		return;
	bool a_later = at_b->line == 0 || (at_a->line > 0 && stands_later(at_a, at_b));
	const struct setting *later = a_later ? a : b, *other = a_later ? b : a;
	conf_add_fault(loading->conf, EX_CONFIG, a_later ? *at_a : *at_b,
	               "[redis] %s: %s is also \"%s\"; each needs its own name", later->key,
	               other->key, name);
}

/* Names in Redis. A stream that is read and written at once would feed on itself. */
static void check_names(struct loading *loading)
{
	static const char *const names[] = {"stream", "list",     "requests", "outcomes",
	                                    "dead",   "dispatch", "customers"};
	const struct setting *rows[sizeof names / sizeof names[0]];
	size_t n = 0;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const struct setting *row = find_row("redis", names[i]);
		if (setting_wanted(loading->wanted, "redis", names[i]) &&
		    !loading->bad[setting_number(row)])
			rows[n++] = row;
	}
	for (size_t i = 0; i < n; i++)
		for (size_t j = i + 1; j < n; j++)
			check_apart(loading, rows[i], rows[j]);
}

static void check_relay(struct loading *loading, const struct relay_section *section,
                        const struct relay_check *check)
{
	const struct setting *row = find_row("smtp", check->key);
	struct error err = {0};
	size_t number = setting_number(row);
	if (section->bad[number] || !setting_wanted(loading->wanted, "smtp", row->key) ||
	    check->holds(section, &loading->loaded->settings, &err))
		return;
	struct conf_place place =
	        section->place[number].line > 0 ? section->place[number] : section->header;
	conf_add_fault(loading->conf, EX_CONFIG,
	               place.line > 0 ? place : settings_default_place(loading->conf, row),
	               "[%s] %s: %s", section->settings->section, row->key, err.text);
}

/* [smtp], behind the others, only gives them what they don't set where its relays aren't in use. */
static void check_relays(struct loading *loading)
{
	bool in_use = loading->loaded->settings.relays[0].name[0] == '\0';
	for (size_t i = 0; i < loading->relays.n + in_use; i++)
		for (size_t j = 0; j < relay_checks_len; j++)
			check_relay(loading, &loading->relays.list[i], &relay_checks[j]);
}

static void settings_run_checks(struct loading *loading)
{
	check_names(loading);
	check_relays(loading);
	for (size_t i = 0; i < setting_checks_len; i++) {
		const struct setting_check *check = &setting_checks[i];
		const struct setting *row = find_row(check->section, check->key);
		struct error err = {0};
		if (loading->bad[setting_number(row)] ||
		    !setting_wanted(loading->wanted, row->section, row->key) ||
		    check->holds(&loading->loaded->settings, loading->conf->arena, &err))
			continue;
		conf_add_fault(loading->conf, EX_CONFIG, check_place(loading, check), "[%s] %s: %s",
		               row->section, row->key, err.text);
	}
}

/* Templates name the company as mails do, unless configured otherwise. */
static void name_company(struct loading *loading)
{
	struct settings *settings = &loading->loaded->settings;
	struct mailbox from;
	if (settings->company.name[0] == '\0' && mailbox_parse(settings->mail.from, &from, NULL))
		settings->company.name = arena_strdup(loading->reader.arena, from.name);
}

/* ---- */

/* Reports the faults that the caller cares about; the exit status, 0 where there are none. */
static int report_faults(struct loading *loading, settings_fault *fault, void *arg)
{
	struct conf *conf = loading->conf;
	int code = 0;
	conf_sort_faults(conf);
	for (size_t i = 0; i < conf->n_faults; i++) {
		const struct conf_fault *found = &conf->faults[i];
		if (found->place.section != NULL &&
		    !setting_wanted(loading->wanted, found->place.section, NULL))
			continue;
		if (code == 0 || code == EX_CONFIG)
			code = found->code;
		if (fault != NULL)
			fault(arg, conf_fault_text(conf, found));
	}
	return code;
}

/* ---- */

/* What the files contain goes into the settings, what is wrong with it into the conf's faults.
 * False where the main file could not be read: that says nothing about what is missing in it. */
static bool read_all(struct loading *loading, const char *file)
{
	struct conf *conf = loading->conf;
	struct loaded *loaded = loading->loaded;
	set_defaults(loading);
	conf_read(conf, file);
	relay_sections_find(&loading->relays, conf,
	                    (struct relay_section){.settings = &loaded->settings.smtp,
	                                           .place = loading->place,
	                                           .bad = loading->bad});
	for (size_t i = 0; i < conf->n_sections; i++)
		check_section(loading, &conf->sections[i]);
	set_values(loading, SET_FOR_ALL);
	set_values(loading, SET_FOR_STATE);
	set_relays(loading);
	bool read = conf->last_line > 0;
	if (read)
		settings_run_checks(loading);
	name_company(loading);
	loaded->settings.places =
	        settings_places_note(&(struct found_places){.conf = conf,
	                                                    .settings = &loaded->settings,
	                                                    .row = loading->place,
	                                                    .state = loading->state_place,
	                                                    .relays = &loading->relays},
	                             loaded->arena);
	return read;
}

struct settings *settings_read(const char *file, const char *const *wanted, settings_fault *fault,
                               void *arg, int *ret_code)
{
	struct loaded *loaded = mem_alloc(sizeof *loaded);
	loaded->arena = arena_new_private();
	struct loading loading = {
	        .loaded = loaded,
	        .conf = conf_new(),
	        .wanted = wanted,
	        .reader = {.arena = loaded->arena, .zones = zones_new()},
	};
	loaded->settings.file = arena_strdup(loaded->arena, file);
	loaded->settings.smtp.section = "smtp";
	loaded->settings.smtp.name = "";
	bool read = read_all(&loading, file);
	*ret_code = report_faults(&loading, fault, arg);
	zones_free(loading.reader.zones);
	conf_free(loading.conf);
	return read ? &loaded->settings : settings_free(&loaded->settings);
}

struct settings *settings_load(const char *file, const char *const *wanted, settings_fault *fault,
                               void *arg, int *ret_code)
{
	int code;
	struct settings *settings = settings_read(file, wanted, fault, arg, &code);
	if (code == 0)
		return settings;
	*ret_code = code;
	return settings_free(settings);
}

struct settings *settings_free(struct settings *settings)
{
	if (settings == NULL)
		return NULL;
	struct loaded *loaded = (struct loaded *)settings;
	arena_free(loaded->arena);
	free(loaded);
	return NULL;
}

const char *settings_path(const char *option)
{
	if (option != NULL)
		return option;
	const char *environment = getenv("DISPATCHD_CONF");
	return environment != NULL && *environment != '\0' ? environment
	                                                   : "/etc/dispatchd/dispatchd.conf";
}

static bool settings_same(const struct settings *a, const struct settings *b,
                          const struct setting *row, struct arena *arena)
{
	const void *one = (const char *)a + row->offset, *other = (const char *)b + row->offset;
	return strcmp(setting_format(row, one, arena), setting_format(row, other, arena)) == 0;
}

size_t settings_fixed_differences(const struct settings *a, const struct settings *b,
                                  const char **names, size_t max)
{
	struct arena *arena = arena_new();
	size_t n = 0;
	for (size_t i = 0; i < setting_count() && n + 1 < max; i++)
		if (!setting_at(i)->reload && !settings_same(a, b, setting_at(i), arena))
			names[n++] = setting_at(i)->name;
	names[n] = NULL;
	arena_free(arena);
	return n;
}
