/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_REDIRECT_H
#define ENGINE_REDIRECT_H

#include "mail/outgoing_mail.h"
#include "spool/spool.h"

#include <stdbool.h>

struct engine;

/* [mail] redirect_to: every mail goes there instead. "" where mails aren't redirected. */
const char *engine_redirects_to(const struct engine *engine);
/* Where a mail to this address goes now; NULL and "" stay what they are. */
const char *engine_goes_to(const struct engine *engine, const char *address);
/* Where the mail went when it was last sent, or goes now. */
const char *engine_mail_goes_to(const struct engine *engine, const struct spool_mail *mail);
/* What becomes of the mail says nothing of its contact's address. */
bool engine_is_redirected(const struct spool_mail *mail);

/* Sends it there: `mail` and `outgoing` say so. Before the mail takes the state sending. */
void engine_redirect(const struct engine *engine, struct spool_mail *mail);
void engine_redirect_outgoing(const struct spool_mail *mail, struct outgoing_mail *outgoing);

#endif
