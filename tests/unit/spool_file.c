/* SPDX-License-Identifier: MIT */
#include "spool_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char directory[64], path[128];

const char *spool_file_make(void)
{
	(void)strcpy(directory, "/tmp/dispatchd-spool-XXXXXX");
	assert_non_null(mkdtemp(directory));
	(void)snprintf(path, sizeof path, "%s/spool.db", directory);
	return path;
}

int spool_file_remove(void)
{
	char command[128];
	(void)snprintf(command, sizeof command, "rm -rf %s", directory);
	return system(command);
}

void spool_file_begin(struct spool *spool)
{
	struct error err;
	if (!spool_begin(spool, &err))
		fail_msg("%s", err.text);
}

void spool_file_commit(struct spool *spool)
{
	struct error err;
	if (!spool_commit(spool, &err))
		fail_msg("%s", err.text);
}
