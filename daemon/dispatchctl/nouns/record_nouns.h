/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_NOUNS_RECORD_NOUNS_H
#define DISPATCHCTL_NOUNS_RECORD_NOUNS_H

#include "dispatchctl/base/command.h"

/* A noun for each record kind without a file of its own, made once; they live until the program
 * ends. */
const struct noun *record_nouns(size_t *ret_n);

/* Additional verbs of suspensions (suspension.c). */
extern const struct command suspension_verbs[];
extern const size_t suspension_verbs_n;

#endif
