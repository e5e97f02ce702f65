/* SPDX-License-Identifier: MIT */
#include "common/near_socket.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static char *beside(const char *file, const char *name)
{
	const char *slash = strrchr(file, '/');
	int directory = slash ? (int)(slash - file) + 1 : 0;
	size_t size = (size_t)directory + strlen(name) + 1;
	char *path = mem_alloc(size);
	(void)snprintf(path, size, "%.*s%s", directory, file, name);
	return path;
}

/* The directory of `path`, which is too long to be without a slash. */
static int open_directory(const char *path)
{
	char *directory = mem_strdup(path);
	*strrchr(directory, '/') = '\0';
	int fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	free(directory);
	return fd;
}

bool near_socket_set(struct near_socket *ret, const char *file, const char *name, struct error *err)
{
	struct near_socket near = {.path = beside(file, name), .directory = -1};
	size_t room = sizeof near.address.sun_path;
	near.address.sun_family = AF_UNIX;
	if (strlen(near.path) < room) {
		memcpy(near.address.sun_path, near.path, strlen(near.path) + 1);
		*ret = near;
		return true;
	}
	near.directory = open_directory(near.path);
	if (near.directory < 0 && errno != ENOENT && errno != ENOTDIR) {
		error_set(err, errno == EACCES ? EX_NOPERM : EX_IOERR, "%s: %s", near.path, strerror(errno));
		near_socket_clear(&near);
		return false;
	}
	(void)snprintf(near.address.sun_path, room, "/proc/self/fd/%d/%s", near.directory, name);
	*ret = near;
	return true;
}

void near_socket_clear(struct near_socket *near)
{
	if (near->directory >= 0)
		(void)close(near->directory);
	free(near->path);
	*near = (struct near_socket){.directory = -1};
}
