/* SPDX-License-Identifier: MIT */
#ifndef RECORDS_RECORD_SUSPENSION_H
#define RECORDS_RECORD_SUSPENSION_H

#include "base/error.h"
#include "base/instant.h"
#include "records/customers.h"

#include <stdbool.h>
#include <stdint.h>

/* Whether one of its own or of an ancestor holds, by its own days. */
bool customer_suspended(struct customers *store, int64_t id, const char *default_zone,
                        struct instant now, bool *ret, struct error *err) MUST_CHECK;

#endif
