/* SPDX-License-Identifier: MIT */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include "base/error.h"

#include <stddef.h>

/*
 * Memory that is there or ends the program: Debian overcommits, so a NULL from malloc is not a
 * state to live on in; everything that counts is on disk and systemd starts us again.
 */
void *mem_alloc(size_t size); /* zeroed; free() frees */
void *mem_realloc(void *old, size_t count, size_t size);
char *mem_strdup(const char *text); /* NULL gives NULL */
/* Gives what was freed back to the system: after many small blocks. */
void mem_trim(void);

/*
 * An arena allocates memory that is freed all at once: what one turn loads and decides lives in one
 * and is gone after it. Not for sharing between threads. All results are zeroed.
 */
struct arena;
struct arena *arena_new(void);
struct arena *arena_new_small(size_t size); /* for about so many bytes; it grows like the others */
struct arena *arena_new_private(void);      /* may hold passwords: overwritten before it is freed */
void *arena_alloc(struct arena *arena, size_t size);                    /* aligned for any type */
char *arena_strdup(struct arena *arena, const char *text);              /* NULL gives NULL */
char *arena_strndup(struct arena *arena, const char *text, size_t len); /* adds the NUL */
char *arena_printf(struct arena *arena, const char *fmt, ...) PRINTF_LIKE(2, 3);
size_t arena_bytes(const struct arena *arena); /* allocated since it was made or reset */
void arena_reset(struct arena *arena);         /* frees what was allocated, keeps a block */
struct arena *arena_free(struct arena *arena); /* takes NULL; returns NULL */

/* Room for one more in an array of `n`: `array` itself, or where `*cap` of them are there a copy
 * twice as large. */
void *arena_grow(struct arena *arena, void *array, size_t n, size_t *cap, size_t size);

#define arena_new_array(arena, count, type) ((type *)arena_alloc((arena), (count) * sizeof(type)))

#endif
