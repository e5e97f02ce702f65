/* SPDX-License-Identifier: MIT */
#ifndef CENTER_ENTRY_ROUTE_H
#define CENTER_ENTRY_ROUTE_H

#include "center/entry/call.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * A row a route: method, path, who may, and what answers. `:name` in a path is any one part, kept
 * in `call->names` in order. GET rows answer HEAD, too.
 */
enum access { ACCESS_OPEN, ACCESS_READER, ACCESS_CLERK, ACCESS_MANAGER, ACCESS_ADMIN };

struct route {
	const char *method, *path;
	enum access access;
	void (*answer)(struct call *call);
	const char
	        *query; /* names of its parameters, "q by limit"; others are refused; NULL: none */
	bool upload;    /* takes a body as large as [center] max_upload */
	/* For the API's description (openapi.c): a sentence; the kind of record that it gives; the
	 * type of what is not JSON. */
	const char *summary, *kind, *answers;
	bool list; /* it gives a bare array */
};

/* What every row has; the others are named behind it. */
#define ROUTE(m, p, a, f) .method = (m), .path = p, .access = (a), .answer = (f)

/* Finds the row for a call in its tables and fills its names. NULL with *ret_allow the methods that
 * the path has (in the arena), NULL where there is no such path. */
const struct route *route_find(struct call *call, const char **ret_allow);

#endif
