/* SPDX-License-Identifier: MIT */
/*
 * "Reachable?" at each contact: where a mail would go now and why, what marked an address and since
 * when, and marking and unmarking by hand.
 */
#include "center/pages/reachable.h"

#include "base/jsontext.h"
#include "center/pages/command.h"
#include "center/pages/page.h"
#include "center/pages/panel.h"
#include "center/pages/to.h"
#include "center/pages/when.h"
#include "center/pages/words.h"
#include "overview/reachable.h"
#include "records/records.h"

#include <stdlib.h>
#include <string.h>

/* The addresses of a contact, and the option that marks each. */
static const struct markable {
	const char *which, *mark, *option;
} markables[] = {
        {"email", "email_invalid", "--email-invalid"},
        {"alt_email", "alt_email_invalid", "--alt-email-invalid"},
};
enum { MARKABLES = sizeof markables / sizeof markables[0] };

/* -- in words ---------------------------------------------------------------------------------- */

static bool is_marked(const json_t *row, const char *which)
{
	const json_t *mark;
	size_t i;
	json_array_foreach(json_object_get(row, "marks"), i, mark)
	{
		if (strcmp(jsontext_at(mark, "which"), which) == 0)
			return true;
	}
	return false;
}

static const char *sentence_of(const struct call *call, const json_t *row)
{
	const char *which = jsontext_at(row, "which"), *key;
	if (strcmp(which, "email") == 0)
		key = "reachable.main";
	else if (*which != '\0')
		key = is_marked(row, "email") ? "reachable.alternate" : "reachable.alternate.only";
	else if (strcmp(jsontext_at(row, "reason"), "no_address") == 0)
		key = "reachable.none";
	else
		key = "reachable.invalid";
	return words_fill(call, key, json_pack("{s:s}", "address", jsontext_at(row, "address")));
}

/* "refused, marked by dispatchd", "marked by hand by sam". */
static const char *who_of(const struct call *call, const json_t *mark)
{
	const char *by = jsontext_at(mark, "by");
	bool by_hand = json_is_true(json_object_get(mark, "by_hand"));
	if (!by_hand)
		return words(call, "reachable.by.server");
	return *by == '\0' ? words(call, "reachable.by.hand")
	                   : words_fill(call, "reachable.by.whom", json_pack("{s:s}", "by", by));
}

static const char *mailed_words(const struct call *call, const json_t *row)
{
	const char *text = "";
	size_t i;
	const json_t *state;
	json_array_foreach(json_object_get(row, "notify"), i, state)
	{
		text = arena_printf(call->request->arena, "%s%s%s", text, *text ? ", " : "",
		                    words_fixed(call, json_string_value(state)));
	}
	return *text == '\0'
	               ? words(call, "contact.mailed.none")
	               : words_fill(call, "contact.mailed", json_pack("{s:s}", "mailed", text));
}

static void add_mark_words(const struct call *call, json_t *row)
{
	json_t *mark;
	size_t i;
	json_array_foreach(json_object_get(row, "marks"), i, mark)
	{
		const char *since = when_words(call, jsontext_at(mark, "since"));
		json_object_set_new(mark, "since", json_string(since));
		json_object_set_new(mark, "who", json_string(who_of(call, mark)));
	}
}

/* -- what can be done -------------------------------------------------------------------------- */

/* One for each address that the contact has. */
static void add_addresses(const struct call *call, json_t *row, const json_t *record,
                          int64_t version)
{
	json_t *addresses = json_array(), *commands = json_array();
	const char *id =
	        arena_printf(call->request->arena, "%lld",
	                     (long long)json_integer_value(json_object_get(row, "contact")));
	for (size_t i = 0; i < MARKABLES; i++) {
		const struct markable *m = &markables[i];
		const char *address = jsontext_at(record, m->which);
		bool marked = *jsontext_at(record, m->mark) != '\0';
		if (*address == '\0')
			continue;
		json_array_append_new(addresses,
		                      json_pack("{s:s, s:s, s:b, s:I, s:s}", "which", m->which,
		                                "address", address, "marked", marked, "version",
		                                (json_int_t)version, "next", call->request->path));
		json_array_append_new(
		        commands, json_string(command_text(call, "contact", "set", id, m->option,
		                                           marked ? "no" : "yes", NULL)));
	}
	json_object_set_new(row, "addresses", addresses);
	json_object_set_new(row, "has_commands", json_boolean(json_array_size(commands) > 0));
	json_object_set_new(row, "commands", commands);
}

