/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_MAILER_PACE_H
#define DISPATCHD_MAILER_PACE_H

#include <stddef.h>
#include <stdint.h>

/* How many mails go in a moment: so many more may be in hand, since they won't wait for long. `{0}`
 * is one that nothing has gone by. */
enum {
	PACE_MS = 16,
	PACE_MAX = 256, /* more than these don't count */
};

struct pace {
	int64_t since_ms; /* when the present span began */
	size_t n, before; /* mails that have gone in it, and in the whole one before */
};

void pace_note(struct pace *pace, int64_t now_ms); /* a mail has gone; by the monotonic clock */
/* As of the last whole span; 0 once nothing has gone for one. */
size_t pace_mails(const struct pace *pace, int64_t now_ms);

#endif
