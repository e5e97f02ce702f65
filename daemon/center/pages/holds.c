/* SPDX-License-Identifier: MIT */
/* Held jobs: which wait, why, since when; released or called off with a note. */
#include "center/api/ask_daemon.h"
#include "center/pages/page.h"
#include "center/pages/panel.h"
#include "center/pages/words.h"
#include "overview/local_times.h"
#include "spool/spool_read.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static void show(struct call *call, int status, const char *fault)
{
	struct overview overview;
	struct error err;
	json_t *rows;
	struct spool *spool = stores_spool(call->stores, &err);
	if (spool == NULL || !spool_read_held(spool, &rows, &err)) {
		page_fail(call, &err);
		return;
	}
	if (call_overview(call, &overview, &err))
		local_rows(&overview, rows);
	page_answer(call, status, "holds", words(call, "holds.title"),
	            json_pack("{s:s, s:o, s:b, s:s}", "topics", "holds", "rows", rows, "has_rows",
	                      json_array_size(rows) > 0, "fault", fault));
}

static void holds(struct call *call)
{
	show(call, 200, "");
}

static void ask(struct call *call, enum control_request what)
{
	const char *note = request_value(&call->request->form, "note");
	json_int_t id = strtoll(call->names[0], NULL, 10);
	struct error err;
	if (ask_daemon(call, what,
	               json_pack("{s:I, s:s*}", "id", id, "note", note && *note ? note : NULL),
	               NULL, &err))
		response_redirect(call->response, call->request,
		                  next_of(&call->request->form, "/holds"));
	else if (err.code == EX_DATAERR || err.code == EX_UNAVAILABLE)
		show(call, err.code == EX_DATAERR ? 409 : 503, err.text);
	else
		page_fail(call, &err);
}

static void release(struct call *call)
{
	ask(call, REQUEST_HOLD_RELEASE);
}

static void cancel(struct call *call)
{
	ask(call, REQUEST_HOLD_CANCEL);
}

const struct route hold_page_routes[] = {
        {ROUTE("GET", "/holds", ACCESS_READER, holds)},
        {ROUTE("POST", "/holds/:id/release", ACCESS_CLERK, release)},
        {ROUTE("POST", "/holds/:id/cancel", ACCESS_CLERK, cancel)},
        {0},
};
