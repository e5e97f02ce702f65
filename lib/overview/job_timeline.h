/* SPDX-License-Identifier: MIT */
#ifndef OVERVIEW_JOB_TIMELINE_H
#define OVERVIEW_JOB_TIMELINE_H

#include "overview/overview.h"
#include "spool/spool.h"

#include <jansson.h>

/* What was decided about a job and who was notified of it: spool_read_job() with local times. Codes
 * as there. */
bool job_notices(const struct overview *view, struct spool *spool, const char *job,
                 const char *customer, json_t **ret, struct error *err) MUST_CHECK;

/*
 * All about a job: job_notices() and the office's records for it: `sales`, `comments`,
 * `documents`, `pictures`, left out where customers.db can't be read. Codes as there.
 */
bool job_timeline(const struct overview *view, struct spool *spool, const char *job,
                  const char *customer, json_t **ret, struct error *err) MUST_CHECK;

#endif
