/* SPDX-License-Identifier: MIT */
#include "dispatchd/redis/xinfo.h"

#include <string.h>

const redisReply *xinfo_value(const redisReply *map, const char *name)
{
	for (size_t i = 0; map && map->type == REDIS_REPLY_ARRAY && i + 1 < map->elements; i += 2)
		if (map->element[i]->type == REDIS_REPLY_STRING &&
		    !strcmp(map->element[i]->str, name))
			return map->element[i + 1];
	return NULL;
}

bool xinfo_number(const redisReply *map, const char *name, int64_t *ret)
{
	const redisReply *value = xinfo_value(map, name);
	if (!value || value->type != REDIS_REPLY_INTEGER)
		return false;
	*ret = value->integer;
	return true;
}

const char *xinfo_text(const redisReply *map, const char *name)
{
	const redisReply *value = xinfo_value(map, name);
	return value && value->type == REDIS_REPLY_STRING ? value->str : "";
}

const redisReply *xinfo_named(const redisReply *list, const char *name)
{
	for (size_t i = 0; list && list->type == REDIS_REPLY_ARRAY && i < list->elements; i++)
		if (!strcmp(xinfo_text(list->element[i], "name"), name))
			return list->element[i];
	return NULL;
}
