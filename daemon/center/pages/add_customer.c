/* SPDX-License-Identifier: MIT */
/* Adding a customer, with what was typed into the search filled in where it belongs, and a look
 * whether there is one like it. */
#include "base/jsontext.h"
#include "center/pages/form.h"
#include "center/pages/form_command.h"
#include "center/pages/head.h"
#include "center/pages/page.h"
#include "center/pages/to.h"
#include "center/pages/words.h"
#include "records/records.h"

#include <string.h>

static const struct kind *customer_kind(void)
{
	return kind_find("customer");
}

/* A mail address, a phone, a number, or else a name. */
static json_t *guess(const char *typed)
{
	size_t len = strlen(typed), digits = strspn(typed, "0123456789");
	if (len == 0)
		return json_object();
	if (strchr(typed, '@') && strchr(typed, ' ') == NULL)
		return json_pack("{s:s}", "email", typed);
	if (strspn(typed, "0123456789 +-().") == len && (len > 9 || *typed == '+'))
		return json_pack("{s:s}", "phone", typed);
	if (digits == len)
		return json_pack("{s:s}", "number", typed);
	return json_pack("{s:s}", "name", typed);
}

/* Its first contact comes with it. */
static json_t *inputs_of(struct call *call, const json_t *values, const struct error *fault)
{
	json_t *inputs = form_inputs(call, customer_kind(), true, values, fault);
	json_array_append_new(inputs,
	                      json_pack("{s:s, s:s, s:s, s:{s:s}}", "name", "contact", "label",
	                                words(call, "contact"), "value",
	                                jsontext_at(values, "contact"), "input", "type", "text"));
	json_array_append_new(inputs,
	                      json_pack("{s:s, s:s, s:s, s:{s:s}}", "name", "email", "label",
	                                words(call, "add_customer.email"), "value",
	                                jsontext_at(values, "email"), "input", "type", "email"));
	return inputs;
}

static void show(struct call *call, int status, const json_t *values, json_t *like,
                 const struct error *fault)
{
	json_t *inputs = inputs_of(call, values, fault);
	page_answer(call, status, "add_customer", words(call, "add_customer.title"),
	            json_pack("{s:o, s:o, s:s, s:b, s:o}", "inputs", inputs, "fold",
	                      form_command_add(call, customer_kind(), NULL, inputs), "fault",
	                      fault ? fault->text : "", "alike", like != NULL, "like",
	                      like ? like : json_array()));
}

static void form(struct call *call)
{
	const char *typed = request_value(&call->request->query, "typed");
	const char *number = request_value(&call->request->query, "number");
	json_t *values = number ? json_pack("{s:s}", "number", number) : guess(typed ? typed : "");
	/* What a new one is where left out is the table's, not empty. */
	show(call, 200, values, NULL, NULL);
	json_decref(values);
}

static void take_extra(const struct call *call, json_t *values, const char *key)
{
	const char *text = request_value(&call->request->form, key);
	if (text && *text != '\0')
		json_object_set_new(values, key, json_string(text));
}

/* Those of the same name, unless whoever asks has seen them; NULL for none. */
static bool find_like(struct call *call, const json_t *values, json_t **ret, struct error *err)
{
	struct customers *store = stores_customers(call->stores, err);
	const char *city = jsontext_at(values, "city"), *parent = jsontext_at(values, "parent");
	*ret = NULL;
	if (store == NULL)
		return false;
	if (request_value(&call->request->form, "anyway"))
		return true;
	if (!customers_like(store, jsontext_at(values, "name"), *city ? city : NULL,
	                    *parent ? parent : NULL, ret, err))
		return false;
	if (json_array_size(*ret) == 0) {
		json_decref(*ret);
		*ret = NULL;
	}
	return true;
}

static void page_add_customer_save(struct call *call)
{
	struct change_context context;
	struct error err;
	json_t *like = NULL, *values = form_values(call, customer_kind(), true);
	take_extra(call, values, "contact");
	take_extra(call, values, "email");
	if (!find_like(call, values, &like, &err))
		page_fail(call, &err);
	else if (like)
		show(call, 409, values, like, NULL);
	else if (call_context(call, &context, &err) &&
	         records_add(&context, customer_kind(), NULL, values, NULL, &err))
		to_customer(call, jsontext_at(values, "number"), "");
	else if (response_status_of(&err) == 422)
		show(call, 422, values, NULL, &err);
	else
		page_fail(call, &err);
	json_decref(values);
}

const struct route add_page_routes[] = {
        {ROUTE("GET", "/add/customers", ACCESS_CLERK, form), .query = "typed number"},
        {ROUTE("POST", "/add/customers", ACCESS_CLERK, page_add_customer_save)},
        {0},
};
