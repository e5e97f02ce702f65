/* SPDX-License-Identifier: MIT */
#ifndef CENTER_SERVE_H
#define CENTER_SERVE_H

#include "model/settings.h"

/* Whether all that the center needs can be used; each fault is printed. An exit status. */
int serve_check(const struct settings *settings);

/* Serves until SIGTERM or SIGINT. An exit status. */
int serve(const struct settings *settings);

#endif
