/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_SYS_REPEATS_H
#define DISPATCHD_SYS_REPEATS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The log's limit: whatever can come over and over is written once a minute at most, and then with
 * how often it came. Thread-safe.
 */
enum { REPEATS_SLOTS = 1024 }; /* lines that can be told apart in a minute */

/* What makes a text the same as another: all of it but what is in quotes, which are others' words.
 */
uint64_t repeats_key(const char *text);

/* True where a line of that key may be written now; then `ret_kept_back` is how often it was not
 * since the last time. Else a copy of the text is kept until a later one of the same key comes.
 * Where more different lines come in a minute than can be told apart, it is false for the rest of
 * them. */
bool repeats_due(uint64_t key, int level, const char *text, unsigned *ret_kept_back);

/* The last line of a key that was kept back, once its minute is over. */
struct repeats_line {
	char *text; /* the caller's to free */
	int level;
	unsigned before; /* how many of the same were kept back before it */
	int64_t ago_ms;  /* since it came */
};
/* The next one, in the order in which they came; another minute begins for it. False: there is none
 * now. */
bool repeats_last(struct repeats_line *ret);

/* How many lines that rest was; 0 most of the time. Reading it begins a new count; once a minute at
 * most. */
unsigned repeats_overflow(void);

#endif
