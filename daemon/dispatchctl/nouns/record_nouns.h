/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_NOUNS_RECORD_NOUNS_H
#define DISPATCHCTL_NOUNS_RECORD_NOUNS_H

#include "dispatchctl/base/command.h"

/* A noun for each record kind that has none of its own file, made once; they live as long as the
 * program. */
const struct noun *record_nouns(size_t *ret_n);

/* What suspensions have besides (suspension.c). */
extern const struct command suspension_verbs[];
extern const size_t suspension_verbs_n;

#endif
