/* SPDX-License-Identifier: MIT */
/* The mail that a report brings about to a contact's other address. */
#include "engine/bounce_mail.h"

#include "engine/engine_private.h"
#include "engine/mail_supersede.h"
#include "engine/numbers.h"
#include "engine/outcome.h"
#include "engine/redirect.h"
#include "mail/outgoing_mail.h"
#include "spool/spool_bounce.h"

/* The context of the first one is that of the second, which has a reply for that reason. */
static void copy_context(struct engine *engine, const struct spool_mail *from,
                         const struct spool_mail *to)
{
	const char *context = spool_mail_context(engine->spool, from->id, engine->arena);
	if (context == NULL)
		return;
	spool_mail_set_context(engine->spool, to->id, context, NULL);
	spool_mail_set_reply(engine->spool, to->id, from->reply);
}

static void publish_alternate(struct engine *engine, const struct spool_mail *mail, int64_t event)
{
	struct spool_event loaded;
	struct outcome_facts facts = {
	        .mail = mail,
	        .contact = mail->contact,
	        .to = engine_goes_to(engine, mail->address),
	        .due = mail->due,
	};
	if (spool_event_load(engine->spool, event, engine->arena, &loaded))
		engine_outcome(engine, &loaded, STATUS_QUEUED, REASON_OK, &facts);
}

/* Those of a mail whose jobs haven't moved on. */
static size_t still_due(struct engine *engine, const struct spool_mail *mail,
                        const struct spool_notice *notices, size_t n, struct spool_notice *ret)
{
	size_t left = 0;
	for (size_t i = 0; i < n; i++)
		if (!engine_left_behind(engine, mail, &notices[i]))
			ret[left++] = notices[i];
	return left;
}

static struct spool_mail alternate_of(struct engine *engine, const struct spool_mail *bounced,
                                      const char *to)
{
	struct spool_mail mail = *bounced;
	mail.id = 0;
	mail.status = STATUS_QUEUED;
	mail.reason = REASON_OK;
	mail.made = mail.changed = mail.due = engine->now;
	mail.open = false;
	mail.attempts = 0;
	mail.address = to;
	mail.redirected = "";
	mail.rendering = (struct rendering){0};
	return mail;
}

void engine_create_alternate(struct engine *engine, const struct spool_mail *bounced,
                             const char *to)
{
	size_t all;
	const struct spool_notice *notices =
	        spool_notices(engine->spool, bounced->id, engine->arena, &all);
	struct spool_notice *due = arena_new_array(engine->arena, all, struct spool_notice);
	size_t n = still_due(engine, bounced, notices, all, due);
	if (n == 0)
		return;
	struct spool_mail mail = alternate_of(engine, bounced, to);
	spool_mail_add(engine->spool, &mail);
	for (size_t i = 0; i < n && bounced->event == 0; i++) {
		due[i].mail = mail.id;
		spool_notice_add(engine->spool, &due[i]);
	}
	if (n == all)
		copy_context(engine, bounced, &mail);
	for (size_t i = 0; i < n; i++)
		publish_alternate(engine, &mail, due[i].event);
}
