/* SPDX-License-Identifier: MIT */
/*
 * Commands for any kind of record. Nothing here is about a single kind: the table of kinds lists
 * the fields, and the store decides what is allowed.
 */
#include "dispatchctl/nouns/record.h"

#include "dispatchctl/base/store.h"
#include "dispatchctl/nouns/fields.h"
#include "dispatchctl/nouns/views.h"

#include <string.h>
#include <sysexits.h>

static const struct kind *kind_of(const struct ctl *ctl)
{
	return kind_find(ctl->command->kind);
}

bool record_done(struct ctl *ctl, struct customers *store, const char *name, const char *what,
                 struct error *err)
{
	json_t *record;
	if (!records_show(store, kind_of(ctl), name, &record, err))
		return false;
	output_print(ctl->out, "%s %s %s", kind_of(ctl)->name, name, what);
	output_document(ctl->out, record);
	return true;
}

/* `login=admin`: values of fields that the administrator has defined for a type of system. */
static bool take_pairs(const struct ctl *ctl, size_t first, json_t *values, struct error *err)
{
	for (size_t i = first; i < ctl->n_args; i++) {
		const char *equals = strchr(ctl->args[i], '=');
		if (equals == NULL || equals == ctl->args[i])
			return error_set(err, EX_USAGE,
			                 "expected FIELD=VALUE, such as login=admin (got \"%s\")",
			                 ctl->args[i]);
		const char *key =
		        arena_strndup(ctl->arena, ctl->args[i], (size_t)(equals - ctl->args[i]));
		json_object_set_new(values, key, equals[1] ? json_string(equals + 1) : json_null());
	}
	return true;
}

/* The words after the first are the text of a note, or values of fields. */
static bool take_words(const struct ctl *ctl, json_t *values, struct error *err)
{
	if (ctl->n_args < 2)
		return true;
	if (strstr(ctl->command->args, "[TEXT]") == NULL)
		return take_pairs(ctl, 1, values, err);
	if (json_object_get(values, "text") != NULL)
		return error_set(err, EX_USAGE, "the text was given twice");
	json_object_set_new(values, "text", json_string(ctl->args[1]));
	return true;
}

bool record_add(struct ctl *ctl, struct error *err)
{
	const struct kind *kind = kind_of(ctl);
	struct change_context context;
	int64_t id;
	json_t *values = fields_given(ctl, err);
	const char *owner = kind->owner ? ctl_arg(ctl, 0) : NULL;
	bool ok = values != NULL && take_words(ctl, values, err) &&
	          store_open(ctl, DB_WRITE, &context, err) &&
	          records_add(&context, kind, owner, values, &id, err);
	bool by_name = kind->fields[0].type == FIELD_NAME;
	const char *name = by_name ? fields_name(ctl, values, "name")
	                   : ok    ? arena_printf(ctl->arena, "%lld", (long long)id)
	                           : "";
	json_decref(values);
	return ok && record_done(ctl, context.store, name, "added", err);
}

bool record_set(struct ctl *ctl, struct error *err)
{
	const struct kind *kind = kind_of(ctl);
	const char *name = ctl_arg(ctl, 0);
	struct change_context context;
	json_t *values = fields_given(ctl, err);
	bool ok = values != NULL && take_words(ctl, values, err);
	if (ok && json_object_size(values) == 0)
		ok = error_set(err, EX_USAGE,
		               "%s set needs at least one field; see dispatchctl %s set --help",
		               kind->name, kind->name);
	ok = ok && store_open(ctl, DB_WRITE, &context, err) &&
	     records_set(&context, kind, name, values, err);
	const char *given =
	        kind->fields[0].type == FIELD_NAME ? fields_name(ctl, values, "name") : NULL;
	name = given ? given : name;
	json_decref(values);
	return ok && record_done(ctl, context.store, name, "changed", err);
}

static bool is_known(const struct kind *kind, const char *key)
{
	return kind_field(kind, key) != NULL || strcmp(key, "id") == 0 ||
	       (kind->owner_column != NULL && strcmp(key, kind->owner_column) == 0);
}

