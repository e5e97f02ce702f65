/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_MAIL_WAIT_H
#define ENGINE_MAIL_WAIT_H

#include "rules/rules.h"
#include "spool/spool.h"

#include <stdbool.h>

struct engine;

/*
 * A mail that is there goes, or waits, as it was judged again or as a person wants: queued where
 * at->due has come, else deferred until then. Where its contact's limit doesn't allow that it is
 * deferred, rate_limited, until it does. `joins`: it may then join another that waits for the
 * limit: it is no more, and *mail is that one. Its address is at->to unless that is empty.
 */
void engine_mail_wait(struct engine *engine, struct spool_mail *mail,
                      const struct contact_verdict *at, bool joins);
/* Asks the limit about such a mail, or, where `id` is 0, about one that is made of a part of it:
 * due, status and reason of `at` are then those of the limit. */
void engine_ask_limit(struct engine *engine, const struct spool_mail *mail, int64_t id, bool alone,
                      struct contact_verdict *at);

#endif
