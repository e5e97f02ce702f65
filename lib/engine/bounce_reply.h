/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_BOUNCE_REPLY_H
#define ENGINE_BOUNCE_REPLY_H

#include "engine/bounce_subject.h"
#include "spool/spool_bounce.h"

#include <jansson.h>

struct engine;

/*
 * A person's reply to a mail (contract, section 11). It goes on to the sales rep of the customer,
 * else to the office, and is kept as a comment on the job; at most REPLIES_A_MAIL and
 * REPLIES_AN_HOUR of them, of FORWARD_BYTES_MAX each. The others are parked: on record, with the
 * beginning of what was written. What may be a program's is counted and goes nowhere.
 */
enum { REPLIES_A_MAIL = 20, REPLIES_AN_HOUR = 200 };

/* Whether it is one, by a token that is signed for replies. */
bool engine_is_reply(const struct bounce_facts *facts, const struct bounce_subject *subject);

/* Whether its content is wanted: it is not on record until that comes with it. */
bool engine_reply_wanted(struct engine *engine, const json_t *in,
                         const struct bounce_subject *subject);

/* Puts it on record, row->took saying what came of it: forwarded, commented (there is nobody to
 * whom it could go), parked or counted. `entity` may be NULL. */
void engine_reply_take(struct engine *engine, const json_t *in,
                       const struct bounce_subject *subject, const char *entity, size_t len,
                       struct spool_bounce *row);

#endif
