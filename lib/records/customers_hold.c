/* SPDX-License-Identifier: MIT */
#include "records/customers_hold.h"

#include "base/mem.h"
#include "db/db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sysexits.h>
#include <unistd.h>

static char *name_beside(const char *path)
{
	size_t size = strlen(path) + sizeof ".owner";
	char *name = mem_alloc(size);
	(void)snprintf(name, size, "%s.owner", path);
	return name;
}

int customers_hold(const char *path, struct error *err)
{
	char *name = name_beside(path);
	int fd = db_lock_file(name, err);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
		error_set(err, errno == EWOULDBLOCK ? EX_TEMPFAIL : EX_IOERR, "%s: %s", name,
		          errno == EWOULDBLOCK ? "another dispatchd holds it" : strerror(errno));
		(void)close(fd);
		fd = -1;
	}
	free(name);
	return fd;
}

bool customers_owner_works(const char *path)
{
	char *name = name_beside(path);
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	free(name);
	if (fd < 0)
		return true;
	bool held = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
	(void)close(fd);
	return held;
}
