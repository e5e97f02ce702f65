/* SPDX-License-Identifier: MIT */
/* What another event of a job would do: asked by a form, answered by the code that decides. */
#include "center/pages/what_if.h"

#include "base/jsontext.h"
#include "center/pages/command.h"
#include "center/pages/labels.h"
#include "center/pages/trace_words.h"
#include "center/pages/when.h"
#include "center/pages/words.h"
#include "engine/explain.h"
#include "model/job_state.h"
#include "model/words.h"
#include "overview/calendar.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

static const char *asked(const struct call *call, const char *name)
{
	const char *text = request_value(&call->request->query, name);
	return text ? text : "";
}

static json_t *states_of(const struct call *call, const char *chosen)
{
	json_t *states = json_array();
	for (int s = 0; s < JOB_STATE_COUNT; s++) {
		const char *name = job_state_name((enum job_state)s);
		json_array_append_new(states, json_pack("{s:s, s:s, s:b}", "value", name, "label",
		                                        label_word(call, name), "selected",
		                                        strcmp(name, chosen) == 0));
	}
	return states;
}

/* "2026-12-25T03:00", as a browser's field has it, by the clock of that zone. */
static bool read_wall(const char *text, const struct zone *zone, struct instant *ret)
{
	char day_text[DAY_TEXT_MAX];
	unsigned hour, minute;
	struct day day;
	int end = 0;
	if (strlen(text) < 16 || text[10] != 'T' ||
	    sscanf(text + 11, "%2u:%2u%n", &hour, &minute, &end) != 2 || end != 5 || hour > 23 ||
	    minute > 59)
		return false;
	(void)snprintf(day_text, sizeof day_text, "%.10s", text);
	if (!day_parse(day_text, &day))
		return false;
	*ret = zone_instant(zone, day, (int)(hour * 60 + minute), ZONE_FIRST);
	return true;
}

/* -- the answer -------------------------------------------------------------------------------- */

static const char *why_of(const struct call *call, const json_t *verdict)
{
	const char *reason = jsontext_at(verdict, "reason");
	return reason_find(reason) > REASON_OK ? label_word(call, reason) : "";
}

static json_t *contacts_of(const struct call *call, const json_t *contacts)
{
	json_t *rows = json_array();
	size_t i;
	const json_t *contact;
	json_array_foreach(contacts, i, contact)
	{
		json_array_append_new(rows,
		                      json_pack("{s:s, s:s, s:s, s:s}", "email",
		                                jsontext_at(contact, "email"), "status",
		                                jsontext_at(contact, "status"), "why",
		                                why_of(call, contact), "due",
		                                when_words(call, jsontext_at(contact, "due"))));
	}
	return rows;
}

static json_t *answer_of(const struct call *call, const json_t *verdict, const char *number)
{
	json_t *trace = trace_words(call, json_object_get(verdict, "trace"), number);
	return json_pack("{s:s, s:s, s:s, s:b, s:o, s:o, s:o}", "status",
	                 jsontext_at(verdict, "status"), "why", why_of(call, verdict), "due",
	                 when_words(call, jsontext_at(verdict, "due")), "collision",
	                 json_is_object(json_object_get(verdict, "collision")), "contacts",
	                 contacts_of(call, json_object_get(verdict, "contacts")), "stops",
	                 trace_words_stops(trace), "trace", trace);
}

/* An event that nobody has published. */
static bool judge(struct call *call, const char *job, const char *number, const char *state,
                  struct instant at, json_t **ret, struct error *err)
{
	char *id = g_uuid_string_random();
	json_t *event =
	        json_pack("{s:s, s:s, s:s, s:s}", "id", id, "type",
	                  job_state_type(job_state_find(state)), "job", job, "customer", number);
	struct buf text = {0}, answer = {0};
	jsontext_write(&text, event, JSONTEXT_AS_IS);
	struct explain *explain = explain_open(stores_settings(call->stores), err);
	bool good = explain && explain_event(explain, buf_text(&text), text.len, at, &answer, err);
	json_t *verdict = good ? jsontext_read(answer.data, answer.len, err) : NULL;
	(void)explain_close(explain);
	buf_free(&text);
	buf_free(&answer);
	json_decref(event);
	g_free(id);
	if (verdict)
		*ret = verdict;
	return verdict != NULL;
}

/* Adds `answer` or `fault`, and `command`. */
static void ask(struct call *call, const char *job, const char *number, const struct zone *zone,
                json_t *data)
{
	const char *state = asked(call, "type"), *at = asked(call, "at");
	struct instant when = call->now;
	struct error err;
	json_t *verdict;
	char text[INSTANT_TEXT_MAX];
	if (job_state_find(state) == JOB_NONE || (*at && !read_wall(at, zone, &when))) {
		json_object_set_new(data, "fault", json_string(words(call, "whatif.unreadable")));
		return;
	}
	if (!judge(call, job, number, state, when, &verdict, &err)) {
		json_object_set_new(data, "fault", json_string(call_fault_text(call, &err)));
		return;
	}
	(void)instant_format(when, zone_offset_s(zone, when), text);
	json_object_set_new(data, "answer", answer_of(call, verdict, number));
	json_object_set_new(
	        data, "command",
	        json_string(command_text(call, "explain", "--customer", number, "--type", state,
	                                 "--job", job, *at ? "--at" : NULL, text, NULL)));
	json_decref(verdict);
}

json_t *what_if(struct call *call, const char *job, const char *number)
{
	struct overview overview;
	struct error err;
	const struct zone *zone;
	const char *state = asked(call, "type");
	json_t *data =
	        json_pack("{s:o, s:s}", "states", states_of(call, state), "at", asked(call, "at"));
	if (!call_overview(call, &overview, &err) ||
	    !calendar_zone(&overview, number, &zone, &err)) {
		json_object_set_new(data, "fault", json_string(call_fault_text(call, &err)));
		return data;
	}
	json_object_set_new(data, "zone", json_string(zone_name(zone)));
	if (*state != '\0')
		ask(call, job, number, zone, data);
	return data;
}
