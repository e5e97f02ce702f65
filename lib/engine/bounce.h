/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_BOUNCE_H
#define ENGINE_BOUNCE_H

#include "base/error.h"
#include "spool/spool.h"

#include <jansson.h>
#include <stdbool.h>

struct engine;

/*
 * Reports about mails (contract, section 11). `bounce.take` (bounce_facts.h) takes one as
 * dispatch-bounce understood it. *out gets `took`: what came of it,
 *
 *   marked      the address is marked invalid
 *   struck      it was busy, and isn't marked (yet)
 *   bounced     the mail is bounced, the address as it was
 *   complained  the contact gets no more mails
 *   counted     nothing: it is on record
 *   unknown     nothing: nobody knows which mail it is about
 *   again       nothing: the same is on record
 *
 * and `report`, its id, but for `again`. It is on disk when the turn is. Codes: 65 for facts that
 * can't be read, 67 for another domain's recipient, 69 without [bounce] address.
 */
bool engine_bounce_take(struct engine *engine, const json_t *in, json_t *out,
                        struct error *err) MUST_CHECK;
/*
 * A person's reply that goes on is not on record by bounce.take alone: that answers `send`, and
 * `bounce.forward` takes the same once more with its content, which forward_check() let through
 * (bounce_reply.h). Then `took` is forwarded, commented, parked or counted. Code 64 without
 * content.
 */
bool engine_bounce_forward(struct engine *engine, const json_t *in, const char *entity, size_t len,
                           json_t *out, struct error *err) MUST_CHECK;
/* `bounce.report`: {"mail", "code", "text", "by"}, a report by hand, or from a relay's web hook.
 * Codes: 64, 65 where the mail wasn't sent, 66 where there is none. */
bool engine_bounce_report(struct engine *engine, const json_t *in, json_t *out,
                          struct error *err) MUST_CHECK;

/* At the opening: whether reports wait for their mails' results. */
void engine_bounce_load(struct engine *engine);
/* The relay took a mail: what reports said of it already happens to it now. */
void engine_bounce_sent(struct engine *engine, const struct spool_mail *mail);

#endif
