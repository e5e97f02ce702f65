/* SPDX-License-Identifier: MIT */
#include "common/socket_share.h"

#include "base/folder.h"

#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

static bool find_group(const char *section, const char *name, gid_t *ret, struct error *err)
{
	char room[16384];
	struct group entry, *found = NULL;
	*ret = getegid();
	if (!*name)
		return true;
	int rc = getgrnam_r(name, &entry, room, sizeof(room), &found);
	if (!found)
		return error_set(err, EX_CONFIG, "%s group: unknown group \"%s\"%s%s", section,
		                 name, rc ? ": " : "", rc ? strerror(rc) : "");
	*ret = found->gr_gid;
	return true;
}

bool socket_check_group(const char *section, const char *group, struct error *err)
{
	gid_t gid;
	return find_group(section, group, &gid, err);
}

bool socket_share(const char *section, const char *path, const char *name, struct error *err)
{
	gid_t group;
	if (!find_group(section, name, &group, err))
		return false;
	if (folder_share_path(path, group, S_IFSOCK, 0660))
		return true;
	if (errno == EPERM && *name)
		return error_set(err, EX_NOPERM,
		                 "%s group = %s: can't give it the socket: dispatchd's user is "
		                 "not a member",
		                 section, name);
	return error_set(err, EX_UNAVAILABLE, "%s: rights of %s can't be set: %s", section, path,
	                 strerror(errno));
}

/* The kernel takes the mode of the unbound socket. */
int socket_private(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		(void)fchmod(fd, 0600);
	return fd;
}
