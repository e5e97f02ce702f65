/* SPDX-License-Identifier: MIT */
#ifndef SPOOL_SPOOL_REDIRECT_H
#define SPOOL_SPOOL_REDIRECT_H

#include "spool/spool.h"

/* Where the engine sends every mail instead of to its recipient ([mail] redirect_to): kept in the
 * spool for whoever shows it to people. "" where it doesn't. */
const char *spool_redirect(struct spool *spool, struct arena *arena);
void spool_redirect_set(struct spool *spool, const char *to);

/* The same in a view of its own. */
bool spool_read_redirect(struct spool *spool, struct arena *arena, const char **ret,
                         struct error *err) MUST_CHECK;

#endif