/* Adds what isn't in the table of kinds: totals, customer numbers, fields of a system's type. */
static struct view with_others(struct ctl *ctl, const struct kind *kind, json_t *record,
                               struct view view)
{
	json_t *fields = json_object_get(record, "fields"), *value;
	const char *key;
	struct view all = {.columns = arena_new_array(ctl->arena,
	                                              view.n + json_object_size(record) +
	                                                      json_object_size(fields) + 1,
	                                              struct column)};
	for (size_t i = 0; i < view.n; i++)
		all.columns[all.n++] = view.columns[i];
	json_object_foreach(record, key, value)
	{
		bool amount = strcmp(key, "total") == 0 || strcmp(key, "paid") == 0;
		if (!is_known(kind, key) && !json_is_array(value) && !json_is_object(value))
			all.columns[all.n++] =
			        (struct column){.key = arena_strdup(ctl->arena, key),
			                        .title = view_title(key, ctl->arena),
			                        .right = amount || json_is_number(value)};
	}
	json_object_foreach(fields, key, value) all.columns[all.n++] =
	        (struct column){.key = arena_printf(ctl->arena, "fields.%s", key),
	                        .title = arena_strdup(ctl->arena, key)};
	return all;
}

/* Lists inside a record (a quote's items, a sale's payments) as tables below its sheet. */
static void view_inner(struct ctl *ctl, const struct kind *kind, const json_t *record)
{
	const json_t *rows = kind->parts ? json_object_get(record, kind->parts) : NULL;
	if (json_array_size(rows) == 0)
		return;
	struct view view = view_of_list(kind_find(kind->part_kind), false, ctl->arena);
	buf_addc(output_text(ctl->out), '\n');
	table_print(output_text(ctl->out), rows, view.columns, view.n, output_look(ctl->out));
}

bool record_show(struct ctl *ctl, struct error *err)
{
	const struct kind *kind = kind_of(ctl);
	const char *name = ctl_arg(ctl, 0);
	struct change_context context;
	json_t *record;
	bool reveal = ctl_option(ctl, "reveal") != NULL;
	if (!store_open(ctl, reveal ? DB_WRITE : DB_READ, &context, err) ||
	    !(reveal ? system_reveal(&context, name, &record, err)
	             : records_show(context.store, kind, name, &record, err)))
		return false;
	struct view view = with_others(ctl, kind, record, view_of_sheet(kind, ctl->arena));
	output_sheet(ctl->out, json_incref(record), view.columns, view.n);
	view_inner(ctl, kind, record);
	json_decref(record);
	return true;
}

bool record_list(struct ctl *ctl, struct error *err)
{
	const struct kind *kind = kind_of(ctl);
	struct change_context context;
	json_t *rows;
	const char *owner = ctl_arg(ctl, 0);
	if (!store_open(ctl, DB_READ, &context, err) ||
	    !records_list(context.store, kind, owner, &rows, err))
		return false;
	struct view view = with_others(ctl, kind, json_array_get(rows, 0),
	                               view_of_list(kind, owner == NULL, ctl->arena));
	output_rows(ctl->out, rows, view.columns, view.n,
	            arena_printf(ctl->arena, "no %s", kind->many));
	return true;
}

bool record_show_history(struct ctl *ctl, struct error *err)
{
	struct change_context context;
	json_t *rows;
	if (!store_open(ctl, DB_READ, &context, err) ||
	    !record_history(context.store, kind_of(ctl), ctl_arg(ctl, 0), &rows, err))
		return false;
	view_changes(ctl, rows);
	return true;
}

bool record_remove(struct ctl *ctl, struct error *err)
{
	const struct kind *kind = kind_of(ctl);
	const char *name = ctl_arg(ctl, 0);
	struct change_context context;
	json_t *record;
	if (!store_open(ctl, DB_WRITE, &context, err) ||
	    !records_show(context.store, kind, name, &record, err))
		return false;
	json_decref(record);
	if (!ctl_confirm(ctl, err, arena_printf(ctl->arena, "Remove %s %s?", kind->name, name)) ||
	    !records_remove(&context, kind, name, err))
		return false;
	output_print(ctl->out, "%s %s removed", kind->name, name);
	output_document(ctl->out, json_pack("{s:s}", "removed", name));
	return true;
}
