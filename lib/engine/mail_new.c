/* SPDX-License-Identifier: MIT */
/* New mails in hand, and their way into the spool. mail_dispatch.c dispatches them. */
#include "engine/mail_new.h"

#include "engine/engine_private.h"

static uint64_t *jobs_word(struct new_mails *mails, int64_t job)
{
	return &mails->jobs[(uint64_t)job / 64 % NEW_MAILS_JOB_WORDS];
}

static uint64_t jobs_bit(int64_t job)
{
	return UINT64_C(1) << ((uint64_t)job % 64);
}

void engine_new_mails_begin(struct engine *engine)
{
	engine->new_mails = (struct new_mails){.end = &engine->new_mails.first};
}

void engine_new_mail_add(struct engine *engine, struct new_mail *mail)
{
	struct new_mails *mails = &engine->new_mails;
	mail->mail.id = spool_mail_new_id(engine->spool);
	*mails->end = mail;
	mails->end = &mail->next;
	*jobs_word(mails, mail->event.job) |= jobs_bit(mail->event.job);
}

struct spool_notice engine_new_mail_notice(const struct new_mail *mail)
{
	return (struct spool_notice){.mail = mail->mail.id,
	                             .event = mail->event.id,
	                             .job = mail->event.job,
	                             .contact = mail->mail.contact,
	                             .active = true};
}

void engine_new_mail_write(struct engine *engine, struct new_mail *mail)
{
	spool_mail_add(engine->spool, &mail->mail);
	if (mail->context != NULL)
		spool_mail_set_context(engine->spool, mail->mail.id, mail->context, &mail->event);
	mail->written = true;
}

void engine_new_mails_write_job(struct engine *engine, int64_t job)
{
	struct new_mails *mails = &engine->new_mails;
	if ((*jobs_word(mails, job) & jobs_bit(job)) == 0)
		return;
	for (struct new_mail *mail = mails->first; mail != NULL; mail = mail->next) {
		if (mail->event.job == job && !mail->written)
			engine_new_mail_write(engine, mail);
	}
}

/* Their events are the latest: of most others one comparison says that they aren't here. */
void engine_new_mails_write_event(struct engine *engine, int64_t event)
{
	struct new_mail *first = engine->new_mails.first;
	if (first == NULL || event < first->event.id)
		return;
	for (struct new_mail *mail = first; mail != NULL; mail = mail->next) {
		if (mail->event.id == event && !mail->written)
			engine_new_mail_write(engine, mail);
	}
}

void engine_new_mails_write_all(struct engine *engine)
{
	for (struct new_mail *mail = engine->new_mails.first; mail != NULL; mail = mail->next) {
		if (!mail->written)
			engine_new_mail_write(engine, mail);
	}
	engine_new_mails_begin(engine);
}
