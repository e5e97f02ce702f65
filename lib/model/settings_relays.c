/* SPDX-License-Identifier: MIT */
/*
 * The sections [smtp.NAME] of the configuration: which there are, what each has of its own and what
 * from [smtp], and what must hold of it.
 */
#include "model/settings_relays.h"

#include <string.h>
#include <sysexits.h>

enum { RELAY_NAME_MAX = 40 };

static const char prefix[] = "smtp.";
enum { PREFIX_LEN = sizeof prefix - 1 };

bool relay_section_is(const char *section)
{
	return strncmp(section, prefix, PREFIX_LEN) == 0;
}

/* It is a part of a credential's name, a label of metrics, and what logs say. */
bool relay_section_check(const char *section, struct error *err)
{
	static const char known[] =
	        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	const char *name = section + PREFIX_LEN;
	size_t len = strlen(name);
	return (len > 0 && len <= RELAY_NAME_MAX && strspn(name, known) == len) ||
	       error_set(err, EX_CONFIG,
	                 "a relay's name has 1 to %d letters, digits, hyphens and underscores",
	                 RELAY_NAME_MAX);
}

struct relay_section *relay_sections_named(const struct relay_sections *sections,
                                           const char *section)
{
	for (size_t i = 0; i < sections->n; i++)
		if (strcmp(sections->list[i].header.section, section) == 0)
			return &sections->list[i];
	return NULL;
}

static void add_section(struct relay_sections *sections, struct conf_place header,
                        struct arena *arena)
{
	struct relay_section *section = &sections->list[sections->n++];
	section->header = header;
	section->place = arena_alloc(arena, setting_count() * sizeof section->place[0]);
	section->bad = arena_alloc(arena, setting_count() * sizeof section->bad[0]);
}

void relay_sections_find(struct relay_sections *ret, struct conf *conf, struct relay_section smtp)
{
	ret->n = 0;
	ret->list = arena_alloc(conf->arena, (RELAY_SECTIONS_MAX + 1) * sizeof ret->list[0]);
	for (size_t i = 0; i < conf->n_sections; i++) {
		const struct conf_place *header = &conf->sections[i];
		if (!relay_section_is(header->section) ||
		    !relay_section_check(header->section, NULL) ||
		    relay_sections_named(ret, header->section) != NULL)
			continue;
		if (ret->n < RELAY_SECTIONS_MAX)
			add_section(ret, *header, conf->arena);
		else
			conf_add_fault(conf, EX_CONFIG, *header,
			               "[%s]: there may be at most %d sections [smtp.NAME]",
			               header->section, RELAY_SECTIONS_MAX);
	}
	ret->list[ret->n] = smtp;
}

static bool smtp_sets(const struct relay_section *smtp, const char *key)
{
	return smtp->place[setting_number(setting_find("smtp", key))].line > 0;
}

void relay_sections_inherit(struct relay_sections *sections, struct settings *settings,
                            struct arena *arena)
{
	size_t n = 0;
	bool short_form = sections->n == 0 || smtp_sets(&sections->list[sections->n], "relay");
	struct relay_settings *relays =
	        arena_alloc(arena, (sections->n + 1) * sizeof settings->relays[0]);
	if (short_form)
		relays[n++] = settings->smtp;
	for (size_t i = 0; i < sections->n; i++, n++) {
		const char *section = arena_strdup(arena, sections->list[i].header.section);
		relays[n] = settings->smtp;
		relays[n].section = section;
		relays[n].name = section + PREFIX_LEN;
		sections->list[i].settings = &relays[n];
	}
	settings->relays = relays;
	settings->n_relays = n;
}

void *relay_section_member(const struct relay_settings *relay, const struct setting *row)
{
	return (char *)(uintptr_t)relay + (row->offset - offsetof(struct settings, smtp));
}

void relay_section_set(struct relay_section *section, const struct setting *row,
                       const struct conf_value *value, const struct setting_reader *reader,
                       struct conf *conf)
{
	struct error err = {0};
	size_t number = setting_number(row);
	section->place[number] = value->place;
	if (setting_read(reader, row, value->value, relay_section_member(section->settings, row),
	                 &err))
		return;
	section->bad[number] = true;
	conf_add_fault(conf, EX_CONFIG, value->place, "[%s] %s: %s", value->place.section,
	               value->key, err.text);
}

/* Whether [smtp]'s value is nothing to a section: it has another way to log in, or another user,
 * whose password [smtp]'s isn't; or another certificate, whose key that isn't. */
