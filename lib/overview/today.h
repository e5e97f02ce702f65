/* SPDX-License-Identifier: MIT */
#ifndef OVERVIEW_TODAY_H
#define OVERVIEW_TODAY_H

#include "overview/overview.h"
#include "spool/spool.h"

#include <jansson.h>

/* What an office looks at in the morning, besides what `check` finds. */
enum {
	TODAY_RENEWAL_DAYS = 30,
	TODAY_ENDING_DAYS = 7,
	TODAY_FAILED_DAYS = 3, /* a weekend */
	TODAY_FAILED_MAX = 1000
};

/*
 * Of all customers: {"renewals": active ones whose renewal is due in TODAY_RENEWAL_DAYS or has been
 * for as long, by day [{"customer", "name", "renewal"}], "ending": suspensions that hold and end in
 * TODAY_ENDING_DAYS, as suspensions_list() gives them, with `name`}. Takes as long as there are
 * many customers.
 */
bool today_customers(const struct overview *view, json_t **ret, struct error *err) MUST_CHECK;

/* Jobs under way whose customer's jobs or routes are suspended now, by its own suspension or one
 * above: [{"customer", "name", "job", "state", "suspension": as suspensions_list() gives it}]. */
bool today_collisions(const struct overview *view, struct spool *spool, json_t **ret,
                      struct error *err) MUST_CHECK;

/* Jobs that failed in TODAY_FAILED_DAYS and were not begun again, the latest first, at most
 * TODAY_FAILED_MAX: as spool_read_failed_jobs(), with `name` and local times. */
bool today_failed_jobs(const struct overview *view, struct spool *spool, json_t **ret,
                       struct error *err) MUST_CHECK;

#endif
