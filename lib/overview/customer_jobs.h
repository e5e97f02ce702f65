/* SPDX-License-Identifier: MIT */
#ifndef OVERVIEW_CUSTOMER_JOBS_H
#define OVERVIEW_CUSTOMER_JOBS_H

#include "overview/overview.h"
#include "spool/spool.h"

#include <jansson.h>

/*
 * A customer's jobs in the spool: {"scheduled": those that haven't ended and are scheduled for
 * today or later, by time; "held": as spool_read_held(); "last": the ten that changed last}, with
 * local times.
 */
bool customer_jobs(const struct overview *view, struct spool *spool, const char *number,
                   json_t **ret, struct error *err) MUST_CHECK;

#endif
