/* SPDX-License-Identifier: MIT */
/* What is printed from the table of keys: the sample file, the manual's list. */
#include "model/settings_table.h"

#include <string.h>

enum { SAMPLE_WIDTH = 98 };

/* ---- the sample file */

/* Words as comment lines of the sample. */
static void print_comment(const char *text, FILE *out)
{
	size_t column = 0;
	for (const char *p = text; *p != '\0'; p += strspn(p, " ")) {
		size_t len = strcspn(p, " ");
		if (column > 0 && column + 1 + len > SAMPLE_WIDTH) {
			(void)fputc('\n', out);
			column = 0;
		}
		(void)fprintf(out, "%s%.*s", column == 0 ? "; " : " ", (int)len, p);
		column += len + (column == 0 ? 2 : 1);
		p += len;
	}
	if (column > 0)
		(void)fputc('\n', out);
}

static const char *capital(const char *text, struct arena *arena)
{
	char *copy = arena_strdup(arena, text);
	if (*copy >= 'a' && *copy <= 'z' && strncmp(copy, "redis:", 6) != 0)
		*copy = (char)(*copy - 'a' + 'A');
	return copy;
}

/* What a section is about, the states of a job where it names them. In the arena. */
static const char *section_help(const struct setting_section *section, struct arena *arena)
{
	char states[JOB_STATES_TEXT_MAX];
	const char *at = strstr(section->help, "%s");
	if (at == NULL)
		return section->help;
	return arena_printf(arena, "%.*s%s%s", (int)(at - section->help), section->help,
	                    job_states_join("", ", ", ", ", states), at + 2);
}

/* The defaults that differ by state: "send for failed". In the arena; "" where none does. */
static const char *by_state(const char *key, struct arena *arena)
{
	const char *text = "";
	for (size_t i = 0; i < settings_by_state_len; i++) {
		char states[WORDS_TEXT_MAX];
		if (strcmp(settings_by_state[i].key, key) == 0)
			text = arena_printf(arena, ", %s for %s", settings_by_state[i].value,
			                    states_format(settings_by_state[i].states, states));
	}
	return text;
}

/* What is behind the help: type, range, defaults by state, what is secret, and whether a reload is
 * enough. In the arena. */
static const char *notes(const struct setting *row, const char *states, struct arena *arena)
{
	/* The help itself describes these. */
	const unsigned described = 1u << SETTING_TEXT | 1u << SETTING_NAME | 1u << SETTING_PATH |
	                           1u << SETTING_REDIS_URL | 1u << SETTING_LISTEN;
	const char *type = (described & 1u << row->kind) != 0
	                           ? ""
	                           : capital(setting_describe(row, arena), arena);
	return arena_printf(
	        arena, "%s%s%s%s%s%s%s%s", type, *type ? ". " : "", *states ? "By default " : "",
	        *states ? row->fallback : "", states, *states ? ". " : "",
	        row->secret ? "A file with a password in it that everybody can read is a fault. "
	                    : "",
	        row->reload ? "" : "A change needs a restart.");
}

static void sample_key(const struct setting *row, struct arena *arena, FILE *out)
{
	const char *states = strcmp(row->section, "notify") == 0 ? by_state(row->key, arena) : "";
	(void)fputc('\n', out);
	print_comment(row->help, out);
	print_comment(notes(row, states, arena), out);
	if (*row->fallback != '\0')
		(void)fprintf(out, ";%s = %s\n", row->key, row->fallback);
	if (row->example != NULL)
		(void)fprintf(out, ";%s = %s\n", row->key, row->example);
}

void settings_print_sample(FILE *out)
{
	struct arena *arena = arena_new();
	print_comment("The configuration of dispatchd and dispatchctl; dispatchd.conf(5) is its "
	              "manual page.",
	              out);
	(void)fputs(";\n", out);
	print_comment("Every key is listed here with its default, commented out by a semicolon, "
	              "some with an example. Files in conf.d/ beside this one are read after it "
	              "and override it. `dispatchd -t` checks everything; `systemctl reload "
	              "dispatchd` applies it. The only required key is [mail] from.",
	              out);
	for (size_t i = 0; i < settings_sections_len; i++) {
		const char *section = settings_sections[i].name;
		(void)fprintf(out, "\n[%s]\n", section);
		print_comment(section_help(&settings_sections[i], arena), out);
		for (size_t j = 0; j < setting_count(); j++)
			if (strcmp(setting_at(j)->section, section) == 0)
				sample_key(setting_at(j), arena, out);
		if (settings_sections[i].example != NULL)
			(void)fprintf(out, "\n%s", settings_sections[i].example);
	}
	arena_free(arena);
}

/* ---- the manual's list of keys (mdoc) */

/* Sentences, each on a line of its own as mdoc wants it. */
static void print_sentences(const char *text, FILE *out)
{
	size_t len = strlen(text);
	for (const char *p = text; p < text + len; p++) {
		if (p == text + len - 1 && *p == ' ')
			break;
		bool next = *p == ' ' && p > text && p[-1] == '.' && p[1] >= 'A' && p[1] <= 'Z';
		(void)fputc(next ? '\n' : *p, out);
	}
	if (len > 0)
		(void)fputc('\n', out);
}

static void manual_key(const struct setting *row, struct arena *arena, FILE *out)
{
	const char *states = strcmp(row->section, "notify") == 0 ? by_state(row->key, arena) : "";
	(void)fprintf(out, ".It Ic %s\n", row->key);
	print_sentences(row->help, out);
	print_sentences(notes(row, states, arena), out);
	if (*row->fallback == '\0')
		(void)fputs("Not set by default.\n", out);
	else if (*states == '\0')
		(void)fprintf(out, "Default:\n.Ql %s .\n", row->fallback);
}

void settings_print_manual(FILE *out)
{
	struct arena *arena = arena_new();
	for (size_t i = 0; i < settings_sections_len; i++) {
		const char *section = settings_sections[i].name;
		(void)fprintf(out, ".Ss [%s]\n", section);
		print_sentences(section_help(&settings_sections[i], arena), out);
		(void)fputs(".Bl -tag -width Ds\n", out);
		for (size_t j = 0; j < setting_count(); j++)
			if (strcmp(setting_at(j)->section, section) == 0)
				manual_key(setting_at(j), arena, out);
		(void)fputs(".El\n", out);
	}
	arena_free(arena);
}
