/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_CONTEXT_H
#define ENGINE_CONTEXT_H

#include "engine/mail_new.h"
#include "spool/spool.h"

#include <jansson.h>

struct engine;

/* What a template sees of a mail that reports these events: JSON text in the short form of
 * mail/context.h, in the turn's arena. */
const char *engine_context(struct engine *engine, const struct spool_mail *mail,
                           const struct spool_event *const *events, size_t n);

/* The same of a new mail, from what is in hand. */
const char *engine_context_new(struct engine *engine, const struct new_mail *mail);

/* Events' data in one mail may weigh so much; `*room` is what is left of it. Each is there several
 * times. */
enum { MAIL_DATA_MAX = 1 << 20 };
/* Values of an event's data that are in mails, where it weighs more than that by itself. */
enum { MAIL_VALUES_MAX = 4096 };
/* What it sees of the job of an event, in full; the caller's. */
json_t *engine_job_json(struct engine *engine, const struct spool_event *event, size_t *room);

#endif
