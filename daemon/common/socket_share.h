/* SPDX-License-Identifier: MIT */
#ifndef COMMON_SOCKET_SHARE_H
#define COMMON_SOCKET_SHARE_H

#include "base/error.h"

#include <stdbool.h>

/* A Unix socket that a group may use (mode 0660). */

/* Whether there is such a group; "" is our own. `section` begins the fault: "[http]". Code 78. */
bool socket_check_group(const char *section, const char *group, struct error *err) MUST_CHECK;

/* Gives it our socket at `path`. Codes 77 where we aren't a member, 78, 69. */
bool socket_share(const char *section, const char *path, const char *group,
                  struct error *err) MUST_CHECK;

/* A Unix socket that is nobody else's until it is shared, before it is bound; -1 with errno. */
int socket_private(void);

#endif
