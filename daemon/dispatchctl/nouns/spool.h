/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_NOUNS_SPOOL_H
#define DISPATCHCTL_NOUNS_SPOOL_H

#include "dispatchctl/base/ctl.h"
#include "spool/spool.h"

/* What the nouns on the spool share: job, mail, dead, hold, status. */

/* Opens it for reading beside a daemon; the caller closes it. An absent one counts as empty. */
struct spool *spool_view(const struct ctl *ctl, struct error *err) MUST_CHECK;

/*
 * Has the engine do something (engine/command.c): the daemon where one runs, else the engine itself
 * in this process, under its lock. `request` is taken over; who asks is added to it. *ret is the
 * caller's.
 */
bool spool_ask(const struct ctl *ctl, json_t *request, json_t **ret, struct error *err) MUST_CHECK;

/* The same in batches until nothing is left; the lists in the answers become one each. */
bool spool_ask_all(const struct ctl *ctl, json_t *request, json_t **ret,
                   struct error *err) MUST_CHECK;

/* A customer's number was changed: has its jobs follow now, not only in the daemon's next turn, so
 * that who asks for them next finds them. Where that can't be had, the engine does it as soon as it
 * runs. */
void spool_follow_numbers(const struct ctl *ctl);

/* The sections that the engine needs, and those that reading needs. */
#define USES_ENGINE "spool customers redis notify rules office gate mail.from mail.max_age"
#define USES_SPOOL  "spool.path"
/* Judging needs neither Redis nor a relay, so a fault there doesn't stand in its way. */
#define USES_RULES "spool customers rules notify redis.max_event_size mail.max_age office.email"

#endif
