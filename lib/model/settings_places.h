/* SPDX-License-Identifier: MIT */
#ifndef MODEL_SETTINGS_PLACES_H
#define MODEL_SETTINGS_PLACES_H

#include "base/conf.h"
#include "model/settings_relays.h"
#include "model/settings_table.h"

/*
 * Where keys are set, for model/settings.c alone: from what it has while it reads to the texts that
 * stay with the settings. Who uses these calls settings_place() and its kin of model/settings.h.
 */
struct found_places {
	const struct conf *conf;
	const struct settings *settings;
	/* By the number of the key's row: where it was set last; line 0: nowhere. Then the same for
	 * what holds for a state, of [notify]. */
	const struct conf_place *row;
	struct conf_place (*state)[SETTING_ROWS_MAX];
	const struct relay_sections *relays;
};

/* In the arena, which is the settings'. */
struct settings_places *settings_places_note(const struct found_places *found, struct arena *arena);

/* A key that is not set belongs below its section's header; without one, at the end of the main
 * file. */
struct conf_place settings_default_place(const struct conf *conf, const struct setting *row);

#endif
