/* SPDX-License-Identifier: MIT */
/* What the office hears of reports: that nobody of a customer can be reached anymore, and that mail
 * servers refuse our mails for what they are. Each is one mail, with its context recorded. */
#include "engine/bounce_office.h"

#include "base/jsontext.h"
#include "engine/bounce_act.h"
#include "engine/context.h"
#include "engine/context_parts.h"
#include "engine/customer_cache.h"
#include "engine/engine_private.h"
#include "engine/office_mail.h"
#include "rules/rules.h"
#include "spool/spool_bounce.h"

#include <stdlib.h>
#include <string.h>
#include <syslog.h>

enum { HOUR_MS = 3600 * 1000, REPORTS_SHOWN = 20 };
static const int64_t day_ms = INT64_C(24) * HOUR_MS;

bool engine_can_reach(struct engine *engine, const struct customer *customer)
{
	size_t n = 0;
	enum reason ignored;
	const struct contact *const *contacts =
	        customer != NULL ? customer_contacts(customer, engine->arena, &n) : NULL;
	for (size_t i = 0; i < n; i++)
		if (contacts[i]->notify != 0 && *contact_address(contacts[i], &ignored) != '\0')
			return true;
	return false;
}

static json_t *report_json(const char *address, const char *words, struct instant time,
                           const struct zone *zone)
{
	char text[INSTANT_TEXT_MAX];
	return json_pack("{s:s, s:s, s:s}", "address", address, "words", words, "time",
	                 instant_format(time, zone_offset_s(zone, time), text));
}

static void add_mail(struct engine *engine, const struct office_mail *office)
{
	struct spool_mail mail;
	if (!engine_office_mail_add(engine, office, &mail))
		return; /* there is no office: the log has it */
}

/* ---- Nobody can be reached ---- */

static void add_contact(json_t *context, const struct contact *contact)
{
	struct buf text = {0};
	if (contact == NULL)
		return;
	context_put_contact(&text, contact);
	json_object_set_new(context, "contact", jsontext_read(buf_text(&text), text.len, NULL));
	buf_free(&text);
}

/* What the template of a job's mail sees, plus the contact and the report's words. */
static json_t *unreachable_json(struct engine *engine, const struct customer *customer,
                                const struct bounce_act *act)
{
	const struct spool_event *event = &act->event;
	struct spool_mail mail = {.contact = MAIL_OFFICE};
	const char *text = engine_context(engine, &mail, &event, 1);
	json_t *context = jsontext_read(text, strlen(text), NULL);
	const struct zone *zone = rules_zone(engine->settings, engine->zones, customer);
	if (context == NULL)
		bug("a mail's context is not JSON");
	add_contact(context, customer_contact(customer, act->mail.contact));
	json_object_set_new(context, "report",
	                    report_json(act->address, act->words, engine->now, zone));
	return context;
}

void engine_bounce_unreachable(struct engine *engine, const struct bounce_act *act)
{
	const struct customer *customer =
	        act->has_event ? engine_customer(engine, act->event.event.customer) : NULL;
	if (customer == NULL || engine_can_reach(engine, customer))
		return;
	json_t *context = unreachable_json(engine, customer, act);
	char *text = json_dumps(context, JSON_COMPACT);
	engine_report(engine, LOG_WARNING | MESSAGE_UNREACHABLE,
	              "customer=%s can't be reached anymore: %s was the last address",
	              customer->number, act->address);
	const struct office_mail office = {
	        .template = "unreachable",
	        .id = engine_office_mail_id(engine, "report", act->report),
	        .event = &act->event,
	        .context = text,
	};
	if (text != NULL)
		add_mail(engine, &office);
	free(text);
	json_decref(context);
}

/* ---- Mails are refused ---- */

static bool too_many(struct engine *engine, int64_t *ret_hour, int64_t *ret_day)
{
	struct instant yesterday = instant_add(engine->now, -day_ms);
	*ret_hour = spool_bounces_refused(engine->spool, instant_add(engine->now, -HOUR_MS));
	*ret_day = spool_bounces_refused(engine->spool, yesterday);
	if (*ret_hour >= REFUSALS_AN_HOUR)
		return true;
	/* One mail more than these would be too many for so few refusals. */
	int64_t enough = *ret_day * 100 / REFUSALS_PERCENT + 1;
	return *ret_day >= REFUSALS_FEW &&
	       spool_mails_since(engine->spool, yesterday, enough) < enough;
}

static json_t *refusals_json(struct engine *engine, int64_t hour, int64_t day)
{
	size_t n;
	const struct zone *zone = rules_zone(engine->settings, engine->zones, NULL);
	const struct spool_bounce *last =
	        spool_bounces_refused_last(engine->spool, REPORTS_SHOWN, engine->arena, &n);
	json_t *reports = json_array(), *context = json_object();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(
		        reports, report_json(last[i].address, last[i].text, last[i].time, zone));
	json_object_set_new(
	        context, "report",
	        json_pack("{s:I, s:I}", "hour", (json_int_t)hour, "day", (json_int_t)day));
	json_object_set_new(context, "reports", reports);
	json_object_set_new(context, "company", context_company_json(engine->settings));
	return context;
}

void engine_bounce_refused(struct engine *engine)
{
	int64_t hour, day;
	struct instant alarmed = spool_refusals_alarmed(engine->spool);
	bool lately = !instant_is_none(alarmed) && engine->now.ms - alarmed.ms < day_ms &&
	              engine->now.ms >= alarmed.ms;
	if (lately || !too_many(engine, &hour, &day))
		return;
	spool_set_refusals_alarmed(engine->spool, engine->now);
	engine->stats.refusal_alarms++;
	engine_report(engine, LOG_ERR | MESSAGE_MAILS_REFUSED,
	              "mail servers refuse mails for what they are: %lld in the last hour, %lld in "
	              "the last day; see dispatchctl bounce list",
	              (long long)hour, (long long)day);
	json_t *context = refusals_json(engine, hour, day);
	char *text = json_dumps(context, JSON_COMPACT);
	const struct office_mail office = {
	        .template = "refusals",
	        .id = engine_office_mail_id(engine, "refusals", engine->now.ms),
	        .context = text,
	};
	if (text != NULL)
		add_mail(engine, &office);
	free(text);
	json_decref(context);
}
