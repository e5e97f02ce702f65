/* SPDX-License-Identifier: MIT */
/* `customer search`, `related`, `duplicates`. */
#include "dispatchctl/base/store.h"
#include "dispatchctl/nouns/customer.h"

#include <glib.h>
#include <sysexits.h>

enum { LIMIT = 50, LIMIT_MAX = 100000 };

static bool read_by(const struct ctl *ctl, enum search_by *ret, struct error *err)
{
	const char *by = ctl_option(ctl, "by");
	if (by == NULL || search_by_find(by, ret))
		return true;
	return error_set(err, EX_USAGE, "--by must be one of %s (got \"%s\")",
	                 search_options[0].value, by);
}

static bool limit_of(const struct ctl *ctl, int *ret, struct error *err)
{
	int64_t limit = LIMIT;
	if (!ctl_option_number(ctl, "limit", 1, LIMIT_MAX, &limit, err))
		return false;
	*ret = (int)limit;
	return true;
}

/* "phone: +1 303 555 0100": where the text was found. */
static void flatten_match(json_t *rows)
{
	size_t i;
	json_t *row;
	json_array_foreach(rows, i, row)
	{
		json_t *matched = json_object_get(row, "matched");
		const char *field = json_string_value(json_object_get(matched, "field"));
		const char *value = json_string_value(json_object_get(matched, "value"));
		if (json_is_true(json_object_get(row, "suspended")))
			json_object_set_new(row, "status", json_string("suspended"));
		if (field != NULL && value != NULL)
			json_object_set_new(row, "match", json_sprintf("%s: %s", field, value));
	}
}

bool customer_run_search(struct ctl *ctl, struct error *err)
{
	struct change_context context;
	enum search_by by = BY_ALL;
	int limit;
	json_t *rows;
	if (!read_by(ctl, &by, err) || !limit_of(ctl, &limit, err) ||
	    !store_open(ctl, DB_READ, &context, err) ||
	    !customers_search(context.store, ctl_arg(ctl, 0), by, limit, &rows, err))
		return false;
	if (!customers_show_suspended(context.store, rows, store_default_zone(ctl), context.when,
	                              err)) {
		json_decref(rows);
		return false;
	}
	if (!output_json(ctl->out))
		flatten_match(rows);
	output_rows(ctl->out, rows,
	            COLUMNS({.key = "number", .title = "Number"},
	                    {.key = "name", .title = "Name", .min = 16},
	                    {.key = "dba", .title = "DBA", .min = 8},
	                    {.key = "city", .title = "City", .min = 8},
	                    {.key = "state", .title = "State", .min = 5},
	                    {.key = "status", .title = "Status", .style = STYLE_WORD},
	                    {.key = "phone", .title = "Phone", .min = 12},
	                    {.key = "match", .title = "Found in", .min = 12, .style = STYLE_FAINT}),
	            g_utf8_strlen(ctl_arg(ctl, 0), -1) < 3
	                    ? "nothing found; one or two characters match only a whole word, "
	                      "number or state"
	                    : "nothing found");
	return true;
}

bool customer_run_related(struct ctl *ctl, struct error *err)
{
	struct change_context context;
	int limit;
	json_t *rows;
	if (!limit_of(ctl, &limit, err) || !store_open(ctl, DB_READ, &context, err) ||
	    !customers_related(context.store, ctl_arg(ctl, 0), limit, &rows, err))
		return false;
	output_rows(ctl->out, rows,
	            COLUMNS({.key = "number", .title = "Number"},
	                    {.key = "name", .title = "Name", .min = 16},
	                    {.key = "city", .title = "City", .min = 8},
	                    {.key = "shares", .title = "Shares", .min = 20}),
	            "no related customers");
	return true;
}

bool customer_run_duplicates(struct ctl *ctl, struct error *err)
{
	struct change_context context;
	int limit;
	json_t *rows;
	if (!limit_of(ctl, &limit, err) || !store_open(ctl, DB_READ, &context, err) ||
	    !customers_duplicates(context.store, limit, &rows, err))
		return false;
	size_t i, k;
	json_t *group, *one;
	json_array_foreach(rows, i, group)
	{
		output_print(ctl->out, "%s: %s",
		             json_string_value(json_object_get(group, "shares")),
		             json_string_value(json_object_get(group, "value")));
		json_array_foreach(json_object_get(group, "customers"), k, one)
		{
			struct buf *out = output_text(ctl->out);
			buf_adds(out, "  ");
			table_value(out, json_object_get(one, "number"));
			buf_adds(out, "  ");
			table_value(out, json_object_get(one, "name"));
			buf_addc(out, '\n');
		}
	}
	if (json_array_size(rows) == 0)
		output_print(ctl->out, "no duplicates found");
	output_document(ctl->out, rows);
	return true;
}

const struct option search_options[] = {
        {.name = "by",
         .value = "name|dba|number|account|address|city|state|phone|email|reference|county|rep|"
                  "equipment|contact|all",
         .help = "which field to search; all by default"},
        {.name = "limit", .value = "N", .help = "at most this many; 50 by default"},
        {0},
};

const struct option limit_options[] = {
        {.name = "limit", .value = "N", .help = "at most this many; 50 by default"},
        {0},
};
