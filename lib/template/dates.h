/* SPDX-License-Identifier: MIT */
#ifndef TEMPLATE_DATES_H
#define TEMPLATE_DATES_H

#include "base/buf.h"

/* The formatters and zones used so far. For one thread at a time. */
struct dates;
struct dates *dates_new(void);
struct dates *dates_free(struct dates *dates); /* takes NULL; returns NULL */

/* Who reads a date. Either may be "": no locale means plain English with a 24-hour clock; no zone,
 * or an unknown one, means the offset in the time itself. */
struct dates_reader {
	struct dates *dates;
	const char *locale;   /* "fr-CA" */
	const char *timezone; /* an IANA name */
};

/*
 * Adds a time for people. `text` is RFC 3339, or a day (YYYY-MM-DD); `|STYLE` may follow: full (the
 * default, "Thursday, 24 December 2026, 14:30"), short, day, time. Text that isn't a time is added
 * as is. `arg` is a struct dates_reader; the signature is that of a Mustache helper.
 */
void dates_helper(void *arg, const char *text, struct buf *ret);

#endif
