/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_OFFICE_MAIL_H
#define ENGINE_OFFICE_MAIL_H

#include "base/error.h"
#include "spool/spool.h"

#include <stdbool.h>
#include <stdint.h>

struct engine;

/*
 * A mail of the office's kind: due at once, never judged, with what its template sees recorded when
 * it is made. No outcome comes with it.
 *
 * An alarm takes a template (conf/templates/NAME.txt and .html, its phrases in the catalogues, its
 * name in lib/mail/mail_template.c), a context, and a name for its Message-ID:
 *
 *   const struct office_mail alarm = {
 *           .template = "refusals",
 *           .id = engine_office_mail_id(engine, "refusals", engine->now.ms),
 *           .context = text,
 *   };
 *   bool made = engine_office_mail_add(engine, &alarm, &mail);
 */
struct office_mail {
	const char *template;            /* the state of its row, too */
	const char *id;                  /* with `source` and `named`: what the Message-ID is of */
	const char *source;              /* of an event's id; NULL: dispatchd itself */
	const char *named;               /* NULL: as the template */
	const struct spool_event *event; /* which it reports, on whose job it is; NULL: none */
	const char *thread_id;           /* NULL: the job's, else that of all of its template */
	const char *context;             /* JSON; must be there to be added */
	int64_t shelf_life_ms;           /* 0: a week */
	const char *to; /* of forwards and answers alone: whom; NULL: the office where it is when
	                   the mail goes */
};

/* "INSTANCE-WHAT-NUMBER", in the turn's arena: unique as long as WHAT's numbers are, also among
 * spools. */
const char *engine_office_mail_id(struct engine *engine, const char *what, int64_t number);

/* The row as it would be added, in the turn's arena. False where nobody gets it: there is no
 * office. */
bool engine_office_mail_make(struct engine *engine, const struct office_mail *office,
                             struct spool_mail *ret) MUST_CHECK;
/* Makes and adds it, with its context; sets its id. */
bool engine_office_mail_add(struct engine *engine, const struct office_mail *office,
                            struct spool_mail *ret) MUST_CHECK;

#endif
