/* SPDX-License-Identifier: MIT */
/* Dead letters: what was rejected, as it came, and why; retried once the cause is fixed, one
 * or all, the oldest first. */
#include "base/jsontext.h"
#include "center/api/ask_daemon.h"
#include "center/pages/command.h"
#include "center/pages/page.h"
#include "center/pages/words.h"
#include "model/words.h"
#include "spool/spool_read.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { PIECE = 50, MANY_MAX = 100000, SHOWN_MAX = 4000 };

/* -- the list ---------------------------------------------------------------------------------- */

/* What is shown of a long value: whole characters. */
static const char *shown(const struct call *call, const char *text)
{
	if (strlen(text) <= SHOWN_MAX)
		return text;
	const char *end = g_utf8_find_prev_char(text, text + SHOWN_MAX);
	return arena_printf(call->request->arena, "%.*s…", end ? (int)(end - text) : 0, text);
}

static json_t *fields_of(const struct call *call, const json_t *letter)
{
	json_t *fields = json_array(), *value;
	const char *name;
	json_object_foreach(json_object_get(letter, "fields"), name, value)
	{
		const char *text = json_string_value(value);
		json_array_append_new(fields, json_pack("{s:s, s:s}", "name", shown(call, name),
		                                        "value", shown(call, text ? text : "")));
	}
	return fields;
}

/* {type, job, customer}, as far as they can be read: of the fields, or of the JSON in one. */
static json_t *what_of(const struct call *call, const json_t *letter)
{
	static const char *const keys[] = {"type", "job", "customer"};
	const json_t *fields = json_object_get(letter, "fields");
	const char *text = jsontext_at(fields, "event");
	struct error ignored;
	json_t *what = json_object();
	json_t *inside = *text == '{' ? jsontext_read(text, strlen(text), &ignored) : NULL;
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		const json_t *value = json_object_get(inside ? inside : fields, keys[i]);
		if (json_is_string(value))
			json_object_set_new(what, keys[i],
			                    json_string(shown(call, json_string_value(value))));
		else if (json_is_integer(value))
			json_object_set_new(
			        what, keys[i],
			        json_sprintf("%lld", (long long)json_integer_value(value)));
	}
	json_decref(inside);
	return what;
}

/* A customer that came later than the letter is known by now. */
static void add_words(const struct call *call, const struct overview *overview, json_t *letter)
{
	json_t *what = what_of(call, letter);
	const char *customer = jsontext_at(what, "customer");
	const char *name = overview_name(overview, customer);
	bool unknown = reason_find(jsontext_at(letter, "reason")) == REASON_UNKNOWN_CUSTOMER &&
	               *name == '\0';
	json_object_set_new(what, "name", json_string(name));
	json_object_set_new(letter, "unknown", json_string(unknown ? customer : ""));
	json_object_set_new(letter, "what", what);
	json_object_set_new(letter, "fields", fields_of(call, letter));
}

static bool read_letters(struct call *call, int64_t max, json_t **ret, struct error *err)
{
	struct spool *spool = stores_spool(call->stores, err);
	return spool && spool_read_dead(spool, max, ret, err);
}

static const struct words_done done = {"retried", "dead.retried"};

