/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SPOOL_FILE_H
#define TESTS_SPOOL_FILE_H

#include "spool/spool.h"

/* A spool.db in a folder of its own, one at a time. */

/* Makes the folder: the path for spool_open(), until spool_file_remove(). */
const char *spool_file_make(void);
/* With all that is in it; 0, as a teardown has to give. */
int spool_file_remove(void);

/* The test fails where these do. */
void spool_file_begin(struct spool *spool);
void spool_file_commit(struct spool *spool);

#endif
