/* SPDX-License-Identifier: MIT */
/* What the readings for people share. */
#include "spool/spool_private.h"

void spool_set_text(json_t *object, const char *name, const char *text)
{
	json_t *value = json_string(text ? text : "");
	json_object_set_new(object, name, value ? value : json_string("(not UTF-8)"));
}

void spool_set_time(json_t *object, const char *name, struct instant t)
{
	char text[INSTANT_TEXT_MAX];
	if (t.ms == INSTANT_NEVER.ms)
		json_object_set_new(object, name, json_null());
	else
		spool_set_text(object, name, instant_format(t, 0, text));
}

bool spool_finish_read(struct spool *spool, json_t *json, json_t **ret, struct error *err)
{
	spool_end_read(spool);
	if (spool_failed(spool)) {
		json_decref(json);
		if (err != NULL)
			*err = spool->fault;
		return false;
	}
	if (json == NULL)
		return false;
	*ret = json;
	return true;
}

bool spool_read_int(struct spool *spool, const char *sql, int64_t none, int64_t *ret,
                    struct error *err)
{
	if (!spool_begin_read(spool, err))
		return false;
	*ret = spool_run_int(spool, spool_query(spool, sql), none);
	spool_end_read(spool);
	if (spool_failed(spool))
		*err = spool->fault;
	return !spool_failed(spool);
}
