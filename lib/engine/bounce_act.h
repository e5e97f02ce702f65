/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_BOUNCE_ACT_H
#define ENGINE_BOUNCE_ACT_H

#include "mail/report.h"
#include "spool/spool.h"

struct engine;

/* A report that is known to be about a mail. */
struct bounce_act {
	struct spool_mail mail;
	const char *address; /* to which the mail went that it is about, or was to go */
	bool redirected;     /* it went elsewhere: nothing comes of it for the contact */
	enum mail_report_kind kind;
	enum mail_report_verdict verdict;
	const char *words; /* the mail server's: shown as the mail's reply */
	int64_t report;    /* its id */
	/* set here: the first event of the mail, with whose customer it is */
	bool has_event; /* false where that is gone from the spool */
	struct spool_event event;
};

/* What came of it, a word of the column `took`: marked, struck, bounced, complained, counted. One
 * whose mail is still with a mailer does all but move the mail: *ret_early. */
const char *engine_bounce_act(struct engine *engine, struct bounce_act *act, bool *ret_early);
/* The mail's result is in, and it was sent: it moves. */
void engine_bounce_move(struct engine *engine, struct bounce_act *act);

#endif
