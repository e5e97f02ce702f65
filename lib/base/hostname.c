/* SPDX-License-Identifier: MIT */
/* What a host may be called: in EHLO, which strict relays check, and in the Host of an HTTP
 * request. */
#include "base/hostname.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

static bool is_letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool label_valid(const char *label, size_t len)
{
	if (len == 0 || len > HOSTNAME_LABEL_MAX || label[0] == '-' || label[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_letter_or_digit(label[i]) && label[i] != '-')
			return false;
	return true;
}

bool hostname_valid(const char *name)
{
	size_t len;

	if (strlen(name) > HOSTNAME_MAX)
		return false;
	for (const char *p = name;; p += len + 1) {
		len = strcspn(p, ".");
		if (!label_valid(p, len))
			return false;
		if (p[len] == '\0')
			return true;
	}
}

static bool is_under(const char *name, const char *top)
{
	size_t len = strlen(name), top_len = strlen(top);

	return len >= top_len && strcasecmp(name + len - top_len, top) == 0 &&
	       (len == top_len || name[len - top_len - 1] == '.');
}

bool hostname_full(const char *name)
{
	const char *last = strrchr(name, '.');

	return last != NULL && hostname_valid(name) &&
	       strspn(last + 1, "0123456789") != strlen(last + 1) && !is_under(name, "localhost") &&
	       !is_under(name, "localdomain");
}

bool hostname_literal(const char *text)
{
	char inner[64];
	unsigned char bytes[16];
	size_t len = strlen(text);

	if (len < 3 || len >= sizeof inner || text[0] != '[' || text[len - 1] != ']')
		return false;
	memcpy(inner, text + 1, len - 2);
	inner[len - 2] = '\0';
	if (strncasecmp(inner, "IPv6:", 5) == 0)
		return inet_pton(AF_INET6, inner + 5, bytes) == 1;
	return inet_pton(AF_INET, inner, bytes) == 1;
}

/* Without one final dot. */
static size_t name_len(const char *name)
{
	size_t len = strlen(name);

	return len > 1 && name[len - 1] == '.' ? len - 1 : len;
}

bool hostname_same(const char *a, const char *b)
{
	size_t len = name_len(a);

	return len == name_len(b) && strncasecmp(a, b, len) == 0;
}

static bool names_this_host(const char *name)
{
	/* As Debian's /etc/hosts has them. */
	static const char *const own[] = {"localhost", "ip6-localhost", "ip6-loopback"};

	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
		if (hostname_same(name, own[i]))
			return true;
	return false;
}

/* Nothing, or a colon and digits. */
static bool is_port(const char *text)
{
	size_t len = *text == ':' ? strlen(text + 1) : 0;

	return *text == '\0' || (*text == ':' && len <= 5 && strspn(text + 1, "0123456789") == len);
}

bool hostname_addresses_us(const char *host, const char *const *names)
{
	char name[HOSTNAME_MAX + 2];
	unsigned char bytes[16];
	bool v6 = *host == '[';
	const char *from = host + v6;
	size_t len = strcspn(from, v6 ? "]" : ":");

	if (len == 0 || len >= sizeof name || (v6 && from[len] != ']') || !is_port(from + len + v6))
		return false;
	memcpy(name, from, len);
	name[len] = '\0';
	if (v6)
		return inet_pton(AF_INET6, name, bytes) == 1;
	if (inet_pton(AF_INET, name, bytes) == 1 || names_this_host(name))
		return true;
	for (; *names != NULL; names++)
		if (hostname_same(name, *names))
			return true;
	return false;
}
