/* SPDX-License-Identifier: MIT */
#ifndef BASE_RESP_H
#define BASE_RESP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Looks at the bytes of Redis' replies (RESP2, https://redis.io/docs/reference/protocol-spec/)
 * before a parser that believes every length and count gets them. It keeps no bytes, however they
 * are cut.
 */
enum {
	RESP_DEPTH_MAX = 7,        /* arrays in arrays */
	RESP_LINE_MAX = 64 << 10,  /* bytes of a status or an error */
	RESP_BULK_MAX = 32 << 20,  /* bytes of a string */
	RESP_REPLY_MAX = 48 << 20, /* bytes of a whole reply */
	RESP_PARTS_MAX = 1 << 20,  /* elements of a whole reply, announced or there */
};

/* `{0}` is how it begins. */
struct resp {
	enum { RESP_TYPE, RESP_TEXT, RESP_NUMBER, RESP_BULK } state;
	char type;
	bool negative, carriage; /* of the number; the byte before was CR */
	unsigned digits;
	int64_t number;
	size_t line;                     /* bytes of it so far */
	size_t bulk_left;                /* with its CRLF */
	size_t open[RESP_DEPTH_MAX + 1]; /* elements to come of each array that is open */
	unsigned depth;
	size_t parts, bytes; /* of the reply under way */
	size_t whole; /* how many of the bytes scanned last belong to replies that are complete */
};

/* NULL while all is well; else what is wrong, and the connection can't be used anymore. */
const char *resp_scan(struct resp *resp, const char *bytes, size_t n);

/* For all answers together that are under way; whoever counts them reports it. */
#define RESP_ALL_TOO_LONG "protocol error: unfinished answers take too much memory"
/* Whether that fault says that there was too much of an answer, not that it was wrong. */
bool resp_is_too_long(const char *fault);

#endif
