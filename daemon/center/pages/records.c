/* SPDX-License-Identifier: MIT */
/* Pages of records: a customer's tabs, adding, changing, removing, suspending. What a form has
 * follows from the kind; what may be done, the record functions know. */
#include "records/records.h"
#include "center/api/change.h"
#include "center/api/kinds.h"
#include "center/pages/form.h"
#include "center/pages/page.h"

#include <stdlib.h>
#include <string.h>

static const char *text_at(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

/* -- lists ------------------------------------------------------------------------------------- */

/* A value as a person reads it: words with commas, yes and no. NULL where there is nothing. */
static const char *shown(const struct call *call, const json_t *value)
{
	struct arena *arena = call->request->arena;
	const char *text = NULL;
	size_t i;
	const json_t *word;
	json_array_foreach(value, i, word) text =
	        arena_printf(arena, "%s%s%s", text ? text : "", text ? ", " : "",
	                     json_is_string(word) ? json_string_value(word) : "");
	if (json_is_string(value) && *json_string_value(value) != '\0')
		return json_string_value(value);
	if (json_is_boolean(value))
		return json_is_true(value) ? "yes" : "no";
	if (json_is_integer(value))
		return arena_printf(arena, "%lld", (long long)json_integer_value(value));
	return text;
}

static json_t *cells_of(const struct call *call, const struct kind *kind, const json_t *row)
{
	json_t *cells = json_array();
	for (size_t i = 0; i < kind->n_fields; i++) {
		const char *name = kind->fields[i].name;
		const char *text = shown(call, json_object_get(row, name));
		if (text)
			json_array_append_new(cells,
			                      json_pack("{s:s, s:s}", "label",
			                                form_label(call, name), "value", text));
	}
	return cells;
}

static json_t *rows_of(const struct call *call, const struct kind *kind, const json_t *records)
{
	json_t *rows = json_array();
	size_t i;
	const json_t *record;
	bool removes = kind->added_only ? call->account.role >= ROLE_MANAGER
	                                : call->account.role >= ROLE_CLERK;
	json_array_foreach(records, i, record) json_array_append_new(
	        rows, json_pack("{s:O, s:o, s:b, s:b, s:b}", "id", json_object_get(record, "id"),
	                        "cells", cells_of(call, kind, record), "urgent",
	                        json_is_true(json_object_get(record, "urgent")), "changes",
	                        !kind->added_only && call->account.role >= ROLE_CLERK, "removes",
	                        removes && !kind->kept_when_removed));
	return rows;
}

/* -- forms ------------------------------------------------------------------------------------- */

/* What the page around a form shows. `number` may be "": a record of no customer. */
static json_t *form_page(const struct call *call, const struct kind *kind, const char *number,
                         json_t *inputs, const struct error *fault)
{
	return json_pack("{s:s, s:s, s:s, s:o, s:s, s:b}", "number", number, "kind", kind->name,
	                 "kinds", kinds_path(kind, call->request->arena), "inputs", inputs, "fault",
	                 fault ? fault->text : "", "suspends", kind->kept_when_removed);
}

static void to_customer(struct call *call, const char *number, const char *tab)
{
	struct buf path = {0};
	buf_adds(&path, "/customers/");
	request_encode(number, &path);
	if (*tab != '\0')
		buf_printf(&path, "/%s", tab);
	response_redirect(call->response, call->request,
	                  arena_strdup(call->request->arena, buf_text(&path)));
	buf_free(&path);
}

/* -- a customer's tab -------------------------------------------------------------------------- */

static const struct kind *tab_kind(struct call *call)
{
	const struct kind *kind = kinds_by_path(call->names[1], call->request->arena);
	if (kind && kind_is_of_customer(kind) && !kind->file)
		return kind;
	page_fail_status(call, 404, "There is no such page.");
	return NULL;
}

static void show_tab(struct call *call, const struct kind *kind, int status, const json_t *typed,
                     const struct error *fault)
{
	struct error err;
	json_t *customer, *records;
	struct customers *store = stores_customers(call->stores, &err);
	if (store == NULL || !customer_show(store, call->names[0], &customer, &err)) {
		page_fail(call, &err);
		return;
	}
	if (!records_list(store, kind, call->names[0], &records, &err)) {
		json_decref(customer);
		page_fail(call, &err);
		return;
	}
	json_t *data = form_page(call, kind, text_at(customer, "number"),
	                         form_inputs(call, kind, true, typed, fault), fault);
	json_object_set_new(data, "customer_name", json_string(text_at(customer, "name")));
	json_object_set_new(data, "many", json_string(form_label(call, kind->many)));
	json_object_set_new(data, "rows", rows_of(call, kind, records));
	json_decref(customer);
	json_decref(records);
	page_answer(call, status, "tab", form_label(call, kind->many), data);
}

static void tab(struct call *call)
{
	const struct kind *kind = tab_kind(call);
	if (kind)
		show_tab(call, kind, 200, NULL, NULL);
}

static void add_to_tab(struct call *call)
{
	const struct kind *kind = tab_kind(call);
	struct error err;
	if (kind == NULL)
		return;
	json_t *values = form_values(call, kind, true);
	if (center_add(call, kind, call->names[0], values, NULL, &err))
		to_customer(call, call->names[0],
		            kind->kept_when_removed ? "" : kinds_path(kind, call->request->arena));
	else if (response_status_of(&err) == 422)
		show_tab(call, kind, 422, values, &err);
	else
		page_fail(call, &err);
	json_decref(values);
}

static void resume_customer(struct call *call)
{
	struct change_context context;
	struct error err;
	if (call_context(call, &context, &err) &&
	    resume(&context, call->names[0], stores_default_zone(call->stores), 0, NULL, &err))
		to_customer(call, call->names[0], "");
	else
		page_fail(call, &err);
}

/* -- one record -------------------------------------------------------------------------------- */

static const struct kind *record_kind(struct call *call)
{
	const struct kind *kind = strcmp(call->names[0], "customers") == 0
	                                  ? kind_find("customer")
	                                  : kinds_by_path(call->names[0], call->request->arena);
	if (kind == NULL || kind->added_only)
		page_fail_status(call, 404, "There is no such page.");
	return kind && !kind->added_only ? kind : NULL;
}

/* The customer that a record belongs to, or is. */
static const char *customer_of(const struct kind *kind, const json_t *record)
{
	return text_at(record, kind->is_customer ? "number" : "customer");
}

static json_t *conflict_rows(const struct call *call, const json_t *conflicts)
{
	json_t *rows = json_array(), *one;
	const char *name;
	json_object_foreach((json_t *)(uintptr_t)conflicts, name, one)
	{
		const char *yours = shown(call, json_object_get(one, "yours"));
		const char *theirs = shown(call, json_object_get(one, "theirs"));
		json_array_append_new(rows,
		                      json_pack("{s:s, s:s, s:s}", "label", form_label(call, name),
		                                "yours", yours ? yours : "nothing", "theirs",
		                                theirs ? theirs : "nothing"));
	}
	return rows;
}

static void show_record(struct call *call, const struct kind *kind, int status, const json_t *typed,
                        const struct error *fault, const json_t *conflicts)
{
	struct error err;
	json_t *record;
	int64_t version;
	struct customers *store = stores_customers(call->stores, &err);
	/* The version first: see answer_record(). */
	if (store == NULL || !record_version(store, kind, call->names[1], &version, &err) ||
	    !records_show(store, kind, call->names[1], &record, &err)) {
		page_fail(call, &err);
		return;
	}
	json_t *data =
	        form_page(call, kind, customer_of(kind, record),
	                  form_inputs(call, kind, false, typed ? typed : record, fault), fault);
	json_object_set_new(data, "version", json_integer(version));
	json_object_set_new(data, "conflicts", conflict_rows(call, conflicts));
	json_decref(record);
	page_answer(call, status, "edit", form_label(call, kind->name), data);
}

static void edit(struct call *call)
{
	const struct kind *kind = record_kind(call);
	if (kind)
		show_record(call, kind, 200, NULL, NULL, NULL);
}

/* Where the form came from, once it is saved: by the name that the customer has now. */
static void after_saving(struct call *call, const struct kind *kind, const char *name)
{
	struct error err;
	json_t *record;
	struct customers *store = stores_customers(call->stores, &err);
	if (store == NULL || !records_show(store, kind, name, &record, &err)) {
		page_fail(call, &err);
		return;
	}
	const char *number = customer_of(kind, record);
	if (*number != '\0')
		to_customer(call, number,
		            kind->is_customer || kind->kept_when_removed
		                    ? ""
		                    : kinds_path(kind, call->request->arena));
	else
		response_redirect(call->response, call->request, "/");
	json_decref(record);
}

static void save(struct call *call)
{
	const struct kind *kind = record_kind(call);
	const char *version = request_value(&call->request->form, "version");
	struct expected expected = {.version = version ? strtoll(version, NULL, 10) : 0};
	struct change_context context;
	struct error err;
	if (kind == NULL)
		return;
	json_t *values = form_values(call, kind, false);
	bool good = call_context(call, &context, &err);
	context.expected = &expected;
	good = good && records_set(&context, kind, call->names[1], values, &err);
	const char *renamed = kind->is_customer ? text_at(values, "number") : "";
	if (good)
		after_saving(call, kind, *renamed != '\0' ? renamed : call->names[1]);
	else if (response_status_of(&err) == 422)
		show_record(call, kind, expected.conflicts ? 409 : 422, values, &err,
		            expected.conflicts);
	else
		page_fail(call, &err);
	json_decref(expected.conflicts);
	json_decref(values);
}

static void remove_record(struct call *call)
{
	const struct kind *kind = kinds_by_path(call->names[0], call->request->arena);
	const char *number = request_value(&call->request->form, "number");
	struct error err;
	if (kind == NULL)
		page_fail_status(call, 404, "There is no such record.");
	else if (center_remove(call, kind, call->names[1], &err))
		to_customer(call, number ? number : "", kinds_path(kind, call->request->arena));
	else
		page_fail(call, &err);
}

const struct route record_page_routes[] = {
        {ROUTE("POST", "/customers/:number/resume", ACCESS_CLERK, resume_customer)},
        {ROUTE("GET", "/customers/:number/:tab", ACCESS_READER, tab)},
        {ROUTE("POST", "/customers/:number/:tab", ACCESS_CLERK, add_to_tab)},
        {ROUTE("GET", "/edit/:kinds/:id", ACCESS_CLERK, edit)},
        {ROUTE("POST", "/edit/:kinds/:id", ACCESS_CLERK, save)},
        {ROUTE("POST", "/remove/:kinds/:id", ACCESS_CLERK, remove_record)},
        {0},
};
