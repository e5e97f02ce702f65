/* SPDX-License-Identifier: MIT */
/* Addresses of sockets, as relays and our own HTTP socket are written. Nothing is resolved here. */
#include "base/endpoint.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static bool port_parse(const char *text, int least, int *ret)
{
	size_t len = strlen(text);
	if (len == 0 || len > 5 || strspn(text, "0123456789") != len)
		return false;
	int port = atoi(text);
	if (port < least || port > 65535)
		return false;
	*ret = port;
	return true;
}

static bool host_name(const char *host)
{
	if (*host == '\0' || *host == '-' || *host == '.')
		return false;
	for (const char *p = host; *p != '\0'; p++)
		if (!isascii(*p) ||
		    !(isalnum((unsigned char)*p) || *p == '-' || *p == '.' || *p == '_'))
			return false;
	return true;
}

static bool unix_parse(const char *path, struct endpoint *ret, struct error *err)
{
	struct endpoint found = {0};
	if (*path == '\0')
		return error_set(err, EX_CONFIG, "unix: must be followed by a path");
	if (strlen(path) >= sizeof found.path)
		return error_set(err, EX_CONFIG,
		                 "the path of a Unix socket is at most %zu bytes long",
		                 sizeof found.path - 1);
	memcpy(found.path, path, strlen(path));
	*ret = found;
	return true;
}

/* What may be in the place of the port. */
struct port_rule {
	int least;
	int left_out; /* the default port; 0: the port is required */
};

/* Where the host ends, and `ret_port` what follows it (NULL: nothing); NULL where that is
 * ambiguous. */
static const char *host_end(const char *text, const struct port_rule *rule, const char **ret_port)
{
	bool v6 = *text == '[';
	const char *end = v6 ? strchr(text, ']') : text + strcspn(text, ":");
	const char *behind = end != NULL && v6 ? end + 1 : end;
	if (end == NULL || (*behind != ':' && *behind != '\0'))
		return NULL;
	*ret_port = *behind == ':' ? behind + 1 : NULL;
	return *ret_port != NULL || rule->left_out > 0 ? end : NULL;
}

static bool parse(const char *text, const struct port_rule *rule, struct endpoint *ret,
                  struct error *err)
{
	struct endpoint found = {.port = rule->left_out, .v6 = *text == '['};
	struct in6_addr v6;
	const char *port = NULL;
	if (strncmp(text, "unix:", 5) == 0)
		return unix_parse(text + 5, ret, err);
	const char *host = found.v6 ? text + 1 : text, *end = host_end(text, rule, &port);
	if (end == NULL)
		return error_set(err, EX_CONFIG,
		                 "\"%s\" has no port; expected HOST:PORT, [IPV6]:PORT or unix:PATH",
		                 text);
	size_t len = (size_t)(end - host);
	if (len >= sizeof found.host)
		return error_set(err, EX_CONFIG, "a host's name is at most %zu bytes long",
		                 sizeof found.host - 1);
	memcpy(found.host, host, len);
	if (found.v6 ? inet_pton(AF_INET6, found.host, &v6) != 1 : !host_name(found.host))
		return error_set(err, EX_CONFIG,
		                 "\"%s\" has no host; expected HOST:PORT, [IPV6]:PORT or unix:PATH",
		                 text);
	if (port != NULL && !port_parse(port, rule->least, &found.port))
		return error_set(err, EX_CONFIG,
		                 "the port must be an integer between %d and 65535 (got \"%s\")",
		                 rule->least, port);
	*ret = found;
	return true;
}

bool endpoint_parse(const char *text, int port, struct endpoint *ret, struct error *err)
{
	return parse(text, &(struct port_rule){.least = 1, .left_out = port}, ret, err);
}

bool endpoint_parse_own(const char *text, struct endpoint *ret, struct error *err)
{
	return parse(text, &(struct port_rule){.least = 0}, ret, err);
}
