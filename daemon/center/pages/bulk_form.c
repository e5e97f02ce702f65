/* SPDX-License-Identifier: MIT */
/* What was typed as an edit of many customers, and the commands of dispatchctl that do the same. */
#include "center/pages/bulk_form.h"

#include "base/jsontext.h"
#include "center/pages/command.h"
#include "center/pages/form.h"
#include "center/pages/labels.h"
#include "center/pages/words.h"
#include "model/kind.h"

#include <string.h>
#include <sysexits.h>

static const char *typed(const struct call *call, const char *name)
{
	const char *text = request_value(&call->request->form, name);
	return text ? text : "";
}

/* "mon,tue"; in the arena. */
static const char *joined(const struct call *call, const json_t *words)
{
	const char *text = "";
	const json_t *word;
	size_t i;
	json_array_foreach(words, i, word) text = arena_printf(
	        call->request->arena, "%s%s%s", text, i > 0 ? "," : "", json_string_value(word));
	return text;
}

/* -- reading ----------------------------------------------------------------------------------- */

static json_t *read_set(const struct call *call, struct error *err)
{
	const char *name = typed(call, "field");
	if (!bulk_field(kind_field(kind_find("customer"), name))) {
		(void)error_set(err, EX_DATAERR, "field: no field to set is called \"%.40s\"",
		                name);
		return NULL;
	}
	return json_pack("{s:s}", name, typed(call, "value"));
}

static json_t *read_notify(const struct call *call, struct error *err)
{
	const char *how = typed(call, "how");
	if (strcmp(how, "add") != 0 && strcmp(how, "remove") != 0 && strcmp(how, "set") != 0) {
		(void)error_set(err, EX_DATAERR, "how: expected add, remove or set");
		return NULL;
	}
	return json_pack("{s:s, s:o}", "how", how, "states", form_all(call, "states"));
}

static json_t *read_weekly(const struct call *call, struct error *err)
{
	json_t *days = form_all(call, "weekdays");
	const char *text = joined(call, days);
	json_decref(days);
	if (*text != '\0')
		return json_pack("{s:s, s:s}", "weekdays", text, "windows", typed(call, "windows"));
	(void)error_set(err, EX_DATAERR, "%s", words(call, "bulk.no_day"));
	return NULL;
}

static json_t *read_dates(const struct call *call)
{
	const char *first = typed(call, "first"), *last = typed(call, "last");
	const char *windows = typed(call, "windows");
	json_t *values = json_pack("{s:s, s:s}", "first", first, "last", *last ? last : first);
	json_object_set_new(values, "windows",
	                    request_value(&call->request->form, "normal") ? json_null()
	                    : *windows != '\0'                            ? json_string(windows)
	                                                                  : json_string("closed"));
	return values;
}

static json_t *read_values(const struct call *call, enum bulk_verb verb, struct error *err)
{
	switch (verb) {
	case BULK_SET:
		return read_set(call, err);
	case BULK_NOTIFY:
		return read_notify(call, err);
	case BULK_WEEKLY:
		return read_weekly(call, err);
	case BULK_DATES:
		return read_dates(call);
	case BULK_SUSPEND:
		return form_values(call, kind_find("suspension"), true);
	case BULK_RESUME:
	case BULK_VERB_COUNT:
		break;
	}
	return json_object();
}

bool bulk_form_read(const struct call *call, struct bulk_edit *ret, json_t **ret_values,
                    struct error *err)
{
	*ret = (struct bulk_edit){.default_zone = stores_default_zone(call->stores)};
	*ret_values = NULL;
	if (!bulk_verb_find(typed(call, "verb"), &ret->verb))
		return error_set(err, EX_DATAERR, "verb: there is no edit \"%.40s\"",
		                 typed(call, "verb"));
	ret->values = *ret_values = read_values(call, ret->verb, err);
	return ret->values != NULL;
}

