/* SPDX-License-Identifier: MIT */
/* `check`: what a person should look at. Exit status 1 where there is anything. */
#include "engine/check.h"

#include "ctl/ctl.h"
#include "ctl/nouns.h"
#include "ctl/spool.h"

#include <string.h>

static const struct {
	const char *finding, *title;
} groups[] = {
        {"unreachable", "Customers nobody can reach"}, {"never_open", "Calendars that never open"},
        {"forgotten", "Forgotten suspensions"},        {"timezone", "Time zones that don't exist"},
        {"locale", "Locales that don't exist"},        {"template", "Templates"},
};

static void print_group(struct ctl *ctl, const json_t *findings, size_t group)
{
	const struct look *look = output_look(ctl->out);
	struct buf *out = output_text(ctl->out);
	size_t i, n = 0;
	const json_t *finding;
	json_array_foreach(findings, i, finding)
	{
		const char *kind = json_string_value(json_object_get(finding, "finding"));
		if (strcmp(kind, groups[group].finding) != 0)
			continue;
		if (n++ == 0)
			buf_printf(out, "%s%s%s%s\n", out->len > 0 ? "\n" : "", look_bold(look),
			           groups[group].title, look_plain(look));
		buf_adds(out, "  ");
		table_value(out, json_object_get(finding, "text"));
		buf_addc(out, '\n');
	}
}

static bool run(struct ctl *ctl, struct error *err)
{
	json_t *findings;
	if (!check_all(ctl->settings, ctl->now, &findings, err))
		return false;
	for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
		print_group(ctl, findings, i);
	if (json_array_size(findings) == 0)
		output_say(ctl->out, "nothing found");
	ctl->status = json_array_size(findings) > 0;
	output_document(ctl->out, findings);
	return true;
}

static const struct command commands[] = {
        {.uses = "customers rules mail.templates " USES_SPOOL,
         .help = "Looks for customers nobody can reach, calendars that never open, forgotten suspensions and "
                 "template variables nobody provides",
         .more = "The exit status is 1 where it found something.",
         .examples = "check\ncheck --json",
         .run = run},
};

const struct noun noun_check = {
        .name = "check", .help = "what in the data a person should look at", COMMANDS(commands)};
