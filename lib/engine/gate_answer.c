/* SPDX-License-Identifier: MIT */
#include "engine/gate_answer.h"

#include "rules/gate.h"
#include "rules/rules.h"

#include <sysexits.h>

static void set_text(json_t *out, const char *name, const char *text)
{
	if (text != NULL && *text)
		json_object_set_new(out, name, json_string(text));
}

static void set_time(json_t *out, const char *name, struct instant t, const struct zone *zone)
{
	char text[INSTANT_TEXT_MAX];
	if (t.ms != INSTANT_NEVER.ms && !instant_is_none(t))
		set_text(out, name, instant_format(t, zone_offset_s(zone, t), text));
}

static bool read_case(const json_t *in, struct gate_case *ret, const char **type, struct error *err)
{
	const char *spelled = json_string_value(json_object_get(in, "type"));
	const char *scheduled = json_string_value(json_object_get(in, "scheduled"));
	*type = spelled == NULL ? NULL : event_request_type(spelled, &ret->kind);
	if (*type == NULL)
		return error_set(err, EX_USAGE, "type is job.create or job.dispatch");
	ret->scheduled = INSTANT_NONE;
	if (scheduled != NULL && !instant_parse(scheduled, &ret->scheduled))
		return error_set(err, EX_USAGE, "scheduled is an RFC 3339 time with an offset");
	return true;
}

static void add_window(const struct gate_case *subject, const struct zone *zone, json_t *out)
{
	struct instant at = instant_is_none(subject->scheduled) ? subject->now : subject->scheduled;
	struct hours_span span;
	if (!hours_arrival_window(customer_hours(subject->customer, subject->arena), zone, at,
	                          &span))
		return;
	set_time(out, "arrive_by", span.open, zone);
	set_time(out, "leave_by", span.close, zone);
}

bool gate_answer(const struct settings *settings, struct zones *zones, struct arena *arena,
                 struct instant now, const struct customer *customer, const json_t *in, json_t *out,
                 struct error *err)
{
	struct gate_case subject = {.settings = settings,
	                            .zones = zones,
	                            .arena = arena,
	                            .now = now,
	                            .customer = customer,
	                            .asked = now};
	struct gate_verdict v;
	char day[DAY_TEXT_MAX];
	const char *type;
	if (!read_case(in, &subject, &type, err))
		return false;
	const struct zone *zone = rules_zone(settings, zones, customer);
	gate_judge(&subject, &v);
	set_text(out, "type", type);
	set_text(out, "customer", json_string_value(json_object_get(in, "customer")));
	set_text(out, "status", status_name(v.status));
	set_text(out, "reason", reason_name(v.reason));
	json_object_set_new(out, "outside_hours", json_boolean(v.outside_hours));
	if (v.suspension != NULL) {
		set_text(out, "note", v.suspension->note);
		set_text(out, "until", day_format(v.suspension->until, day));
	}
	if (v.status == STATUS_HELD)
		set_time(out, v.due.ms != INSTANT_NEVER.ms ? "due" : "expires", v.recheck, zone);
	if (v.status == STATUS_RELEASED)
		add_window(&subject, zone, out);
	return true;
}
