/* SPDX-License-Identifier: MIT */
#ifndef BASE_HOSTNAME_H
#define BASE_HOSTNAME_H

#include <stdbool.h>

/* Names of hosts as texts; nothing is resolved here. */
enum { HOSTNAME_MAX = 253, HOSTNAME_LABEL_MAX = 63 };

/* Labels of letters, digits and inner hyphens with dots between (RFC 1123, section 2.1), at most 63
 * bytes each and 253 in all; no final dot, no underscore. */
bool hostname_valid(const char *name);

/* A valid name of two labels or more that could be in the DNS: its last label isn't all digits
 * (10.1.2.3 is an address), and it isn't one of the names that every host has for itself
 * (localhost, anything below it, localhost.localdomain). */
bool hostname_full(const char *name);

/* An address as EHLO takes it (RFC 5321, section 4.1.3): [192.0.2.1], [IPv6:2001:db8::1]. */
bool hostname_literal(const char *text);

/* Whether two names are the same to the DNS: without regard to case and to one final dot. */
bool hostname_same(const char *a, const char *b);

/*
 * Whether an HTTP request may be for us, by its Host (RFC 9110, section 7.2): an IPv4 address, an
 * IPv6 address in brackets, a name that means this very host, or one of `names` (NULL-terminated);
 * each with or without a port. Any other name is one that somebody else's DNS chose.
 */
bool hostname_addresses_us(const char *host, const char *const *names);

#endif
