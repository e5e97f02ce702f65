/* SPDX-License-Identifier: MIT */
#ifndef CENTER_SERVE_H
#define CENTER_SERVE_H

#include "model/settings.h"

/* Whether all that the center needs can be used; each fault is printed. An exit status. */
int serve_check(const struct settings *settings);

/* Reads the configuration again; NULL where it has a fault, which was printed. */
typedef struct settings *serve_reread(void *arg);

/*
 * Serves until SIGTERM or SIGINT: an exit status, and NULL in *ret_next. On SIGHUP it reads the
 * configuration, which a certificate may have been renewed for, and ends where that can be used:
 * *ret_next, the caller's, is to be served then. One with a fault changes nothing.
 */
int serve(const struct settings *settings, serve_reread *reread, void *arg,
          struct settings **ret_next);

#endif
