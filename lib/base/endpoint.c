/* SPDX-License-Identifier: MIT */
/* Addresses of sockets, as relays and our own HTTP socket are written. Nothing is resolved here. */
#include "base/endpoint.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static bool port_parse(const char *text, int *ret)
{
	size_t len = strlen(text);
	if (len == 0 || len > 5 || strspn(text, "0123456789") != len)
		return false;
	int port = atoi(text);
	if (port < 1 || port > 65535)
		return false;
	*ret = port;
	return true;
}

static bool host_name(const char *host)
{
	if (*host == '\0' || *host == '-' || *host == '.')
		return false;
	for (const char *p = host; *p != '\0'; p++)
		if (!isascii(*p) || !(isalnum((unsigned char)*p) || *p == '-' || *p == '.' || *p == '_'))
			return false;
	return true;
}

static bool unix_parse(const char *path, struct endpoint *ret, struct error *err)
{
	struct endpoint found = {0};
	if (*path == '\0')
		return error_set(err, EX_CONFIG, "unix: needs a path behind it");
	if (strlen(path) >= sizeof found.path)
		return error_set(err, EX_CONFIG, "the path of a Unix socket is at most %zu bytes long",
		                 sizeof found.path - 1);
	memcpy(found.path, path, strlen(path));
	*ret = found;
	return true;
}

bool endpoint_parse(const char *text, struct endpoint *ret, struct error *err)
{
	struct endpoint found = {0};
	struct in6_addr v6;
	if (strncmp(text, "unix:", 5) == 0)
		return unix_parse(text + 5, ret, err);
	const char *colon = strrchr(text, ':');
	found.v6 = *text == '[';
	const char *host = found.v6 ? text + 1 : text;
	const char *host_end = colon;
	if (found.v6)
		host_end = colon != NULL && colon > host && colon[-1] == ']' ? colon - 1 : NULL;
	if (host_end == NULL)
		return error_set(err, EX_CONFIG,
		                 "\"%s\" has no port; what is meant is HOST:PORT, [IPV6]:PORT or unix:PATH",
		                 text);
	size_t len = (size_t)(host_end - host);
	if (len >= sizeof found.host)
		return error_set(err, EX_CONFIG, "a host's name is at most %zu bytes long",
		                 sizeof found.host - 1);
	memcpy(found.host, host, len);
	if (found.v6 ? inet_pton(AF_INET6, found.host, &v6) != 1 : !host_name(found.host))
		return error_set(err, EX_CONFIG,
		                 "\"%s\" names no host; what is meant is HOST:PORT, [IPV6]:PORT or unix:PATH",
		                 text);
	if (!port_parse(colon + 1, &found.port))
		return error_set(err, EX_CONFIG, "\"%s\" is no port; it is a number from 1 to 65535",
		                 colon + 1);
	*ret = found;
	return true;
}
