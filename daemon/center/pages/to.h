/* SPDX-License-Identifier: MIT */
#ifndef CENTER_PAGES_TO_H
#define CENTER_PAGES_TO_H

#include "center/entry/call.h"

/* The path of a customer's page, or of a tab of it ("" for none). In the request's arena. */
const char *to_customer_path(const struct call *call, const char *number, const char *tab);
/* Leads there, after a form was saved. */
void to_customer(struct call *call, const char *number, const char *tab);

#endif
