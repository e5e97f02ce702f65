/* SPDX-License-Identifier: MIT */
/*
 * It isn't a fault if the pager can't be started or the person leaves it early. Whether the shell
 * found the program is known only once it ends or has read something.
 */
#include "dispatchctl/show/pager.h"

#include "base/identity.h"
#include "base/mem.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIPE_MAX = 1024 * 1024, NOT_FOUND = 127 << 8 };

struct pager {
	FILE *pipe;
	size_t taken;
};

struct pager *pager_start(void)
{
	const char *name = getenv("PAGER");
	if (name != NULL && (*name == '\0' || strcmp(name, "cat") == 0))
		return NULL;
	(void)setenv("LESS", "FRX", 0);
	(void)signal(SIGPIPE, SIG_IGN);
	identity_person(); /* it is the person's program */
	FILE *pipe = popen(name ? name : "less", "w");
	identity_back();
	if (pipe == NULL)
		return NULL;
	struct pager *pager = mem_alloc(sizeof *pager);
	pager->pipe = pipe;
	return pager;
}

bool pager_write(struct pager *pager, const char *bytes, size_t len)
{
	pager->taken += len;
	return fwrite(bytes, 1, len, pager->pipe) == len && fflush(pager->pipe) == 0;
}

bool pager_reads(const struct pager *pager)
{
	return pager->taken > PIPE_MAX;
}

bool pager_end(struct pager *pager)
{
	bool there = pclose(pager->pipe) != NOT_FOUND;
	free(pager);
	return there;
}
