/* SPDX-License-Identifier: MIT */
/* Which user the office's work is done as. */
#include "dispatchctl/base/office.h"

#include "base/folder.h"
#include "base/identity.h"
#include "model/settings.h"

#include <string.h>
#include <unistd.h>

/* If its owner can't enter the folder, because only root may enter one above it, nobody else can
 * interfere, and only root can do the work. */
static void return_where_unreachable(const char *path)
{
	struct folder folder;
	if (folder_open_of(&folder, path, false, NULL))
		folder_close(&folder);
	else
		identity_return();
}

static bool become_owner_of(const char *path, bool *ret_there, struct error *err)
{
	struct folder folder;
	*ret_there = folder_open_of(&folder, path, false, NULL);
	if (!*ret_there)
		return true; /* opening the database will report what is wrong */
	bool good = identity_become(folder.owner, folder.group, err);
	folder_close(&folder);
	if (good)
		return_where_unreachable(path);
	return good;
}

bool office_become(const struct settings *settings, const char *uses, struct error *err)
{
	bool there = false;
	if (geteuid() != 0)
		return true;
	if (strstr(uses, "spool") && !become_owner_of(settings->spool.path, &there, err))
		return false;
	if (there || !strstr(uses, "customers"))
		return true;
	return become_owner_of(settings->customers.path, &there, err);
}

FILE *office_open_given(const char *path, const char *mode)
{
	identity_person();
	FILE *file = fopen(path, mode);
	identity_back();
	return file;
}
