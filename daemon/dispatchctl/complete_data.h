/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_COMPLETE_DATA_H
#define DISPATCHCTL_COMPLETE_DATA_H

#include "dispatchctl/base/ctl.h"

/*
 * Offers what is on record: for NUMBER customer numbers (a name is completed to its number), for ID
 * the ids of the noun's records, for JOB jobs. Nothing if the databases can't be read.
 */
void complete_data(struct ctl *ctl, const struct noun *noun, const char *what, const char *typed);

#endif
