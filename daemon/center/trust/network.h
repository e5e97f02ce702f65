/* SPDX-License-Identifier: MIT */
#ifndef CENTER_TRUST_NETWORK_H
#define CENTER_TRUST_NETWORK_H

/* The network that counts as one client: an IPv4 /24 or an IPv6 /48, as the address of it. An IPv4
 * address that is written as IPv6 is that IPv4 address. "" for anything else. */
enum { NETWORK_TEXT_MAX = 46 }; /* INET6_ADDRSTRLEN */
const char *network_of(const char *address, char ret[NETWORK_TEXT_MAX]);

#endif
