/* SPDX-License-Identifier: MIT */
#include "center/owner.h"

#include "base/folder.h"
#include "base/identity.h"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

enum { GROUPS_MAX = 64 };

/* Whether the center's own user may make files in that folder, which is the daemon's. */
static bool center_may_write(const char *name, const struct stat *folder, struct stat *ret)
{
	gid_t groups[GROUPS_MAX];
	int n = GROUPS_MAX;
	struct passwd entry, *user = NULL;
	char room[4096];
	if (getpwnam_r(name, &entry, room, sizeof room, &user) != 0 || user == NULL ||
	    (folder->st_mode & S_IWGRP) == 0 || getgrouplist(name, user->pw_gid, groups, &n) < 0)
		return false;
	ret->st_uid = user->pw_uid;
	ret->st_gid = user->pw_gid;
	for (int i = 0; i < n; i++)
		if (groups[i] == folder->st_gid)
			return true;
	return false;
}

/* Whose file it is; where there is none yet, whose it will be: the center's user, where that works
 * in the folder, else the folder's owner. False where there is no folder, as opening it will say.
 */
static bool owner_of(const struct settings *settings, struct stat *ret)
{
	struct folder folder;
	struct stat st;
	const char *path = settings->center.path;
	if (lstat(path, ret) == 0 && S_ISREG(ret->st_mode))
		return true;
	if (!folder_open_of(&folder, path, false, NULL))
		return false;
	bool found = fstat(folder.fd, &st) == 0;
	folder_close(&folder);
	if (found && !center_may_write(settings->center.user, &st, ret))
		*ret = st;
	return found;
}

bool owner_become(const struct settings *settings, struct error *err)
{
	struct stat owner;
	return geteuid() != 0 || !owner_of(settings, &owner) ||
	       identity_become(owner.st_uid, owner.st_gid, err);
}
