/* SPDX-License-Identifier: MIT */
/*
 * /u/TOKEN, where a link of a mail leads its recipient: which mails about a job's states come, to
 * be switched off, and on again where a link switched them off. Open to all who have the link; the
 * daemon, which alone has the key, says whose it is. Nothing else of the customer is shown, no
 * session is read or made, GET and HEAD change nothing. A mail program's one click (RFC 8058) is a
 * POST with List-Unsubscribe=One-Click, which acts at once.
 */
#include "center/api/ask_daemon.h"
#include "center/pages/page.h"
#include "center/pages/rate.h"
#include "center/pages/words.h"
#include "center/trust/network.h"
#include "mail/token.h"
#include "model/job_state.h"

#include <string.h>
#include <sysexits.h>

static const char *const labels[JOB_STATE_COUNT] = {
        [JOB_DISPATCHED] = "opt_out.dispatched", [JOB_STARTED] = "opt_out.started",
        [JOB_COMPLETED] = "opt_out.completed",   [JOB_FAILED] = "opt_out.failed",
        [JOB_PAUSED] = "opt_out.paused",         [JOB_CANCELLED] = "opt_out.cancelled",
};

/* A person of the office who opens it is anybody here, too. Other sites get no referrer, as of all
 * pages; with none at all browsers would send the form as from nowhere. */
static void be_nobody(struct call *call)
{
	call->known = false;
	call->session = NULL;
	call->account = (struct account){0};
	response_header(call->response, call->request, "X-Robots-Tag", "noindex, nofollow");
}

static void opt_out_answer(struct call *call, int status, json_t *data)
{
	const char *company = json_string_value(json_object_get(data, "company"));
	const char *title = company && *company ? company : words(call, "opt_out.title");
	json_object_set_new(data, "outside", json_true());
	page_answer(call, status, "opt_out", title, data);
}

static void opt_out_fail(struct call *call, int status, const char *text)
{
	opt_out_answer(call, status, json_pack("{s:s}", "fault", text));
}

static void answer_fault(struct call *call, const struct error *err)
{
	if (err->code == EX_NOINPUT || err->code == EX_CONFIG || err->code == EX_USAGE) {
		opt_out_fail(call, 404, words(call, "opt_out.invalid"));
		return;
	}
	response_header(call->response, call->request, "Retry-After", "60");
	opt_out_fail(call, 503, words(call, "opt_out.later"));
}

static json_t *rows_of(const struct call *call, const json_t *states)
{
	json_t *rows = json_array(), *state;
	size_t i;
	json_array_foreach(states, i, state)
	{
		const char *name = json_string_value(json_object_get(state, "state"));
		enum job_state job = job_state_find(name ? name : "");
		if (job != JOB_NONE)
			json_array_append_new(
			        rows, json_pack("{s:s, s:s, s:b}", "state", name, "label",
			                        words(call, labels[job]), "on",
			                        json_is_true(json_object_get(state, "on"))));
	}
	return rows;
}

/* In the recipient's language where there is one of the center's, else in the browser's. */
static void answer_choice(struct call *call, const json_t *choice, bool saved)
{
	const char *locale = json_string_value(json_object_get(choice, "locale"));
	const char *company = json_string_value(json_object_get(choice, "company"));
	words_choose_locale(call, locale ? locale : "");
	json_t *rows = rows_of(call, json_object_get(choice, "states"));
	bool any = json_array_size(rows) > 0;
	opt_out_answer(call, 200,
	               json_pack("{s:s, s:b, s:o, s:b, s:b}", "company", company ? company : "",
	                         "choice", 1, "rows", rows, "any", any, "saved", saved));
}

/* Whether one more may come now; else the answer is there. What can't be a token asks nobody and
 * takes no place from those that may be. */
static bool may_ask(struct call *call)
{
	static struct rate rate = RATE_INIT(OPT_OUT_CLIENT_MAX, OPT_OUT_ALL_MAX);
	const char *name = call->names[0];
	struct token token;
	char network[NETWORK_TEXT_MAX];
	be_nobody(call);
	if (!token_parse(name, strlen(name), &token)) {
		opt_out_fail(call, 404, words(call, "opt_out.invalid"));
		return false;
	}
	const char *client =
	        call->request->loopback ? "" : network_of(call->request->address, network);
	if (rate_take(&rate, client, call->now))
		return true;
	response_header(call->response, call->request, "Retry-After", "60");
	opt_out_fail(call, 429, words(call, "opt_out.later"));
	return false;
}

static void ask(struct call *call, enum control_request what, json_t *values, bool saved)
{
	struct error err;
	json_t *choice = NULL;
	json_object_set_new(values, "token", json_string(call->names[0]));
	if (ask_daemon(call, what, values, &choice, &err))
		answer_choice(call, choice, saved);
	else
		answer_fault(call, &err);
	json_decref(choice);
}

static void opt_out_page(struct call *call)
{
	if (may_ask(call))
		ask(call, REQUEST_OPT_OUT_SHOW, json_object(), false);
}

static bool has_value(const struct request_pairs *form, const char *name, const char *value)
{
	for (size_t i = 0; i < form->n; i++)
		if (strcmp(form->rows[i].name, name) == 0 &&
		    strcmp(form->rows[i].value, value) == 0)
			return true;
	return false;
}

/* What the form showed: what isn't in it stays as it is. */
static json_t *form_values(const struct request_pairs *form)
{
	json_t *off = json_array(), *on = json_array();
	bool none = request_value(form, "none") != NULL;
	for (size_t i = 0; i < form->n; i++) {
		const char *state = form->rows[i].value;
		if (strcmp(form->rows[i].name, "shown") == 0 && job_state_find(state) != JOB_NONE)
			json_array_append_new(!none && has_value(form, "on", state) ? on : off,
			                      json_string(state));
	}
	return json_pack("{s:o, s:o}", "off", off, "on", on);
}

static void opt_out_act(struct call *call)
{
	const struct request_pairs *form = &call->request->form;
	if (!may_ask(call))
		return;
	if (has_value(form, "List-Unsubscribe", "One-Click"))
		ask(call, REQUEST_OPT_OUT_SET, json_pack("{s:b}", "one_click", 1), true);
	else if (request_value(form, "shown") != NULL)
		ask(call, REQUEST_OPT_OUT_SET, form_values(form), true);
	else
		opt_out_fail(call, 400, words(call, "opt_out.invalid"));
}

const struct route opt_out_page_routes[] = {
        {ROUTE("GET", "/u/:token", ACCESS_OPEN, opt_out_page)},
        {ROUTE("POST", "/u/:token", ACCESS_OPEN, opt_out_act)},
        {0},
};
