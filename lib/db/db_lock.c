/* SPDX-License-Identifier: MIT */
#include "db/db_lock.h"

#include "base/mem.h"
#include "db/db_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

enum { STEP_MS = 20 };

static char *name_beside(const char *path, const char *suffix)
{
	size_t size = strlen(path) + strlen(suffix) + 1;
	char *name = mem_alloc(size);
	(void)snprintf(name, size, "%s%s", path, suffix);
	return name;
}

static bool wait_for(int fd, int wait_ms)
{
	const struct timespec step = {.tv_nsec = STEP_MS * 1000000L};
	for (int waited_ms = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; waited_ms += STEP_MS) {
		if (errno != EWOULDBLOCK || waited_ms >= wait_ms)
			return false;
		(void)nanosleep(&step, NULL);
	}
	return true;
}

static int take(const char *name, int wait_ms, const char *held, struct error *err)
{
	int fd = db_lock_file(name, err);
	if (fd < 0 || wait_for(fd, wait_ms))
		return fd;
	if (errno == EWOULDBLOCK)
		error_set(err, EX_TEMPFAIL, "%s: %s", name, held);
	else
		error_set(err, errno == EACCES ? EX_NOPERM : EX_IOERR, "%s: %s", name,
		          strerror(errno));
	(void)close(fd);
	return -1;
}

int db_lock(const char *path, const char *suffix, int wait_ms, const char *held, struct error *err)
{
	char *name = name_beside(path, suffix);
	int fd = take(name, wait_ms, held, err);
	free(name);
	return fd;
}

bool db_lock_is_held(const char *path, const char *suffix)
{
	char *name = name_beside(path, suffix);
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	free(name);
	if (fd < 0)
		return true;
	bool held = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
	(void)close(fd);
	return held;
}
