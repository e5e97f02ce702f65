/* SPDX-License-Identifier: MIT */
/* A test mail to an address of a contact: a page that asks, and one with each step that the daemon
 * took to each relay. */
#include "base/jsontext.h"
#include "center/api/ask_daemon.h"
#include "center/pages/command.h"
#include "center/pages/page.h"
#include "center/pages/to.h"
#include "center/pages/words.h"
#include "records/records.h"

#include <ctype.h>
#include <string.h>
#include <sysexits.h>

/* The address that is tested, and whose it is; in the request's arena. */
struct tested {
	const char *which, *address, *number;
};

/* False with the answer made. */
static bool find_address(struct call *call, const struct request_pairs *pairs, struct tested *ret)
{
	struct error err;
	json_t *record;
	const char *which = request_value(pairs, "which");
	struct customers *store = stores_customers(call->stores, &err);
	if (which == NULL || (strcmp(which, "email") != 0 && strcmp(which, "alt_email") != 0)) {
		page_fail_status(call, 422, words(call, "reachable.which"));
		return false;
	}
	if (store == NULL ||
	    !records_show(store, kind_find("contact"), call->names[0], &record, &err)) {
		page_fail(call, &err);
		return false;
	}
	*ret = (struct tested){
	        .which = which,
	        .address = arena_strdup(call->request->arena, jsontext_at(record, which)),
	        .number = arena_strdup(call->request->arena, jsontext_at(record, "customer"))};
	json_decref(record);
	if (*ret->address != '\0')
		return true;
	page_fail_status(call, 422, words(call, "reachable.which"));
	return false;
}

/* Takes over `data`, what there is besides. */
static void show(struct call *call, int status, const struct tested *tested, json_t *data)
{
	const char *path = to_customer_path(call, tested->number, "contacts");
	json_t *common = json_pack(
	        "{s:s, s:s, s:s, s:s, s:[s]}", "back", path, "which", tested->which, "address",
	        tested->address, "question",
	        words_fill(call, "test.question", json_pack("{s:s}", "address", tested->address)),
	        "commands", command_text(call, "relay", "test", "--to", tested->address, NULL));
	json_object_update(data, common);
	json_decref(common);
	page_answer(call, status, "test_mail", words(call, "test"), data);
}

static void page_test_mail_ask(struct call *call)
{
	struct tested tested;
	if (find_address(call, &call->request->query, &tested))
		show(call, 200, &tested, json_object());
}

/* -- the test ---------------------------------------------------------------------------------- */

/* A command of SMTP is called as it is. */
static const char *step_called(const struct call *call, const char *name)
{
	static const struct {
		const char *name, *phrase;
	} rows[] = {{"resolve", "test.step.resolve"},
	            {"connect", "test.step.connect"},
	            {"greeting", "test.step.greeting"},
	            {"login", "test.step.login"},
	            {"message", "test.step.message"}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strcmp(rows[i].name, name) == 0)
			return words(call, rows[i].phrase);
	char *text = arena_strdup(call->request->arena, name);
	for (char *c = text; *c != '\0'; c++)
		*c = (char)toupper((unsigned char)*c);
	return text;
}

static void add_step_names(const struct call *call, json_t *relays, bool *ret_all)
{
	size_t i, k;
	json_t *relay, *step;
	*ret_all = true;
	json_array_foreach(relays, i, relay)
	{
		*ret_all = *ret_all && json_is_true(json_object_get(relay, "ok"));
		json_array_foreach(json_object_get(relay, "steps"), k, step)
		{
			const char *called = step_called(call, jsontext_at(step, "step"));
			json_object_set_new(step, "called", json_string(called));
		}
	}
}

static void show_result(struct call *call, const struct tested *tested, json_t *answer)
{
	bool all;
	json_t *relays = json_object_get(answer, "relays"), *data = json_object();
	add_step_names(call, relays, &all);
	json_object_set(data, "relays", relays);
	json_object_set_new(data, all ? "sent" : "fault",
	                    json_string(words(call, all ? "test.sent" : "test.not_sent")));
	show(call, 200, tested, data);
}

static void send(struct call *call)
{
	struct tested tested;
	struct error err;
	json_t *answer;
	const char *seen = request_value(&call->request->form, "address");
	if (!find_address(call, &call->request->form, &tested))
		return;
	if (seen == NULL || strcmp(seen, tested.address) != 0) {
		page_fail_status(call, 409, words(call, "reachable.changed"));
		return;
	}
	if (ask_daemon(call, REQUEST_RELAY_TEST, json_pack("{s:s}", "to", tested.address), &answer,
	               &err)) {
		show_result(call, &tested, answer);
		json_decref(answer);
	} else if (err.code == EX_TEMPFAIL || err.code == EX_UNAVAILABLE || err.code == EX_CONFIG) {
		show(call, 503, &tested, json_pack("{s:s}", "fault", err.text));
	} else {
		page_fail(call, &err);
	}
}

const struct route test_mail_page_routes[] = {
        {ROUTE("GET", "/contacts/:id/test", ACCESS_CLERK, page_test_mail_ask), .query = "which"},
        {ROUTE("POST", "/contacts/:id/test", ACCESS_CLERK, send)},
        {0},
};
