/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_NOUNS_CUSTOMER_JOBS_H
#define DISPATCHCTL_NOUNS_CUSTOMER_JOBS_H

#include "dispatchctl/base/ctl.h"

/*
 * A customer's jobs in the spool, as `customer show` prints them: {"scheduled": those that haven't
 * ended and are scheduled for today or later, by time; "held": as in `hold list`; "last": the ten
 * that changed last}. null if the spool can't be read.
 */
json_t *customer_jobs(struct ctl *ctl, const char *number);

/* The same for a person. */
void customer_jobs_view(struct ctl *ctl, const json_t *jobs);

#endif
