/* SPDX-License-Identifier: MIT */
#ifndef OVERVIEW_SENT_MAIL_H
#define OVERVIEW_SENT_MAIL_H

#include "mail/templates.h"
#include "overview/overview.h"
#include "spool/spool.h"

#include <jansson.h>

/*
 * A mail as it was sent: rendered again by the set of templates that it was rendered by, with the
 * data of that time, both kept in the spool.
 */
enum sent_mail_state {
	SENT_MAIL_EXACT,     /* byte for byte what the mailer had */
	SENT_MAIL_DIFFERENT, /* not quite: its address has changed since, or the program */
	/* There is nothing to show: */
	SENT_MAIL_NOT_YET,  /* no mailer has tried it */
	SENT_MAIL_ERASED,   /* its data has gone with its customer's */
	SENT_MAIL_OUTDATED, /* its templates aren't kept, or not anymore */
};
struct sent_mail {
	enum sent_mail_state state;
	struct rendering rendering; /* what was recorded when it was last tried */
	struct templates_mail mail; /* empty where there is nothing to show */
};

/* "exact", "different", "not_yet", "erased", "outdated". */
const char *sent_mail_state_name(enum sent_mail_state state);
/* Whether there is something to show. */
bool sent_mail_is_there(const struct sent_mail *sent);

/* As the template has it, without the blank behind "Subject:". */
const char *sent_mail_subject(const struct sent_mail *sent);

/* Code 66: no such mail. To be cleared in any case. */
bool sent_mail_render(const struct overview *view, struct spool *spool, int64_t id,
                      struct sent_mail *ret, struct error *err) MUST_CHECK;
void sent_mail_clear(struct sent_mail *sent);

/* Adds it to a mail of spool_read_mail(): `rendering`, the state's name, and `text`, null where
 * there is none; its `context` becomes what templates see. */
void sent_mail_show(const struct overview *view, const struct sent_mail *sent, json_t *mail);
/* Renders and adds it, with `html` and `source`, too. */
bool sent_mail_add(const struct overview *view, struct spool *spool, json_t *mail,
                   struct error *err) MUST_CHECK;

#endif
