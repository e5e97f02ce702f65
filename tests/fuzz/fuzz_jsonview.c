/* SPDX-License-Identifier: MIT */
/*
 * Input: JSON. What jansson takes the view takes, and has the same of it; what jansson refuses the
 * view takes only for what it doesn't look for: keys given twice, bytes that aren't UTF-8. Then the
 * text is read as a mail's data, in either form.
 */
#include "base/jsontext.h"
#include "mail/context.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_same(const json_t *value, const struct jsonview *view);

static void check_object(const json_t *object, const struct jsonview *view)
{
	const char *key;
	json_t *member;
	size_t n = 0;
	json_object_foreach((json_t *)(uintptr_t)object, key, member)
	{
		if (*key == '\0')
			continue; /* no name can be that */
		const struct jsonview *found = jsonview_get(view, key);
		if (found == NULL)
			abort();
		check_same(member, found);
	}
	for (const struct jsonview *m = view->first; m != NULL; m = m->next)
		n++;
	if (n != json_object_size(object))
		abort();
}

static void check_list(const json_t *list, const struct jsonview *view)
{
	const struct jsonview *item = view->first;
	if (json_array_size(list) != jsonview_count(view))
		abort();
	for (size_t i = 0; i < json_array_size(list); i++, item = item->next)
		check_same(json_array_get(list, i), item);
}

/* A whole number beyond 64 bits is a text of jansson's. */
static void check_scalar(const json_t *value, const struct jsonview *view)
{
	struct buf written = {0}, got = {0};
	if (json_is_string(value) && view->type == JSONVIEW_TEXT) {
		if (view->len != json_string_length(value) ||
		    memcmp(view->text, json_string_value(value), view->len) != 0)
			abort();
		return;
	}
	if (view->type != JSONVIEW_NUMBER) {
		if (json_is_null(value) != (view->type == JSONVIEW_NULL) ||
		    json_is_true(value) != (view->type == JSONVIEW_TRUE) ||
		    json_is_false(value) != (view->type == JSONVIEW_FALSE))
			abort();
		return;
	}
	jsonview_add_number(&got, view);
	if (json_is_string(value))
		buf_adds(&written, json_string_value(value));
	else
		jsontext_write(&written, value, JSONTEXT_AS_IS);
	if (strcmp(buf_text(&written), buf_text(&got)) != 0)
		abort();
	buf_free(&written);
	buf_free(&got);
}

static void check_same(const json_t *value, const struct jsonview *view)
{
	if (json_is_object(value) != (view->type == JSONVIEW_OBJECT) ||
	    json_is_array(value) != (view->type == JSONVIEW_LIST))
		abort();
	if (json_is_object(value))
		check_object(value, view);
	else if (json_is_array(value))
		check_list(value, view);
	else
		check_scalar(value, view);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new_small(64);
	struct error err = {0};
	char *text = malloc(size + 1);
	if (text == NULL)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	json_t *value = jsontext_read(text, size, NULL);
	const struct jsonview *view = jsonview_read(arena, text, size, &err);
	if (value != NULL && view == NULL)
		abort();
	if (value != NULL)
		check_same(value, view);
	if (view == NULL && err.text[0] == '\0')
		abort();
	if (context_read(arena, text, &err) == NULL && err.text[0] == '\0')
		abort();
	json_decref(value);
	arena_free(arena);
	free(text);
	return 0;
}
