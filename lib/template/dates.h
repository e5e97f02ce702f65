/* SPDX-License-Identifier: MIT */
#ifndef TEMPLATE_DATES_H
#define TEMPLATE_DATES_H

#include "base/buf.h"

/* The formatters and zones that were needed so far. For one thread at a time. */
struct dates;
struct dates *dates_new(void);
struct dates *dates_free(struct dates *dates); /* takes NULL; returns NULL */

/* Whose eyes a date is for. Either may be "": no locale is plain English with a 24-hour clock, no
 * (or no known) zone is the offset that the time itself was given with. */
struct dates_reader {
	struct dates *dates;
	const char *locale;   /* "fr-CA" */
	const char *timezone; /* an IANA name */
};

/*
 * Adds a time as people read it. `text` is RFC 3339, or a day (YYYY-MM-DD); `|STYLE` may follow:
 * full
 * ("Thursday, 24 December 2026, 14:30", also where none is named), short, day, time. Text that
 * isn't a time is added as it is. `arg` is a struct dates_reader; the form is that of a Mustache
 * helper.
 */
void dates_helper(void *arg, const char *text, struct buf *ret);

#endif
