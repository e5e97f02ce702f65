/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_NOUNS_CUSTOMER_H
#define DISPATCHCTL_NOUNS_CUSTOMER_H

#include "dispatchctl/base/ctl.h"

/* What the files behind the noun `customer` share. */
extern const struct column customer_columns[]; /* of a list */
extern const size_t customer_columns_n;

extern const struct option search_options[], limit_options[];
bool customer_run_search(struct ctl *ctl, struct error *err) MUST_CHECK;
bool customer_run_related(struct ctl *ctl, struct error *err) MUST_CHECK;
bool customer_run_merge(struct ctl *ctl, struct error *err) MUST_CHECK;
bool customer_run_erase(struct ctl *ctl, struct error *err) MUST_CHECK;
bool customer_run_duplicates(struct ctl *ctl, struct error *err) MUST_CHECK;

#endif
