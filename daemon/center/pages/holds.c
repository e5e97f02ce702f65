/* SPDX-License-Identifier: MIT */
/* Held jobs: which wait, why, since when and until when; released or called off with a note, one or
 * several at once. */
#include "base/jsontext.h"
#include "center/api/ask_daemon.h"
#include "center/pages/command.h"
#include "center/pages/mail_words.h"
#include "center/pages/page.h"
#include "center/pages/panel.h"
#include "center/pages/to.h"
#include "center/pages/words.h"
#include "model/words.h"
#include "overview/local_times.h"
#include "spool/spool_read.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* -- the list ---------------------------------------------------------------------------------- */

/* Where the reason lies. */
static const char *tab_of(const json_t *row)
{
	switch (reason_find(jsontext_at(row, "reason"))) {
	case REASON_SUSPENDED:
		return "suspensions";
	case REASON_OUTSIDE_HOURS:
	case REASON_NEVER_OPEN:
		return "hours";
	default:
		return "";
	}
}

static void add_words(const struct call *call, json_t *row)
{
	const json_t *data = json_object_get(row, "data");
	json_object_set_new(
	        row, "why_path",
	        json_string(to_customer_path(call, jsontext_at(row, "customer"), tab_of(row))));
	json_object_set_new(row, "at", json_string(mail_words_listed(call, row, "received")));
	json_object_set_new(row, "until", json_string(mail_words_listed(call, row, "look")));
	json_object_set_new(row, "planned", json_string(mail_words_listed(call, row, "scheduled")));
	json_object_set(row, "route", json_object_get(data, "route"));
	json_object_set(row, "service", json_object_get(data, "service"));
}

static const struct words_done done[] = {
        {"released", "holds.released"},
        {"cancelled", "holds.cancelled"},
        {"past", "holds.past"},
};

static void show(struct call *call, int status, const char *fault)
{
	struct overview overview;
	struct error err;
	json_t *rows, *row;
	size_t i;
	struct spool *spool = stores_spool(call->stores, &err);
	if (spool == NULL || !spool_read_held(spool, &rows, &err)) {
		page_fail(call, &err);
		return;
	}
	call_spool_overview(call, &overview);
	local_rows(&overview, rows);
	overview_add_names(&overview, rows);
	json_array_foreach(rows, i, row) add_words(call, row);
	page_answer(call, status, "holds", words(call, "holds.title"),
	            json_pack("{s:s, s:o, s:b, s:s, s:s, s:[s, s, s]}", "topics", "holds", "rows",
	                      rows, "has_rows", json_array_size(rows) > 0, "fault", fault, "done",
	                      words_done(call, done, sizeof done / sizeof *done), "commands",
	                      command_text(call, "hold", "list", NULL),
	                      command_text(call, "hold", "release", "ID", "--note", "TEXT", NULL),
	                      command_text(call, "hold", "cancel", "ID", "--note", "TEXT", NULL)));
}

static void holds(struct call *call)
{
	show(call, 200, "");
}

/* -- what is done ------------------------------------------------------------------------------ */

static bool ask(struct call *call, enum control_request what, const char *id, struct error *err)
{
	const char *note = request_value(&call->request->form, "note");
	json_int_t number = strtoll(id, NULL, 10);
	return ask_daemon(
	        call, what,
	        json_pack("{s:I, s:s*}", "id", number, "note", note && *note ? note : NULL), NULL,
	        err);
}

static void answer_fault(struct call *call, const struct error *err)
{
	if (err->code == EX_DATAERR || err->code == EX_UNAVAILABLE)
		show(call, err->code == EX_DATAERR ? 409 : 503, err->text);
	else
		page_fail(call, err);
}

static void ask_one(struct call *call, enum control_request what, const char *count)
{
	struct error err;
	if (ask(call, what, call->names[0], &err))
		response_redirect(
		        call->response, call->request,
		        next_of(&call->request->form,
		                arena_printf(call->request->arena, "/holds?%s=1", count)));
	else
		answer_fault(call, &err);
}

/* Those that somebody has decided in the meantime are counted apart. */
static void ask_each(struct call *call, enum control_request what, const char *count)
{
	const struct request_pairs *form = &call->request->form;
	struct arena *arena = call->request->arena;
	struct error err;
	int n = 0, past = 0;
	for (size_t i = 0; i < form->n; i++) {
		if (strcmp(form->rows[i].name, "id") != 0)
			continue;
		if (ask(call, what, form->rows[i].value, &err)) {
			n++;
		} else if (err.code == EX_DATAERR || err.code == EX_NOINPUT) {
			past++;
		} else {
			answer_fault(call, &err);
			return;
		}
	}
	const char *more = past > 0 ? arena_printf(arena, "&past=%d", past) : "";
	if (n + past > 0)
		response_redirect(call->response, call->request,
		                  arena_printf(arena, "/holds?%s=%d%s", count, n, more));
	else
		show(call, 422, words(call, "holds.chosen.none"));
}

static void page_holds_release(struct call *call)
{
	ask_one(call, REQUEST_HOLD_RELEASE, "released");
}

static void page_holds_cancel(struct call *call)
{
	ask_one(call, REQUEST_HOLD_CANCEL, "cancelled");
}

static void release_chosen(struct call *call)
{
	ask_each(call, REQUEST_HOLD_RELEASE, "released");
}

static void cancel_chosen(struct call *call)
{
	ask_each(call, REQUEST_HOLD_CANCEL, "cancelled");
}

const struct route hold_page_routes[] = {
        {ROUTE("GET", "/holds", ACCESS_READER, holds), .query = "released cancelled past"},
        {ROUTE("POST", "/holds/release", ACCESS_CLERK, release_chosen)},
        {ROUTE("POST", "/holds/cancel", ACCESS_CLERK, cancel_chosen)},
        {ROUTE("POST", "/holds/:id/release", ACCESS_CLERK, page_holds_release)},
        {ROUTE("POST", "/holds/:id/cancel", ACCESS_CLERK, page_holds_cancel)},
        {0},
};
