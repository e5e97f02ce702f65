/* SPDX-License-Identifier: MIT */
/* `check`: problems that a person should fix. Exit status 1 if there are any. */
#include "engine/check.h"

#include "common/control.h"
#include "dispatchctl/base/ctl.h"
#include "dispatchctl/nouns/nouns.h"
#include "dispatchctl/nouns/spool.h"
#include "mail/failure.h"
#include "model/request.h"
#include "spool/spool_read.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *finding, *title;
} groups[] = {
        {"unreachable", "Customers that can't be reached"},
        {"same_address", "Contacts with the same address"},
        {"never_open", "Service hours that never open"},
        {"forgotten", "Forgotten suspensions"},
        {"timezone", "Time zones that don't exist"},
        {"locale", "Locales that don't exist"},
        {"template", "Templates"},
        {"relay", "Relays"},
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

static void found_failures(json_t *findings, const char *where, const json_t *of)
{
	char text[1000];
	const char *reply = json_string_value(json_object_get(of, "reply"));
	(void)snprintf(text, sizeof text,
	               "the last %" JSON_INTEGER_FORMAT
	               " mails failed%s%s, none was delivered: %.700s",
	               json_integer_value(json_object_get(of, "failures")),
	               *where ? " at relay " : "", where, reply ? reply : "");
	json_t *sentence = json_string(text); /* NULL if the reply was cut within a character */
	json_array_append_new(
	        findings,
	        json_pack("{s:s, s:o}", "finding", "relay", "text",
	                  sentence ? sentence : json_string("many mails in a row failed")));
}

/* A running daemon counts per relay, including mails that it retries; the spool has earlier counts.
 */
static bool ask_daemon(struct ctl *ctl, json_t *findings)
{
	struct error absent = {0};
	json_t *request = json_pack("{s:s}", "do", control_request_verb(REQUEST_STATUS)),
	       *state = NULL, *relay;
	size_t i, n = json_array_size(findings);
	if (control_ask(ctl->settings, request, &state, &absent) == CONTROL_ANSWERED)
		json_array_foreach(json_object_get(state, "relays"), i, relay)
		{
			if (json_is_true(json_object_get(relay, "failing")))
				found_failures(findings,
				               json_string_value(json_object_get(relay, "name")),
				               relay);
		}
	json_decref(state);
	json_decref(request);
	return json_array_size(findings) > n;
}

static bool check_relays(struct ctl *ctl, json_t *findings, struct error *err)
{
	json_t *failures;
	if (ask_daemon(ctl, findings))
		return true;
	struct spool *spool = spool_view(ctl, err);
	bool ok = spool != NULL && spool_read_failures(spool, &failures, err);
	spool_close(spool);
	if (!ok)
		return false;
	if (json_integer_value(json_object_get(failures, "failures")) >= FAILURES_MANY)
		found_failures(findings, "", failures);
	json_decref(failures);
	return true;
}

static bool check_run(struct ctl *ctl, struct error *err)
{
	json_t *findings;
	if (!check_all(ctl->settings, ctl->now, &findings, err))
		return false;
	if (!check_relays(ctl, findings, err)) {
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
        {.uses = "customers rules mail.templates " USES_SPOOL,
         .help = "Looks for customers that can't be reached, hours that never open, forgotten "
                 "suspensions, unknown template variables, and relays where the last 10 mails "
                 "failed",
         .more = "The exit status is 1 if it found something.",
         .examples = "check\ncheck --json",
         .run = check_run},
};

const struct noun noun_check = {.name = "check",
                                .help = "find problems in the data that somebody should fix",
                                COMMANDS(commands)};
