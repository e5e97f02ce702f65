/* SPDX-License-Identifier: MIT */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdbool.h>

/*
 * A fault of the world (bad input, a missing file, a peer that is away), for a person to read.
 * A function that can meet one returns bool, takes a `struct error *` last and sets it before it
 * returns false. The caller owns the struct; it holds no pointers. Faults of our own making do not
 * come this way: they end the program through bug().
 */
struct error {
	int code;       /* an exit status of sysexits.h, never 0 once set */
	char text[500]; /* one sentence without a full stop or line break */
};

#define MUST_CHECK             __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/* Sets `err` (which may be NULL) and returns false, so that a fault is one line: `return
 * error_set(…);` */
bool error_set(struct error *err, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Puts "PREFIX: " before the text that `err` has already, keeping its code; returns false. */
bool error_prefix(struct error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* A broken invariant: says what and where on standard error and aborts. */
#define bug(...) bug_at(__FILE__, __LINE__, __VA_ARGS__)
_Noreturn void bug_at(const char *file, int line, const char *fmt, ...) PRINTF_LIKE(3, 4);

#endif
