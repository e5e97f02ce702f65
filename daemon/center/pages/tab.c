/* SPDX-License-Identifier: MIT */
/*
 * Lists of records with a form to add one: a customer's tabs, the parts of another record (a
 * quote's items, a sale's payments), and records of no customer (sales reps, types of systems).
 * What a form has follows from the kind; what may be done, the record functions know.
 */
#include "base/jsontext.h"
#include "center/api/change.h"
#include "center/api/kinds.h"
#include "center/pages/cells.h"
#include "center/pages/form.h"
#include "center/pages/form_command.h"
#include "center/pages/head.h"
#include "center/pages/labels.h"
#include "center/pages/page.h"
#include "center/pages/reach.h"
#include "center/pages/to.h"
#include "center/pages/words.h"
#include "records/records.h"

#include <string.h>

/* What a list is of, and where its page stands. */
struct listing {
	const struct kind *kind;
	const char *owner;  /* NULL: of none */
	const char *number; /* its customer's; "" where there is none */
	const char *tab;    /* NULL: no tab of the customer's */
};

/* -- one list ---------------------------------------------------------------------------------- */

static const struct kind *part_of(const struct kind *kind)
{
	for (size_t i = 0; i < n_kinds; i++)
		if (kinds[i].owner && strcmp(kinds[i].owner, kind->name) == 0 && !kind->is_customer)
			return &kinds[i];
	return NULL;
}

static bool removes(const struct call *call, const struct kind *kind)
{
	enum role needed = kind->added_only ? ROLE_MANAGER : ROLE_CLERK;
	return call->account.role >= needed && !kind->kept_when_removed;
}

static void add_rows(const struct call *call, const struct kind *kind, const json_t *records,
                     json_t *data)
{
	json_t *columns, *rows, *row;
	const struct kind *part = part_of(kind);
	size_t i;
	cells_of(call, kind, records, &columns, &rows);
	cells_page(call, rows, data);
	json_array_foreach(rows, i, row)
	{
		json_object_set_new(
		        row, "changes",
		        json_boolean(!kind->added_only && call->account.role >= ROLE_CLERK));
		json_object_set_new(row, "removes", json_boolean(removes(call, kind)));
		json_object_set_new(
		        row, "reveals",
		        json_boolean(kind->secrets && call->account.role >= ROLE_MANAGER));
		if (part)
			json_object_set_new(row, "parts",
			                    json_pack("{s:s, s:s}", "path",
			                              kinds_path(part, call->request->arena),
			                              "label", label_kinds(call, part)));
	}
	json_object_set_new(data, "columns", columns);
	json_object_set_new(data, "rows", rows);
}

static void add_form(struct call *call, const struct listing *listing, json_t *data,
                     const json_t *typed, const struct error *fault)
{
	const struct kind *kind = listing->kind;
	json_t *inputs = form_inputs(call, kind, true, typed, fault);
	struct arena *arena = call->request->arena;
	const char *verb = kind->kept_when_removed ? words(call, "suspend") : label_add(call, kind);
	json_object_set_new(data, "verb", json_string(verb));
	json_object_set_new(data, "kind", json_string(words_kind(call, kind)));
	json_object_set_new(data, "kinds", json_string(kinds_path(kind, arena)));
	json_object_set_new(data, "many", json_string(label_kinds(call, kind)));
	json_object_set_new(data, "is_said", json_boolean(kind->added_only));
	json_object_set_new(data, "suspends", json_boolean(kind->kept_when_removed));
	json_object_set_new(data, "action", json_string(call->request->path));
	json_object_set_new(data, "fold", form_command_add(call, kind, listing->owner, inputs));
	json_object_set_new(data, "inputs", inputs);
	json_object_set_new(data, "fault", json_string(fault ? fault->text : ""));
	if (kind->kept_when_removed)
		json_object_set_new(data, "reach", reach_of(call, call->names[0], typed));
}

/* "quotes of 1001". */
static const char *up_label(const struct call *call, const char *tab, const char *number)
{
	const struct kind *kind = kinds_by_path(tab, call->request->arena);
	const char *found = kind ? words_find(call, "kinds", kind->name) : NULL;
	return words_fill(call, "up.of",
	                  json_pack("{s:s, s:s}", "kinds", found ? found : tab, "number", number));
}

static json_t *up_of(const struct call *call, const struct listing *listing)
{
	struct arena *arena = call->request->arena;
	const char *tab =
	        listing->kind->owner ? kinds_path(kind_find(listing->kind->owner), arena) : "";
	if (*listing->number != '\0')
		return json_pack("{s:s, s:s}", "path", to_customer_path(call, listing->number, tab),
		                 "label", up_label(call, tab, listing->number));
	return *tab != '\0'
	               ? json_pack("{s:o, s:s}", "path", json_sprintf("/records/%s", tab), "label",
	                           label_kinds(call, kind_find(listing->kind->owner)))
	               : json_pack("{s:s, s:s}", "path", "/", "label", words(call, "customers"));
}

