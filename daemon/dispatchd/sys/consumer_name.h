/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_SYS_CONSUMER_NAME_H
#define DISPATCHD_SYS_CONSUMER_NAME_H

#include "model/settings.h"

enum { CONSUMER_NAME_SIZE = 520 }; /* with its NUL */

/* What Redis, and the other members of a cluster, know this machine as: [redis] consumer, or the
 * host's name where that is empty. Returns `ret`. */
const char *consumer_name(const struct settings *settings, char ret[CONSUMER_NAME_SIZE]);

#endif
