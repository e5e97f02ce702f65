/* SPDX-License-Identifier: MIT */
#include "dispatchd/control/asker.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum { LOGIN_MAX = 256, ENTRY_MAX = 4096 };

static void find_login(uid_t uid, char ret[LOGIN_MAX])
{
	struct passwd entry, *found = NULL;
	char room[ENTRY_MAX];
	if (getpwuid_r(uid, &entry, room, sizeof room, &found) == 0 && found)
		(void)snprintf(ret, LOGIN_MAX, "%s", found->pw_name);
	else
		(void)snprintf(ret, LOGIN_MAX, "uid %ld", (long)uid);
}

static bool speaks_for_others(const struct settings *settings, const char *login)
{
	if (strcmp(settings->center.user, login) == 0)
		return true;
	for (const char *const *name = settings->office.managers; name && *name; name++)
		if (strcmp(*name, login) == 0)
			return true;
	return false;
}

bool asker_set(const struct settings *settings, uid_t uid, json_t *request, struct error *err)
{
	const char *by = json_string_value(json_object_get(request, "by"));
	char login[LOGIN_MAX];
	if (by && *by != '\0' && (uid == 0 || uid == geteuid()))
		return true;
	find_login(uid, login);
	if (by == NULL || *by == '\0') {
		json_object_set_new(request, "by", json_string(login));
		return true;
	}
	return strcmp(by, login) == 0 || speaks_for_others(settings, login) ||
	       error_set(err, EX_NOPERM, "user %s can't ask in the name of %s", login, by);
}
