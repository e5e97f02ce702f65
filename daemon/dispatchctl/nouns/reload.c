/* SPDX-License-Identifier: MIT */
/* `reload`: makes the daemon read its configuration again, and reports the result. */
#include "common/control.h"
#include "dispatchctl/nouns/nouns.h"
#include "dispatchctl/nouns/spool.h"
#include "model/request.h"

#include <stdio.h>

static void print_faults(const json_t *faults)
{
	size_t i;
	const json_t *fault;
	json_array_foreach(faults, i, fault) output_fault("%s", json_string_value(fault));
}

static bool reload_run(struct ctl *ctl, struct error *err)
{
	json_t *answer = NULL,
	       *request = json_pack("{s:s}", "do", control_request_verb(REQUEST_RELOAD));
	enum control_answer kind = control_ask(ctl->settings, request, &answer, err);
	json_decref(request);
	if (kind != CONTROL_ANSWERED)
		return false;
	if (json_is_true(json_object_get(answer, "reloaded"))) {
		output_print(ctl->out, "reloaded");
	} else {
		print_faults(json_object_get(answer, "faults"));
		output_print(ctl->out, "reload refused: dispatchd keeps its present configuration");
		ctl->status = (int)json_integer_value(json_object_get(answer, "code"));
	}
	json_object_del(answer, "ok");
	json_object_del(answer, "code");
	output_document(ctl->out, answer);
	return true;
}

static const struct command commands[] = {
        {.uses = USES_SPOOL,
         .help = "Makes dispatchd reload its configuration and templates, all or nothing",
         .more = "If it refuses, each fault is printed, the present configuration stays in force, "
                 "and the exit status is 78.",
         .examples = "reload",
         .run = reload_run},
};

const struct noun noun_reload = {
        .name = "reload", .help = "make dispatchd reload its configuration", COMMANDS(commands)};
