/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_HTTP_PAGES_H
#define DISPATCHD_HTTP_PAGES_H

#include "dispatchd/http/route.h"

/* What the HTTP socket answers (contract, section 9): one row a route. Their
 * argument is a `const struct daemon_view *`. */
extern const struct http_route http_pages[];

#endif