json_t *bulk_form_hidden(const struct call *call)
{
	const struct request_pairs *form = &call->request->form;
	json_t *hidden = json_array();
	for (size_t i = 0; i < form->n; i++)
		if (strcmp(form->rows[i].name, "token") != 0 &&
		    strcmp(form->rows[i].name, "digest") != 0)
			json_array_append_new(hidden,
			                      json_pack("{s:s, s:s}", "name", form->rows[i].name,
			                                "value", form->rows[i].value));
	return hidden;
}

json_t *bulk_form_fields(const struct call *call)
{
	const struct kind *kind = kind_find("customer");
	json_t *fields = json_array();
	for (size_t i = 0; i < kind->n_fields; i++) {
		const struct field *field = &kind->fields[i];
		if (bulk_field(field) && strcmp(field->name, "status") != 0 &&
		    strcmp(field->name, "sales_rep") != 0)
			json_array_append_new(fields,
			                      json_pack("{s:s, s:s}", "value", field->name, "label",
			                                label_field(call, kind, field)));
	}
	return fields;
}

/* -- as commands ------------------------------------------------------------------------------- */

static void add_set(const struct call *call, const json_t *values, const char *number,
                    json_t *commands)
{
	json_t *all = (json_t *)(uintptr_t)values;
	const char *name = json_object_iter_key(json_object_iter(all));
	command_add(call, commands, json_pack("[s, s, s]", "customer", "set", number),
	            json_pack("[s, s]", command_option(call, name), jsontext_at(values, name)));
}

static void add_dates(const struct call *call, const json_t *values, const char *number,
                      json_t *commands)
{
	const char *first = jsontext_at(values, "first"), *last = jsontext_at(values, "last");
	const char *windows = json_string_value(json_object_get(values, "windows"));
	const char *span = strcmp(first, last) == 0
	                           ? first
	                           : arena_printf(call->request->arena, "%s..%s", first, last);
	command_add(call, commands,
	            json_pack("[s, s, s, s, s]", "hours", "except", number, span,
	                      windows ? windows : "normal"),
	            NULL);
}

static void add_suspend(const struct call *call, const json_t *values, const char *number,
                        json_t *commands)
{
	static const char *const names[] = {"from", "until", "note"};
	json_t *options =
	        json_pack("[s, s]", "--scopes", joined(call, json_object_get(values, "scopes")));
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (*jsontext_at(values, names[i]) == '\0')
			continue;
		json_array_append_new(options, json_string(command_option(call, names[i])));
		json_array_append(options, json_object_get(values, names[i]));
	}
	command_add(call, commands, json_pack("[s, s, s]", "suspension", "add", number), options);
}

/* A contact's own: what it hears of differs. */
static void add_contacts(const struct call *call, const json_t *changes, json_t *commands)
{
	const json_t *change;
	size_t i;
	json_array_foreach(changes, i, change)
	{
		const char *states =
		        joined(call, json_object_get(json_object_get(change, "after"), "notify"));
		const char *id = arena_printf(
		        call->request->arena, "%lld",
		        (long long)json_integer_value(json_object_get(change, "record")));
		command_add(call, commands, json_pack("[s, s, s]", "contact", "set", id),
		            json_pack("[s, s]", "--notify", *states ? states : "none"));
	}
}

void bulk_form_commands(const struct call *call, const struct bulk_edit *edit,
                        const json_t *customer, json_t *commands)
{
	const char *number = jsontext_at(customer, "number");
	const json_t *values = edit->values;
	switch (edit->verb) {
	case BULK_SET:
		add_set(call, values, number, commands);
		break;
	case BULK_NOTIFY:
		add_contacts(call, json_object_get(customer, "changes"), commands);
		break;
	case BULK_WEEKLY:
		command_add(call, commands,
		            json_pack("[s, s, s, s, s]", "hours", "set", number,
		                      jsontext_at(values, "weekdays"),
		                      jsontext_at(values, "windows")),
		            NULL);
		break;
	case BULK_DATES:
		add_dates(call, values, number, commands);
		break;
	case BULK_SUSPEND:
		add_suspend(call, values, number, commands);
		break;
	case BULK_RESUME:
		command_add(call, commands, json_pack("[s, s, s]", "suspension", "end", number),
		            NULL);
		break;
	case BULK_VERB_COUNT:
		break;
	}
}
