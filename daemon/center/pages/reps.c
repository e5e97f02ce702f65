/* SPDX-License-Identifier: MIT */
/* The sales reps of a customer: linked, unlinked, and which is the first. */
#include "base/jsontext.h"
#include "center/pages/command.h"
#include "center/pages/form_command.h"
#include "center/pages/head.h"
#include "center/pages/page.h"
#include "center/pages/to.h"
#include "center/pages/words.h"
#include "records/records.h"

#include <string.h>

static bool is_linked(const json_t *names, const char *name)
{
	size_t i;
	const json_t *linked;
	json_array_foreach(names, i, linked)
	{
		if (strcmp(json_string_value(linked), name) == 0)
			return true;
	}
	return false;
}

/* Those that the customer doesn't have yet. */
static json_t *others(const json_t *all, const json_t *linked)
{
	json_t *names = json_array();
	size_t i;
	const json_t *rep;
	json_array_foreach(all, i, rep)
	{
		if (!is_linked(linked, jsontext_at(rep, "name")))
			json_array_append(names, json_object_get(rep, "name"));
	}
	return names;
}

static void add_line(const struct call *call, json_t *commands, const char *verb,
                     const char *number, const char *name, bool first)
{
	command_add(call, commands, json_pack("[s, s, s, s]", "rep", verb, number, name),
	            first ? json_pack("[s]", "--first") : NULL);
}

/* What each button does. */
static json_t *fold_of(const struct call *call, const char *number, const json_t *linked,
                       const char *first)
{
	json_t *commands = json_array(), *name;
	size_t i;
	json_array_foreach(linked, i, name)
	{
		const char *text = json_string_value(name);
		if (strcmp(text, first) != 0)
			add_line(call, commands, "link", number, text, true);
		add_line(call, commands, "unlink", number, text, false);
	}
	if (json_array_size(commands) > 0)
		return json_pack("{s:s, s:o}", "fold_id", "links", "commands", commands);
	json_decref(commands);
	return NULL;
}

/* Of the first one of the choices, as the form shows it. */
static json_t *add_fold(const struct call *call, const char *number, const json_t *choices)
{
	const char *name = json_string_value(json_array_get(choices, 0));
	json_t *words = json_pack("[s, s, s]", "rep", "link", number);
	json_t *follow = form_command_follow(words, "name");
	json_array_append_new(words, json_string(name ? name : "NAME"));
	json_t *fold = command_fold(command_line(call, words, NULL), NULL);
	json_object_set_new(fold, "follow", follow);
	return fold;
}

static json_t *rows_of(const json_t *linked, const char *first)
{
	json_t *rows = json_array();
	size_t i;
	json_t *name;
	json_array_foreach(linked, i, name)
	        json_array_append_new(rows, json_pack("{s:O, s:b}", "rep", name, "first",
	                                              strcmp(json_string_value(name), first) == 0));
	return rows;
}

static void show(struct call *call, int status, const char *fault)
{
	struct error err;
	json_t *head, *customer, *all;
	struct customers *store = stores_customers(call->stores, &err);
	if (!head_read(call, call->names[0], "reps", &head, &customer))
		return;
	if (!records_list(store, kind_find("rep"), NULL, &all, &err)) {
		json_decref(customer);
		json_decref(head);
		page_fail(call, &err);
		return;
	}
	const json_t *linked = json_object_get(customer, "reps");
	json_t *choices = others(all, linked);
	const char *number = jsontext_at(customer, "number");
	const char *first = jsontext_at(customer, "sales_rep");
	json_t *data = json_pack(
	        "{s:o, s:s, s:o, s:b, s:o?, s:b, s:o, s:o, s:s}", "head", head, "number", number,
	        "rows", rows_of(linked, first), "has_rows", json_array_size(linked) > 0,
	        "linked_fold", fold_of(call, number, linked, first), "has_choices",
	        json_array_size(choices) > 0, "add_fold", add_fold(call, number, choices),
	        "choices", choices, "fault", fault);
	json_decref(customer);
	json_decref(all);
	page_answer(call, status, "reps", words(call, "reps.title"), data);
}

static void reps(struct call *call)
{
	show(call, 200, "");
}

static void after(struct call *call, bool good, const struct error *err)
{
	if (good)
		to_customer(call, call->names[0], "reps");
	else if (response_status_of(err) == 422)
		show(call, 422, err->text);
	else
		page_fail(call, err);
}

static const char *chosen(const struct call *call)
{
	const char *name = request_value(&call->request->form, "name");
	return name ? name : "";
}

static void page_reps_add(struct call *call)
{
	bool first = request_value(&call->request->form, "first") != NULL;
	struct change_context context;
	struct error err;
	bool good = call_context(call, &context, &err) &&
	            rep_link(&context, call->names[0], chosen(call), first, &err);
	after(call, good, &err);
}

static void take_away(struct call *call)
{
	struct change_context context;
	struct error err;
	bool good = call_context(call, &context, &err) &&
	            rep_unlink(&context, call->names[0], chosen(call), &err);
	after(call, good, &err);
}

const struct route rep_page_routes[] = {
        {ROUTE("GET", "/customers/:number/reps", ACCESS_READER, reps)},
        {ROUTE("POST", "/customers/:number/reps", ACCESS_CLERK, page_reps_add)},
        {ROUTE("POST", "/customers/:number/reps/unlink", ACCESS_CLERK, take_away)},
        {0},
};
