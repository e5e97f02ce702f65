/* SPDX-License-Identifier: MIT */
#include "center/api/ask_daemon.h"

#include "common/control.h"

#include <sysexits.h>

bool ask_daemon(struct call *call, enum control_request what, json_t *values, json_t **ret,
                struct error *err)
{
	json_t *answer = NULL;
	json_object_set_new(values, "do", json_string(control_request_verb(what)));
	json_object_set_new(values, "by", json_string(call->account.name));
	enum control_answer end = control_ask(stores_settings(call->stores), values, &answer, err);
	json_decref(values);
	if (end == CONTROL_ANSWERED && ret)
		*ret = answer;
	else
		json_decref(answer);
	if (end == CONTROL_ABSENT || end == CONTROL_FAULT)
		err->code = EX_UNAVAILABLE;
	return end == CONTROL_ANSWERED;
}

void ask_to_follow_numbers(struct call *call)
{
	struct error ignored;
	(void)!ask_daemon(call, REQUEST_NUMBERS, json_object(), NULL, &ignored);
}
