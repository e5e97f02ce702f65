/* SPDX-License-Identifier: MIT */
#include "center/pages/reach.h"

#include "base/jsontext.h"
#include "center/pages/head.h"
#include "model/words.h"
#include "overview/calendar.h"
#include "overview/suspension_preview.h"

#include <string.h>

static unsigned scopes_of(const json_t *words)
{
	unsigned scopes = 0, one;
	size_t i;
	const json_t *word;
	json_array_foreach(words, i, word)
	{
		if (scopes_parse(json_string_value(word), &one))
			scopes |= one;
	}
	return scopes;
}

/* From today there, indefinite and all scopes where nothing is typed. */
static bool read_planned(const struct overview *overview, const char *number, const json_t *typed,
                         struct suspension *ret, struct error *err)
{
	const struct zone *zone;
	const char *from = jsontext_at(typed, "from"), *until = jsontext_at(typed, "until");
	if (!calendar_zone(overview, number, &zone, err))
		return false;
	*ret = (struct suspension){.scopes = typed ? scopes_of(json_object_get(typed, "scopes"))
	                                           : (unsigned)SCOPE_ALL,
	                           .from = zone_day(zone, overview->now),
	                           .until = DAY_NONE};
	return ret->scopes != 0 && (*from == '\0' || day_parse(from, &ret->from)) &&
	       (*until == '\0' || day_parse(until, &ret->until));
}

/* The same words are in suspension.js. */
static const char *words_of(const struct call *call, const json_t *counts)
{
	static const struct {
		const char *key, *one, *many;
	} rows[] = {{"mails", "mail waits and is suppressed", "mails wait and are suppressed"},
	            {"jobs", "job is held", "jobs are held"},
	            {"sites", "site inherits it", "sites inherit it"}};
	const char *text = "";
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		json_int_t n = json_integer_value(json_object_get(counts, rows[i].key));
		if (n > 0)
			text = arena_printf(call->request->arena, "%s%s%lld %s", text,
			                    *text ? ", " : "", (long long)n,
			                    n == 1 ? rows[i].one : rows[i].many);
	}
	return *text ? arena_printf(call->request->arena, "As it stands: %s.", text)
	             : "As it stands: no mail waits, no job is held, no site inherits it.";
}

json_t *reach_of(struct call *call, const char *number, const json_t *typed)
{
	struct overview overview;
	struct suspension planned;
	struct error ignored;
	json_t *counts;
	struct spool *spool = stores_spool(call->stores, &ignored);
	if (spool == NULL || !call_overview(call, &overview, &ignored) ||
	    !read_planned(&overview, number, typed, &planned, &ignored) ||
	    !suspension_preview(&overview, spool, number, &planned, &counts, &ignored))
		return json_null();
	struct buf url = {0};
	buf_adds(&url, "/api/v1/customers/");
	request_encode(number, &url);
	buf_adds(&url, "/suspensions/preview");
	json_t *reach =
	        json_pack("{s:s, s:s}", "url", buf_text(&url), "words", words_of(call, counts));
	buf_free(&url);
	json_decref(counts);
	return reach;
}
