/* SPDX-License-Identifier: MIT */
/* `relay test`: asks the daemon to try its relays step by step. */
#include "dispatchctl/nouns/relay.h"

#include "common/control.h"
#include "dispatchctl/base/store.h"
#include "dispatchctl/nouns/nouns.h"
#include "dispatchctl/nouns/spool.h"
#include "model/request.h"

#include <sysexits.h>

void relay_print(struct ctl *ctl, const json_t *relay)
{
	const struct look *look = output_look(ctl->out);
	struct buf *out = output_text(ctl->out);
	bool ok = json_is_true(json_object_get(relay, "ok"));
	buf_printf(out, "%s", ok ? look_bold(look) : look_red(look));
	table_value(out, json_object_get(relay, "relay"));
	buf_printf(out, "%s: %s\n", look_plain(look), ok ? "ok" : "failed");
	table_print(out, json_object_get(relay, "steps"),
	            COLUMNS({.key = "step", .title = "Step"},
	                    {.key = "ms", .title = "ms", .right = true},
	                    {.key = "reply", .title = "Reply"}),
	            look);
}

static void print_relays(struct ctl *ctl, const json_t *relays)
{
	size_t i;
	const json_t *relay;
	json_array_foreach(relays, i, relay)
	{
		if (i > 0)
			buf_addc(output_text(ctl->out), '\n');
		relay_print(ctl, relay);
		if (!json_is_true(json_object_get(relay, "ok")))
			ctl->status = EX_UNAVAILABLE;
	}
}

static bool test_run(struct ctl *ctl, struct error *err)
{
	struct actor actor;
	json_t *answer = NULL;
	if (!actor_find(ctl, &actor, err))
		return false;
	json_t *request =
	        json_pack("{s:s, s:s, s:s*}", "do", control_request_verb(REQUEST_RELAY_TEST), "by",
	                  actor.user, "to", ctl_option(ctl, "to"));
	enum control_answer kind = control_ask(ctl->settings, request, &answer, err);
	json_decref(request);
	if (kind != CONTROL_ANSWERED)
		return false;
	json_t *relays = json_object_get(answer, "relays");
	print_relays(ctl, relays);
	output_document(ctl->out, json_incref(relays));
	json_decref(answer);
	return true;
}

static const struct option test_options[] = {
        {.name = "to", .value = "ADDRESS", .help = "sends a test mail there through each relay"},
        {0},
};

static const struct command commands[] = {
        {.verb = "test",
         .options = test_options,
         .uses = USES_SPOOL " " USES_STORE,
         .help = "Tries each relay, step by step, with time and the server's words",
         .more = "dispatchd does it, so that password, sandbox and network are its own: it looks "
                 "the name up, connects, greets, turns TLS on (with the certificate's name and "
                 "end), logs in, and says MAIL and RCPT. Without --to RCPT names the address in "
                 "[mail] from, and RSET follows: nothing is sent. The exit status is 69 where a "
                 "relay fails, 75 while another test is under way.",
         .examples = "relay test\n"
                     "relay test --to me@example.com",
         .run = test_run},
};

const struct noun noun_relay = {.name = "relay", .help = "try the relays", COMMANDS(commands)};
