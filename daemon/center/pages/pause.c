/* SPDX-License-Identifier: MIT */
/* All sending paused and resumed: what pages show of it, the page that asks for a note, and both
 * acts, a manager's. */
#include "center/pages/pause.h"

#include "base/jsontext.h"
#include "center/api/ask_daemon.h"
#include "center/pages/command.h"
#include "center/pages/page.h"
#include "center/pages/panel.h"
#include "center/pages/when.h"
#include "center/pages/words.h"
#include "spool/spool_limits.h"
#include "spool/spool_pause.h"
#include "spool/spool_redirect.h"

#include <sysexits.h>

static json_t *shown_of(const struct call *call, const json_t *pause)
{
	json_int_t due = json_integer_value(json_object_get(pause, "due"));
	json_t *shown = json_pack(
	        "{s:s, s:O, s:O}", "when", when_words(call, jsontext_at(pause, "since")), "by",
	        json_object_get(pause, "by"), "note", json_object_get(pause, "note"));
	if (due > 0)
		json_object_set_new(shown, "waits",
		                    json_string(words_count(call, "paused.waits", due)));
	return shown;
}

/* Those that are held back wait for a person, also once new ones go. */
static void add_breaker(const struct call *call, struct spool *spool, json_t *data)
{
	struct error ignored;
	json_t *breaker;
	if (!spool_read_breaker(spool, &breaker, &ignored))
		return;
	if (json_is_true(json_object_get(breaker, "open"))) {
		json_int_t held = json_integer_value(json_object_get(breaker, "held"));
		json_object_set_new(data, "breaker",
		                    json_pack("{s:s, s:O, s:s}", "when",
		                              when_words(call, jsontext_at(breaker, "since")),
		                              "limit", json_object_get(breaker, "limit"), "held",
		                              words_count(call, "breaker.held", held)));
	}
	json_decref(breaker);
}

static void add_redirect(const struct call *call, struct spool *spool, json_t *data)
{
	struct error ignored;
	const char *to;
	if (spool_read_redirect(spool, call->request->arena, &to, &ignored) && *to != '\0')
		json_object_set_new(
		        data, "redirected",
		        json_string(words_fill(call, "redirected", json_pack("{s:s}", "to", to))));
}

void pause_add(const struct call *call, struct spool *spool, json_t *data)
{
	struct error ignored;
	json_t *pause;
	if (spool == NULL)
		return;
	add_breaker(call, spool, data);
	add_redirect(call, spool, data);
	if (!spool_read_pause(spool, call->now, &pause, &ignored))
		return;
	if (json_is_object(pause))
		json_object_set_new(data, "paused", shown_of(call, pause));
	else
		json_object_set_new(data, "may_pause",
		                    json_boolean(call->account.role >= ROLE_MANAGER));
	json_decref(pause);
}

/* -- the question ------------------------------------------------------------------------------ */

static const char *note_of(const struct call *call)
{
	const char *note = request_value(&call->request->form, "note");
	return note ? note : "";
}

static void show(struct call *call, int status, const char *next, const char *fault)
{
	page_answer(call, status, "pause", words(call, "pause"),
	            json_pack("{s:s, s:s, s:s, s:i, s:[s, s]}", "next", next, "note", note_of(call),
	                      "fault", fault, "note_max", (int)SPOOL_PAUSE_NOTE_MAX, "commands",
	                      command_text(call, "mail", "pause", "--note", "TEXT", NULL),
	                      command_text(call, "mail", "resume", NULL)));
}

static void page_pause_ask(struct call *call)
{
	show(call, 200, next_of(&call->request->query, "/mails"), "");
}

/* -- the acts ---------------------------------------------------------------------------------- */

static void answer_fault(struct call *call, const struct error *err)
{
	if (err->code == EX_USAGE || err->code == EX_UNAVAILABLE)
		show(call, err->code == EX_USAGE ? 422 : 503,
		     next_of(&call->request->form, "/mails"), err->text);
	else
		page_fail(call, err);
}

static void page_pause_begin(struct call *call)
{
	struct error err;
	if (ask_daemon(call, REQUEST_MAIL_PAUSE, json_pack("{s:s}", "note", note_of(call)), NULL,
	               &err))
		response_redirect(call->response, call->request,
		                  next_of(&call->request->form, "/mails"));
	else
		answer_fault(call, &err);
}

/* Somebody may have resumed it in the meantime: then there is nothing to say. */
static void page_pause_end(struct call *call)
{
	struct error err;
	json_t *answer;
	if (!ask_daemon(call, REQUEST_MAIL_RESUME, json_object(), &answer, &err)) {
		page_fail(call, &err);
		return;
	}
	json_int_t due = json_integer_value(json_object_get(answer, "due"));
	const char *done = "/mails";
	if (json_is_true(json_object_get(answer, "resumed")))
		done = arena_printf(call->request->arena, "/mails?resumed=%lld", (long long)due);
	response_redirect(call->response, call->request, next_of(&call->request->form, done));
	json_decref(answer);
}

const struct route pause_page_routes[] = {
        {ROUTE("GET", "/mails/pause", ACCESS_MANAGER, page_pause_ask), .query = "next"},
        {ROUTE("POST", "/mails/pause", ACCESS_MANAGER, page_pause_begin)},
        {ROUTE("POST", "/mails/resume", ACCESS_MANAGER, page_pause_end)},
        {0},
};
