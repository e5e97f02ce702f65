/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_MAIL_CREATE_H
#define ENGINE_MAIL_CREATE_H

#include "model/suspension.h"
#include "rules/rules.h"
#include "spool/spool.h"

#include <stdbool.h>

struct engine;

/* A contact's mail of an event, or its place in one that gathers its group; with the outcome. */
void engine_create_mail(struct engine *engine, const struct spool_event *event,
                        const struct contact_verdict *verdict);
/* The collision is reported in any case; the mail needs an office that has an address. */
void engine_create_office_mail(struct engine *engine, const struct spool_event *event,
                               const struct suspension *suspension);
/* The office's one mail of recalled jobs; `context` is recorded. False where there is no office. */
bool engine_create_recall_mail(struct engine *engine, const struct spool_event *first,
                               const char *context, struct spool_mail *ret) MUST_CHECK;

#endif
