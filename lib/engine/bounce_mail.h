/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_BOUNCE_MAIL_H
#define ENGINE_BOUNCE_MAIL_H

#include "spool/spool.h"

#include <stdint.h>

struct engine;

/* Those of reports (bounce_office.c): nobody can be reached anymore, which `event` began and the
 * report `report` says; mail servers refuse mails. Nothing where there is no office. */
void engine_create_unreachable_mail(struct engine *engine, const struct spool_event *event,
                                    int64_t report, const char *context);
void engine_create_refusals_mail(struct engine *engine, const char *context);
/* A mail that bounced, once more to the contact's other address: due now, with what it said, the
 * same Message-ID and shelf life; with the outcome. Without events that their
 * jobs have left behind; nothing where that are all. */
void engine_create_alternate(struct engine *engine, const struct spool_mail *bounced,
                             const char *to);

#endif
