/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_NOUNS_LOCAL_H
#define DISPATCHCTL_NOUNS_LOCAL_H

#include "dispatchctl/base/ctl.h"

/*
 * Times in the customer's time zone, in addition to UTC: each of `rows` (an array) whose `customer`
 * is on record gets `timezone` and `local`, an object with the row's times (due, scheduled, …) in
 * that zone. Left out if customers.db can't be read or has no such customer.
 */
void local_rows(struct ctl *ctl, json_t *rows);
/* The same for one object of that customer. */
void local_object(struct ctl *ctl, json_t *object, const char *customer);
/* The same for the objects in an array of that customer's. */
void local_members(struct ctl *ctl, json_t *rows, const char *customer);

/* " (there: 2026-12-24T08:30:00-07:00)" if `object` has that local time. */
void local_print(struct ctl *ctl, const json_t *object, const char *key);

#endif
