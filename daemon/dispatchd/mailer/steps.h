/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_MAILER_STEPS_H
#define DISPATCHD_MAILER_STEPS_H

#include "mail/failure.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a connection to a relay goes through, noted step by step for a test of it (relay_test.h):
 * the name looked up, connected, each command with its reply. Of mails nothing is noted: NULL is
 * given then, with which all these functions do nothing.
 *
 *   steps_begin("mail"), steps_begin("rcpt")   sent together, they wait in this order
 *   steps_end() … steps_end()                  for the replies
 *
 * A step's time is that from the end of the one before to its own.
 */
enum { STEPS_MAX = 40, STEPS_WAITING_MAX = 8 };

struct step {
	const char *name; /* "ehlo"; static */
	int64_t ms;
	bool failed;
	char reply[DELIVERY_REPLY_MAX]; /* the relay's words, or ours; one clean line */
};

struct steps {
	bool envelope; /* no mail goes out: RSET takes the place of DATA */
	struct step rows[STEPS_MAX];
	size_t n;
	const char *waiting[STEPS_WAITING_MAX]; /* begun and without a reply, the oldest first */
	size_t n_waiting;
	int64_t since_ms;               /* monotonic: the end of the last one */
	char reply[DELIVERY_REPLY_MAX]; /* lines of the reply that is being read */
};

void steps_start(struct steps *steps); /* the time of the first one begins */
void steps_begin(struct steps *steps, const char *name);
/* The oldest that waits has ended so; where none waits nothing is noted. */
void steps_end(struct steps *steps, bool failed, const char *reply);
/* All has ended, at `name` where nothing waits: why is noted unless a step has failed since the
 * connection was there. */
void steps_give_up(struct steps *steps, const char *name, const char *why);

#endif
