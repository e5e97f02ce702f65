/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_REDIS_XINFO_H
#define DISPATCHD_REDIS_XINFO_H

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stdint.h>

/* What Redis answers to XINFO: flat lists of names and values. All take NULL for a map that is
 * missing. */
const redisReply *xinfo_value(const redisReply *map, const char *name); /* NULL for none */
/* False where it is missing or no number (Redis has nil for what it isn't sure of). */
bool xinfo_number(const redisReply *map, const char *name, int64_t *ret);
const char *xinfo_text(const redisReply *map, const char *name); /* "" for none */
/* Of a list of maps the one with that `name`; NULL for none. */
const redisReply *xinfo_named(const redisReply *list, const char *name);

#endif
