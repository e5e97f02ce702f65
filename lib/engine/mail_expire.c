/* SPDX-License-Identifier: MIT */
/* Ends of shelf lives: members of a mail leave one by one, the mail with the last of them. */
#include "engine/mail_expire.h"

#include "engine/engine_private.h"
#include "engine/mail_state.h"

enum { EXPIRED_A_TURN = 256 };

static void set_expires(struct engine *engine, const struct spool_mail *mail, struct instant at)
{
	in_flight_drop(engine->in_flight, mail->id);
	spool_mail_set_expires(engine->spool, mail->id, at);
}

/* Members whose shelf life is over by then leave; the mail's is that of the next one to end. */
void engine_expire_members(struct engine *engine, struct spool_mail *mail, struct instant by)
{
	size_t n;
	struct spool_notice *notices = spool_notices(engine->spool, mail->id, engine->arena, &n);
	struct instant next = INSTANT_NEVER;
	for (size_t i = 0; i < n; i++) {
		struct spool_event event;
		if (!spool_event_load(engine->spool, notices[i].event, engine->arena, &event))
			continue;
		int64_t life_ms = engine->settings->notify[event.event.state].shelf_life_ms;
		struct instant from = mail->contact == MAIL_OFFICE ? mail->made : event.event.time;
		struct instant end = instant_add(from, life_ms);
		if (!instant_before(by, end))
			engine_notice_set_status(engine, mail, &notices[i], STATUS_EXPIRED,
			                         REASON_EXPIRED);
		else
			next = instant_min(next, end);
	}
	if (n == 0)
		engine_mail_set_status(engine, mail, STATUS_EXPIRED, REASON_EXPIRED);
	else if (mail->status != STATUS_EXPIRED)
		set_expires(engine, mail, next);
}

void engine_expire(struct engine *engine)
{
	int64_t ids[EXPIRED_A_TURN];
	size_t n = spool_mails_expired(engine->spool, engine->now, ids, EXPIRED_A_TURN);
	for (size_t i = 0; i < n; i++) {
		struct spool_mail mail;
		if (spool_mail_load(engine->spool, ids[i], engine->arena, &mail))
			engine_expire_members(engine, &mail, engine->now);
	}
	engine->out->more |= n == EXPIRED_A_TURN;
}
