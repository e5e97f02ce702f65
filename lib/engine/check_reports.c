/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "base/jsontext.h"
#include "engine/bounce_strikes.h"
#include "engine/check.h"
#include "spool/spool_bounce.h"

static const int64_t day_ms = INT64_C(24) * 3600 * 1000;

static json_t *finding_of(const char *finding, struct buf *text)
{
	json_t *json = json_pack("{s:s, s:s}", "finding", finding, "text", buf_text(text));
	buf_free(text);
	return json;
}

static void add_refused(json_t *findings, json_int_t refused)
{
	struct buf text = {0};
	if (refused == 0)
		return;
	buf_printf(&text,
	           "mail servers refused %" JSON_INTEGER_FORMAT
	           " mails for what they are in the last 24 hours; see dispatchctl bounce list",
	           refused);
	json_array_append_new(findings, finding_of("refusals", &text));
}

static void add_busy(json_t *findings, const json_t *busy)
{
	struct buf text = {0};
	json_int_t contact = json_integer_value(json_object_get(busy, "contact"));
	buf_printf(&text,
	           "%s of contact %" JSON_INTEGER_FORMAT
	           " was full or away on %" JSON_INTEGER_FORMAT
	           " days; on %d within %d it is marked invalid",
	           jsontext_at(busy, "address"), contact,
	           json_integer_value(json_object_get(busy, "days")), BOUNCE_STRIKES,
	           BOUNCE_STRIKE_DAYS);
	json_t *finding = finding_of("busy", &text);
	json_object_set_new(finding, "contact", json_integer(contact));
	json_object_set(finding, "address", json_object_get(busy, "address"));
	json_array_append_new(findings, finding);
}

bool check_reports(struct spool *spool, struct instant now, json_t *findings, struct error *err)
{
	json_t *troubles, *row;
	size_t i;
	if (!spool_read_bounce_troubles(spool, instant_add(now, -day_ms),
	                                instant_add(now, -BOUNCE_STRIKE_DAYS * day_ms), &troubles,
	                                err))
		return false;
	add_refused(findings, json_integer_value(json_object_get(troubles, "refused")));
	json_array_foreach(json_object_get(troubles, "busy"), i, row) add_busy(findings, row);
	json_decref(troubles);
	return true;
}
