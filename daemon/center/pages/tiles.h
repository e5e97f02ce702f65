/* SPDX-License-Identifier: MIT */
#ifndef CENTER_PAGES_TILES_H
#define CENTER_PAGES_TILES_H

#include "base/error.h"
#include "center/entry/call.h"
#include "model/settings.h"

#include <jansson.h>

/*
 * A real map on the page of a site: `[center] tiles` drawn by Leaflet, which is a package of its
 * own and may be missing. The page then has the plain plot.
 */

/* `tiles` for the page: url and note; null where there is no map. Lets the page's pictures come
 * from the tiles' host, and that host hear where its tiles are shown. */
json_t *tiles_add(struct call *call);

/* Whether `[center] tiles` is "" or an address with {z}, {x} and {y}. Code 78. */
bool tiles_check(const struct settings *settings, struct error *err) MUST_CHECK;

#endif
