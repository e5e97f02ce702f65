/* SPDX-License-Identifier: MIT */
/* A customer's contacts, with what each is mailed for as a matrix of contacts and states. */
#include "center/pages/facts.h"
#include "center/pages/form.h"
#include "center/pages/form_command.h"
#include "center/pages/head.h"
#include "center/pages/labels.h"
#include "center/pages/page.h"
#include "center/pages/reachable.h"
#include "center/pages/to.h"
#include "center/pages/words.h"
#include "model/job_state.h"
#include "records/records.h"

#include <stdlib.h>
#include <string.h>

static json_t *state_names(void)
{
	json_t *names = json_array();
	for (int s = 0; s < JOB_STATE_COUNT; s++)
		json_array_append_new(names, json_string(job_state_name((enum job_state)s)));
	return names;
}

static const char *id_of(const struct call *call, const json_t *contact)
{
	return arena_printf(call->request->arena, "%lld",
	                    (long long)json_integer_value(json_object_get(contact, "id")));
}

/* What was seen of each when it was shown. */
static bool add_versions(struct call *call, json_t *contacts, struct error *err)
{
	struct customers *store = stores_customers(call->stores, err);
	size_t i;
	json_t *contact;
	json_array_foreach(contacts, i, contact)
	{
		int64_t version;
		if (store == NULL || !record_version(store, kind_find("contact"),
		                                     id_of(call, contact), &version, err))
			return false;
		json_object_set_new(contact, "version", json_integer(version));
	}
	return true;
}

static void contacts(struct call *call)
{
	struct error err;
	json_t *head, *customer, *reached = NULL;
	if (!head_read(call, call->names[0], "contacts", &head, &customer))
		return;
	json_t *rows = json_incref(json_object_get(customer, "contacts"));
	json_decref(customer);
	if (!add_versions(call, rows, &err) ||
	    !reachable_rows(call, call->names[0], &reached, &err)) {
		json_decref(rows);
		json_decref(head);
		page_fail(call, &err);
		return;
	}
	facts_add_contacts(call, rows);
	json_t *data = json_pack(
	        "{s:O, s:o, s:b, s:o, s:s, s:s, s:o}", "number", json_object_get(head, "number"),
	        "head", head, "has_rows", json_array_size(rows) > 0, "state_names", state_names(),
	        "verb", label_add(call, kind_find("contact")), "action", call->request->path,
	        "inputs", form_inputs(call, kind_find("contact"), true, NULL, NULL));
	json_object_set_new(data, "rows", rows);
	json_object_set_new(data, "has_reached", json_boolean(json_array_size(reached) > 0));
	json_object_set_new(data, "reached", reached);
	json_object_set_new(data, "fold",
	                    form_command_add(call, kind_find("contact"), call->names[0],
	                                     json_object_get(data, "inputs")));
	page_answer(call, 200, "contacts", words(call, "tab.contacts"), data);
}

/* -- saving the matrix ------------------------------------------------------------------------- */

/* One of those that the form has; those that came since stay as they are. */
static bool set_states(struct call *call, const json_t *contact, struct error *err)
{
	const char *id = id_of(call, contact);
	const char *version = request_value(&call->request->form,
	                                    arena_printf(call->request->arena, "version_%s", id));
	struct expected expected = {.version = version ? strtoll(version, NULL, 10) : 0};
	struct change_context context;
	if (version == NULL)
		return true;
	if (!call_context(call, &context, err))
		return false;
	context.expected = &expected;
	json_t *values =
	        json_pack("{s:o}", "notify",
	                  form_all(call, arena_printf(call->request->arena, "notify_%s", id)));
	bool good = records_set(&context, kind_find("contact"), id, values, err);
	json_decref(expected.conflicts);
	json_decref(values);
	return good;
}

static void page_contacts_save(struct call *call)
{
	struct error err;
	json_t *rows, *contact;
	struct customers *store = stores_customers(call->stores, &err);
	if (store == NULL ||
	    !records_list(store, kind_find("contact"), call->names[0], &rows, &err)) {
		page_fail(call, &err);
		return;
	}
	bool good = changes_begin(store, &err), begun = good;
	size_t i;
	json_array_foreach(rows, i, contact) good = good && set_states(call, contact, &err);
	json_decref(rows);
	good = begun && changes_end(store, good, &err);
	if (good)
		to_customer(call, call->names[0], "contacts");
	else if (response_status_of(&err) == 422)
		page_fail_status(call, 409, err.text);
	else
		page_fail(call, &err);
}

const struct route contact_page_routes[] = {
        {ROUTE("GET", "/customers/:number/contacts", ACCESS_READER, contacts)},
        {ROUTE("POST", "/customers/:number/notify", ACCESS_CLERK, page_contacts_save)},
        {0},
};
