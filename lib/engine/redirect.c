/* SPDX-License-Identifier: MIT */
/* A staging system's mails all go to one address. Rows keep the true address. */
#include "engine/redirect.h"

#include "engine/engine_private.h"
#include "mail/outgoing_mail.h"

enum {
	TRIED = 1u << STATUS_SENDING | 1u << STATUS_SENT | 1u << STATUS_RETRYING |
	        1u << STATUS_FAILED | 1u << STATUS_BOUNCED
};

const char *engine_redirects_to(const struct engine *engine)
{
	const char *to = engine->settings->mail.redirect_to;
	return to != NULL ? to : "";
}

const char *engine_goes_to(const struct engine *engine, const char *address)
{
	const char *to = engine_redirects_to(engine);
	return *to != '\0' && address != NULL && *address != '\0' ? to : address;
}

bool engine_is_redirected(const struct spool_mail *mail)
{
	return mail->redirected != NULL && *mail->redirected != '\0';
}

const char *engine_mail_goes_to(const struct engine *engine, const struct spool_mail *mail)
{
	if ((TRIED & 1u << mail->status) == 0)
		return engine_goes_to(engine, mail->address);
	return engine_is_redirected(mail) ? mail->redirected : mail->address;
}

void engine_redirect(const struct engine *engine, struct spool_mail *mail)
{
	mail->redirected = engine_redirects_to(engine);
}

void engine_redirect_outgoing(const struct spool_mail *mail, struct outgoing_mail *outgoing)
{
	if (!engine_is_redirected(mail))
		return;
	outgoing->meant_for = outgoing->to;
	outgoing->to = arena_strdup(outgoing->arena, mail->redirected);
}
