/* SPDX-License-Identifier: MIT */
/*
 * One edit of all customers of a list: what is to be edited, what that would change, and the edit.
 * The form that makes it carries all that was typed and the digest of what was shown: what a person
 * hasn't seen isn't done.
 */
#include "base/jsontext.h"
#include "center/pages/bulk_form.h"
#include "center/pages/change_words.h"
#include "center/pages/choice.h"
#include "center/pages/form.h"
#include "center/pages/labels.h"
#include "center/pages/list_choice.h"
#include "center/pages/page.h"
#include "center/pages/words.h"
#include "model/hours.h"
#include "model/job_state.h"

#include <stdio.h>
#include <string.h>

/* -- whom -------------------------------------------------------------------------------------- */

/* All of the list, {number, name, …}; false with the answer made, and nothing to free. */
static bool customers_of(struct call *call, const struct list_choice *choice, json_t **ret)
{
	struct customer_filter filter = choice->filter;
	struct customers *store;
	struct error err;
	*ret = NULL;
	filter.limit = BULK_MAX + 1;
	if ((store = stores_customers(call->stores, &err)) == NULL ||
	    !customer_list(store, &filter, ret, &err)) {
		page_fail(call, &err);
		return false;
	}
	if (json_array_size(*ret) <= BULK_MAX)
		return true;
	json_decref(*ret);
	*ret = NULL;
	page_fail_status(call, 422, words_count(call, "bulk.too_many", BULK_MAX));
	return false;
}

static const char *back_to(const struct call *call, const struct list_choice *choice)
{
	return arena_printf(call->request->arena, "/lists?%s", list_choice_query(call, choice));
}

/* -- what -------------------------------------------------------------------------------------- */

static json_t *statuses_of(const struct call *call)
{
	json_t *options = json_array();
	for (const char *const *word = kind_field(kind_find("customer"), "status")->choices; *word;
	     word++)
		choice_add(options, *word, label_choice(call, *word), NULL);
	return options;
}

static json_t *reps_of(struct customers *store)
{
	struct error err;
	json_t *reps, *rep, *options = json_array();
	size_t i;
	if (!records_list(store, kind_find("rep"), NULL, &reps, &err))
		return options;
	json_array_foreach(reps, i, rep)
	        choice_add(options, jsontext_at(rep, "name"), jsontext_at(rep, "name"), NULL);
	json_decref(reps);
	return options;
}

static json_t *states_of(const struct call *call)
{
	json_t *options = json_array();
	for (int s = 0; s < JOB_STATE_COUNT; s++) {
		const char *name = job_state_name((enum job_state)s);
		choice_add(options, name, words_fixed(call, name), NULL);
	}
	return options;
}

static json_t *days_of(const struct call *call)
{
	json_t *options = json_array();
	for (int d = 0; d < 7; d++) {
		const char *name = hours_weekday_name(d);
		choice_add(options, name, words_find(call, "weekday", name), NULL);
	}
	return options;
}

static void show_form(struct call *call, int status, const struct list_choice *choice,
                      const char *fault)
{
	struct error err;
	struct customers *store = stores_customers(call->stores, &err);
	json_t *customers;
	if (store == NULL) {
		page_fail(call, &err);
		return;
	}
	if (!customers_of(call, choice, &customers))
		return;
	json_int_t n = (json_int_t)json_array_size(customers);
	json_decref(customers);
	page_answer(call, status, "bulk", words(call, "bulk.title"),
	            json_pack("{s:s, s:b, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "whom",
	                      words_count(call, "bulk.whom", n), "any", n > 0, "fault", fault,
	                      "back", back_to(call, choice), "hidden", list_choice_hidden(choice),
	                      "reps", reps_of(store), "statuses", statuses_of(call), "fields",
	                      bulk_form_fields(call), "states", states_of(call), "days",
	                      days_of(call), "inputs",
	                      form_inputs(call, kind_find("suspension"), true, NULL, NULL)));
}

static void page_bulk_choose(struct call *call)
{
	struct list_choice choice;
	list_choice_read(call, &call->request->query, &choice);
	show_form(call, 200, &choice, "");
}

/* -- what it would change ---------------------------------------------------------------------- */

struct preview {
	struct list_choice choice;
	struct bulk_edit edit;
	json_t *values, *customers;
	struct change_context context;
	char digest[BULK_DIGEST_SIZE];
};

/* The fault that all of them have alike, which is the edit's; NULL where there is none. */
static const char *common_fault(const json_t *customers)
{
	const json_t *customer;
	const char *fault = jsontext_at(json_array_get(customers, 0), "fault");
	size_t i;
	json_array_foreach(customers, i, customer) if (strcmp(jsontext_at(customer, "fault"),
	                                                      fault) != 0) return NULL;
	return *fault != '\0' ? fault : NULL;
}

