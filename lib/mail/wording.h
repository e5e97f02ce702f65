/* SPDX-License-Identifier: MIT */
#ifndef MAIL_WORDING_H
#define MAIL_WORDING_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Whether two servers' replies mean the same, apart from what always differs: ids, hosts,
 * addresses, numbers, times, quoted names, URLs.
 */
enum { WORDING_MAX = 512 };

/*
 * What is left of a reply ("550 5.4.5 Quota of kim@example.com exceeded x7-12") without all that:
 * its code, its enhanced code, its plain words in lower case. `to` is the recipient: the parts of
 * the address don't count as words. `ret` has room for WORDING_MAX.
 */
void wording_key(char *ret, const char *reply, const char *to);

/* Whether two keys are those of the same reply: the codes are equal, and so are three of four
 * words. */
bool wording_same(const char *a, const char *b);

#endif
