/* SPDX-License-Identifier: MIT */
/*
 * One edit of many customers, as the page /lists/edit makes it: POST /api/v1/edits/preview says
 * what it would change, with a digest of that; POST /api/v1/edits with the digest makes it, for all
 * or for none.
 */
#include "center/api/answer.h"

#include "base/jsontext.h"
#include "center/api/records.h"
#include "records/bulk_edit.h"

#include <string.h>

/* -- whom -------------------------------------------------------------------------------------- */

static const char *word_of(const json_t *values, const char *name)
{
	const char *text = json_string_value(json_object_get(values, name));
	return text && *text ? text : NULL;
}

/* Members that a list of customers is chosen by; false with the answer made for any other. */
static bool filter_of(struct call *call, const json_t *by, struct customer_filter *ret)
{
	static const char *const names[] = {"q", "status", "rep", "parent", "city", "suspended"};
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)by, name, value)
	{
		size_t i = 0;
		while (i < sizeof names / sizeof *names && strcmp(names[i], name) != 0)
			i++;
		bool flag = strcmp(name, "suspended") == 0;
		if (i == sizeof names / sizeof *names ||
		    (flag ? !json_is_true(value) : !json_is_string(value))) {
			answer_status(call, 400,
			              "customers: expected numbers, or an object of q, status, "
			              "rep, parent and city (text) and suspended (true)");
			return false;
		}
	}
	*ret = (struct customer_filter){.text = word_of(by, "q"),
	                                .status = word_of(by, "status"),
	                                .rep = word_of(by, "rep"),
	                                .parent = word_of(by, "parent"),
	                                .city = word_of(by, "city"),
	                                .suspended = json_is_true(json_object_get(by, "suspended")),
	                                .default_zone = stores_default_zone(call->stores),
	                                .now = call->now,
	                                .limit = BULK_MAX + 1};
	return true;
}

/* Those of the numbers, each once; false with the answer made. */
static bool numbered(struct call *call, const json_t *numbers, json_t **ret)
{
	json_t *rows = json_array(), *seen = json_object(), *number;
	size_t i;
	json_array_foreach(numbers, i, number)
	{
		const char *text = json_string_value(number);
		if (text == NULL) {
			answer_status(call, 400, "customers: expected numbers as text");
			json_decref(seen);
			json_decref(rows);
			return false;
		}
		if (json_object_get(seen, text) == NULL)
			json_array_append_new(rows, json_pack("{s:s}", "number", text));
		json_object_set_new(seen, text, json_true());
	}
	json_decref(seen);
	*ret = rows;
	return true;
}

static bool customers_of(struct call *call, struct customers *store, const json_t *values,
                         json_t **ret)
{
	const json_t *whom = json_object_get(values, "customers");
	struct customer_filter filter;
	struct error err;
	if (json_is_array(whom))
		return numbered(call, whom, ret);
	if (!json_is_object(whom)) {
		answer_status(call, 400, "customers: expected numbers, or what chooses them");
		return false;
	}
	if (!filter_of(call, whom, &filter))
		return false;
	if (customer_list(store, &filter, ret, &err))
		return true;
	call_fail(call, &err);
	return false;
}

/* -- what -------------------------------------------------------------------------------------- */

/* False with the answer made. */
static bool edit_of(struct call *call, const json_t *values, struct bulk_edit *ret)
{
	struct error err;
	*ret = (struct bulk_edit){.values = json_object_get(values, "values"),
	                          .default_zone = stores_default_zone(call->stores)};
	if (!bulk_verb_find(jsontext_at(values, "verb"), &ret->verb)) {
		answer_status(call, 400,
		              "verb: expected set, notify, weekly, dates, suspend or resume");
		return false;
	}
	if (!json_is_object(ret->values)) {
		answer_status(call, 400, "values: expected an object");
		return false;
	}
	if (bulk_check(ret, &err))
		return true;
	answer_fault(call, &err);
	return false;
}

struct asked {
	json_t *values, *customers;
	struct change_context context;
	struct bulk_edit edit;
	char digest[BULK_DIGEST_SIZE];
};

static void asked_free(struct asked *asked)
{
	json_decref(asked->customers);
	json_decref(asked->values);
}

static bool read_context(struct call *call, struct asked *ret)
{
	struct error err;
	if (call_context(call, &ret->context, &err))
		return true;
	call_fail(call, &err);
	return false;
}

/* What it would change, as of now; false with the answer made. */
static bool preview(struct call *call, struct asked *ret)
{
	struct error err;
	*ret = (struct asked){0};
	if (!answer_values(call, &ret->values))
		return false;
	bool good = edit_of(call, ret->values, &ret->edit) && read_context(call, ret) &&
	            customers_of(call, ret->context.store, ret->values, &ret->customers);
	if (good && !bulk_preview(&ret->context, &ret->edit, ret->customers, &err)) {
		answer_fault(call, &err);
		good = false;
	}
	if (good)
		bulk_digest(&ret->edit, ret->customers, ret->digest);
	else
		asked_free(ret);
	return good;
}

/* -- the answers ------------------------------------------------------------------------------- */

static void api_edits_look(struct call *call)
{
	struct asked asked;
	if (!preview(call, &asked))
		return;
	response_json(
	        call->response, 200,
	        json_pack("{s:s, s:O}", "digest", asked.digest, "customers", asked.customers));
	asked_free(&asked);
}

static void api_edits_edit(struct call *call)
{
	struct asked asked;
	struct error err;
	int64_t n;
	if (!preview(call, &asked))
		return;
	const char *digest = jsontext_at(asked.values, "digest");
	if (bulk_apply(&asked.context, &asked.edit, asked.customers, digest, &n, &err))
		response_json(call->response, 200, json_pack("{s:I}", "edited", (json_int_t)n));
	else if (response_status_of(&err) == 422)
		answer_status(call, 409,
		              "digest: this isn't what a preview shows now: look at it again");
	else
		call_fail(call, &err);
	asked_free(&asked);
}

const struct route api_edit_routes[] = {
        {ROUTE("POST", "/api/v1/edits/preview", ACCESS_CLERK, api_edits_look),
         .summary = "What one edit of many customers would change"},
        {ROUTE("POST", "/api/v1/edits", ACCESS_CLERK, api_edits_edit),
         .summary = "Edit many customers as a preview has shown it, all or none"},
        {0},
};