static void show(struct call *call, const struct listing *listing, int status, const json_t *typed,
                 const struct error *fault)
{
	struct error err;
	json_t *records, *head = json_null(), *customer = NULL;
	struct customers *store = stores_customers(call->stores, &err);
	if (listing->tab && !head_read(call, listing->owner, listing->tab, &head, &customer))
		return;
	json_decref(customer);
	if (store == NULL || !records_list(store, listing->kind, listing->owner, &records, &err)) {
		json_decref(head);
		page_fail(call, &err);
		return;
	}
	json_t *data = json_pack("{s:o, s:s, s:o}", "head", head, "number",
	                         listing->tab ? jsontext_at(head, "number") : listing->number, "up",
	                         up_of(call, listing));
	add_rows(call, listing->kind, records, data);
	add_form(call, listing, data, typed, fault);
	json_decref(records);
	page_answer(call, status, "tab", label_kinds(call, listing->kind), data);
}

static void add(struct call *call, const struct listing *listing)
{
	struct error err;
	const struct kind *kind = listing->kind;
	json_t *values = form_values(call, kind, true);
	if (request_value(&call->request->form, "try")) {
		show(call, listing, 200, values, NULL);
	} else if (center_add(call, kind, listing->owner, values, NULL, &err)) {
		if (kind->kept_when_removed)
			to_customer(call, listing->owner, "");
		else
			response_redirect(call->response, call->request, call->request->path);
	} else if (response_status_of(&err) == 422) {
		show(call, listing, 422, values, &err);
	} else {
		page_fail(call, &err);
	}
	json_decref(values);
}

/* -- whose it is ------------------------------------------------------------------------------- */

static bool no_page(struct call *call)
{
	page_fail_status(call, 404, words(call, "fault.no_page"));
	return false;
}

static bool find_tab(struct call *call, struct listing *ret)
{
	const struct kind *kind = kinds_by_path(call->names[1], call->request->arena);
	*ret = (struct listing){.kind = kind,
	                        .owner = call->names[0],
	                        .number = call->names[0],
	                        .tab = call->names[1]};
	return (kind && kind_is_of_customer(kind) && !kind->file) || no_page(call);
}

static void tab(struct call *call)
{
	struct listing listing;
	if (find_tab(call, &listing))
		show(call, &listing, 200, NULL, NULL);
}

static void add_to_tab(struct call *call)
{
	struct listing listing;
	if (find_tab(call, &listing))
		add(call, &listing);
}

/* The parts of another record; its customer is where one goes back to. */
static bool find_parts(struct call *call, struct listing *ret)
{
	const struct kind *owner = kinds_by_path(call->names[0], call->request->arena);
	const struct kind *kind = kinds_by_path(call->names[2], call->request->arena);
	struct error err;
	json_t *record;
	struct customers *store = stores_customers(call->stores, &err);
	if (owner == NULL || kind == NULL || part_of(owner) != kind)
		return no_page(call);
	if (store == NULL || !records_show(store, owner, call->names[1], &record, &err)) {
		page_fail(call, &err);
		return false;
	}
	*ret = (struct listing){
	        .kind = kind,
	        .owner = call->names[1],
	        .number = arena_strdup(call->request->arena, jsontext_at(record, "customer"))};
	json_decref(record);
	return true;
}

static void parts(struct call *call)
{
	struct listing listing;
	if (find_parts(call, &listing))
		show(call, &listing, 200, NULL, NULL);
}

static void add_part(struct call *call)
{
	struct listing listing;
	if (find_parts(call, &listing))
		add(call, &listing);
}

static bool find_records(struct call *call, struct listing *ret)
{
	const struct kind *kind = kinds_by_path(call->names[0], call->request->arena);
	*ret = (struct listing){.kind = kind, .number = ""};
	return (kind && kind->owner == NULL && !kind->is_customer) || no_page(call);
}

static void of_none(struct call *call)
{
	struct listing listing;
	if (find_records(call, &listing))
		show(call, &listing, 200, NULL, NULL);
}

static void add_to_none(struct call *call)
{
	struct listing listing;
	if (find_records(call, &listing))
		add(call, &listing);
}

const struct route tab_page_routes[] = {
        {ROUTE("GET", "/customers/:number/:tab", ACCESS_READER, tab), .query = "from"},
        {ROUTE("POST", "/customers/:number/:tab", ACCESS_CLERK, add_to_tab)},
        {ROUTE("GET", "/parts/:kinds/:id/:parts", ACCESS_READER, parts), .query = "from"},
        {ROUTE("POST", "/parts/:kinds/:id/:parts", ACCESS_CLERK, add_part)},
        {ROUTE("GET", "/records/:kinds", ACCESS_READER, of_none), .query = "from"},
        {ROUTE("POST", "/records/:kinds", ACCESS_CLERK, add_to_none)},
        {0},
};
