/* SPDX-License-Identifier: MIT */
#include "center/pages/change_words.h"

#include "base/jsontext.h"
#include "center/pages/cells.h"
#include "center/pages/labels.h"
#include "center/pages/words.h"

#include <string.h>

/* Who and when are given for the change as a whole; a flag that isn't set, or a part of the hours
 * that is as it was, says nothing. */
static bool says_nothing(const char *name, const json_t *was, const json_t *is)
{
	return strcmp(name, "author") == 0 || strcmp(name, "created") == 0 ||
	       (was == NULL && json_is_false(is)) || (was && is && json_equal(was, is));
}

static void add_field(const struct call *call, json_t *fields, const char *name, const json_t *was,
                      const json_t *is)
{
	const char *before = cells_text(call, was), *after = cells_text(call, is);
	if ((before || after) && !says_nothing(name, was, is))
		json_array_append_new(fields,
		                      json_pack("{s:s, s:s, s:s}", "label", label_name(call, name),
		                                "was", before ? before : "", "is",
		                                after ? after : words(call, "nothing")));
}

/* "title: boss → owner". */
static json_t *fields_of(const struct call *call, const json_t *row)
{
	json_t *before = json_object_get(row, "before"), *after = json_object_get(row, "after");
	json_t *fields = json_array(), *value;
	const char *name;
	json_object_foreach(after, name, value)
	{
		add_field(call, fields, name, json_object_get(before, name), value);
	}
	json_object_foreach(before, name, value)
	{
		if (json_object_get(after, name) == NULL)
			add_field(call, fields, name, value, NULL);
	}
	return fields;
}

/* As English has it: "added". */
static const char *done(const struct call *call, const char *action)
{
	size_t len = strlen(action);
	if (strcmp(action, "set") == 0)
		return "changed";
	return arena_printf(call->request->arena, "%s%s", action,
	                    len > 0 && action[len - 1] == 'e' ? "d" : "ed");
}

/* "added contact". */
static const char *did(const struct call *call, const json_t *row)
{
	const char *action = jsontext_at(row, "action"), *name = jsontext_at(row, "kind");
	const char *key = arena_printf(call->request->arena, "did.%s", action);
	const char *kind = words_find(call, "kind", name);
	return words_fill(
	        call, words_template(call, key) ? key : "did",
	        json_pack("{s:s, s:s}", "kind", kind ? kind : name, "action", done(call, action)));
}

void change_words_add(const struct call *call, json_t *change)
{
	json_object_set_new(change, "fields", fields_of(call, change));
	json_object_set_new(change, "did", json_string(did(call, change)));
}
