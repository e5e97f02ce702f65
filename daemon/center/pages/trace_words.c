/* SPDX-License-Identifier: MIT */
#include "center/pages/trace_words.h"

#include "base/jsontext.h"
#include "center/pages/to.h"
#include "center/pages/when.h"
#include "center/pages/words.h"
#include "rules/rules.h"

/* Where the record is that a rule asks. */
static const char *tab_of(enum rule rule)
{
	switch (rule) {
	case RULE_SUSPENSION:
		return "suspensions";
	case RULE_WANTED:
	case RULE_ADDRESS:
		return "contacts";
	case RULE_HOURS:
		return "hours";
	case RULE_ACTIVE:
		return "";
	default:
		return NULL;
	}
}

static const char *path_of(const struct call *call, const json_t *row, const char *number)
{
	enum rule rule = (enum rule)json_integer_value(json_object_get(row, "rule"));
	const char *tab = tab_of(rule), *of = jsontext_at(row, "of");
	json_int_t id = json_integer_value(
	        json_object_get(row, rule == RULE_SUSPENSION ? "suspension" : "contact"));
	bool stops = json_is_false(json_object_get(row, "holds"));
	if (tab == NULL || (!stops && (id == 0 || rule == RULE_HOURS)))
		return "";
	const char *path = to_customer_path(call, *of ? of : number, tab);
	return id == 0 || rule == RULE_HOURS
	               ? path
	               : arena_printf(call->request->arena, "%s#row-%lld", path, (long long)id);
}

json_t *trace_words(const struct call *call, const json_t *trace, const char *number)
{
	json_t *rows = json_array();
	size_t i;
	const json_t *row;
	json_array_foreach(trace, i, row)
	{
		int rule = (int)json_integer_value(json_object_get(row, "rule"));
		const char *name = rule >= RULE_WELL_FORMED && rule <= RULE_COUNT
		                           ? words(call, arena_printf(call->request->arena, "%s.%d",
		                                                      "rule", rule))
		                           : "";
		json_array_append_new(rows, json_pack("{s:s, s:O, s:s, s:s}", "rule", name, "holds",
		                                      json_object_get(row, "holds"), "detail",
		                                      when_in(call, jsontext_at(row, "detail")),
		                                      "path", path_of(call, row, number)));
	}
	return rows;
}

json_t *trace_words_stops(const json_t *rows)
{
	json_t *stops = json_array();
	size_t i;
	json_t *row;
	json_array_foreach(rows, i, row)
	{
		if (json_is_false(json_object_get(row, "holds")))
			json_array_append(stops, row);
	}
	return stops;
}
