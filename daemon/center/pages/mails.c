/* SPDX-License-Identifier: MIT */
/*
 * Mails: a list by status, state, customer, address, job, reason and age, in pieces; and all that
 * it shows tried again or called off at once, by the daemon, after a page that says how many these
 * are. One mail is in mail.c.
 */
#include "base/jsontext.h"
#include "center/api/ask_daemon.h"
#include "center/api/filter.h"
#include "center/pages/choice.h"
#include "center/pages/command.h"
#include "center/pages/labels.h"
#include "center/pages/mail_words.h"
#include "center/pages/page.h"
#include "center/pages/pause.h"
#include "center/pages/words.h"
#include "model/words.h"
#include "overview/local_times.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { PIECE = 50, MANY_MAX = 100000 };

static const char *const names[] = {"status", "state",  "customer",  "to",
                                    "job",    "reason", "older_than"};
enum { N_NAMES = sizeof names / sizeof *names };

static const char *asked(const struct request_pairs *pairs, const char *name)
{
	const char *text = request_value(pairs, name);
	return text ? text : "";
}

/* -- the filter -------------------------------------------------------------------------------- */

/* What is chosen, as the query of an address: "status=failed&customer=1001&". */
static const char *query_of(const struct call *call, const struct request_pairs *pairs)
{
	struct buf query = {0};
	for (size_t i = 0; i < N_NAMES; i++) {
		if (*asked(pairs, names[i]) == '\0')
			continue;
		buf_printf(&query, "%s=", names[i]);
		request_encode(asked(pairs, names[i]), &query);
		buf_addc(&query, '&');
	}
	const char *text = arena_strdup(call->request->arena, buf_text(&query));
	buf_free(&query);
	return text;
}

/* The same as hidden fields of a form. */
static json_t *hidden_of(const struct request_pairs *pairs)
{
	json_t *fields = json_array();
	for (size_t i = 0; i < N_NAMES; i++)
		if (*asked(pairs, names[i]) != '\0')
			json_array_append_new(fields, json_pack("{s:s, s:s}", "name", names[i],
			                                        "value", asked(pairs, names[i])));
	return fields;
}

/* "--older-than" */
static const char *option_of(const struct call *call, const char *name)
{
	char *option = arena_printf(call->request->arena, "--%s", name);
	for (char *at = option; *at != '\0'; at++)
		if (*at == '_')
			*at = '-';
	return option;
}

static const char *command_for(const struct call *call, const struct request_pairs *pairs,
                               const char *verb, bool all)
{
	const char *line[2 * N_NAMES + 3] = {"mail", verb, "--all"};
	size_t n = all ? 3 : 2;
	for (size_t i = 0; i < N_NAMES; i++) {
		if (*asked(pairs, names[i]) == '\0')
			continue;
		line[n++] = option_of(call, names[i]);
		line[n++] = asked(pairs, names[i]);
	}
	return command_of(call, line, n);
}

static void add_choice(const struct call *call, json_t *choices, const char *word,
                       const char *chosen)
{
	if (*word != '\0')
		choice_add(choices, word, label_word(call, word), chosen);
}

static json_t *statuses_of(const struct call *call, const char *chosen)
{
	json_t *choices = json_array();
	for (enum status s = STATUS_QUEUED; s < STATUS_COUNT; s++) {
		if (status_in(s, STATUSES_MAIL))
			add_choice(call, choices, status_name(s), chosen);
	}
	return choices;
}

static json_t *states_of(const struct call *call, const char *chosen)
{
	json_t *choices = json_array();
	for (int s = 0; s < JOB_STATE_COUNT; s++)
		add_choice(call, choices, job_state_name((enum job_state)s), chosen);
	return choices;
}

static json_t *reasons_of(const struct call *call, const char *chosen)
{
	json_t *choices = json_array();
	for (int r = REASON_OK + 1; r < REASON_COUNT; r++)
		add_choice(call, choices, reason_name((enum reason)r), chosen);
	return choices;
}

/* Reads it, and what it needs; false with the answer made. */
static bool prepare(struct call *call, const struct request_pairs *pairs, struct overview *overview,
                    struct spool_filter *ret)
{
	struct error err;
	call_spool_overview(call, overview);
	if (!filter_read(overview, pairs, ret, &err)) {
		page_fail_status(call, 400, err.text);
		return false;
	}
	return true;
}

