/* SPDX-License-Identifier: MIT */
#include "dispatchd/mailer/helo.h"

#include "base/hostname.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool use_host(const char *host, char ret[HELO_SIZE])
{
	size_t len = strlen(host);

	if (len == 0 || len >= HELO_SIZE)
		return false;
	memcpy(ret, host, len + 1);
	if (ret[len - 1] == '.')
		ret[len - 1] = '\0';
	return hostname_full(ret);
}

static void use_address(const struct sockaddr *own, char ret[HELO_SIZE])
{
	char text[INET6_ADDRSTRLEN];
	const struct sockaddr_in *v4 = (const void *)own;
	const struct sockaddr_in6 *v6 = (const void *)own;

	snprintf(ret, HELO_SIZE, "[127.0.0.1]");
	if (!own)
		return;
	if (own->sa_family == AF_INET && inet_ntop(AF_INET, &v4->sin_addr, text, sizeof text))
		snprintf(ret, HELO_SIZE, "[%s]", text);
	else if (own->sa_family == AF_INET6 &&
	         inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof text))
		snprintf(ret, HELO_SIZE, "[IPv6:%s]", text);
}

void helo_choose(const char *helo, const char *host, const struct sockaddr *own,
                 char ret[HELO_SIZE])
{
	if (helo[0] != '\0')
		snprintf(ret, HELO_SIZE, "%s", helo);
	else if (!use_host(host, ret))
		use_address(own, ret);
}
