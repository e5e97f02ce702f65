/* SPDX-License-Identifier: MIT */
#include "center/pages/panel.h"

#include <string.h>

enum { YEAR_S = 365 * 24 * 60 * 60 };

/* A cookie a user, whose name may stand in one: people share a browser. */
static const char *cookie_of(const struct call *call)
{
	return arena_printf(call->request->arena, "panel-%s", call->account.name);
}

bool panel_hidden(const struct call *call)
{
	const char *value =
	        call->known ? request_value(&call->request->cookies, cookie_of(call)) : NULL;
	return value && strcmp(value, "hidden") == 0;
}

const char *next_of(const struct request_pairs *pairs, const char *other)
{
	const char *next = request_value(pairs, "next");
	return next && next[0] == '/' && next[1] != '/' && next[1] != '\\' ? next : other;
}

void panel_toggle(struct call *call)
{
	bool hide = !panel_hidden(call);
	response_header(call->response, call->request, "Set-Cookie",
	                arena_printf(call->request->arena,
	                             "%s=hidden; Path=/; HttpOnly; SameSite=Lax; Max-Age=%d",
	                             cookie_of(call), hide ? YEAR_S : 0));
	response_redirect(call->response, call->request, next_of(&call->request->form, "/"));
}
