/* SPDX-License-Identifier: MIT */
#ifndef SPOOL_SQUEEZE_BLOCK_H
#define SPOOL_SQUEEZE_BLOCK_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Blocks of LZ4 (its lz4_Block_format.md) from short texts that begin with a dictionary, which
 * unsqueeze() gives LZ4 as such. LZ4 itself begins each text with a copy of 16 KiB of state, which
 * takes longer than the rest of its work.
 */
enum {
	BLOCK_TEXT_MAX = 32 * 1024, /* of dictionary and text: places have 16 bits */
	BLOCK_SLOTS = 2048,
};

/* Of one dictionary. */
struct block_writer {
	uint16_t words[BLOCK_SLOTS];  /* where four bytes with this hash are in it; 0: nowhere */
	uint16_t places[BLOCK_SLOTS]; /* the same, and of the text so far */
	size_t dictionary;            /* its length */
	unsigned char room[BLOCK_TEXT_MAX]; /* it, and the text behind it */
};

/* `text` is shorter than half the room. */
void block_prepare(struct block_writer *writer, const char *text, size_t len);

/* Appends the block; false where the text is too long. */
bool block_write(struct block_writer *writer, const char *text, size_t len, struct buf *ret);

#endif
