/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "model/settings_table.h"

#include <sodium.h>
#include <string.h>

static bool is_of_rules(const struct setting *row)
{
	static const char *const sections[] = {"rules", "gate", "notify"};
	for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++)
		if (strcmp(row->section, sections[i]) == 0)
			return true;
	return false;
}

static void add_value(struct buf *text, const struct settings *settings, const struct setting *row,
                      enum job_state state, struct arena *arena)
{
	/* It is only read. */
	const void *member = setting_member((struct settings *)(uintptr_t)settings, row, state);
	buf_printf(text, "%s %d %s\n", row->name, (int)state, setting_format(row, member, arena));
}

void settings_rules_digest(const struct settings *settings, const char *more,
                           char ret[SETTINGS_DIGEST_SIZE])
{
	struct arena *arena = arena_new();
	struct buf text = {0};
	unsigned char digest[(SETTINGS_DIGEST_SIZE - 1) / 2];
	for (size_t i = 0; i < setting_count(); i++) {
		const struct setting *row = setting_at(i);
		bool by_state = strcmp(row->section, "notify") == 0;
		int n = !is_of_rules(row) ? 0 : by_state ? JOB_STATE_COUNT : 1;
		for (int state = 0; state < n; state++)
			add_value(&text, settings, row, (enum job_state)state, arena);
	}
	buf_adds(&text, more);
	(void)crypto_generichash(digest, sizeof digest, (const unsigned char *)buf_text(&text),
	                         text.len, NULL, 0);
	(void)sodium_bin2hex(ret, SETTINGS_DIGEST_SIZE, digest, sizeof digest);
	buf_free(&text);
	arena_free(arena);
}
