/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_CONTROL_STATUS_H
#define DISPATCHD_CONTROL_STATUS_H

#include <jansson.h>

struct daemon_view;

/* Adds what the engine doesn't know ("version", "redis", "feeds", "relays", "uptime_s" and more) to
 * its answer to {"do": "status"}. */
void status_add(const struct daemon_view *view, json_t *answer);

#endif
