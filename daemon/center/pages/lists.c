/* SPDX-License-Identifier: MIT */
/*
 * Lists of customers: chosen by status, sales rep, parent and city, with columns of choice, in
 * pieces or as CSV; saved under a name for oneself or for all. What is chosen is the query of the
 * page (list_choice.h), and so is what is saved (trust/lists.h).
 */
#include "center/trust/lists.h"
#include "base/jsontext.h"
#include "center/pages/cells.h"
#include "center/pages/choice.h"
#include "center/pages/command.h"
#include "center/pages/labels.h"
#include "center/pages/list_choice.h"
#include "center/pages/page.h"
#include "center/pages/words.h"

#include <stdlib.h>
#include <string.h>

enum { PIECE = 100 };

/* -- what can be chosen ------------------------------------------------------------------------ */

static json_t *statuses_of(const struct call *call, const char *chosen)
{
	json_t *choices = json_array();
	for (const char *const *word = kind_field(kind_find("customer"), "status")->choices; *word;
	     word++)
		choice_add(choices, *word, label_choice(call, *word), chosen);
	return choices;
}

static bool reps_of(struct customers *store, const char *chosen, json_t **ret, struct error *err)
{
	json_t *reps, *rep, *choices = json_array();
	size_t i;
	bool good = records_list(store, kind_find("rep"), NULL, &reps, err);
	if (good) {
		json_array_foreach(reps, i, rep) choice_add(choices, jsontext_at(rep, "name"),
		                                            jsontext_at(rep, "name"), chosen);
		json_decref(reps);
	}
	*ret = choices;
	return good;
}

static bool is_column(const struct list_choice *choice, const struct field *field)
{
	for (size_t i = 0; i < choice->n_columns; i++)
		if (choice->columns[i] == field)
			return true;
	return false;
}

static json_t *columns_of(const struct call *call, const struct list_choice *choice)
{
	const struct kind *kind = kind_find("customer");
	json_t *columns = json_array();
	for (size_t i = 0; i < kind->n_fields; i++)
		json_array_append_new(columns,
		                      json_pack("{s:s, s:s, s:b}", "value", kind->fields[i].name,
		                                "label", label_field(call, kind, &kind->fields[i]),
		                                "checked", is_column(choice, &kind->fields[i])));
	return columns;
}

/* -- the rows ---------------------------------------------------------------------------------- */

/* The query by which the list is in the order of that column; NULL where there is no such. */
static const char *sorted_by(const struct call *call, const struct list_choice *choice,
                             const char *name)
{
	struct list_choice other = *choice;
	bool by_number = strcmp(name, "number") == 0;
	for (size_t i = 0; customer_sorts[i]; i++)
		if (by_number || strcmp(customer_sorts[i], name) == 0) {
			other.filter.sort = by_number ? NULL : customer_sorts[i];
			return list_choice_query(call, &other);
		}
	return NULL;
}

static json_t *heads_of(const struct call *call, const struct list_choice *choice)
{
	const char *sort = choice->filter.sort ? choice->filter.sort : "number";
	json_t *heads = json_array();
	for (size_t i = 0; i < choice->n_columns; i++) {
		const char *name = choice->columns[i]->name;
		json_array_append_new(heads, json_pack("{s:s, s:s*, s:b}", "label",
		                                       label_field(call, kind_find("customer"),
		                                                   choice->columns[i]),
		                                       "by", sorted_by(call, choice, name),
		                                       "sorted", strcmp(name, sort) == 0));
	}
	return heads;
}

/* The first cell leads to the customer, whatever it shows. */
static json_t *cells_in_row(const struct call *call, const struct list_choice *choice,
                            const json_t *record)
{
	json_t *cells = json_array();
	for (size_t i = 0; i < choice->n_columns; i++) {
		const struct field *field = choice->columns[i];
		const char *text =
		        cells_field_text(call, field, json_object_get(record, field->name));
		if (i == 0 && text == NULL)
			text = jsontext_at(record, "number");
		json_array_append_new(cells,
		                      json_pack("{s:s, s:s, s:b}", "label",
		                                label_field(call, kind_find("customer"), field),
		                                "text", text ? text : "", "leads", i == 0));
	}
	return cells;
}

/* Adds to each row the cells of its record. */
static bool fill_rows(const struct call *call, struct customers *store,
                      const struct list_choice *choice, json_t *rows, struct error *err)
{
	json_t *row, *record;
	size_t i;
	json_array_foreach(rows, i, row)
	{
		if (!records_show(store, kind_find("customer"), jsontext_at(row, "number"), &record,
		                  err))
			return false;
		json_object_set_new(row, "cells", cells_in_row(call, choice, record));
		json_decref(record);
	}
	return true;
}