static bool is_replaced(const struct relay_section *section, const char *key)
{
	if (smtp_sets(section, key))
		return false;
	if (strcmp(key, "password_file") == 0 || strcmp(key, "oauth_token_file") == 0)
		return section->settings->own_login;
	return strcmp(key, "client_key") == 0 && smtp_sets(section, "client_cert");
}

void relay_section_settle(struct relay_section *section, const struct relay_settings *smtp)
{
	struct relay_settings *relay = section->settings;
	relay->own_login = smtp_sets(section, "password_file") ||
	                   smtp_sets(section, "oauth_token_file") ||
	                   strcmp(relay->user, smtp->user) != 0;
	if (is_replaced(section, "password_file"))
		relay->password_file = "";
	if (is_replaced(section, "oauth_token_file"))
		relay->oauth_token_file = "";
	if (is_replaced(section, "client_key"))
		relay->client_key = "";
}

/* ---- what must hold ---- */

static bool is_short_form(const struct relay_section *section)
{
	return section->settings->name[0] == '\0';
}

static size_t count_relays(const struct relay_settings *relay)
{
	size_t n = 0;
	while (relay->relay[n] != NULL)
		n++;
	return n;
}

/* One, so that NAME is its name in status, metrics and log. */
static bool has_one_relay(const struct relay_section *section, const struct settings *settings,
                          struct error *err)
{
	if (is_short_form(section))
		return true;
	if (settings->relays[0].name[0] != '\0' && !smtp_sets(section, "relay"))
		return error_set(err, EX_CONFIG, "required: the mail server, HOST:PORT");
	return count_relays(section->settings) == 1 ||
	       error_set(err, EX_CONFIG,
	                 "must be exactly one mail server (got %zu); give each one its own section",
	                 count_relays(section->settings));
}

static bool has_own_name(const struct relay_section *section, const struct settings *settings,
                         struct error *err)
{
	const struct relay_settings *first = &settings->relays[0];
	if (is_short_form(section) || first->name[0] != '\0')
		return true;
	for (size_t i = 0; first->relay[i] != NULL; i++)
		if (strcmp(first->relay[i], section->settings->name) == 0)
			return error_set(err, EX_CONFIG,
			                 "[smtp] relay already lists %s; rename one of the two",
			                 first->relay[i]);
	return true;
}

static bool password_has_user(const struct relay_section *section, const struct settings *settings,
                              struct error *err)
{
	(void)settings;
	return section->settings->password_file[0] == '\0' || section->settings->user[0] != '\0' ||
	       error_set(err, EX_CONFIG, "user is required as well");
}

static bool token_has_user(const struct relay_section *section, const struct settings *settings,
                           struct error *err)
{
	(void)settings;
	return section->settings->oauth_token_file[0] == '\0' ||
	       section->settings->user[0] != '\0' ||
	       error_set(err, EX_CONFIG, "user is required as well");
}

static bool key_has_certificate(const struct relay_section *section,
                                const struct settings *settings, struct error *err)
{
	(void)settings;
	return section->settings->client_key[0] == '\0' ||
	       section->settings->client_cert[0] != '\0' ||
	       error_set(err, EX_CONFIG, "client_cert is required as well");
}

static bool fits_in(const struct relay_section *section, const struct settings *settings,
                    struct error *err)
{
	return section->settings->connections <= settings->smtp.connections ||
	       error_set(err, EX_CONFIG,
	                 "must not exceed the connections of [smtp], the limit for all relays "
	                 "together (got %lld, [smtp] has %lld)",
	                 (long long)section->settings->connections,
	                 (long long)settings->smtp.connections);
}

const struct relay_check relay_checks[] = {
        {.key = "relay", .holds = has_one_relay},
        {.key = "relay", .holds = has_own_name},
        {.key = "password_file", .holds = password_has_user},
        {.key = "oauth_token_file", .holds = token_has_user},
        {.key = "client_key", .holds = key_has_certificate},
        {.key = "connections", .holds = fits_in},
};
const size_t relay_checks_len = sizeof relay_checks / sizeof relay_checks[0];

struct conf_place relay_section_place(const struct relay_sections *sections,
                                      const struct relay_section *section,
                                      const struct setting *row)
{
	size_t number = setting_number(row);
	struct conf_place place = section->place[number];
	bool inherits = place.line == 0 && !is_replaced(section, row->key);
	return inherits ? sections->list[sections->n].place[number] : place;
}
