/* SPDX-License-Identifier: MIT */
#include "common/socket_path.h"

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

bool socket_path_set(struct socket_path *ret, const char *file, const char *name, struct error *err)
{
	struct socket_path place = {.path = beside(file, name), .directory = -1};
	size_t room = sizeof place.address.sun_path;
	place.address.sun_family = AF_UNIX;
	if (strlen(place.path) < room) {
		memcpy(place.address.sun_path, place.path, strlen(place.path) + 1);
		*ret = place;
		return true;
	}
	place.directory = open_directory(place.path);
	if (place.directory < 0 && errno != ENOENT && errno != ENOTDIR) {
		error_set(err, errno == EACCES ? EX_NOPERM : EX_IOERR, "%s: %s", place.path,
		          strerror(errno));
		socket_path_clear(&place);
		return false;
	}
	(void)snprintf(place.address.sun_path, room, "/proc/self/fd/%d/%s", place.directory, name);
	*ret = place;
	return true;
}

void socket_path_clear(struct socket_path *place)
{
	if (place->directory >= 0)
		(void)close(place->directory);
	free(place->path);
	*place = (struct socket_path){.directory = -1};
}
