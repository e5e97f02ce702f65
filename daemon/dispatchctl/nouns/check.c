/* SPDX-License-Identifier: MIT */
/* `check`: problems that a person should fix. Exit status 1 if there are any. */
#include "engine/check.h"

#include "common/control.h"
#include "dispatchctl/base/ctl.h"
#include "dispatchctl/nouns/nouns.h"
#include "dispatchctl/nouns/spool.h"
#include "model/request.h"

#include <string.h>

static const struct {
	const char *finding, *title;
} groups[] = {
        {"paused", "Sending"},
        {"unreachable", "Customers that can't be reached"},
        {"same_address", "Contacts with the same address"},
        {"never_open", "Service hours that never open"},
        {"forgotten", "Forgotten suspensions"},
        {"timezone", "Time zones that don't exist"},
        {"locale", "Locales that don't exist"},
        {"template", "Templates"},
        {"sender", "Sender"},
        {"relay", "Relays"},
        {"refusals", "Refused mails"},
        {"busy", "Mailboxes that are full or away"},
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

static bool check_mailing(struct ctl *ctl, json_t *findings, struct error *err)
{
	struct error absent = {0};
	json_t *request = json_pack("{s:s}", "do", control_request_verb(REQUEST_STATUS));
	json_t *status = NULL;
	if (control_ask(ctl->settings, request, &status, &absent) != CONTROL_ANSWERED)
		status = NULL;
	struct spool *spool = spool_view(ctl, err);
	bool ok = spool != NULL && check_relays(status, spool, findings, err) &&
	          check_pause(spool, ctl->now, findings, err) &&
	          check_reports(spool, ctl->now, findings, err);
	spool_close(spool);
	json_decref(status);
	json_decref(request);
	return ok;
}

static bool check_run(struct ctl *ctl, struct error *err)
{
	json_t *findings;
	if (!check_all(ctl->settings, ctl->now, NULL, &findings, err))
		return false;
	if (!check_mailing(ctl, findings, err)) {
		json_decref(findings);
		return false;
	}
	for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
		print_group(ctl, findings, i);
	if (json_array_size(findings) == 0)
		output_print(ctl->out, "no problems found");
	ctl->status = json_array_size(findings) > 0;
	output_document(ctl->out, findings);
	return true;
}

static const struct command commands[] = {
        {.uses = "customers rules mail.templates mail.from mail.envelope_from "
                 "bounce.address " USES_SPOOL,
         .help = "Looks for customers that can't be reached, hours that never open, forgotten "
                 "suspensions, unknown template variables, a sender that DMARC can't match, "
                 "relays where the last 10 mails failed, mails that wait because sending is "
                 "paused, "
                 "mails that servers refuse for what they are, and mailboxes that are full",
         .more = "The exit status is 1 if it found something.",
         .examples = "check\ncheck --json",
         .run = check_run},
};

const struct noun noun_check = {.name = "check",
                                .help = "find problems in the data that somebody should fix",
                                COMMANDS(commands)};
