/* SPDX-License-Identifier: MIT */
#ifndef CENTER_PAGES_WHAT_IF_H
#define CENTER_PAGES_WHAT_IF_H

#include "center/entry/call.h"

#include <jansson.h>

/*
 * "What if": what would become of an event of this job at some instant, by the code that decides;
 * nothing is changed or sent. By `type` (a job's state) and `at` (by the customer's clock; empty:
 * now) of the query. {states [{value, label, selected}], at, zone, fault, answer: null where
 * nothing was asked, else {status, why, due, collision, contacts [{email, status, why, due}],
 * trace, stops}, command}. The caller's.
 */
json_t *what_if(struct call *call, const char *job, const char *number);

#endif
