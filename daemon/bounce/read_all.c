/* SPDX-License-Identifier: MIT */
#include "bounce/read_all.h"

#include <errno.h>
#include <unistd.h>

bool read_all(int fd, size_t max, struct buf *buf)
{
	static char block[64 * 1024];
	for (ssize_t n; (n = read(fd, block, sizeof block)) != 0;) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		size_t room = max + 1 - buf->len;
		buf_add(buf, block, (size_t)n < room ? (size_t)n : room);
	}
	return true;
}
