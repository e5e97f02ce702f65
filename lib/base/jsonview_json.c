/* SPDX-License-Identifier: MIT */
/* Views as trees of jansson's, for what is rare. */
#include "base/jsontext.h"
#include "base/jsonview.h"

#include <stdlib.h>
#include <string.h>

static json_t *of_object(const struct jsonview *object)
{
	json_t *ret = json_object();
	for (; object != NULL; object = object->behind)
		for (const struct jsonview *m = object->first; m != NULL; m = m->next) {
			char *key = strndup(m->key, m->key_len);
			if (json_object_get(ret, key) == NULL)
				json_object_set_new(ret, key, jsonview_json(m));
			free(key);
		}
	return ret;
}

static json_t *of_list(const struct jsonview *list)
{
	json_t *ret = json_array();
	for (const struct jsonview *item = list->first; item != NULL; item = item->next)
		json_array_append_new(ret, jsonview_json(item));
	return ret;
}

static json_t *of_number(const struct jsonview *number)
{
	struct buf text = {0};
	jsonview_add_number(&text, number);
	json_t *ret = jsontext_read(buf_text(&text), text.len, NULL);
	buf_free(&text);
	return ret;
}

json_t *jsonview_json(const struct jsonview *view)
{
	switch (view->type) {
	case JSONVIEW_OBJECT:
		return of_object(view);
	case JSONVIEW_LIST:
		return of_list(view);
	case JSONVIEW_TEXT:
		return json_stringn(view->text, view->len);
	case JSONVIEW_NUMBER:
		return of_number(view);
	case JSONVIEW_TRUE:
		return json_true();
	case JSONVIEW_FALSE:
		return json_false();
	default:
		return json_null();
	}
}
