/* SPDX-License-Identifier: MIT */
#ifndef BASE_DOMAIN_H
#define BASE_DOMAIN_H

#include <stdbool.h>

/*
 * Whether two domains have the same organizational domain (RFC 7489, section 3.2): what is
 * registered below a public suffix, example.co.uk of mail.example.co.uk. The system's list of
 * public suffixes is read where it is newer than the library's. A domain that is a public suffix
 * itself, or an address literal, is its own. Case and a dot at the end don't count.
 */
bool domain_same_organization(const char *a, const char *b);

#endif
