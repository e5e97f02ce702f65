/* SPDX-License-Identifier: MIT */
/*
 * The traces of events and the contexts of mails are two thirds of what a mail takes in the spool,
 * and nearly all of each is in every other one.
 */
#include "spool/squeeze.h"

#include "base/varint.h"
#include "spool/squeeze_block.h"
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
	struct block_writer of[SQUEEZE_COUNT];
};

struct squeezer *squeezer_free(struct squeezer *squeezer)
{
	free(squeezer);
	return NULL;
}

static struct squeezer *squeezer_new(void)
{
	struct squeezer *squeezer = mem_alloc(sizeof *squeezer);
	for (int i = SQUEEZE_PLAIN + 1; i < SQUEEZE_COUNT; i++)
		block_prepare(&squeezer->of[i], dictionaries[i].text, dictionaries[i].len);
	return squeezer;
}

/* -- writing ----------------------------------------------------------------------------------- */

/* One that is too long for the writer of blocks is a matter for LZ4. */
static void add_long_block(enum squeeze dictionary, const char *text, size_t len, struct buf *ret)
{
	int bound = LZ4_compressBound((int)len);
	LZ4_stream_t *stream = mem_alloc(sizeof *stream);
	buf_reserve(ret, (size_t)bound);
	(void)LZ4_initStream(stream, sizeof *stream);
	(void)LZ4_loadDict(stream, dictionaries[dictionary].text,
	                   (int)dictionaries[dictionary].len);
	int n = LZ4_compress_fast_continue(stream, text, ret->data + ret->len, (int)len, bound, 1);
	ret->len += n > 0 ? (size_t)n : 0;
	ret->data[ret->len] = '\0';
	free(stream);
}

void squeeze(struct squeezer **squeezer, enum squeeze dictionary, const char *text, size_t len,
             struct buf *ret)
{
	size_t begin = ret->len;
	if (*squeezer == NULL)
		*squeezer = squeezer_new();
	if (len > 0 && len <= TEXT_MAX) {
		buf_addc(ret, (char)dictionary);
		varint_add(ret, len);
		size_t head = ret->len;
		if (!block_write(&(*squeezer)->of[dictionary], text, len, ret))
			add_long_block(dictionary, text, len, ret);
		if (ret->len > head && ret->len - head < len)
			return;
	}
	ret->len = begin;
	buf_addc(ret, SQUEEZE_PLAIN);
	buf_add(ret, text, len);
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
