/* SPDX-License-Identifier: MIT */
/*
 * Mail addresses. The SMTP library prints a mailbox into its command as it is, line breaks and all
 * (a proven injection), so an address is checked here before it goes anywhere near an envelope.
 */
#include "base/address.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

enum { LOCAL_MAX = 64, LABEL_MAX = 63 };

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_atext(char c) /* RFC 5322, section 3.2.3 */
{
	return is_alnum(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static bool dot_string(const char *local, size_t len)
{
	bool wants_atom = true;
	for (size_t i = 0; i < len; i++) {
		if (local[i] == '.' ? wants_atom : !is_atext(local[i]))
			return false;
		wants_atom = local[i] == '.';
	}
	return !wants_atom;
}

static bool quoted_string(const char *local, size_t len)
{
	if (len < 2 || local[0] != '"' || local[len - 1] != '"')
		return false;
	for (size_t i = 1; i + 1 < len; i++) {
		if (local[i] == '"')
			return false;
		if (local[i] == '\\' && ++i + 1 >= len)
			return false;
	}
	return true;
}

static bool host_name(const char *domain)
{
	size_t label = 0;
	for (const char *p = domain;; p++) {
		if (*p == '.' || *p == '\0') {
			if (label == 0 || label > LABEL_MAX || p[-1] == '-')
				return false;
			if (*p == '\0')
				return true;
			label = 0;
		} else if (is_alnum(*p) || (*p == '-' && label > 0)) {
			label++;
		} else {
			return false;
		}
	}
}

static bool address_literal(const char *domain)
{
	char text[64];
	unsigned char bytes[16];
	size_t len = strlen(domain);
	if (len < 3 || len - 1 > sizeof text || domain[0] != '[' || domain[len - 1] != ']')
		return false;
	memcpy(text, domain + 1, len - 2);
	text[len - 2] = '\0';
	if (strncasecmp(text, "IPv6:", 5) == 0)
		return inet_pton(AF_INET6, text + 5, bytes) == 1;
	return inet_pton(AF_INET, text, bytes) == 1;
}

const char *address_domain(const char *address)
{
	const char *at = strrchr(address, '@');
	return at ? at + 1 : "";
}

bool address_same(const char *a, const char *b)
{
	size_t local = (size_t)(address_domain(a) - a);
	if (strrchr(a, '@') == NULL || strrchr(b, '@') == NULL)
		return strcmp(a, b) == 0;
	return strncmp(a, b, local) == 0 && address_domain(b) == b + local &&
	       strcasecmp(a + local, b + local) == 0;
}

/* What keeps an address out of an envelope, or NULL. */
static const char *address_fault(const char *address)
{
	size_t len = strlen(address);
	if (len == 0)
		return "the address is empty";
	if (len > ADDRESS_MAX)
		return "the address is longer than 254 bytes";
	for (const char *p = address; *p != '\0'; p++)
		if (*p <= ' ' || *p > '~') /* plain char: bytes above 127 are one or the other */
			return "the address has a space, a control character or one that is not "
			       "ASCII";
	const char *at = strrchr(address, '@');
	if (at == NULL || at[1] == '\0')
		return "the address has no domain";
	size_t local = (size_t)(at - address);
	if (local == 0)
		return "the address has nothing before the @";
	if (local > LOCAL_MAX)
		return "the part before the @ is longer than 64 bytes";
	if (!dot_string(address, local) && !quoted_string(address, local))
		return "the part before the @ is not well formed";
	if (!host_name(at + 1) && !address_literal(at + 1))
		return "the domain is not well formed";
	return NULL;
}

bool address_check(const char *address, struct error *err)
{
	const char *fault = address_fault(address);
	return fault == NULL || error_set(err, EX_DATAERR, "%s", fault);
}

/* GLib has the conversion, so no other library is needed. */
bool address_to_ascii(const char *address, char ret[ADDRESS_MAX + 1])
{
	const char *domain = address_domain(address);
	char *ascii =
	        *domain && g_hostname_is_non_ascii(domain) ? g_hostname_to_ascii(domain) : NULL;
	size_t local = (size_t)(domain - address);
	bool fits = ascii != NULL && local + strlen(ascii) <= ADDRESS_MAX;
	char text[ADDRESS_MAX + 1] = "";
	if (fits)
		(void)snprintf(text, sizeof text, "%.*s%s", (int)local, address, ascii);
	g_free(ascii);
	if (!fits || !address_check(text, NULL))
		return false;
	memcpy(ret, text, sizeof text);
	return true;
}

bool address_needs_smtputf8(const char *address)
{
	const char *at = strrchr(address, '@');
	for (const char *p = address; at != NULL && p < at; p++)
		if ((unsigned char)*p > 0x7f)
			return true;
	return false;
}

static const char *skip_space(const char *p)
{
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}

/* Copies a quoted string's content; returns what follows the closing quote, NULL where there is
 * none. */
static const char *copy_quoted(const char *p, char *name, size_t size)
{
	size_t n = 0;
	for (p++; *p != '"'; p++) {
		if (*p == '\\')
			p++;
		if (*p == '\0' || n + 1 >= size)
			return NULL;
		name[n++] = *p;
	}
	name[n] = '\0';
	return p + 1;
}

/* Copies the words before `<`, without the space behind them. */
static const char *copy_words(const char *p, char *name, size_t size)
{
	size_t len = strcspn(p, "<");
	const char *end = p + len;
	while (len > 0 && (p[len - 1] == ' ' || p[len - 1] == '\t'))
		len--;
	if (len >= size || memchr(p, '"', len) != NULL)
		return NULL;
	memcpy(name, p, len);
	name[len] = '\0';
	return end;
}

static bool has_control(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return true;
	return false;
}

bool mailbox_parse(const char *text, struct mailbox *ret, struct error *err)
{
	struct mailbox box = {0};
	const char *p = skip_space(text), *end;
	bool angle = strchr(p, '<') != NULL;

	if (angle) {
		p = *p == '"' ? copy_quoted(p, box.name, sizeof box.name)
		              : copy_words(p, box.name, sizeof box.name);
		if (p != NULL)
			p = skip_space(p);
		if (p == NULL || *p != '<' || has_control(box.name))
			return error_set(err, EX_DATAERR, "the display name is not well formed");
		p++;
	}
	end = angle ? strrchr(p, '>') : p + strcspn(p, " \t");
	if (end == NULL || *skip_space(angle ? end + 1 : end) != '\0')
		return error_set(err, EX_DATAERR, "expected NAME <ADDRESS> or ADDRESS");
	if ((size_t)(end - p) > ADDRESS_MAX)
		return error_set(err, EX_DATAERR, "the address is longer than 254 bytes");
	memcpy(box.address, p, (size_t)(end - p));
	if (!address_check(box.address, err))
		return false;
	*ret = box;
	return true;
}
