/* SPDX-License-Identifier: MIT */
#ifndef RULES_DETAIL_H
#define RULES_DETAIL_H

#include "base/error.h"
#include "model/customer.h"

/*
 * What a rule saw, as a sentence of the trace: those that rules of events and of the gate have in
 * common. Each writes at most `size` bytes, nothing where `size` is 0.
 */
enum { DETAIL_MAX = 320 };

void detail_print(char *detail, size_t size, const char *fmt, ...) PRINTF_LIKE(3, 4);
void detail_customer(char *detail, size_t size, const struct customer *customer);
/* `not_active`: the customer, or the parent of it, that isn't; NULL where all are. */
void detail_active(char *detail, size_t size, const struct customer *customer,
                   const struct customer *not_active);
/* `suspension` NULL: none. */
void detail_suspension(char *detail, size_t size, const struct suspension *suspension);

#endif