/* -- the list ---------------------------------------------------------------------------------- */

static const struct words_done done[] = {
        {"retried", "mails.retried"}, {"cancelled", "mails.cancelled"},
        {"limited", "mails.limited"}, {"past", "mails.past"},
        {"resumed", "mails.resumed"},
};

static void add_filter(const struct call *call, json_t *data)
{
	const struct request_pairs *query = &call->request->query;
	json_t *chosen = json_object();
	for (size_t i = 0; i < N_NAMES; i++)
		json_object_set_new(chosen, names[i], json_string(asked(query, names[i])));
	json_object_set_new(data, "chosen", chosen);
	json_object_set_new(data, "statuses", statuses_of(call, asked(query, "status")));
	json_object_set_new(data, "states", states_of(call, asked(query, "state")));
	json_object_set_new(data, "reasons", reasons_of(call, asked(query, "reason")));
	json_object_set_new(data, "query", json_string(query_of(call, query)));
	json_object_set_new(data, "commands",
	                    json_pack("[s]", command_for(call, query, "list", false)));
}

static void page_mails_list(struct call *call)
{
	const char *before = request_value(&call->request->query, "before");
	struct overview overview;
	struct spool_filter filter;
	struct error err;
	json_t *rows, *row;
	size_t i;
	if (!prepare(call, &call->request->query, &overview, &filter))
		return;
	int64_t below = before ? strtoll(before, NULL, 10) : 0;
	filter.before_id = below > 0 ? below : 0;
	filter.limit = PIECE + 1;
	struct spool *spool = stores_spool(call->stores, &err);
	if (spool == NULL || !spool_read_mails(spool, &filter, &rows, &err)) {
		page_fail(call, &err);
		return;
	}
	bool more = json_array_size(rows) > PIECE;
	if (more)
		json_array_remove(rows, PIECE);
	local_rows(&overview, rows);
	overview_add_names(&overview, rows);
	json_array_foreach(rows, i, row) mail_words_add(call, row);
	json_t *data = json_pack("{s:s, s:O, s:b, s:s}", "topics", "mails", "rows", rows,
	                         "has_rows", json_array_size(rows) > 0, "done",
	                         words_done(call, done, sizeof done / sizeof *done));
	if (more)
		json_object_set(data, "older",
		                json_object_get(json_array_get(rows, PIECE - 1), "id"));
	json_object_set_new(data, "newest", json_boolean(below <= 0));
	json_decref(rows);
	add_filter(call, data);
	pause_add(call, spool, data);
	page_answer(call, 200, "mails", words(call, "nav.mails"), data);
}

/* -- all that it shows ------------------------------------------------------------------------- */

static const struct many {
	const char *verb; /* in paths and of dispatchctl */
	enum control_request request;
	unsigned statuses; /* of mails that it is for */
	const char *but;   /* left out unless a reason is asked for; NULL: none */
	const char *label, *question, *none, *done;
	bool removes;
} manies[] = {
        {"retry", REQUEST_MAIL_RETRY, STATUSES_RETRIED, "held_back", "mail.retry",
         "mails.retry.question", "mails.retry.none", "retried", false},
        {"cancel", REQUEST_MAIL_CANCEL, STATUSES_WAITING, NULL, "mail.cancel",
         "mails.cancel.question", "mails.cancel.none", "cancelled", true},
};

/* What follows /mails/ in the path. */
static const struct many *many_of(const struct call *call)
{
	return strcmp(call->request->parts[1], manies[0].verb) == 0 ? &manies[0] : &manies[1];
}

/* Ids of what is to be changed, none newer than those that were shown; false with the answer
 * made. */
