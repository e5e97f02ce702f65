/* SPDX-License-Identifier: MIT */
#include "center/entry/call.h"

#include <string.h>
#include <sysexits.h>

bool call_is_api(const struct call *call)
{
	return strncmp(call->request->path, "/api/", 5) == 0;
}

const char *call_fault_text(struct call *call, const struct error *err)
{
	struct arena *arena = call->request->arena;
	const char *writer = err->code == EX_TEMPFAIL ? stores_writer(call->stores, arena) : NULL;
	return writer ? arena_printf(arena,
	                             "customer data is being changed by %s, an import perhaps; "
	                             "nothing was saved, try again in a moment",
	                             writer)
	              : arena_strdup(arena, err->text);
}

void call_fail(struct call *call, const struct error *err)
{
	int status = response_status_of(err);
	response_problem(call->response, status, call_fault_text(call, err));
	if (status == 503)
		response_header(call->response, call->request, "Retry-After", "5");
}

bool call_context(struct call *call, struct change_context *ret, struct error *err)
{
	struct customers *store = stores_customers(call->stores, err);
	*ret = (struct change_context){.store = store,
	                               .actor = {.user = call->account.name,
	                                         .manager = call->account.role >= ROLE_MANAGER},
	                               .when = call->now};
	return store != NULL;
}

bool call_overview(struct call *call, struct overview *ret, struct error *err)
{
	return stores_overview(call->stores, call->request->arena, call->now, ret, err);
}

void call_spool_overview(struct call *call, struct overview *ret)
{
	struct error ignored;
	if (!call_overview(call, ret, &ignored))
		*ret = (struct overview){.arena = call->request->arena,
		                         .settings = stores_settings(call->stores),
		                         .zones = stores_zones(call->stores),
		                         .now = call->now};
}
