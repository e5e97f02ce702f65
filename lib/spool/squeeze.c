/* SPDX-License-Identifier: MIT */
/*
 * The traces of events and the contexts of mails are two thirds of what a mail takes in the spool,
 * and nearly all of each is in every other one. A dictionary is loaded into LZ4's state once; each
 * text starts from a copy of that.
 */
#include "spool/squeeze.h"

#include "base/varint.h"
#include "spool/squeeze_words.h"

#include <lz4.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const struct words {
	const char *text;
	size_t len;
} dictionaries[SQUEEZE_COUNT] = {
        [SQUEEZE_TRACE] = {SQUEEZE_TRACE_WORDS, sizeof SQUEEZE_TRACE_WORDS - 1},
        [SQUEEZE_CONTEXT] = {SQUEEZE_CONTEXT_WORDS, sizeof SQUEEZE_CONTEXT_WORDS - 1},
};

enum { TEXT_MAX = 64 * 1024 * 1024 }; /* as SQLite takes it (db_open.c) */

struct squeezer {
	LZ4_stream_t loaded[SQUEEZE_COUNT], work;
	char *room;
	size_t size;
};

struct squeezer *squeezer_free(struct squeezer *squeezer)
{
	if (squeezer != NULL)
		free(squeezer->room);
	free(squeezer);
	return NULL;
}

static struct squeezer *squeezer_new(void)
{
	struct squeezer *squeezer = mem_alloc(sizeof *squeezer);
	for (int i = SQUEEZE_PLAIN + 1; i < SQUEEZE_COUNT; i++) {
		(void)LZ4_initStream(&squeezer->loaded[i], sizeof squeezer->loaded[i]);
		(void)LZ4_loadDict(&squeezer->loaded[i], dictionaries[i].text,
		                   (int)dictionaries[i].len);
	}
	return squeezer;
}

/* -- writing ----------------------------------------------------------------------------------- */

/* Into `room`: its length, 0 where the text is too long. */
static size_t compress(struct squeezer *squeezer, enum squeeze dictionary, const char *text,
                       size_t len)
{
	if (len == 0 || len > TEXT_MAX)
		return 0;
	size_t bound = (size_t)LZ4_compressBound((int)len);
	if (bound > squeezer->size) {
		squeezer->room = mem_realloc(squeezer->room, bound, 1);
		squeezer->size = bound;
	}
	memcpy(&squeezer->work, &squeezer->loaded[dictionary], sizeof squeezer->work);
	int n = LZ4_compress_fast_continue(&squeezer->work, text, squeezer->room, (int)len,
	                                   (int)bound, 1);
	return n > 0 ? (size_t)n : 0;
}

void squeeze(struct squeezer **squeezer, enum squeeze dictionary, const char *text, size_t len,
             struct buf *ret)
{
	if (*squeezer == NULL)
		*squeezer = squeezer_new();
	size_t n = compress(*squeezer, dictionary, text, len);
	if (n == 0 || n >= len) {
		buf_addc(ret, SQUEEZE_PLAIN);
		buf_add(ret, text, len);
		return;
	}
	buf_addc(ret, (char)dictionary);
	varint_add(ret, len);
	buf_add(ret, (*squeezer)->room, n);
}

/* -- reading ----------------------------------------------------------------------------------- */

const char *unsqueeze(const void *bytes, size_t len, struct arena *arena)
{
	const unsigned char *from = bytes;
	uint64_t length = 0;
	if (len == 0 || from[0] >= SQUEEZE_COUNT)
		return NULL;
	if (from[0] == SQUEEZE_PLAIN)
		return arena_strndup(arena, (const char *)from + 1, len - 1);
	const struct words *words = &dictionaries[from[0]];
	size_t head = 1 + varint_read(from + 1, len - 1, &length);
	if (head == 1 || length > TEXT_MAX || length / 255 > len)
		return NULL;
	char *text = arena_alloc(arena, length + 1);
	int n = LZ4_decompress_safe_usingDict((const char *)from + head, text, (int)(len - head),
	                                      (int)length, words->text, (int)words->len);
	return n >= 0 && (uint64_t)n == length ? text : NULL;
}
