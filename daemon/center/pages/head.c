/* SPDX-License-Identifier: MIT */
/* The head of all pages of one customer: who it is, whether it is suspended, and its tabs. */
#include "center/pages/head.h"

#include "base/jsontext.h"
#include "center/pages/command.h"
#include "center/pages/page.h"
#include "center/pages/when.h"
#include "center/pages/words.h"
#include "records/records.h"

#include <string.h>

/* -- the suspension ---------------------------------------------------------------------------- */

static const json_t *holding(const json_t *suspensions)
{
	size_t i;
	const json_t *row;
	json_array_foreach(suspensions, i, row)
	{
		if (json_is_true(json_object_get(row, "holds")))
			return row;
	}
	return NULL;
}

/* "jobs, routes and emails". */
static const char *list_words(const struct call *call, const json_t *list)
{
	const char *text = "";
	size_t i, n = json_array_size(list);
	const json_t *word;
	json_array_foreach(list, i, word)
	{
		const char *before = i == 0 ? "" : i + 1 < n ? ", " : words(call, "list.and");
		text = arena_printf(call->request->arena, "%s%s%s", text, before,
		                    words_fixed(call, json_string_value(word)));
	}
	return text;
}

static json_t *customer_named_by(struct call *call, const char *number)
{
	struct error ignored;
	json_t *row;
	struct customers *store = stores_customers(call->stores, &ignored);
	if (store == NULL || !records_show(store, kind_find("customer"), number, &row, &ignored))
		return json_pack("{s:s, s:s}", "number", number, "name", number);
	json_t *named = json_pack("{s:s, s:s}", "number", number, "name", jsontext_at(row, "name"));
	json_decref(row);
	return named;
}

static json_t *resume_fold(const struct call *call, const json_t *customer)
{
	const char *number = jsontext_at(customer, "number");
	json_t *words = json_pack("[s, s, s]", "suspension", "end", number);
	json_t *fold = command_fold(command_line(call, words, NULL), NULL);
	json_object_set_new(fold, "fold_id", json_string("resume"));
	return fold;
}

static json_t *suspension_of(struct call *call, const json_t *customer, const json_t *row)
{
	if (row == NULL)
		return json_null();
	json_t *shown = json_copy((json_t *)(uintptr_t)row);
	const char *until = jsontext_at(row, "until"), *whose = jsontext_at(row, "customer");
	const char *days = *until != '\0'
	                           ? words_fill(call, "suspended.until",
	                                        json_pack("{s:s}", "day", when_day(call, until)))
	                           : words(call, "suspended.indefinite");
	json_object_set_new(shown, "days", json_string(days));
	json_object_set_new(shown, "what",
	                    json_string(list_words(call, json_object_get(row, "scopes"))));
	if (*whose != '\0' && strcmp(whose, jsontext_at(customer, "number")) != 0)
		json_object_set_new(shown, "inherited", customer_named_by(call, whose));
	else
		json_object_set_new(shown, "resume_fold", resume_fold(call, customer));
	return shown;
}

/* -- tabs and moves ---------------------------------------------------------------------------- */

static const struct {
	const char *path, *label, *key; /* of customer_show(), whose length is shown; NULL: none */
} tabs[] = {
        {"notes", "tab.notes", "notes"},
        {"comments", "tab.comments", "comments"},
        {"contacts", "tab.contacts", "contacts"},
        {"hours", "tab.hours", NULL},
        {"documents", "tab.documents", "documents"},
        {"pictures", "tab.pictures", "pictures"},
        {"assets", "tab.assets", "assets"},
        {"plot", "plot", NULL},
        {"systems", "tab.systems", "systems"},
        {"third-parties", "tab.third-parties", "third_parties"},
        {"reps", "tab.reps", "reps"},
        {"activities", "tab.activities", "activities"},
        {"quotes", "tab.quotes", "quotes"},
        {"sales", "tab.sales", "sales"},
        {"suspensions", "tab.suspensions", NULL},
        {"related", "tab.related", NULL},
        {"history", "tab.history", NULL},
};

static json_t *tabs_of(const struct call *call, const json_t *customer, const char *current)
{
	json_t *rows = json_array();
	for (size_t i = 0; i < sizeof tabs / sizeof *tabs; i++) {
		size_t n =
		        tabs[i].key ? json_array_size(json_object_get(customer, tabs[i].key)) : 0;
		json_array_append_new(
		        rows, json_pack("{s:s, s:s, s:s, s:o, s:b}", "number",
		                        jsontext_at(customer, "number"), "path", tabs[i].path,
		                        "label", words(call, tabs[i].label), "count",
		                        n > 0 ? json_integer((json_int_t)n) : json_null(),
		                        "current", strcmp(tabs[i].path, current) == 0));
	}
	return rows;
}

/* What the status may become, by whom asks. */
static json_t *moves_of(const struct call *call, const char *status)
{
	static const struct {
		const char *from, *verb, *label;
		enum role role;
	} moves[] = {
	        {"new", "release", "move.release", ROLE_CLERK},
	        {"released", "approve", "move.approve", ROLE_MANAGER},
	        {"released", "decline", "move.decline", ROLE_MANAGER},
	        {"active", "deactivate", "move.deactivate", ROLE_MANAGER},
	        {"inactive", "approve", "move.activate", ROLE_MANAGER},
	};
	json_t *rows = json_array();
	for (size_t i = 0; i < sizeof moves / sizeof *moves; i++)
		if (strcmp(moves[i].from, status) == 0 && call->account.role >= moves[i].role)
			json_array_append_new(rows,
			                      json_pack("{s:s, s:s}", "verb", moves[i].verb,
			                                "label", words(call, moves[i].label)));
	return rows;
}

json_t *head_of(struct call *call, const json_t *customer, const json_t *suspensions,
                const char *tab)
{
	static const char *const same[] = {"number", "name", "dba", "account", "status", "parent"};
	json_t *head = json_object();
	for (size_t i = 0; i < sizeof same / sizeof *same; i++)
		json_object_set(head, same[i], json_object_get(customer, same[i]));
	const char *parent = jsontext_at(customer, "parent");
	if (*parent != '\0')
		json_object_set_new(head, "above", customer_named_by(call, parent));
	json_object_set_new(head, "moves", moves_of(call, jsontext_at(customer, "status")));
	json_object_set_new(head, "tabs", tabs_of(call, customer, tab));
	json_object_set_new(head, "suspension",
	                    suspension_of(call, customer, holding(suspensions)));
	return head;
}

bool head_read(struct call *call, const char *number, const char *tab, json_t **ret_head,
               json_t **ret_customer)
{
	struct error err;
	json_t *customer = NULL, *suspensions = NULL;
	struct customers *store = stores_customers(call->stores, &err);
	if (store == NULL || !customer_show(store, number, &customer, &err) ||
	    !suspensions_list(store, number, stores_default_zone(call->stores), call->now, false,
	                      &suspensions, &err)) {
		json_decref(customer);
		page_fail(call, &err);
		return false;
	}
	*ret_head = head_of(call, customer, suspensions, tab);
	*ret_customer = customer;
	json_decref(suspensions);
	return true;
}