static bool ids_of(struct call *call, const struct many *many, const struct request_pairs *pairs,
                   json_t **ret)
{
	struct overview overview;
	struct spool_filter filter;
	struct error err;
	if (!prepare(call, pairs, &overview, &filter))
		return false;
	if (*query_of(call, pairs) == '\0') {
		page_fail_status(call, 400, words(call, "mails.all"));
		return false;
	}
	filter.before_id = strtoll(asked(pairs, "until"), NULL, 10);
	filter.limit = MANY_MAX;
	struct spool *spool = stores_spool(call->stores, &err);
	if (spool && spool_read_mail_ids(spool, &filter, many->statuses, many->but, ret, &err))
		return true;
	page_fail(call, &err);
	return false;
}

static void ask_many(struct call *call)
{
	const struct many *many = many_of(call);
	const struct request_pairs *query = &call->request->query;
	json_t *ids;
	if (!ids_of(call, many, query, &ids))
		return;
	json_int_t n = (json_int_t)json_array_size(ids);
	json_t *hidden = hidden_of(query);
	if (n > 0)
		json_array_append_new(hidden,
		                      json_pack("{s:s, s:I}", "name", "until", "value",
		                                json_integer_value(json_array_get(ids, 0)) + 1));
	json_decref(ids);
	page_answer(
	        call, 200, "sure_many", words(call, "sure"),
	        json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:o, s:[s]}", "question",
	                  n > 0 ? words_count(call, many->question, n) : words(call, many->none),
	                  "verb", words(call, many->label), "action", call->request->path, "back",
	                  arena_printf(call->request->arena, "/mails?%s", query_of(call, query)),
	                  "removes", (int)many->removes, "any", n > 0, "hidden", hidden, "commands",
	                  command_for(call, query, many->verb, true)));
}

/* Of how many something was done to: those that wait for their contact's limit, and those that go
 * nowhere since their jobs have moved on, are counted apart. */
struct changed {
	size_t n, limited, past;
};

/* In pieces, each one turn of the engine, the oldest first, which the limit lets go first. False
 * where one failed; what went before is done. */
static bool change(struct call *call, const struct many *many, const json_t *ids,
                   struct changed *ret, struct error *err)
{
	size_t all = json_array_size(ids);
	*ret = (struct changed){0};
	for (size_t from = 0; from < all; from += REQUEST_IDS_MAX) {
		json_t *piece = json_array(), *answer;
		for (size_t i = from; i < all && i < from + REQUEST_IDS_MAX; i++)
			json_array_append(piece, json_array_get(ids, all - 1 - i));
		if (!ask_daemon(call, many->request, json_pack("{s:o}", "ids", piece), &answer,
		                err))
			return false;
		size_t limited = json_array_size(json_object_get(answer, "limited"));
		ret->n += json_array_size(json_object_get(answer, "mails")) - limited;
		ret->limited += limited;
		ret->past += json_array_size(json_object_get(answer, "superseded"));
		json_decref(answer);
	}
	return true;
}

static void change_many(struct call *call)
{
	const struct many *many = many_of(call);
	const struct request_pairs *form = &call->request->form;
	struct arena *arena = call->request->arena;
	struct error err;
	struct changed changed;
	json_t *ids;
	if (!ids_of(call, many, form, &ids))
		return;
	if (change(call, many, ids, &changed, &err)) {
		const char *limited = changed.limited > 0
		                              ? arena_printf(arena, "&limited=%zu", changed.limited)
		                              : "";
		const char *past =
		        changed.past > 0 ? arena_printf(arena, "&past=%zu", changed.past) : "";
		response_redirect(call->response, call->request,
		                  arena_printf(arena, "/mails?%s%s=%zu%s%s", query_of(call, form),
		                               many->done, changed.n, limited, past));
	} else {
		page_fail(call, &err);
	}
	json_decref(ids);
}

#define FILTER "status state customer to job reason older_than"

const struct route mail_list_page_routes[] = {
        {ROUTE("GET", "/mails", ACCESS_READER, page_mails_list),
         .query = FILTER " before retried cancelled limited past resumed"},
        {ROUTE("GET", "/mails/retry", ACCESS_CLERK, ask_many), .query = FILTER},
        {ROUTE("POST", "/mails/retry", ACCESS_CLERK, change_many)},
        {ROUTE("GET", "/mails/cancel", ACCESS_CLERK, ask_many), .query = FILTER},
        {ROUTE("POST", "/mails/cancel", ACCESS_CLERK, change_many)},
        {0},
};
