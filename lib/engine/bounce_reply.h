/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_BOUNCE_REPLY_H
#define ENGINE_BOUNCE_REPLY_H

#include "base/error.h"
#include "engine/bounce_subject.h"
#include "spool/spool_bounce.h"

#include <jansson.h>

struct engine;

/*
 * A person's reply to a mail (contract, section 11). It goes on to the sales rep of the customer,
 * else to the office, and is kept as a comment on the job; at most REPLIES_A_MAIL and
 * REPLIES_AN_HOUR of them, of FORWARD_BYTES_MAX each. The others are parked: on record, with the
 * beginning of what was written. What may be a program's is counted and goes nowhere. Of those that
 * went nowhere the latest REPLIES_KEPT of a mail stay on record.
 */
enum { REPLIES_A_MAIL = 20, REPLIES_AN_HOUR = 200, REPLIES_KEPT = 20 };

/* Whether it is one, by a token that is signed for replies. */
bool engine_is_reply(const struct bounce_facts *facts, const struct bounce_subject *subject);

struct reply_content {
	const char *entity;
	size_t len;
};
/* Puts it on record, row->took saying what came of it: forwarded, commented (there is nobody to
 * whom it could go), parked or counted. False where its content is wanted and `content` is NULL: it
 * is not on record until that comes with it. */
bool engine_reply_take(struct engine *engine, const json_t *in, const struct bounce_facts *facts,
                       const struct bounce_subject *subject, const struct reply_content *content,
                       struct spool_bounce *row) MUST_CHECK;

#endif
