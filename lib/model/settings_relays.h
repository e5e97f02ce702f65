/* SPDX-License-Identifier: MIT */
#ifndef MODEL_SETTINGS_RELAYS_H
#define MODEL_SETTINGS_RELAYS_H

#include "base/conf.h"
#include "model/settings_table.h"

/*
 * The sections [smtp.NAME] while they are read, for model/settings.c alone. Each has every key of
 * [smtp]; what it doesn't set is [smtp]'s, which therefore is read first.
 */
struct relay_section {
	struct relay_settings *settings;
	struct conf_place header;
	/* By the number of the key's row: where it is set (line 0: nowhere), and whether a value of
	 * it had a fault. [smtp]'s are those of all keys. */
	struct conf_place *place;
	bool *bad;
};

struct relay_sections {
	/* In the order of the files; behind them [smtp] itself, which `n` doesn't count. */
	struct relay_section *list;
	size_t n;
};

/* "smtp.NAME", whatever NAME is. */
bool relay_section_is(const char *section);
/* Whether NAME is one; else `err` says what was expected. */
bool relay_section_check(const char *section, struct error *err) MUST_CHECK;

/* Those of the configuration that have good names, each once, with `smtp` behind them; in its
 * arena. More than RELAY_SECTIONS_MAX are left out. */
void relay_sections_find(struct relay_sections *ret, struct conf *conf, struct relay_section smtp);
/* NULL where it is none of them. */
struct relay_section *relay_sections_named(const struct relay_sections *sections,
                                           const char *section);

/* Each begins as [smtp] is, and `settings` gets the array of those in force, in the arena. */
void relay_sections_inherit(struct relay_sections *sections, struct settings *settings,
                            struct arena *arena);

/* The row's member in a section's settings. */
void *relay_section_member(const struct relay_settings *relay, const struct setting *row);
/* Reads a value into it. What is wrong is a fault of the conf. */
void relay_section_set(struct relay_section *section, const struct setting *row,
                       const struct conf_value *value, const struct setting_reader *reader,
                       struct conf *conf);
/* When all is set: which login it has, its own or that of `smtp`, [smtp]'s settings. */
void relay_section_settle(struct relay_section *section, const struct relay_settings *smtp);

/* What must hold of each section, and of [smtp] where it is one of the relays in use. `err` is the
 * fault without section and key. */
struct relay_check {
	const char *key;
	bool (*holds)(const struct relay_section *section, const struct settings *settings,
	              struct error *err);
};
extern const struct relay_check relay_checks[];
extern const size_t relay_checks_len;

/* Where the value in force of a section is set; line 0: nowhere. */
struct conf_place relay_section_place(const struct relay_sections *sections,
                                      const struct relay_section *section,
                                      const struct setting *row);

#endif