/* False with the answer made. */
static bool preview_make(struct call *call, struct preview *ret)
{
	struct error err;
	*ret = (struct preview){0};
	list_choice_read(call, &call->request->form, &ret->choice);
	if (!bulk_form_read(call, &ret->edit, &ret->values, &err)) {
		show_form(call, 422, &ret->choice, err.text);
		return false;
	}
	bool answered = !customers_of(call, &ret->choice, &ret->customers);
	bool good = !answered && call_context(call, &ret->context, &err) &&
	            bulk_preview(&ret->context, &ret->edit, ret->customers, &err);
	if (good) {
		bulk_digest(&ret->edit, ret->customers, ret->digest);
		return true;
	}
	if (!answered)
		page_fail(call, &err);
	json_decref(ret->customers);
	json_decref(ret->values);
	return false;
}

static void preview_free(struct preview *preview)
{
	json_decref(preview->customers);
	json_decref(preview->values);
}

/* Whose of a customer's contacts a change is. */
static void name_contact(struct customers *store, json_t *change)
{
	char id[24];
	struct error ignored;
	json_t *contact;
	if (strcmp(jsontext_at(change, "kind"), "contact") != 0)
		return;
	(void)snprintf(id, sizeof id, "%lld",
	               (long long)json_integer_value(json_object_get(change, "record")));
	if (!records_show(store, kind_find("contact"), id, &contact, &ignored))
		return;
	const char *name = jsontext_at(contact, "name");
	json_object_set_new(change, "called",
	                    json_string(*name ? name : jsontext_at(contact, "email")));
	json_decref(contact);
}

/* Sorted by what becomes of them: `edited` and `refused`; those that stay as they are are only
 * counted. */
static json_int_t sort_out(struct call *call, const struct preview *preview, json_t *edited,
                           json_t *refused, json_t *commands)
{
	json_t *customer, *changes, *change;
	json_int_t same = 0;
	size_t i, j;
	json_array_foreach(preview->customers, i, customer)
	{
		changes = json_object_get(customer, "changes");
		if (*jsontext_at(customer, "fault") != '\0') {
			json_array_append(refused, customer);
		} else if (json_array_size(changes) == 0) {
			same++;
		} else {
			bulk_form_commands(call, &preview->edit, customer, commands);
			json_array_foreach(changes, j, change)
			{
				change_words_add(call, change);
				name_contact(preview->context.store, change);
			}
			json_array_append(edited, customer);
		}
	}
	return same;
}

static void show_preview(struct call *call, int status, const struct preview *preview,
                         const char *fault)
{
	json_t *edited = json_array(), *refused = json_array(), *commands = json_array();
	json_int_t same = sort_out(call, preview, edited, refused, commands);
	json_int_t n = (json_int_t)json_array_size(edited),
	           not_edited = (json_int_t)json_array_size(refused);
	page_answer(call, status, "bulk_preview", words(call, "bulk.preview"),
	            json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:b, s:b, s:s, s:o, s:s}",
	                      "fault", fault, "edits", words_count(call, "bulk.edits", n), "stay",
	                      same > 0 ? words_count(call, "bulk.stay", same) : "", "refuses",
	                      not_edited > 0 ? words_count(call, "bulk.refuses", not_edited) : "",
	                      "back", back_to(call, &preview->choice), "edited", edited, "refused",
	                      refused, "hidden", bulk_form_hidden(call), "any", n > 0,
	                      "has_refused", not_edited > 0, "digest", preview->digest, "commands",
	                      commands, "verb", words_count(call, "bulk.do", n)));
}

static void page_bulk_look(struct call *call)
{
	struct preview preview;
	if (!preview_make(call, &preview))
		return;
	const char *fault = common_fault(preview.customers);
	if (fault)
		show_form(call, 422, &preview.choice, fault);
	else
		show_preview(call, 200, &preview, "");
	preview_free(&preview);
}

/* -- the edit ---------------------------------------------------------------------------------- */

static void page_bulk_edit(struct call *call)
{
	struct preview preview;
	struct error err;
	int64_t n;
	const char *digest = request_value(&call->request->form, "digest");
	if (!preview_make(call, &preview))
		return;
	if (bulk_apply(&preview.context, &preview.edit, preview.customers, digest ? digest : "", &n,
	               &err))
		response_redirect(call->response, call->request,
		                  arena_printf(call->request->arena, "%sedited=%lld",
		                               back_to(call, &preview.choice), (long long)n));
	else if (response_status_of(&err) == 422)
		show_preview(call, 409, &preview, words(call, "bulk.stale"));
	else
		page_fail(call, &err);
	preview_free(&preview);
}

const struct route bulk_page_routes[] = {
        {ROUTE("GET", "/lists/edit", ACCESS_CLERK, page_bulk_choose), .query = LIST_QUERY},
        {ROUTE("POST", "/lists/edit/preview", ACCESS_CLERK, page_bulk_look)},
        {ROUTE("POST", "/lists/edit", ACCESS_CLERK, page_bulk_edit)},
        {0},
};
