/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_IN_FLIGHT_H
#define ENGINE_IN_FLIGHT_H

#include "spool/spool.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Mails in flight as the turn that dispatched them had them in hand, so that their results don't
 * read them back. The spool has the same rows and is what counts: a mail that isn't found here is
 * read there, after a restart all of them.
 *
 *   dispatched ─▶ noted ─ commit ─▶ kept ─▶ used by its result, then dropped
 *                   └─ failed turn ─▶ gone   └─ changed in the spool meanwhile ─▶ dropped
 *
 * Whoever changes what the spool has of a mail in flight drops it here: engine_mail_move() does it
 * for the mail's state, and few others change anything (superseded in flight, renumbered). What is
 * found or dropped stays readable until the turn ends. A turn that fails drops what it noted, and
 * what it used is read from the spool when the same results come again.
 */
struct in_flight; /* all of them */

struct in_flight_mail {
	struct spool_mail mail;
	const struct spool_notice *notices; /* its active ones, and */
	const struct spool_event *events;   /* their events, without data and trace */
	size_t n;
};

struct in_flight *in_flight_new(void);
struct in_flight *in_flight_free(struct in_flight *in_flight); /* takes NULL; returns NULL */

/* Notes a mail that this turn dispatches; copies all of it. `events[i]` is that of `notices[i]`. */
void in_flight_note(struct in_flight *in_flight, const struct spool_mail *mail,
                    const struct spool_notice *notices, const struct spool_event *const *events,
                    size_t n);
/* NULL: it isn't here. */
const struct in_flight_mail *in_flight_find(struct in_flight *in_flight, int64_t mail);
void in_flight_drop(struct in_flight *in_flight, int64_t mail); /* also one that isn't here */
void in_flight_drop_all(struct in_flight *in_flight);

/* The turn has ended: what it noted is kept if it is on disk; what it dropped is freed. */
void in_flight_end_turn(struct in_flight *in_flight, bool on_disk);

#endif
