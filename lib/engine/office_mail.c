/* SPDX-License-Identifier: MIT */
#include "engine/office_mail.h"

#include "engine/engine_private.h"
#include "engine/numbers.h"
#include "mail/outgoing_mail.h"

static const int64_t week_ms = INT64_C(7) * 24 * 3600 * 1000;

const char *engine_office_mail_id(struct engine *engine, const char *what, int64_t number)
{
	return arena_printf(engine->arena, "%s-%s-%lld", spool_instance(engine->spool), what,
	                    (long long)number);
}

static const char *thread_of(struct engine *engine, const struct office_mail *office)
{
	if (office->thread_id != NULL)
		return office->thread_id;
	if (office->event != NULL)
		return engine_thread_id(engine, office->event);
	return outgoing_mail_thread_id(engine->arena, "", office->template, engine->from_domain);
}

bool engine_office_mail_make(struct engine *engine, const struct office_mail *office,
                             struct spool_mail *ret)
{
	const char *address = engine->settings->office.email;
	const struct spool_event *event = office->event;
	int64_t shelf_life_ms = office->shelf_life_ms != 0 ? office->shelf_life_ms : week_ms;
	if (office->to == NULL && (address == NULL || *address == '\0'))
		return false;
	*ret = (struct spool_mail){
	        .contact = MAIL_OFFICE,
	        .event = event != NULL ? event->id : 0,
	        .job = event != NULL ? event->job : 0,
	        .state = office->template,
	        .status = STATUS_QUEUED,
	        .reason = REASON_OK,
	        .made = engine->now,
	        .changed = engine->now,
	        .due = engine->now,
	        .expires = instant_add(engine->now, shelf_life_ms),
	        .address = office->to != NULL ? office->to : "",
	        .message_id = outgoing_mail_message_id(
	                engine->arena, office->source != NULL ? office->source : "dispatchd",
	                office->id, MAIL_OFFICE,
	                office->named != NULL ? office->named : office->template,
	                engine->from_domain),
	        .thread_id = thread_of(engine, office),
	        .reply = "",
	};
	return true;
}

bool engine_office_mail_add(struct engine *engine, const struct office_mail *office,
                            struct spool_mail *ret)
{
	if (!engine_office_mail_make(engine, office, ret))
		return false;
	spool_mail_add(engine->spool, ret);
	spool_mail_set_context(engine->spool, ret->id, office->context, NULL);
	return true;
}
