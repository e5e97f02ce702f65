/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_MAILER_TRANSPORT_H
#define DISPATCHD_MAILER_TRANSPORT_H

#include "base/buf.h"
#include "base/error.h"
#include "dispatchd/mailer/limits.h"
#include "dispatchd/mailer/steps.h"
#include "dispatchd/mailer/transport_check.h"
#include "dispatchd/mailer/watch.h"
#include "mail/failure.h"
#include "model/settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A transport carries mails away: over SMTP, into a Maildir. Each is a file of its own and a row of
 * the table in transport.c; `[mail] transport` chooses one. It is fed with mails and reports what
 * happened to each. It knows neither the queue nor the engine.
 */

/* One mail. `next` fills it; the transport owns `message` then. */
struct transport_mail {
	const char *from, *to; /* the caller's, until `done` */
	struct buf message;
	int64_t id;   /* SMTP's ENVID, a part of a file's name */
	void *caller; /* the caller's own */
};

struct transport_feed {
	/* The next mail for this connection. May wait; false: none, the connection is closed
	 * politely. */
	bool (*next)(void *arg, struct transport_mail *ret);
	/* What became of it: once for each mail that `next` gave. `reply` is one clean line. */
	void (*done)(void *arg, void *caller, const struct smtp_report *report, const char *reply);
	void *arg;
	struct steps *steps; /* of a test, to be noted; NULL for mails */
};

/* A relay, or a folder. */
struct transport_target {
	const char *name;    /* NAME of its section, else as it is written there */
	const char *address; /* as it is written */
	/* Those of the lowest rank that are up get the mails. With `weight` (else 0) several may
	 * have the same one, one after the other, and share them. */
	unsigned rank, weight;
	unsigned connections; /* at most; 0: as many as there are */
	double rate;          /* its own, mails a second; 0: no limit */
};

/* What mails can be handed to, made ready from the settings. */
struct transport_targets {
	const struct transport_target *list; /* in order; each has a circuit breaker */
	size_t n;
	void *own; /* the transport's; the list is in it */
};

struct transport_row {
	const char *name; /* as the configuration spells it */
	/* A connection is kept for the next mail, and a mail that fails over one may do better over
	 * another. */
	bool connects;
	/* Keeps nothing of `settings`. On failure `clear` is still due. */
	bool (*targets)(const struct settings *settings, struct transport_targets *ret,
	                struct error *err);
	void (*clear)(struct transport_targets *targets); /* takes `{0}` */
	/* Hands what the feed gives to target number `target`, until there is no more. Called by
	 * a coroutine (coroutine.h): others of its thread go on only where it waits as one. */
	void (*run)(const struct transport_targets *targets, size_t target,
	            const struct mailer_limits *limits, struct watch *watch,
	            const struct transport_feed *feed);
	/* NULL: nothing to check. */
	bool (*check_relay[TRANSPORT_PART_COUNT])(const struct relay_settings *relay,
	                                          struct error *err);
	bool (*check)(const struct settings *settings, struct error *err);
};

/* One line for each file, and one in the table, which has them by `enum transport`. */
extern const struct transport_row transport_smtp;
extern const struct transport_row transport_maildir;
extern const struct transport_row *const transport_rows[];
extern const size_t transport_rows_len;

#endif
