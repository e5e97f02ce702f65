/* SPDX-License-Identifier: MIT */
/* `config show`: the configuration in force, with where each value comes from. */
#include "dispatchctl/base/ctl.h"
#include "dispatchctl/nouns/nouns.h"
#include "model/settings.h"

#include <string.h>

struct listing {
	json_t *rows;
	const char *section; /* the only one wanted; NULL: all */
	bool set;            /* only what is set */
};

static bool of_section(const char *section, const char *wanted)
{
	size_t len = strlen(wanted);
	return strncmp(section, wanted, len) == 0 && (section[len] == '\0' || section[len] == '.');
}

static void add_row(void *arg, const char *section, const char *key, const char *value,
                    const char *place)
{
	struct listing *listing = arg;
	if ((listing->set && place == NULL) ||
	    (listing->section != NULL && !of_section(section, listing->section)))
		return;
	json_array_append_new(listing->rows, json_pack("{s:s, s:s, s:s, s:s?}", "section", section,
	                                               "key", key, "value", value, "place", place));
}

static void print_section(struct ctl *ctl, json_t *rows)
{
	const struct look *look = output_look(ctl->out);
	struct buf *out = output_text(ctl->out);
	buf_printf(out, "%s%s[%s]%s\n", out->len > 0 ? "\n" : "", look_bold(look),
	           table_text(json_array_get(rows, 0), "section"), look_plain(look));
	table_print(out, rows,
	            COLUMNS({.key = "key", .title = "Key"},
	                    {.key = "value", .title = "Value", .min = 24},
	                    {.key = "place", .title = "Set in", .min = 12, .style = STYLE_FAINT}),
	            look);
}

/* The rows of a section are beside each other. */
static void print_sections(struct ctl *ctl, const json_t *rows)
{
	size_t i;
	json_t *row, *part = json_array();
	json_array_foreach(rows, i, row)
	{
		const char *next = table_text(json_array_get(rows, i + 1), "section");
		json_array_append(part, row);
		if (strcmp(next, table_text(row, "section")) != 0) {
			print_section(ctl, part);
			json_array_clear(part);
		}
	}
	json_decref(part);
}

static void print_fault(void *arg, const char *text)
{
	(void)arg;
	output_fault("%s", text);
}

static bool show_run(struct ctl *ctl, struct error *err)
{
	int code = 0;
	struct settings *settings =
	        settings_read(settings_path(ctl->config), NULL, print_fault, NULL, &code);
	if (settings == NULL)
		return error_set(err, code, "the configuration can't be read");
	struct listing listing = {.rows = json_array(),
	                          .section = ctl_arg(ctl, 0),
	                          .set = ctl_option(ctl, "set") != NULL};
	settings_list(settings, add_row, &listing);
	settings_free(settings);
	if (json_array_size(listing.rows) == 0)
		output_print(ctl->out, "nothing is set");
	print_sections(ctl, listing.rows);
	output_document(ctl->out, listing.rows);
	ctl->status = code;
	return true;
}

static const struct option show_options[] = {
        {.name = "set", .help = "only what is set, not the defaults"},
        {0},
};

static const struct command commands[] = {
        {.verb = "show",
         .args = "[SECTION]",
         .options = show_options,
         .help = "Shows the configuration in force, and where each value comes from",
         .more = "All files are read as dispatchd reads them, the later value winning; what "
                 "nobody sets has its default. What is wrong is printed as by dispatchd -t, the "
                 "default is shown in its place, and the exit status is 78. A password in a URL "
                 "is left out. A running dispatchd has read the files at its start or its last "
                 "reload.",
         .examples = "config show\n"
                     "config show smtp\n"
                     "config show --set",
         .run = show_run},
};

const struct noun noun_config = {
        .name = "config", .help = "the configuration in force", COMMANDS(commands)};
