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
#include "model/settings_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { ROWS_MAX = 128 };

struct loaded { /* what settings_load() returns: the settings are its first member */
	struct settings settings;
	struct arena *arena;
};

struct loading {
	struct loaded *loaded;
	struct conf *conf;
	const char *const *wanted;
	struct setting_reader reader;
	struct conf_place place[ROWS_MAX]; /* where each row was set last; all zero: nowhere */
	/* of [notify], where what holds for a state was set */
	struct conf_place state_place[JOB_STATE_COUNT][ROWS_MAX];
	bool bad[ROWS_MAX]; /* a value of it had a fault */
};

enum job_state settings_section_state(const char *section)
{
	return strncmp(section, "notify.", 7) == 0 ? job_state_find(section + 7) : JOB_NONE;
}

void *setting_member(struct settings *settings, const struct setting *row, enum job_state state)
{
	bool notify = strcmp(row->section, "notify") == 0;
	char *base = notify ? (char *)&settings->notify[state] : (char *)settings;
	return base + row->offset;
}

/* ---- what the caller wants */

/* The name of a section in the table: all of [notify.STATE] are [notify]. */
static const char *table_section(const char *section)
{
	return settings_section_state(section) != JOB_NONE ? "notify" : section;
}

/* Whether anything of a section, or this key of it, counts for the caller. Whoever wants [notify]
 * wants a [notify.STATE] of a state that there isn't. */