/* One view of all: a row that somebody removes meanwhile is still there. */
static bool read_rows(struct call *call, const struct list_choice *choice, const char *after,
                      json_t **ret, json_t **ret_reps, struct error *err)
{
	struct customer_filter filter = choice->filter;
	struct customers *store = stores_customers(call->stores, err);
	json_t *rows = NULL, *reps = NULL;
	filter.after = after;
	filter.limit = PIECE + 1;
	if (store == NULL || !customers_begin_read(store, err))
		return false;
	bool good = customer_list(store, &filter, &rows, err) &&
	            fill_rows(call, store, choice, rows, err) &&
	            reps_of(store, choice->filter.rep, &reps, err);
	customers_end_read(store);
	if (good) {
		*ret = rows;
		*ret_reps = reps;
	} else {
		json_decref(rows);
		json_decref(reps);
	}
	return good;
}

static const char *command_for(const struct call *call, const struct customer_filter *filter)
{
	const char *line[15] = {"customer", "list"};
	size_t n = 2;
	const char *names[] = {"--search", "--status", "--rep", "--parent", "--city", "--sort"};
	const char *values[] = {filter->text,   filter->status, filter->rep,
	                        filter->parent, filter->city,   filter->sort};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (values[i] == NULL)
			continue;
		line[n++] = names[i];
		line[n++] = values[i];
	}
	if (filter->suspended)
		line[n++] = "--suspended";
	return command_of(call, line, n);
}

static const struct words_done edited = {"edited", "bulk.edited"};

/* -- the page ---------------------------------------------------------------------------------- */

/* The list that is open, {} where none is; false with the answer made. */
static bool open_list(struct call *call, struct accounts *accounts, json_t **ret)
{
	const char *id = request_value(&call->request->query, "list");
	struct error err;
	*ret = NULL;
	if (id == NULL || lists_find(accounts, call->account.id, strtoll(id, NULL, 10), ret, &err))
		return true;
	page_fail(call, &err);
	return false;
}

static void show_rows(struct call *call, int status, const struct list_choice *choice,
                      json_t *saved, json_t *open, const char *fault)
{
	const char *after = request_value(&call->request->query, "after");
	struct error err;
	json_t *rows, *reps;
	if (!read_rows(call, choice, after, &rows, &reps, &err)) {
		json_decref(saved);
		page_fail(call, &err);
		return;
	}
	bool more = json_array_size(rows) > PIECE;
	if (more)
		json_array_remove(rows, PIECE);
	json_t *data =
	        json_pack("{s:o, s:o?, s:s, s:s, s:o, s:o, s:o, s:o, s:b, s:b, s:o, s:s, s:s, s:s, "
	                  "s:b, s:s, s:[s]}",
	                  "saved", saved, "open", json_incref(open), "fault", fault, "query",
	                  list_choice_query(call, choice), "statuses",
	                  statuses_of(call, choice->filter.status), "reps", reps, "columns",
	                  columns_of(call, choice), "heads", heads_of(call, choice), "first",
	                  after == NULL || *after == '\0', "has_rows", json_array_size(rows) > 0,
	                  "hidden", list_choice_hidden(choice), "parent",
	                  choice->filter.parent ? choice->filter.parent : "", "city",
	                  choice->filter.city ? choice->filter.city : "", "search_text",
	                  choice->filter.text ? choice->filter.text : "", "only_suspended",
	                  (int)choice->filter.suspended, "done", words_done(call, &edited, 1),
	                  "commands", command_for(call, &choice->filter));
	if (more)
		json_object_set(data, "after",
		                json_object_get(json_array_get(rows, PIECE - 1), "number"));
	json_object_set_new(data, "rows", rows);
	if (choice->filter.sort)
		json_object_set_new(data, "sort", json_string(choice->filter.sort));
	json_object_set_new(data, "has_saved",
	                    json_boolean(json_array_size(json_object_get(data, "saved")) > 0));
	page_answer(call, status, "lists",
	            open ? arena_strdup(call->request->arena, jsontext_at(open, "name"))
	                 : words(call, "nav.lists"),
	            data);
}

