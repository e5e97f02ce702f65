/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_MAILER_LIMITS_H
#define DISPATCHD_MAILER_LIMITS_H

#include <stddef.h>
#include <stdint.h>

/*
 * How long a mailer waits for a relay, and how many mails it holds. One set for the daemon
 * (mailer_limits); the tests' probe brings a shorter one, which is why they aren't constants in the
 * code that uses them.
 */
struct mailer_limits {
	int64_t connect_ms; /* name looked up; connected to one of its addresses */
	int64_t race_ms;    /* for one of these, before the next one is tried, too */
	int64_t family_ms;  /* IPv6 or IPv4, whichever was quicker, is tried first for so long */
	int64_t greeting_ms, tls_ms, auth_ms;
	int64_t command_ms; /* MAIL, RCPT, DATA: until the whole answer is there */
	int64_t body_ms;    /* handing over the body; a second more for every 4 KiB */
	int64_t dot_ms;     /* the answer to it */
	int64_t quit_ms;
	int64_t idle_ms; /* an open connection waits that long for the next mail */
	unsigned mails;  /* over one connection; libesmtp frees them only with its session */
	int64_t open_min_ms, open_max_ms; /* of a relay at fault */
	int64_t hold_ms; /* refusals in the same words are held back so long after the last one */
	int64_t lone_ms; /* and so long where it was only one, if that is shorter */
	/* A relay without an answer for so long gets no new mails where another may take them. */
	int64_t stall_ms;
	int64_t wait_ms; /* a mail that no mailer begins goes back by then, to be judged again */
	int64_t bare_ms; /* parameters that a relay refused are left out for so long */
	size_t places, places_each; /* mails in hand: so many, and so many more per connection */
	size_t places_refused; /* at least so many while a relay refuses all, to try other kinds */
};

extern const struct mailer_limits mailer_limits;

#endif