static bool add_acts(struct call *call, json_t *row, struct error *err)
{
	const struct kind *kind = kind_find("contact");
	const char *id =
	        arena_printf(call->request->arena, "%lld",
	                     (long long)json_integer_value(json_object_get(row, "contact")));
	struct customers *store = stores_customers(call->stores, err);
	json_t *record;
	int64_t version;
	/* The version first: see answer_record(). */
	if (store == NULL || !record_version(store, kind, id, &version, err) ||
	    !records_show(store, kind, id, &record, err))
		return false;
	add_addresses(call, row, record, version);
	if (*jsontext_at(row, "name") == '\0') {
		const char *email = jsontext_at(record, "email");
		json_object_set_new(row, "name",
		                    json_string(*email ? email : words(call, "contact.no_name")));
	}
	json_decref(record);
	return true;
}

bool reachable_rows(struct call *call, const char *number, json_t **ret, struct error *err)
{
	struct error ignored;
	struct overview overview;
	json_t *rows, *row;
	size_t i;
	struct spool *spool = stores_spool(call->stores, &ignored);
	if (!call_overview(call, &overview, err) ||
	    !reachable(&overview, spool, number, &rows, err))
		return false;
	bool good = true;
	json_array_foreach(rows, i, row)
	{
		json_object_set_new(row, "sentence", json_string(sentence_of(call, row)));
		json_object_set_new(row, "mailed", json_string(mailed_words(call, row)));
		add_mark_words(call, row);
		if (json_is_true(json_object_get(row, "inherited")))
			json_object_set(row, "above", json_object_get(row, "customer"));
		good = good && add_acts(call, row, err);
	}
	if (good)
		*ret = rows;
	else
		json_decref(rows);
	return good;
}

/* -- marking and unmarking --------------------------------------------------------------------- */

static const char *form_text(const struct call *call, const char *name)
{
	const char *text = request_value(&call->request->form, name);
	return text ? text : "";
}

static const struct markable *chosen(const struct call *call)
{
	for (size_t i = 0; i < MARKABLES; i++)
		if (strcmp(markables[i].which, form_text(call, "which")) == 0)
			return &markables[i];
	return NULL;
}

/* Marks the address that was seen, and no other that came into its place since. */
static bool put_mark(struct call *call, const struct change_context *context,
                     const struct markable *m, bool *ret_same, const char **ret_number,
                     struct error *err)
{
	const struct kind *kind = kind_find("contact");
	json_t *record;
	if (!records_show(context->store, kind, call->names[0], &record, err))
		return false;
	*ret_same = strcmp(jsontext_at(record, m->which), form_text(call, "address")) == 0;
	*ret_number = arena_strdup(call->request->arena, jsontext_at(record, "customer"));
	json_decref(record);
	if (!*ret_same)
		return true;
	json_t *values = json_pack("{s:s}", m->mark, form_text(call, "marked"));
	bool good = records_set(context, kind, call->names[0], values, err);
	json_decref(values);
	return good;
}

static void mark(struct call *call)
{
	const struct markable *m = chosen(call);
	const char *marked = form_text(call, "marked"), *number = "";
	struct expected expected = {.version = strtoll(form_text(call, "version"), NULL, 10)};
	struct change_context context;
	struct error err;
	bool same = true;
	if (m == NULL || (strcmp(marked, "yes") != 0 && strcmp(marked, "no") != 0)) {
		page_fail_status(call, 422, words(call, "reachable.which"));
		return;
	}
	if (!call_context(call, &context, &err) || !changes_begin(context.store, &err)) {
		page_fail(call, &err);
		return;
	}
	context.expected = &expected;
	bool good = put_mark(call, &context, m, &same, &number, &err);
	good = changes_end(context.store, good, &err);
	bool conflict = expected.conflicts != NULL || !same;
	json_decref(expected.conflicts);
	if (conflict)
		page_fail_status(call, 409, words(call, "reachable.changed"));
	else if (!good)
		page_fail(call, &err);
	else
		response_redirect(
		        call->response, call->request,
		        next_of(&call->request->form, to_customer_path(call, number, "contacts")));
}

const struct route reachable_page_routes[] = {
        {ROUTE("POST", "/contacts/:id/mark", ACCESS_CLERK, mark)},
        {0},
};
