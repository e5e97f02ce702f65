/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_NOUNS_SPOOL_H
#define DISPATCHCTL_NOUNS_SPOOL_H

#include "dispatchctl/base/ctl.h"
#include "spool/spool.h"

/* Shared by the nouns that use the spool: job, mail, dead, hold, status. */

/* Opens it for reading beside a daemon; the caller closes it. A missing one counts as empty. */
struct spool *spool_view(const struct ctl *ctl, struct error *err) MUST_CHECK;

/*
 * Sends a request to the engine (engine/command.c): the daemon's if one runs, else one in this
 * process, under its lock. Takes the reference to `request` and adds who asks. The caller owns
 * *ret.
 */
bool spool_ask(const struct ctl *ctl, json_t *request, json_t **ret, struct error *err) MUST_CHECK;

/* The same in batches until nothing is left; the lists in the answers become one each. */
bool spool_ask_all(const struct ctl *ctl, json_t *request, json_t **ret,
                   struct error *err) MUST_CHECK;

/* After a change of a customer's number: moves its jobs to the new number now, so that the next
 * command finds them. If that fails, the engine does it as soon as it runs. */
void spool_follow_numbers(const struct ctl *ctl);

/* The sections that the engine needs, and those that reading needs. */
#define USES_ENGINE "spool customers redis notify rules office gate cluster mail.from mail.max_age"
#define USES_SPOOL  "spool.path"
/* Judging needs neither Redis nor a relay, so faults in their sections don't matter. */
#define USES_RULES "spool customers rules notify redis.max_event_size mail.max_age office.email"

#endif
