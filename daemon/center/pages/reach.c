/* SPDX-License-Identifier: MIT */
#include "center/pages/reach.h"

#include "base/jsontext.h"
#include "center/pages/head.h"
#include "center/pages/words.h"
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

/* suspension.js does the same, with the same words. */
static const char *words_of(const struct call *call, const json_t *counts)
{
	static const struct {
		const char *key, *words;
	} rows[] = {{"mails", "reach.mails"}, {"jobs", "reach.jobs"}, {"sites", "reach.sites"}};
	const char *text = "";
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		json_int_t n = json_integer_value(json_object_get(counts, rows[i].key));
		if (n > 0)
			text = arena_printf(call->request->arena, "%s%s%s", text, *text ? ", " : "",
			                    words_count(call, rows[i].words, n));
	}
	return words_fill(call, "reach",
	                  json_pack("{s:s}", "parts", *text ? text : words(call, "reach.none")));
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
	json_t *reach = json_pack("{s:s, s:s, s:s, s:s}", "url", buf_text(&url), "words",
	                          words_of(call, counts), "n", "{n}", "parts", "{parts}");
	buf_free(&url);
	json_decref(counts);
	return reach;
}
