/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_BOUNCE_MAIL_H
#define ENGINE_BOUNCE_MAIL_H

#include "spool/spool.h"

#include <stdint.h>

struct engine;

/* A mail that bounced, once more to the contact's other address: due now, with what it said, the
 * same Message-ID and shelf life; with the outcome. Events
 * that their jobs have left behind stay out; where there are no others, no mail is made. */
void engine_create_alternate(struct engine *engine, const struct spool_mail *bounced,
                             const char *to);

#endif
