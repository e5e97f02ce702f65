/* SPDX-License-Identifier: MIT */
/* Which row a request means. */
#include "center/entry/route.h"

#include <string.h>

/* Whether the parts are what the pattern says; fills the names. */
static bool fits(const char *pattern, struct call *call)
{
	size_t names = 0;
	for (size_t i = 0; i < call->request->n_parts; i++) {
		const char *part = call->request->parts[i];
		if (*pattern != '/')
			return false;
		size_t len = strcspn(++pattern, "/");
		if (*pattern == ':') {
			if (*part == '\0' || names == CALL_NAMES_MAX)
				return false;
			call->names[names++] = part;
		} else if (strlen(part) != len || memcmp(pattern, part, len) != 0) {
			return false;
		}
		pattern += len;
	}
	return *pattern == '\0';
}

static bool takes(const struct route *route, const char *method)
{
	return strcmp(route->method, method) == 0 ||
	       (strcmp(route->method, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

const struct route *route_find(struct call *call, const char **ret_allow)
{
	*ret_allow = NULL;
	for (size_t t = 0; call->tables[t]; t++) {
		for (const struct route *route = call->tables[t]; route->path; route++) {
			if (!fits(route->path, call))
				continue;
			if (takes(route, call->request->method))
				return route;
			*ret_allow = arena_printf(call->request->arena, "%s%s%s",
			                          *ret_allow ? *ret_allow : "",
			                          *ret_allow ? ", " : "", route->method);
		}
	}
	return NULL;
}
