/* SPDX-License-Identifier: MIT */
/*
 * The ways to log in. libesmtp has a plugin for each, and opens whichever the relay names, as
 * sasl-NAME.so in a folder of its own. Debian's package has sasl-crammd5.so where the library looks
 * for sasl-cram-md5.so, so that CRAM-MD5 is never found; and it has NTLM, which writes user and
 * domain into 256 bytes without asking and gives a hash of the password to anybody. So dlopen(), as
 * libesmtp sees it in our sessions, finds the one by either name and knows nothing beyond the
 * table.
 */
#include "dispatchd/mailer/esmtp_private.h"

#include "dispatchd/mailer/libc.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct mechanism {
	const char *name;
	const char *file,
	        *other_file; /* as the library calls it, as the package does; NULL: the same */
	bool clear;          /* sends the password as it is */
} mechanisms[] = {
        {.name = "PLAIN", .file = "sasl-plain.so", .clear = true},
        {.name = "LOGIN", .file = "sasl-login.so", .clear = true},
        {.name = "CRAM-MD5", .file = "sasl-cram-md5.so", .other_file = "sasl-crammd5.so"},
};
enum { MECHANISMS = sizeof mechanisms / sizeof mechanisms[0] };

/* ---- dlopen() ---- */

static void *open_plugin(const struct mechanism *mechanism, const char *path, const char *name,
                         int flags)
{
	char other[4096];
	void *plugin = libc_dlopen(path, flags);

	if (plugin || !mechanism->other_file)
		return plugin;
	snprintf(other, sizeof other, "%.*s%s", (int)(name - path), path, mechanism->other_file);
	return libc_dlopen(other, flags);
}

__attribute__((visibility("default"))) void *dlopen(const char *path, int flags)
{
	const char *slash = path ? strrchr(path, '/') : NULL;
	const char *name = slash ? slash + 1 : path;

	if (!net_entered() || !path || !strstr(path, "/sasl-"))
		return libc_dlopen(path, flags);
	for (size_t i = 0; i < MECHANISMS; i++)
		if (strcmp(name, mechanisms[i].file) == 0)
			return open_plugin(&mechanisms[i], path, name, flags);
	return NULL;
}

/* ---- the fault where none of them worked ---- */

static const struct mechanism *find_mechanism(const char *name, size_t len)
{
	for (size_t i = 0; i < MECHANISMS; i++)
		if (strlen(mechanisms[i].name) == len &&
		    strncasecmp(mechanisms[i].name, name, len) == 0)
			return &mechanisms[i];
	return NULL;
}

/* How many of the relay's words are mechanisms that we know, `safe` ones alone if asked for. */
static int count_known(const char *offered, bool safe)
{
	int n = 0;
	size_t len;

	for (const char *p = offered + strspn(offered, " "); *p; p += len, p += strspn(p, " ")) {
		len = strcspn(p, " ");
		const struct mechanism *mechanism = find_mechanism(p, len);
		n += mechanism && !(safe && mechanism->clear);
	}
	return n;
}

void plugin_fault(const char *offered, bool clear, char *ret, size_t size)
{
	static const char known[] = "dispatchd knows PLAIN, LOGIN and CRAM-MD5, and with "
	                            "oauth_token_file OAUTHBEARER and XOAUTH2";

	if (offered[0] == '\0')
		snprintf(ret, size, "AUTH: the relay offers no way to log in; %s", known);
	else if (count_known(offered, false) == 0)
		snprintf(ret, size, "AUTH: the relay offers %s; %s", offered, known);
	else if (!clear && count_known(offered, true) == 0)
		snprintf(ret, size,
		         "AUTH: the relay offers %s without TLS; %s, of which only CRAM-MD5 keeps "
		         "the password without TLS",
		         offered, known);
	else
		snprintf(ret, size,
		         "AUTH: the relay offers %s; libesmtp's plugin for it can't be opened",
		         offered);
}