static void show(struct call *call, int status, const struct request_pairs *pairs,
                 const char *fault)
{
	struct list_choice choice;
	struct error err;
	json_t *saved, *open;
	struct accounts *accounts = stores_accounts(call->stores, &err);
	if (accounts == NULL || !lists_all(accounts, call->account.id, &saved, &err)) {
		page_fail(call, &err);
		return;
	}
	if (!open_list(call, accounts, &open)) {
		json_decref(saved);
		return;
	}
	list_choice_read(call, pairs, &choice);
	show_rows(call, status, &choice, saved, open, fault);
	json_decref(open);
}

static void page_lists_list(struct call *call)
{
	show(call, 200, &call->request->query, "");
}

static void csv(struct call *call)
{
	struct list_choice choice;
	struct error err;
	struct customers *store = stores_customers(call->stores, &err);
	FILE *out = tmpfile();
	list_choice_read(call, &call->request->query, &choice);
	if (out == NULL)
		page_fail_status(call, 503, words(call, "lists.no_file"));
	else if (store == NULL || !customer_list_csv(store, &choice.filter, choice.columns,
	                                             choice.n_columns, out, &err))
		page_fail(call, &err);
	else {
		rewind(out);
		response_header(call->response, call->request, "Content-Disposition",
		                "attachment; filename=\"customers.csv\"");
		call->response->type = "text/csv; charset=utf-8";
		call->response->status = 200;
		call->response->file = out;
		return;
	}
	if (out)
		(void)fclose(out);
}

/* -- saved ------------------------------------------------------------------------------------- */

static void go_to(struct call *call, int64_t id, const char *query)
{
	response_redirect(
	        call->response, call->request,
	        arena_printf(call->request->arena, "/lists?list=%lld&%s", (long long)id, query));
}

static void saved(struct call *call)
{
	int64_t id = strtoll(call->names[0], NULL, 10);
	struct error err;
	json_t *one;
	struct accounts *accounts = stores_accounts(call->stores, &err);
	if (accounts == NULL || !lists_find(accounts, call->account.id, id, &one, &err)) {
		page_fail(call, &err);
		return;
	}
	go_to(call, id, jsontext_at(one, "query"));
	json_decref(one);
}

static void page_lists_save(struct call *call)
{
	const struct request_pairs *form = &call->request->form;
	const char *name = request_value(form, "name");
	struct list_choice choice;
	struct error err;
	int64_t id;
	list_choice_read(call, form, &choice);
	const char *query = list_choice_query(call, &choice);
	struct accounts *accounts = stores_accounts(call->stores, &err);
	if (accounts && lists_save(accounts, call->account.id, name ? name : "",
	                           request_value(form, "shared") != NULL, query, &id, &err))
		go_to(call, id, query);
	else if (response_status_of(&err) == 422)
		show(call, 422, form, err.text);
	else
		page_fail(call, &err);
}

static void page_lists_ask_to_remove(struct call *call)
{
	struct error err;
	json_t *one;
	struct accounts *accounts = stores_accounts(call->stores, &err);
	if (accounts == NULL || !lists_find(accounts, call->account.id,
	                                    strtoll(call->names[0], NULL, 10), &one, &err)) {
		page_fail(call, &err);
		return;
	}
	const char *name = arena_strdup(call->request->arena, jsontext_at(one, "name"));
	json_decref(one);
	page_answer(call, 200, "sure", words(call, "sure"),
	            json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b}", "question",
	                      words_fill(call, "lists.remove.question",
	                                 json_pack("{s:s}", "name", name)),
	                      "detail", words(call, "lists.remove.detail"), "action",
	                      call->request->path, "verb", words(call, "remove"), "next", "/lists",
	                      "back", "/lists", "removes", true));
}

static void remove_saved(struct call *call)
{
	struct error err;
	struct accounts *accounts = stores_accounts(call->stores, &err);
	if (accounts &&
	    lists_remove(accounts, call->account.id, strtoll(call->names[0], NULL, 10), &err))
		response_redirect(call->response, call->request, "/lists");
	else
		page_fail(call, &err);
}

const struct route list_page_routes[] = {
        {ROUTE("GET", "/lists", ACCESS_READER, page_lists_list),
         .query = LIST_QUERY " after list edited"},
        {ROUTE("POST", "/lists", ACCESS_CLERK, page_lists_save)},
        {ROUTE("GET", "/lists/csv", ACCESS_READER, csv), .query = LIST_QUERY},
        {ROUTE("GET", "/lists/:id", ACCESS_READER, saved)},
        {ROUTE("GET", "/lists/:id/remove", ACCESS_CLERK, page_lists_ask_to_remove)},
        {ROUTE("POST", "/lists/:id/remove", ACCESS_CLERK, remove_saved)},
        {0},
};
