/* SPDX-License-Identifier: MIT */
#ifndef OVERVIEW_LOCAL_TIMES_H
#define OVERVIEW_LOCAL_TIMES_H

#include "overview/overview.h"

#include <jansson.h>

/*
 * Times in the customer's time zone, in addition to UTC: each of `rows` (an array) whose `customer`
 * is on record gets `timezone` and `local`, an object with the row's times (due, scheduled, …) in
 * that zone. Left out if customers.db can't be read or has no such customer.
 */
void local_rows(const struct overview *view, json_t *rows);
/* The same for one object of that customer. */
void local_object(const struct overview *view, json_t *object, const char *customer);
/* The same for the objects in an array of that customer's. */
void local_members(const struct overview *view, json_t *rows, const char *customer);

#endif
