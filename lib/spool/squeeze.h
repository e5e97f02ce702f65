/* SPDX-License-Identifier: MIT */
#ifndef SPOOL_SQUEEZE_H
#define SPOOL_SQUEEZE_H

#include "base/buf.h"
#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Long texts of ours, which are much alike, in short: LZ4 with a dictionary of what is in most of
 * them.
 *
 *	the dictionary's number (0: as it is), the length of the text (seven bits a byte, the lowest
 *	first), a block of LZ4
 *
 * Dictionaries are part of the spool's format: one that has been released is never changed, a
 * better one gets a number of its own.
 */
enum squeeze { SQUEEZE_PLAIN, SQUEEZE_TRACE, SQUEEZE_CONTEXT, SQUEEZE_COUNT };

/* Memory for squeezing, for one thread: making it each time would take a third of a turn's time. */
struct squeezer;
struct squeezer *squeezer_free(struct squeezer *squeezer); /* takes NULL; returns NULL */

/* Appends the text's short form. `*squeezer` may be NULL: it is made, and is the caller's. */
void squeeze(struct squeezer **squeezer, enum squeeze dictionary, const char *text, size_t len,
             struct buf *ret);

/* The text, in the arena; NULL where the bytes are damaged. */
const char *unsqueeze(const void *bytes, size_t len, struct arena *arena);

#endif
