/* SPDX-License-Identifier: MIT */
#ifndef CENTER_API_SURVEY_H
#define CENTER_API_SURVEY_H

#include "center/entry/call.h"

#include <jansson.h>

/*
 * What somebody should look at among all customers: {"findings": what `dispatchctl check` finds,
 * but for relays, "renewals", "ending", "collisions", "failed_jobs": as overview/today.h has them}.
 * It is made by a thread of its own for all who ask at a time. With very many customers it takes
 * its time: then it is made again only after ten times as long, and who asks gets the one before at
 * once. Code 69 where the first one isn't ready yet. The caller's.
 */
bool survey(struct call *call, json_t **ret, struct error *err) MUST_CHECK;
/* Whether nothing is wrong but that the first look at all customers takes longer. */
bool survey_unfinished(const struct error *err);
/* Ends that thread, and whoever waits for it; before the server is stopped. */
void survey_stop(void);
/* Frees what is kept, when it has stopped and before the settings go. */
void survey_free(void);

/* Adds what `check` finds of relays, by the daemon's answer to `status` (NULL: it is away), and of
 * a pause. */
bool survey_mailing(struct call *call, const json_t *status, json_t *findings,
                    struct error *err) MUST_CHECK;

#endif
