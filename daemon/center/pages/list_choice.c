/* SPDX-License-Identifier: MIT */
#include "center/pages/list_choice.h"

#include <string.h>

static const char *given(const struct request_pairs *pairs, const char *name)
{
	const char *text = request_value(pairs, name);
	return text && *text != '\0' ? text : NULL;
}

static bool has_column(const struct request_pairs *pairs, const char *name)
{
	for (size_t i = 0; i < pairs->n; i++)
		if (strcmp(pairs->rows[i].name, "column") == 0 &&
		    strcmp(pairs->rows[i].value, name) == 0)
			return true;
	return false;
}

static bool is_usual(const char *name)
{
	static const char *const usual[] = {"number", "name",  "status",
	                                    "city",   "phone", "sales_rep"};
	for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
		if (strcmp(usual[i], name) == 0)
			return true;
	return false;
}

static void add_columns(const struct request_pairs *pairs, bool usual, struct list_choice *ret)
{
	const struct kind *kind = kind_find("customer");
	for (size_t i = 0; i < kind->n_fields; i++) {
		const char *name = kind->fields[i].name;
		if (usual ? is_usual(name) : has_column(pairs, name))
			ret->columns[ret->n_columns++] = &kind->fields[i];
	}
}

/* NULL for another word: by number. */
static const char *sort_of(const char *name)
{
	for (size_t i = 0; name && customer_sorts[i]; i++)
		if (strcmp(customer_sorts[i], name) == 0)
			return customer_sorts[i];
	return NULL;
}

void list_choice_read(const struct call *call, const struct request_pairs *pairs,
                      struct list_choice *ret)
{
	*ret = (struct list_choice){.filter = {.rep = given(pairs, "rep"),
	                                       .parent = given(pairs, "parent"),
	                                       .status = given(pairs, "status"),
	                                       .city = given(pairs, "city"),
	                                       .text = given(pairs, "q"),
	                                       .sort = sort_of(given(pairs, "sort")),
	                                       .suspended = given(pairs, "suspended") != NULL,
	                                       .default_zone = stores_default_zone(call->stores),
	                                       .now = call->now}};
	add_columns(pairs, false, ret);
	if (ret->n_columns == 0)
		add_columns(pairs, true, ret);
}

json_t *list_choice_hidden(const struct list_choice *choice)
{
	const struct customer_filter *filter = &choice->filter;
	const char *names[] = {"q", "status", "rep", "parent", "city", "suspended", "sort"};
	const char *values[] = {filter->text,   filter->status, filter->rep,
	                        filter->parent, filter->city,   filter->suspended ? "yes" : NULL,
	                        filter->sort};
	json_t *fields = json_array();
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (values[i])
			json_array_append_new(fields, json_pack("{s:s, s:s}", "name", names[i],
			                                        "value", values[i]));
	for (size_t i = 0; i < choice->n_columns; i++)
		json_array_append_new(fields, json_pack("{s:s, s:s}", "name", "column", "value",
		                                        choice->columns[i]->name));
	return fields;
}

const char *list_choice_query(const struct call *call, const struct list_choice *choice)
{
	struct buf query = {0};
	json_t *fields = list_choice_hidden(choice), *field;
	size_t i;
	json_array_foreach(fields, i, field)
	{
		buf_printf(&query, "%s=", json_string_value(json_object_get(field, "name")));
		request_encode(json_string_value(json_object_get(field, "value")), &query);
		buf_addc(&query, '&');
	}
	json_decref(fields);
	const char *text = arena_strdup(call->request->arena, buf_text(&query));
	buf_free(&query);
	return text;
}
