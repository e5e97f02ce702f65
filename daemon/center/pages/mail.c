/* SPDX-License-Identifier: MIT */
/* One mail: where it goes, what became of it, each try with the server's words; tried again now, or
 * called off. */
#include "base/jsontext.h"
#include "center/api/ask_daemon.h"
#include "center/pages/command.h"
#include "center/pages/mail_words.h"
#include "center/pages/page.h"
#include "center/pages/panel.h"
#include "center/pages/reports.h"
#include "center/pages/sent.h"
#include "center/pages/words.h"
#include "overview/local_times.h"
#include "spool/spool_read.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* -- what is shown ----------------------------------------------------------------------------- */

static json_t *steps_of(const struct call *call, const json_t *outcomes)
{
	json_t *steps = json_array();
	size_t i;
	const json_t *outcome;
	json_array_foreach(outcomes, i, outcome)
	{
		json_array_append_new(steps, mail_words_step(call, outcome));
	}
	return steps;
}

static json_t *times_of(const struct call *call, const json_t *mail)
{
	static const struct {
		const char *key, *label;
	} rows[] = {{"made", "mail.made"},
	            {"due", "mail.due.label"},
	            {"expires", "mail.expires"},
	            {"changed", "mail.changed"}};
	json_t *times = json_array();
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *text = mail_words_time(call, mail, rows[i].key);
		if (*text != '\0')
			json_array_append_new(times,
			                      json_pack("{s:s, s:s}", "label",
			                                words(call, rows[i].label), "at", text));
	}
	return times;
}

static json_t *commands_of(const struct call *call, const json_t *mail)
{
	const char *id = arena_printf(call->request->arena, "%lld",
	                              (long long)json_integer_value(json_object_get(mail, "id")));
	json_t *commands = json_pack("[s]", command_text(call, "mail", "show", id, NULL));
	if (json_is_true(json_object_get(mail, "may_retry")))
		json_array_append_new(commands,
		                      json_string(command_text(call, "mail", "retry", id, NULL)));
	if (json_is_true(json_object_get(mail, "may_cancel")))
		json_array_append_new(commands,
		                      json_string(command_text(call, "mail", "cancel", id, NULL)));
	return commands;
}

static bool read_mail(struct call *call, json_t **ret, struct error *err)
{
	struct overview overview;
	struct spool *spool = stores_spool(call->stores, err);
	if (spool == NULL || !spool_read_mail(spool, strtoll(call->names[0], NULL, 10), ret, err))
		return false;
	const char *customer = json_string_value(json_object_get(*ret, "customer"));
	call_spool_overview(call, &overview);
	local_object(&overview, *ret, customer);
	json_object_set_new(*ret, "name",
	                    json_string(overview_name(&overview, customer ? customer : "")));
	local_members(&overview, json_object_get(*ret, "outcomes"), customer);
	local_members(&overview, json_object_get(*ret, "reports"), customer);
	return true;
}

static void show(struct call *call, int status, const char *fault)
{
	struct error err;
	json_t *mail;
	if (!read_mail(call, &mail, &err)) {
		if (err.code == EX_NOINPUT)
			page_fail_status(call, 404, words(call, "fault.no_record"));
		else
			page_fail(call, &err);
		return;
	}
	mail_words_add(call, mail);
	json_object_set_new(mail, "topics", json_string("mails"));
	json_object_set_new(mail, "fault", json_string(fault));
	json_object_set_new(mail, "times", times_of(call, mail));
	json_object_set_new(mail, "steps", steps_of(call, json_object_get(mail, "outcomes")));
	json_object_set_new(mail, "has_reports",
	                    json_boolean(json_object_get(mail, "reports") != NULL));
	json_object_set_new(mail, "reports", reports_of(call, json_object_get(mail, "reports")));
	json_object_set_new(mail, "commands", commands_of(call, mail));
	sent_add(call, mail);
	const char *title = words_fill(call, "mail.title",
	                               json_pack("{s:O}", "id", json_object_get(mail, "id")));
	page_answer(call, status, "mail", title, mail);
}

static void mail(struct call *call)
{
	show(call, 200, "");
}

/* -- what is done ------------------------------------------------------------------------------ */

static void ask(struct call *call, enum control_request what)
{
	struct error err;
	json_int_t id = strtoll(call->names[0], NULL, 10);
	if (ask_daemon(call, what, json_pack("{s:I}", "id", id), NULL, &err))
		response_redirect(
		        call->response, call->request,
		        next_of(&call->request->form,
		                arena_printf(call->request->arena, "/mails/%lld", (long long)id)));
	else if (err.code == EX_DATAERR || err.code == EX_UNAVAILABLE)
		show(call, err.code == EX_DATAERR ? 409 : 503, err.text);
	else
		page_fail(call, &err);
}

static void page_mail_retry(struct call *call)
{
	ask(call, REQUEST_MAIL_RETRY);
}

static void page_mail_cancel(struct call *call)
{
	ask(call, REQUEST_MAIL_CANCEL);
}

const struct route mail_page_routes[] = {
        {ROUTE("GET", "/mails/:id", ACCESS_READER, mail)},
        {ROUTE("POST", "/mails/:id/retry", ACCESS_CLERK, page_mail_retry)},
        {ROUTE("POST", "/mails/:id/cancel", ACCESS_CLERK, page_mail_cancel)},
        {0},
};
