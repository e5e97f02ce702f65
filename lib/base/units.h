/* SPDX-License-Identifier: MIT */
#ifndef BASE_UNITS_H
#define BASE_UNITS_H

#include "base/error.h"

#include <stdint.h>

/*
 * Durations and sizes as people write them (contract, section 7): one whole number and one unit,
 * nothing between them and nothing around.
 */
#define DURATION_MAX_MS ((int64_t)1000 * 24 * 60 * 60 * 1000) /* 1000d */
#define UNITS_TEXT_MAX  24

/* `500ms`, `30s`, `5m`, `12h`, `90d`, at most 1000d; zero needs a unit too. Untouched on
 * failure. */
bool duration_parse(const char *text, int64_t *ret_ms) MUST_CHECK;

/* In the largest unit that leaves a whole number: 90000 is "90s", 0 is "0s". Returns `text`. */
const char *duration_format(int64_t ms, char text[UNITS_TEXT_MAX]);

/* `512` (bytes), `256KiB`, `1MiB`, `2GiB`; up to INT64_MAX bytes. Untouched on failure. */
bool size_parse(const char *text, int64_t *ret_bytes) MUST_CHECK;

/* In the largest unit that leaves a whole number. Returns `text`. */
const char *size_format(int64_t bytes, char text[UNITS_TEXT_MAX]);

#endif
