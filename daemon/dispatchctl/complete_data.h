/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_COMPLETE_DATA_H
#define DISPATCHCTL_COMPLETE_DATA_H

#include "dispatchctl/base/ctl.h"

/*
 * Offers what is on record: for NUMBER customers' numbers (a name is completed to the number), for
 * ID the ids of the noun's records, for JOB jobs. Nothing where the databases can't be read.
 */
void complete_data(struct ctl *ctl, const struct noun *noun, const char *what, const char *typed);

#endif
