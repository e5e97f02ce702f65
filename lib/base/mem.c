/* SPDX-License-Identifier: MIT */
/*
 * Memory that is there or ends the program, and arenas: blocks that are given out in pieces and
 * freed all at once.
 */
#include "base/mem.h"

#include "base/format.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_SIZE = 32768, ALIGN = _Alignof(max_align_t) };

struct block {
	struct block *next;
	size_t size, used;
	_Alignas(max_align_t) unsigned char bytes[];
};

struct arena {
	struct block *blocks; /* the newest first: allocations come from it */
	bool private;
	size_t bytes; /* handed out */
};

void *mem_alloc(size_t size)
{
	void *p = calloc(1, size ? size : 1);
	if (p == NULL)
		bug("out of memory (%zu bytes)", size);
	return p;
}

void *mem_realloc(void *old, size_t count, size_t size)
{
	void *p = reallocarray(old, count ? count : 1, size);
	if (p == NULL)
		bug("out of memory (%zu times %zu bytes)", count, size);
	return p;
}

/* With a sanitizer's allocator in front, the library's own isn't set up until the first to come,
 * and two threads that come at once get a half of it. */
void mem_trim(void)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	(void)malloc_trim(0);
#endif
}

char *mem_strdup(const char *text)
{
	if (text == NULL)
		return NULL;
	size_t size = strlen(text) + 1;
	return memcpy(mem_alloc(size), text, size);
}

static struct block *block_new(size_t size, struct block *next)
{
	struct block *block = malloc(sizeof *block + size);
	if (block == NULL)
		bug("out of memory (%zu bytes)", size);
	block->next = next;
	block->size = size;
	block->used = 0;
	return block;
}

struct arena *arena_new_small(size_t size)
{
	struct arena *arena = mem_alloc(sizeof *arena);
	arena->blocks = block_new(size, NULL);
	return arena;
}

struct arena *arena_new(void)
{
	return arena_new_small(BLOCK_SIZE);
}

struct arena *arena_new_private(void)
{
	struct arena *arena = arena_new();
	arena->private = true;
	return arena;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	if (size > SIZE_MAX / 2)
		bug("arena allocation of %zu bytes", size);
	size = (size + ALIGN - 1) / ALIGN * ALIGN;
	struct block *block = arena->blocks;
	if (block->size - block->used < size) {
		/* A small one twice as large each time, up to what is usual. */
		size_t next = block->size < BLOCK_SIZE / 2 ? 2 * block->size : BLOCK_SIZE;
		arena->blocks = block = block_new(size > next ? size : next, block);
	}
	arena->bytes += size;
	void *p = block->bytes + block->used;
	block->used += size;
	return memset(p, 0, size);
}

size_t arena_bytes(const struct arena *arena)
{
	return arena->bytes;
}

char *arena_strndup(struct arena *arena, const char *text, size_t len)
{
	char *copy = arena_alloc(arena, len + 1);
	if (len > 0)
		memcpy(copy, text, len);
	return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return text == NULL ? NULL : arena_strndup(arena, text, strlen(text));
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
	char most[256]; /* are no longer */
	va_list args, again;
	va_start(args, fmt);
	va_copy(again, args);
	int len = format_text(most, sizeof most, fmt, args);
	va_end(args);
	if (len < 0)
		bug("format '%s'", fmt);
	char *text = arena_alloc(arena, (size_t)len + 1);
	if ((size_t)len < sizeof most)
		memcpy(text, most, (size_t)len + 1);
	else
		(void)format_text(text, (size_t)len + 1, fmt, again);
	va_end(again);
	return text;
}

void *arena_grow(struct arena *arena, void *array, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return array;
	size_t more = *cap ? *cap * 2 : 16;
	void *copy = arena_alloc(arena, more * size);
	if (n > 0)
		memcpy(copy, array, n * size);
	*cap = more;
	return copy;
}

static void blocks_free(struct block *block, bool private)
{
	while (block != NULL) {
		struct block *next = block->next;
		if (private)
			explicit_bzero(block->bytes, block->used);
		free(block);
		block = next;
	}
}

void arena_reset(struct arena *arena)
{
	struct block *keep = arena->blocks;
	blocks_free(keep->next, arena->private);
	if (arena->private)
		explicit_bzero(keep->bytes, keep->used);
	keep->next = NULL;
	keep->used = 0;
	arena->bytes = 0;
}

struct arena *arena_free(struct arena *arena)
{
	if (arena != NULL)
		blocks_free(arena->blocks, arena->private);
	free(arena);
	return NULL;
}
