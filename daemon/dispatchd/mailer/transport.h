/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_MAILER_TRANSPORT_H
#define DISPATCHD_MAILER_TRANSPORT_H

#include "base/buf.h"
#include "mail/failure.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * A transport carries mails away: over SMTP, into a Maildir. It is fed with mails and reports what
 * it saw of each. It knows neither the queue nor the engine.
 */

/* One mail. `next` fills it; the transport owns `message` then. */
struct transport_mail {
	const char *from, *to; /* the caller's, until `done` */
	struct buf message;
	int64_t id;   /* SMTP's ENVID, a part of a file's name */
	void *caller; /* the caller's own */
};

struct transport_feed {
	/* The next mail for this connection. May block; false: none, the connection is closed
	 * politely. */
	bool (*next)(void *arg, struct transport_mail *ret);
	/* What became of it: once for each mail that `next` gave. `reply` is one clean line. */
	void (*done)(void *arg, void *caller, const struct smtp_report *report, const char *reply);
	void *arg;
};

#endif
