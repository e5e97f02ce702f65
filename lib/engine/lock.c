/* SPDX-License-Identifier: MIT */
#include "engine/lock.h"

#include "base/mem.h"
#include "db/db.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

enum { LOCK_WAIT_MS = 10000, LOCK_STEP_MS = 20 };

static bool wait_for_lock(int fd)
{
	const struct timespec step = {.tv_nsec = LOCK_STEP_MS * 1000000L};
	for (int waited_ms = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; waited_ms += LOCK_STEP_MS) {
		if (errno != EWOULDBLOCK || waited_ms >= LOCK_WAIT_MS)
			return false;
		(void)nanosleep(&step, NULL);
	}
	return true;
}

static int lock_file(const char *name, struct error *err)
{
	int fd = db_lock_file(name, err);
	if (fd < 0 || wait_for_lock(fd))
		return fd;
	if (errno == EWOULDBLOCK)
		error_set(err, EX_TEMPFAIL, "%s: another dispatchd or dispatchctl has the spool",
		          name);
	else
		error_set(err, errno == EACCES ? EX_NOPERM : EX_IOERR, "%s: %s", name,
		          strerror(errno));
	(void)close(fd);
	return -1;
}

/* The first comer makes the file; the daemon's user and the office's must both be able to lock it.
 */
int engine_lock(const char *spool_path, struct error *err)
{
	size_t size = strlen(spool_path) + sizeof ".lock";
	char *name = mem_alloc(size);
	(void)snprintf(name, size, "%s.lock", spool_path);
	int fd = lock_file(name, err);
	free(name);
	return fd;
}
