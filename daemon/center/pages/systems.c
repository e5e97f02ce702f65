/* SPDX-License-Identifier: MIT */
/* Systems: the inputs of their types' own fields, and their secrets shown to a manager, on record.
 */
#include "center/pages/systems.h"

#include "base/jsontext.h"
#include "center/pages/command.h"
#include "center/pages/head.h"
#include "center/pages/page.h"
#include "center/pages/to.h"
#include "center/pages/words.h"
#include "records/records.h"

#include <stdio.h>
#include <string.h>

#define SECRET_MARK "secret"
/* Before the name of a field that a form, or the kind, needs for itself. */
#define OWN_PREFIX "field."

static bool is_taken(const char *name)
{
	static const char *const taken[] = {"token", "version", "next", "number", SECRET_MARK};
	for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
		if (strcmp(taken[i], name) == 0)
			return true;
	return kind_field(kind_find("system"), name) != NULL;
}

/* -- inputs ------------------------------------------------------------------------------------ */

static json_t *list_of(struct call *call, const char *kind, const char *owner)
{
	struct error ignored;
	json_t *rows;
	struct customers *store = stores_customers(call->stores, &ignored);
	if (store == NULL || !records_list(store, kind_find(kind), owner, &rows, &ignored))
		return json_array();
	return rows;
}

static void choose_type(struct call *call, json_t *inputs, const char *chosen)
{
	json_t *types = list_of(call, "system-type", NULL), *choices = json_array(), *type, *input;
	size_t i;
	json_array_append_new(choices, json_pack("{s:s, s:s, s:b}", "value", "", "label", "",
	                                         "selected", *chosen == '\0'));
	json_array_foreach(types, i, type)
	{
		const char *name = jsontext_at(type, "name");
		json_array_append_new(choices,
		                      json_pack("{s:s, s:s, s:b}", "value", name, "label", name,
		                                "selected", strcmp(name, chosen) == 0));
	}
	json_array_foreach(inputs, i, input)
	{
		if (strcmp(jsontext_at(input, "name"), "type") != 0)
			continue;
		json_object_del(input, "input");
		json_object_set_new(input, "has_choices", json_pack("{s:O}", "choices", choices));
	}
	json_decref(choices);
	json_decref(types);
}

/* A system has its own values below `fields`; what was typed, beside the others. */
static const char *value_of(const json_t *values, const char *name)
{
	const char *own = jsontext_at(json_object_get(values, "fields"), name);
	return *own != '\0' ? own : jsontext_at(values, name);
}

/* What the fault says of the field. */
static const char *wrong_of(const struct error *fault, const char *name)
{
	size_t len = strlen(name);
	bool names = fault && strncmp(fault->text, name, len) == 0 && fault->text[len] == ':';
	return names ? fault->text + len + 2 : "";
}

static json_t *input_of(const struct call *call, const json_t *field, const json_t *values,
                        const struct error *fault)
{
	const char *name = jsontext_at(field, "name");
	bool secret = json_is_true(json_object_get(field, "secret"));
	json_t *as = json_sprintf("%s%s", is_taken(name) ? OWN_PREFIX : "", name);
	return json_pack("{s:o, s:s, s:s, s:s, s:b, s:s, s:s, s:b, s:{s:s}}", "name", as, "pair",
	                 name, "label", name, "help",
	                 secret ? words(call, "secrets.kept") : jsontext_at(field, "about"),
	                 "required", 0, "value", secret ? "" : value_of(values, name), "fault",
	                 wrong_of(fault, name), "secret", secret, "input", "type",
	                 secret ? "password" : "text");
}

void systems_inputs(struct call *call, const json_t *values, bool adding, const struct error *fault,
                    json_t *inputs)
{
	const char *type = jsontext_at(values, "type");
	json_t *fields = *type != '\0' ? list_of(call, "system-field", type) : json_array(), *field;
	size_t i;
	if (adding)
		choose_type(call, inputs, type);
	json_array_foreach(fields, i, field)
	        json_array_append_new(inputs, input_of(call, field, values, fault));
	json_decref(fields);
}

static bool is_marked(const struct request_pairs *form, const char *name)
{
	for (size_t i = 0; i < form->n; i++)
		if (strcmp(form->rows[i].name, SECRET_MARK) == 0 &&
		    strcmp(form->rows[i].value, name) == 0)
			return true;
	return false;
}

void systems_values(const struct call *call, json_t *values)
{
	const struct request_pairs *form = &call->request->form;
	for (size_t i = 0; i < form->n; i++) {
		const char *name = form->rows[i].name, *text = form->rows[i].value;
		bool prefixed = strncmp(name, OWN_PREFIX, strlen(OWN_PREFIX)) == 0;
		if (is_taken(name) || (*text == '\0' && is_marked(form, name)))
			continue;
		json_object_set_new(values, name + (prefixed ? strlen(OWN_PREFIX) : 0),
		                    json_string(text));
	}
}

/* -- secrets ----------------------------------------------------------------------------------- */

static json_t *rows_of(const json_t *fields)
{
	json_t *rows = json_array(), *value;
	const char *name;
	json_object_foreach((json_t *)(uintptr_t)fields, name, value)
	{
		json_array_append_new(
		        rows, json_pack("{s:s, s:s}", "label", name, "value",
		                        json_is_string(value) ? json_string_value(value) : ""));
	}
	return rows;
}

static bool audit(struct call *call, const json_t *system, struct error *err)
{
	struct accounts *accounts = stores_accounts(call->stores, err);
	return accounts &&
	       accounts_audit(accounts, call->account.name, "secret",
	                      arena_printf(call->request->arena, "system %s of %s", call->names[0],
	                                   jsontext_at(system, "customer")),
	                      &call->client, call->now, err);
}

/* A POST, since looking is put on record: in the customer's history, too. */
static void reveal(struct call *call)
{
	struct change_context context;
	struct error err;
	json_t *system;
	if (!call_context(call, &context, &err) ||
	    !system_reveal(&context, call->names[0], &system, &err)) {
		page_fail(call, &err);
		return;
	}
	if (!audit(call, system, &err)) {
		json_decref(system);
		page_fail(call, &err);
		return;
	}
	const char *label = jsontext_at(system, "label"), *type = jsontext_at(system, "type");
	json_t *data =
	        json_pack("{s:s, s:s, s:o, s:[s]}", "label", *label ? label : type, "back",
	                  to_customer_path(call, jsontext_at(system, "customer"), "systems"),
	                  "rows", rows_of(json_object_get(system, "fields")), "commands",
	                  command_text(call, "system", "show", call->names[0], "--reveal", NULL));
	json_decref(system);
	page_answer(call, 200, "secrets", words(call, "secrets.title"), data);
}

const struct route system_page_routes[] = {
        {ROUTE("POST", "/reveal/systems/:id", ACCESS_MANAGER, reveal)},
        {0},
};
