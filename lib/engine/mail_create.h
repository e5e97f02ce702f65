/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_MAIL_CREATE_H
#define ENGINE_MAIL_CREATE_H

#include "model/customer.h"
#include "model/suspension.h"
#include "rules/rules.h"
#include "spool/spool.h"

#include <stdbool.h>

struct engine;

/* What a mail is to report. */
struct reported_event {
	const struct spool_event *event; /* with its data, or as spool_event_load() gives it */
	const struct customer *customer;
	bool first; /* of this turn, and its job's first: the spool has no other of it */
	bool again; /* a mail was made for it before: it isn't counted for the breaker */
};

/* A contact's mail of an event, or its place in one that gathers its group; with the outcome. One
 * that is due now is a new mail (mail_new.h). */
void engine_create_mail(struct engine *engine, const struct reported_event *reported,
                        const struct contact_verdict *verdict);
/* The collision is reported in any case; the mail needs an office that has an address. */
void engine_create_office_mail(struct engine *engine, const struct reported_event *reported,
                               const struct suspension *suspension);
/* The office's one mail of recalled jobs; `context` is recorded. False where there is no office. */
bool engine_create_recall_mail(struct engine *engine, const struct spool_event *first,
                               const char *context, struct spool_mail *ret) MUST_CHECK;
#endif
