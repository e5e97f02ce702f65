/* SPDX-License-Identifier: MIT */
#ifndef CENTER_API_SURVEY_H
#define CENTER_API_SURVEY_H

#include "center/entry/call.h"

#include <jansson.h>

/*
 * What somebody should look at among all customers: {"findings": what `dispatchctl check` finds,
 * but for relays, "renewals", "ending", "collisions": as overview/today.h has them}. With very many
 * customers it takes its time: then it is made again only after ten times as long, and who asks
 * meanwhile gets the one before. Code 69 where the first one isn't ready yet. The caller's.
 */
bool survey(struct call *call, json_t **ret, struct error *err) MUST_CHECK;
/* Frees what is kept, at the program's end. */
void survey_free(void);

/* Adds what `check` finds of relays, by the daemon's answer to `status` (NULL: it is away), and of
 * a pause. */
bool survey_mailing(struct call *call, const json_t *status, json_t *findings,
                    struct error *err) MUST_CHECK;

#endif
