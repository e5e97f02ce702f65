/* SPDX-License-Identifier: MIT */
/* A flood of new mails is held back until a person has looked at it. limits.c counts. */
#include "engine/breaker.h"

#include "base/units.h"
#include "engine/context_parts.h"
#include "engine/engine_private.h"
#include "engine/limits.h"
#include "engine/mail_new.h"
#include "engine/office_mail.h"
#include "engine/report.h"
#include "rules/rules.h"
#include "spool/spool_limits.h"

#include <jansson.h>
#include <stdlib.h>
#include <syslog.h>

enum { SHARES_OF = 10000, SHARES_EACH = 3 };

static const char *limit_text(struct engine *engine)
{
	char window[UNITS_TEXT_MAX];
	const struct limit *burst = &engine->settings->rules.burst;
	return arena_printf(engine->arena, "%lld/%s", (long long)burst->most,
	                    duration_format(burst->window_ms, window));
}

/* The same rows by what they are shares of: {"customer": [{"what", "mails"}], …}. */
static json_t *shares_json(struct engine *engine)
{
	json_t *shares = json_object(), *row;
	size_t i;
	int64_t made = engine->limits.made < SHARES_OF ? engine->limits.made : SHARES_OF;
	json_t *rows = spool_mail_shares(engine->spool, false, made, SHARES_EACH);
	json_array_foreach(rows, i, row)
	{
		const char *by = json_string_value(json_object_get(row, "by"));
		if (json_object_get(shares, by) == NULL)
			json_object_set_new(shares, by, json_array());
		json_array_append_new(json_object_get(shares, by),
		                      json_pack("{s:O, s:O}", "what", json_object_get(row, "what"),
		                                "mails", json_object_get(row, "mails")));
	}
	json_decref(rows);
	return shares;
}

static void mail_office(struct engine *engine, const struct spool_breaker *breaker)
{
	struct spool_mail mail;
	json_t *context = json_pack(
	        "{s:{s:I, s:I, s:s}, s:o, s:o}", "breaker", "made", (json_int_t)breaker->made,
	        "held", (json_int_t)spool_mails_held(engine->spool), "limit", breaker->limit,
	        "shares", shares_json(engine), "company", context_company_json(engine->settings));
	char *text = context != NULL ? json_dumps(context, JSON_COMPACT) : NULL;
	const struct office_mail office = {
	        .template = "held_back",
	        .id = engine_office_mail_id(engine, "breaker", breaker->since.ms),
	        .context = text,
	};
	if (text != NULL && !engine_office_mail_add(engine, &office, &mail))
		engine_report(engine, LOG_WARNING,
		              "nobody gets a mail about the breaker: [office] "
		              "email is not set");
	free(text);
	json_decref(context);
}

static void open(struct engine *engine)
{
	const struct spool_breaker breaker = {
	        .since = engine->now, .made = engine->limits.made, .limit = limit_text(engine)};
	engine->limits.open = true;
	spool_breaker_open(engine->spool, &breaker);
	engine_new_mails_write_all(engine); /* the shares are theirs, too */
	engine_report(
	        engine, LOG_ERR | MESSAGE_BREAKER_OPEN,
	        "breaker is open: %lld new mails, more than [rules] burst allows limit=%s; new "
	        "ones are held back until dispatchctl breaker release or discard",
	        (long long)breaker.made, breaker.limit);
	mail_office(engine, &breaker);
}

/* Without a limit, what is held waits for a person all the same. */
static bool may_close(const struct engine *engine)
{
	const struct limit *burst = &engine->settings->rules.burst;
	return spool_mails_held(engine->spool) == 0 &&
	       (burst->most == 0 || engine->limits.made < burst->most);
}

void engine_close_breaker(struct engine *engine)
{
	if (!engine->limits.open || !may_close(engine))
		return;
	engine->limits.open = false;
	spool_breaker_close(engine->spool);
	engine_report(engine, LOG_NOTICE, "breaker is closed: mails go out as they come");
}

void engine_follow_breaker(struct engine *engine)
{
	engine_keep_bursts(engine);
	if (engine->limits.tripped && !engine->limits.open)
		open(engine);
	engine_close_breaker(engine);
}

struct instant engine_next_breaker(const struct engine *engine)
{
	bool waits = engine->limits.open && spool_mails_held(engine->spool) == 0;
	return waits ? engine_burst_over(engine) : INSTANT_NEVER;
}
