/* SPDX-License-Identifier: MIT */
#include "center/trust/network.h"

#include <arpa/inet.h>
#include <string.h>

_Static_assert(NETWORK_TEXT_MAX == INET6_ADDRSTRLEN, "a network is written as an address");

static const char *network_of_v4(unsigned char v4[4], char ret[NETWORK_TEXT_MAX])
{
	v4[3] = 0;
	return inet_ntop(AF_INET, v4, ret, NETWORK_TEXT_MAX);
}

const char *network_of(const char *address, char ret[NETWORK_TEXT_MAX])
{
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff}; /* RFC 4291, 2.5.5.2 */
	unsigned char v4[4], v6[16];
	if (inet_pton(AF_INET, address, v4) == 1)
		return network_of_v4(v4, ret);
	if (inet_pton(AF_INET6, address, v6) != 1)
		return "";
	if (memcmp(v6, mapped, sizeof mapped) == 0)
		return network_of_v4(v6 + sizeof mapped, ret);
	memset(v6 + 6, 0, sizeof v6 - 6);
	return inet_ntop(AF_INET6, v6, ret, NETWORK_TEXT_MAX);
}
