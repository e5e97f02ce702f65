/* SPDX-License-Identifier: MIT */
/* `gate create`, `gate dispatch`: what the dispatch gate would answer; changes nothing. */
#include "engine/gate_answer.h"

#include "dispatchctl/base/store.h"
#include "dispatchctl/nouns/nouns.h"
#include "dispatchctl/nouns/spool.h"

#include <sysexits.h>

static bool take_scheduled(const struct ctl *ctl, json_t *request, struct error *err)
{
	struct instant at = INSTANT_NONE;
	char text[INSTANT_TEXT_MAX];
	if (!ctl_option_time(ctl, "scheduled", &at, err))
		return false;
	if (!instant_is_none(at))
		json_object_set_new(request, "scheduled",
		                    json_string(instant_format(
		                            at, zone_offset_s(zone_host(ctl->zones), at), text)));
	return true;
}

static bool gate_ask(struct ctl *ctl, const json_t *request, json_t *answer, struct error *err)
{
	struct change_context context;
	const struct customer *customer;
	return store_open(ctl, DB_READ, &context, err) &&
	       customers_load(context.store, ctl->arena, ctl_option(ctl, "customer"), &customer,
	                      err) &&
	       gate_answer(ctl->settings, ctl->zones, ctl->arena, ctl->now, customer, request,
	                   answer, err);
}

static bool gate_run(struct ctl *ctl, struct error *err)
{
	const char *customer = ctl_option(ctl, "customer");
	if (customer == NULL)
		return error_set(err, EX_USAGE, "gate %s needs --customer NUMBER",
		                 ctl->command->verb);
	json_t *answer = json_object();
	json_t *request = json_pack("{s:s, s:s}", "type",
	                            arena_printf(ctl->arena, "job.%s", ctl->command->verb),
	                            "customer", customer);
	bool ok =
	        request == NULL
	                ? error_set(err, EX_DATAERR, "--customer: the text is not valid UTF-8")
	                : take_scheduled(ctl, request, err) && gate_ask(ctl, request, answer, err);
	json_decref(request);
	if (ok)
		output_sheet(ctl->out, json_incref(answer),
		             COLUMNS({.key = "status", .title = "Answer", .style = STYLE_WORD},
		                     {.key = "reason", .title = "Reason"},
		                     {.key = "note", .title = "Note"},
		                     {.key = "until", .title = "Until"},
		                     {.key = "due", .title = "May go"},
		                     {.key = "expires", .title = "Expires"},
		                     {.key = "outside_hours", .title = "Outside hours"},
		                     {.key = "arrive_by", .title = "Arrive by"},
		                     {.key = "leave_by", .title = "Leave by"}));
	json_decref(answer);
	return ok;
}

static const struct option options[] = {
        {.name = "customer", .value = "NUMBER", .help = "whose job (required)"},
        {.name = "scheduled", .value = "TIME", .help = "when the stop is planned"},
        {0},
};

static const struct command commands[] = {
        {.verb = "create",
         .options = options,
         .uses = USES_RULES " gate office",
         .help = "Shows whether a job may be created for the customer; needs no daemon",
         .examples = "gate create --customer 1001",
         .run = gate_run},
        {.verb = "dispatch",
         .options = options,
         .uses = USES_RULES " gate office",
         .help = "Shows whether a stop may be dispatched, and the arrival window; dispatches "
                 "nothing",
         .examples = "gate dispatch --customer 1001 --scheduled 2026-12-24T09:30:00-07:00",
         .run = gate_run},
};

const struct noun noun_gate = {.name = "gate",
                               .help = "ask whether a job may be created or dispatched",
                               COMMANDS(commands)};
