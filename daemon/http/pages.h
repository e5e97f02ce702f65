/* SPDX-License-Identifier: MIT */
#ifndef HTTP_PAGES_H
#define HTTP_PAGES_H

#include "http/server.h"

/* What the HTTP socket has to say (contract, section 9): one row a route. Their argument is a `struct loop
 * *`. */
extern const struct http_route http_pages[];

#endif
