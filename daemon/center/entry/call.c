/* SPDX-License-Identifier: MIT */
#include "center/entry/call.h"

#include <string.h>
#include <sysexits.h>

bool call_is_api(const struct call *call)
{
	return strncmp(call->request->path, "/api/", 5) == 0;
}

void call_fail(struct call *call, const struct error *err)
{
	int status = response_status_of(err);
	response_problem(call->response, status, err->text);
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
	struct customers *store = stores_customers(call->stores, err);
	if (store == NULL)
		return false;
	*ret = (struct overview){.arena = call->request->arena,
	                         .settings = stores_settings(call->stores),
	                         .zones = customers_zones(store),
	                         .customers = store,
	                         .now = call->now};
	return true;
}
