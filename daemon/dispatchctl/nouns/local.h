/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_NOUNS_LOCAL_H
#define DISPATCHCTL_NOUNS_LOCAL_H

#include "dispatchctl/base/ctl.h"

/*
 * Times as the customer's clock shows them, beside those in UTC: each of `rows` (an array) whose
 * `customer` is on record gets `timezone` and `local`, an object with the row's times (due,
 * scheduled, …) in that zone. What can't be had (customers.db can't be read, no such customer) is
 * left out.
 */
void local_rows(struct ctl *ctl, json_t *rows);
/* The same for one object of that customer. */
void local_object(struct ctl *ctl, json_t *object, const char *customer);
/* And for the objects in an array of its, which don't say whose they are. */
void local_members(struct ctl *ctl, json_t *rows, const char *customer);

/* " (there: 2026-12-24T08:30:00-07:00)" where `object` has that time there. */
void local_print(struct ctl *ctl, const json_t *object, const char *key);

#endif
