/* SPDX-License-Identifier: MIT */
#include "dispatchd/control/test.h"

#include "base/address.h"
#include "base/jsontext.h"
#include "mail/templates.h"

#include <string.h>
#include <sysexits.h>

static json_t *steps_json(const struct steps *steps)
{
	json_t *list = json_array();
	for (size_t i = 0; i < steps->n; i++) {
		const struct step *step = &steps->rows[i];
		json_array_append_new(list, json_pack("{s:s, s:I, s:b, s:s}", "step", step->name,
		                                      "ms", (json_int_t)step->ms, "ok",
		                                      !step->failed, "reply", step->reply));
	}
	return list;
}

json_t *test_answer(const struct relay_test *test)
{
	struct relay_test_row row;
	json_t *list = json_array();
	for (size_t i = 0; relay_test_row(test, i, &row); i++)
		json_array_append_new(list, json_pack("{s:s, s:b, s:o}", "relay", row.relay, "ok",
		                                      row.ok, "steps", steps_json(row.steps)));
	return json_pack("{s:b, s:o}", "ok", 1, "relays", list);
}

static bool is_context(const char *text)
{
	json_t *context = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	bool is = json_is_object(context);
	json_decref(context);
	return is;
}

struct outgoing_mail *test_mail(const json_t *request, struct error *err)
{
	const char *to = jsontext_at(request, "to"), *template = jsontext_at(request, "template");
	const char *context = jsontext_at(request, "context");
	if (!address_check(to, err)) {
		(void)error_prefix(err, "to");
		return NULL;
	}
	if (!templates_has_mail(template) || !is_context(context)) {
		(void)error_set(err, EX_DATAERR, "expected the name of a mail and its data");
		return NULL;
	}
	struct outgoing_mail *mail = outgoing_mail_new();
	mail->to = arena_strdup(mail->arena, to);
	mail->to_name = arena_strdup(mail->arena, jsontext_at(request, "name"));
	mail->template = arena_strdup(mail->arena, template);
	mail->locale = arena_strdup(mail->arena, jsontext_at(request, "locale"));
	mail->timezone = arena_strdup(mail->arena, jsontext_at(request, "timezone"));
	mail->context = arena_strdup(mail->arena, context);
	return mail;
}
