/* SPDX-License-Identifier: MIT */
#ifndef BASE_ENDPOINT_H
#define BASE_ENDPOINT_H

#include "base/error.h"

#include <stdbool.h>

/* Where a socket is: `mail.example.com:25`, `127.0.0.1:8925`, `[::1]:25` or
 * `unix:/run/example.sock`. */
enum { ENDPOINT_HOST_MAX = 254, ENDPOINT_PATH_MAX = 108 /* sun_path */ };
enum { ENDPOINT_SMTP_PORT = 25, ENDPOINT_SMTPS_PORT = 465 };

struct endpoint {
	char host[ENDPOINT_HOST_MAX]; /* without brackets; "" for a Unix socket */
	char path[ENDPOINT_PATH_MAX]; /* "" but for a Unix socket */
	int port;                     /* 1–65535; 0 for a Unix socket, and for any free one */
	bool v6;                      /* the host stood in brackets: an IPv6 address */
};

/* The whole of `text`; a host alone (`mail.example.com`, `[::1]`) means `port`, or is a fault where
 * that is 0. On a fault `err` says what was expected, and `ret` is untouched. */
bool endpoint_parse(const char *text, int port, struct endpoint *ret, struct error *err) MUST_CHECK;
/* The same for a socket of our own: port 0 is whichever is free. */
bool endpoint_parse_own(const char *text, struct endpoint *ret, struct error *err) MUST_CHECK;

#endif