static bool setting_wanted(const char *const *wanted, const char *section, const char *key)
{
	if (wanted == NULL)
		return true;
	section = strncmp(section, "notify.", 7) == 0 ? "notify" : section;
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
	return text;
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
	const char *name = table_section(place->section);
	struct nearest nearest = {.typed = place->section};
	for (size_t i = 0; i < settings_sections_len; i++) {
		if (strcmp(settings_sections[i].name, name) == 0)
			return;
		nearest_try(&nearest, settings_sections[i].name);
	}
	for (int state = 0; state < JOB_STATE_COUNT; state++)
		nearest_try(&nearest, arena_printf(loading->conf->arena, "notify.%s",
		                                   job_state_name((enum job_state)state)));
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
	for (size_t i = 0; i < setting_count(); i++)
		if (strcmp(setting_at(i)->key, key) == 0 &&
		    strcmp(setting_at(i)->section, table_section(section)) == 0)
			return setting_at(i);
	return NULL;
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
	if (setting_count() > ROWS_MAX)
		bug("%zu keys, room for %d", setting_count(), ROWS_MAX);
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

/* Two rounds: what is set for one state alone wins over what is set for all, wherever it is. */
static void set_values(struct loading *loading, bool of_one_state)
{
	for (size_t i = 0; i < loading->conf->n_values; i++) {
		const struct conf_value *value = &loading->conf->values[i];
		const char *section = value->place.section;
		if ((settings_section_state(section) != JOB_NONE) != of_one_state)
			continue;
		const struct setting *row = find_row(section, value->key);
		if (row == NULL)
			unknown_key(loading, value);
		if (row == NULL || !setting_wanted(loading->wanted, section, value->key))
			continue;
		set_value(loading, row, value);
		check_exposed(loading, row, value);
	}
}

/* ---- what one key says about another */

typedef bool holds_fn(const struct settings *settings, struct arena *arena, struct error *err);

static bool has_from(const struct settings *settings, struct arena *arena, struct error *err)
{
	(void)arena;
	return settings->mail.from[0] != '\0' ||
	       error_set(err, EX_CONFIG,
	                 "required: the sender of mails, such as "
	                 "Example Hauling <dispatch@example.com>");
}

static bool has_maildir(const struct settings *settings, struct arena *arena, struct error *err)
{
	(void)arena;
	return settings->mail.transport != TRANSPORT_MAILDIR || settings->mail.maildir[0] != '\0' ||
	       error_set(err, EX_CONFIG,
	                 "required with transport = maildir: the folder for the mails");
}

static bool has_source(const struct settings *settings, struct arena *arena, struct error *err)
{
	(void)arena;
	return settings->redis.stream[0] != '\0' || settings->redis.list[0] != '\0' ||
	       settings->redis.channel[0] != '\0' ||
	       error_set(err, EX_CONFIG,
	                 "at least one of stream, list and channel is required: the source of job "
	                 "events");
}

static bool one_password(const struct settings *settings, struct arena *arena, struct error *err)
{
	struct redis_url url;
	if (settings->redis.password_file[0] == '\0' ||
	    !redis_url_parse(settings->redis.url, arena, &url, NULL))
		return true;
	return url.password[0] == '\0' ||
	       error_set(err, EX_CONFIG, "url already has a password; give only one of the two");
}

static bool password_has_user(const struct settings *settings, struct arena *arena,
                              struct error *err)
{
	(void)arena;
	return settings->smtp.password_file[0] == '\0' || settings->smtp.user[0] != '\0' ||
	       error_set(err, EX_CONFIG, "user is required as well");
}

static bool token_has_user(const struct settings *settings, struct arena *arena, struct error *err)
{
	(void)arena;
	return settings->smtp.oauth_token_file[0] == '\0' || settings->smtp.user[0] != '\0' ||
	       error_set(err, EX_CONFIG, "user is required as well");
}

static bool delimiter_delimits(const struct settings *settings, struct arena *arena,
                               struct error *err)
{
	(void)arena;
	const char *delimiter = settings->bounce.delimiter;
	return (strlen(delimiter) == 1 && strchr("+-=_.", *delimiter) != NULL) ||
	       error_set(err, EX_CONFIG, "must be one of + - = _ . (got \"%s\")", delimiter);
}

/* Local part and address, RFC 5321 section 4.5.3.1. */
static bool has_room(const struct settings *settings, struct arena *arena, struct error *err)
{
	(void)arena;
	const char *address = settings->bounce.address;
	enum { MORE = 1 + BOUNCE_TOKEN_LENGTH, LOCAL_MAX = 64 - MORE };
	size_t local = strcspn(address, "@"), len = strlen(address);
	if (len == 0)
		return true;
	if (strchr(address, '"') != NULL)
		return error_set(err, EX_CONFIG,
		                 "a quoted local part has no room for a token (got \"%s\")",
		                 address);
	return (local <= LOCAL_MAX && len <= ADDRESS_MAX - MORE) ||
	       error_set(err, EX_CONFIG,
	                 "must have at most %d characters before the @ and %d in all, so that a "
	                 "token fits in (got %zu and %zu)",
	                 LOCAL_MAX, ADDRESS_MAX - MORE, local, len);
}

static const struct check {
	const char *section, *key; /* which the fault names */
	/* Another key of the section, whose line is named where `key` isn't set. */
	const char *because;
	holds_fn *holds;
} checks[] = {
        {.section = "redis", .key = "stream", .holds = has_source},
        {.section = "redis", .key = "password_file", .holds = one_password},
        {.section = "mail", .key = "from", .holds = has_from},
        {.section = "mail", .key = "maildir", .because = "transport", .holds = has_maildir},
        {.section = "smtp", .key = "password_file", .holds = password_has_user},
        {.section = "smtp", .key = "oauth_token_file", .holds = token_has_user},
        {.section = "bounce", .key = "delimiter", .holds = delimiter_delimits},
        {.section = "bounce", .key = "address", .holds = has_room},
};

/* A key that is not set belongs below its section's header; without one, at the end of the main
 * file. */
static struct conf_place default_place(const struct conf *conf, const struct setting *row)
{
	for (size_t i = 0; i < conf->n_sections; i++)
		if (strcmp(conf->sections[i].section, row->section) == 0)
			return conf->sections[i];
	return (struct conf_place){.section = row->section, .line = conf->last_line};
}

static struct conf_place check_place(const struct loading *loading, const struct check *check)
{
	const struct setting *row = find_row(check->section, check->key);
	struct conf_place place = loading->place[setting_number(row)];
	if (place.line == 0 && check->because != NULL)
		place = loading->place[setting_number(find_row(check->section, check->because))];
	return place.line > 0 ? place : default_place(loading->conf, row);
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

static void settings_run_checks(struct loading *loading)
{
	check_names(loading);
	for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
		const struct check *check = &checks[i];
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

/* ---- where keys are */

struct settings_places {
	const char *text[ROWS_MAX]; /* "FILE:LINE" for each row of the table */
	bool given[ROWS_MAX];
	const char *state[JOB_STATE_COUNT][ROWS_MAX]; /* of [notify]; NULL: not set */
};

static const char *place_text(const struct loading *loading, struct conf_place place)
{
	return arena_printf(loading->loaded->arena, "%s:%d", loading->conf->files[place.file],
	                    place.line);
}

static void note_places(struct loading *loading)
{
	struct arena *arena = loading->loaded->arena;
	struct settings_places *places = arena_alloc(arena, sizeof *places);
	for (size_t i = 0; i < setting_count(); i++) {
		struct conf_place place = loading->place[i];
		places->given[i] = place.line > 0;
		if (place.line == 0)
			place = default_place(loading->conf, setting_at(i));
		places->text[i] = place_text(loading, place);
		for (int state = 0; state < JOB_STATE_COUNT; state++) {
			place = loading->state_place[state][i];
			places->state[state][i] =
			        place.line > 0 ? place_text(loading, place) : NULL;
		}
	}
	loading->loaded->settings.places = places;
}

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
	arena_free(arena);
}

/* ---- */

/* What the files contain goes into the settings, what is wrong with it into the conf's faults.
 * False where the main file could not be read: that says nothing about what is missing in it. */
static bool read_all(struct loading *loading, const char *file)
{
	struct conf *conf = loading->conf;
	set_defaults(loading);
	conf_read(conf, file);
	for (size_t i = 0; i < conf->n_sections; i++)
		check_section(loading, &conf->sections[i]);
	set_values(loading, false);
	set_values(loading, true);
	bool read = conf->last_line > 0;
	if (read)
		settings_run_checks(loading);
	name_company(loading);
	note_places(loading);
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
