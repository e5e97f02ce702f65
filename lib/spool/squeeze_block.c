/* SPDX-License-Identifier: MIT */
/*
 * What repeats is found by a hash of four bytes, the latest place of each; one that is hit is
 * made as long as it goes in both directions. The format's rules for the end of a block: its last
 * five bytes are plain, and nothing that repeats begins in its last twelve.
 */
#include "spool/squeeze_block.h"

#include <string.h>

enum {
	MATCH_MIN = 4,
	PLAIN_AT_END = 5,
	NO_MATCH_AT_END = 12,
	LENGTH_IN_TOKEN = 15, /* more is written behind it */
	SLOT_BITS = 11,
	EIGHT = 8,    /* compared at a time */
	PATIENCE = 6, /* the longer nothing is found, the larger the steps: by 1 after 64 */
};
_Static_assert(1 << SLOT_BITS == BLOCK_SLOTS, "a slot for each hash");

static uint32_t four_bytes(const unsigned char *at)
{
	uint32_t bytes;
	memcpy(&bytes, at, sizeof bytes);
	return bytes;
}

static size_t slot_of(uint32_t bytes)
{
	return (bytes * 2654435761u) >> (32 - SLOT_BITS);
}

void block_prepare(struct block_writer *writer, const char *text, size_t len)
{
	if (len > BLOCK_TEXT_MAX / 2)
		bug("a dictionary of %zu bytes", len);
	memset(writer->words, 0, sizeof writer->words);
	memcpy(writer->room, text, len);
	writer->dictionary = len;
	for (size_t at = 1; at + MATCH_MIN <= len; at++)
		writer->words[slot_of(four_bytes(writer->room + at))] = (uint16_t)at;
}

/* -- sequences: plain bytes, then those of a place before */

static unsigned char *put_length(unsigned char *to, size_t len)
{
	if (len < LENGTH_IN_TOKEN)
		return to;
	for (len -= LENGTH_IN_TOKEN; len >= 255; len -= 255)
		*to++ = 255;
	*to++ = (unsigned char)len;
	return to;
}

static unsigned in_token(size_t len)
{
	return len < LENGTH_IN_TOKEN ? (unsigned)len : LENGTH_IN_TOKEN;
}

static unsigned char *put_plain(unsigned char *to, const unsigned char *bytes, size_t len,
                                unsigned match)
{
	*to++ = (unsigned char)(in_token(len) << 4 | match);
	to = put_length(to, len);
	memcpy(to, bytes, len);
	return to + len;
}

struct match {
	size_t at, from, len; /* its bytes are those at `from`, too */
};

static unsigned char *put_match(unsigned char *to, const struct match *m,
                                const unsigned char *plain, size_t plain_len)
{
	size_t distance = m->at - m->from, more = m->len - MATCH_MIN;
	to = put_plain(to, plain, plain_len, in_token(more));
	*to++ = (unsigned char)distance;
	*to++ = (unsigned char)(distance >> 8);
	return put_length(to, more);
}

/* -- finding them */

static void lengthen(const unsigned char *room, size_t begin, size_t end, struct match *m)
{
	while (m->at > begin && m->from > 0 && room[m->at - 1] == room[m->from - 1]) {
		m->at--;
		m->from--;
		m->len++;
	}
	while (m->at + m->len + EIGHT <= end &&
	       memcmp(room + m->at + m->len, room + m->from + m->len, EIGHT) == 0)
		m->len += EIGHT;
	while (m->at + m->len < end && room[m->at + m->len] == room[m->from + m->len])
		m->len++;
}

/* The next one from `at` on; false where there is none before `end`. */
static bool find_match(struct block_writer *writer, size_t at, size_t end, struct match *ret)
{
	const unsigned char *room = writer->room;
	for (size_t tried = 0; at < end; at += 1 + (tried++ >> PATIENCE)) {
		uint32_t bytes = four_bytes(room + at);
		uint16_t *place = &writer->places[slot_of(bytes)];
		size_t from = *place;
		*place = (uint16_t)at;
		if (from == 0 || four_bytes(room + from) != bytes)
			continue;
		*ret = (struct match){.at = at, .from = from, .len = MATCH_MIN};
		return true;
	}
	return false;
}

static unsigned char *put_block(struct block_writer *writer, size_t end, unsigned char *to)
{
	const unsigned char *room = writer->room;
	size_t begin = writer->dictionary;
	size_t last = end - begin > NO_MATCH_AT_END ? end - NO_MATCH_AT_END : begin;
	struct match m;
	while (find_match(writer, begin, last, &m)) {
		lengthen(room, begin, end - PLAIN_AT_END, &m);
		to = put_match(to, &m, room + begin, m.at - begin);
		begin = m.at + m.len;
		writer->places[slot_of(four_bytes(room + begin - 2))] = (uint16_t)(begin - 2);
	}
	return put_plain(to, room + begin, end - begin, 0);
}

bool block_write(struct block_writer *writer, const char *text, size_t len, struct buf *ret)
{
	if (len > BLOCK_TEXT_MAX - writer->dictionary)
		return false;
	memcpy(writer->places, writer->words, sizeof writer->places);
	memcpy(writer->room + writer->dictionary, text, len);
	buf_reserve(ret, len + len / 255 + 16); /* if nothing repeats */
	unsigned char *to = (unsigned char *)ret->data + ret->len;
	ret->len += (size_t)(put_block(writer, writer->dictionary + len, to) - to);
	ret->data[ret->len] = '\0';
	return true;
}