static void show(struct call *call, int status, const char *fault)
{
	const char *text = request_value(&call->request->query, "from");
	int64_t from = text ? strtoll(text, NULL, 10) : 0;
	struct overview overview;
	struct error err;
	json_t *rows, *row, *data;
	size_t i;
	from = from > 0 && from < MANY_MAX ? from : 0;
	if (!read_letters(call, from + PIECE + 1, &rows, &err)) {
		page_fail(call, &err);
		return;
	}
	for (int64_t k = 0; k < from; k++)
		json_array_remove(rows, 0);
	bool more = json_array_size(rows) > PIECE;
	if (more)
		json_array_remove(rows, PIECE);
	call_spool_overview(call, &overview);
	json_array_foreach(rows, i, row) add_words(call, &overview, row);
	data = json_pack("{s:s, s:o, s:b, s:s, s:s, s:b, s:[s, s, s]}", "topics", "holds", "rows",
	                 rows, "has_rows", json_array_size(rows) > 0, "fault", fault, "done",
	                 words_done(call, &done, 1), "newest", from == 0, "commands",
	                 command_text(call, "dead", "list", NULL),
	                 command_text(call, "dead", "retry", "ID", NULL),
	                 command_text(call, "dead", "retry", "--all", NULL));
	if (more)
		json_object_set_new(data, "older", json_integer(from + PIECE));
	page_answer(call, status, "dead", words(call, "nav.dead"), data);
}

static void dead(struct call *call)
{
	show(call, 200, "");
}

/* -- what is done ------------------------------------------------------------------------------ */

static void answer_fault(struct call *call, const struct error *err)
{
	if (err->code == EX_NOINPUT)
		show(call, 404, words(call, "dead.gone"));
	else if (err->code == EX_UNAVAILABLE)
		show(call, 503, err->text);
	else
		page_fail(call, err);
}

static void answer_done(struct call *call, size_t n)
{
	response_redirect(call->response, call->request,
	                  arena_printf(call->request->arena, "/dead?retried=%zu", n));
}

static void page_dead_retry(struct call *call)
{
	struct error err;
	json_t *answer;
	if (!ask_daemon(call, REQUEST_DEAD_RETRY, json_pack("{s:s}", "entry", call->names[0]),
	                &answer, &err)) {
		answer_fault(call, &err);
		return;
	}
	answer_done(call, json_array_size(json_object_get(answer, "dead")));
	json_decref(answer);
}

/* In pieces, each one turn of the engine; what is rejected again on the way isn't retried. */
static bool retry_pieces(struct call *call, size_t *ret_n, struct error *err)
{
	json_t *request = json_pack("{s:b}", "all", 1), *answer, *next;
	bool more = true;
	*ret_n = 0;
	while (more) {
		if (!ask_daemon(call, REQUEST_DEAD_RETRY, json_copy(request), &answer, err)) {
			json_decref(request);
			return false;
		}
		*ret_n += json_array_size(json_object_get(answer, "dead"));
		next = json_object_get(answer, "next");
		more = next != NULL;
		if (more) {
			json_object_set(request, "after", next);
			json_object_set(request, "until", json_object_get(answer, "until"));
		}
		json_decref(answer);
	}
	json_decref(request);
	return true;
}

static void retry_all(struct call *call)
{
	struct error err;
	size_t n;
	if (retry_pieces(call, &n, &err))
		answer_done(call, n);
	else
		answer_fault(call, &err);
}

static void ask_all(struct call *call)
{
	struct error err;
	json_t *rows;
	if (!read_letters(call, MANY_MAX, &rows, &err)) {
		page_fail(call, &err);
		return;
	}
	json_int_t n = (json_int_t)json_array_size(rows);
	json_decref(rows);
	page_answer(
	        call, 200, "sure_many", words(call, "sure"),
	        json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:[s]}", "question",
	                  n > 0 ? words_count(call, "dead.question", n) : words(call, "dead.none"),
	                  "verb", words(call, "dead.retry"), "action", "/dead/retry", "back",
	                  "/dead", "any", n > 0, "removes", 0, "commands",
	                  command_text(call, "dead", "retry", "--all", NULL)));
}

const struct route dead_page_routes[] = {
        {ROUTE("GET", "/dead", ACCESS_READER, dead), .query = "from retried"},
        {ROUTE("GET", "/dead/retry", ACCESS_CLERK, ask_all)},
        {ROUTE("POST", "/dead/retry", ACCESS_CLERK, retry_all)},
        {ROUTE("POST", "/dead/:entry/retry", ACCESS_CLERK, page_dead_retry)},
        {0},
};
