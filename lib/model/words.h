/* SPDX-License-Identifier: MIT */
#ifndef MODEL_WORDS_H
#define MODEL_WORDS_H

#include "model/job_state.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The fixed words of the contract (sections 2, 3, 4, 6) as enums, each with one table of names.
 * Database, outcomes, log, metrics and command line all spell them through here. Those of a job's
 * states are in job_state.h.
 */

/* What became of an event, a mail or a held job. STATUS_SENDING is the spool's own and never
 * published. */
enum status {
	STATUS_NONE,
	STATUS_QUEUED,
	STATUS_DEFERRED,
	STATUS_SENDING,
	STATUS_SENT,
	STATUS_RETRYING,
	STATUS_FAILED,
	STATUS_SUPERSEDED,
	STATUS_EXPIRED,
	STATUS_SUPPRESSED,
	STATUS_REJECTED,
	STATUS_ALLOWED,
	STATUS_HELD,
	STATUS_RELEASED,
	STATUS_DENIED,
	STATUS_CANCELLED,
	STATUS_COLLISION,
	STATUS_BOUNCED,
	STATUS_COUNT,
};
const char *status_name(enum status status); /* "" for STATUS_NONE */
enum status status_find(const char *name);   /* STATUS_NONE where there is none */

/* Sets of statuses, 1u << each: all that a mail can have; those of mails that are still to be sent,
 * which can be cancelled; and of those that can be sent now. */
#define STATUSES_MAIL                                                                              \
	(1u << STATUS_QUEUED | 1u << STATUS_DEFERRED | 1u << STATUS_SENDING | 1u << STATUS_SENT |  \
	 1u << STATUS_RETRYING | 1u << STATUS_FAILED | 1u << STATUS_SUPERSEDED |                   \
	 1u << STATUS_EXPIRED | 1u << STATUS_SUPPRESSED | 1u << STATUS_CANCELLED |                 \
	 1u << STATUS_BOUNCED)
#define STATUSES_WAITING (1u << STATUS_QUEUED | 1u << STATUS_DEFERRED | 1u << STATUS_RETRYING)
#define STATUSES_RETRIED (1u << STATUS_DEFERRED | 1u << STATUS_RETRYING | 1u << STATUS_FAILED)
static inline bool status_in(enum status status, unsigned set)
{
	return (set & 1u << status) != 0;
}

enum reason {
	REASON_NONE,
	REASON_OK,
	REASON_MALFORMED,
	REASON_DUPLICATE,
	REASON_UNKNOWN_CUSTOMER,
	REASON_STALE,
	REASON_REPEAT,
	REASON_CUSTOMER_NOT_ACTIVE,
	REASON_SUSPENDED,
	REASON_NOT_WANTED,
	REASON_NO_ADDRESS,
	REASON_ADDRESS_INVALID,
	REASON_SAME_ADDRESS,
	REASON_EXPIRED,
	REASON_OUTSIDE_HOURS,
	REASON_NEVER_OPEN,
	REASON_GROUPED,
	REASON_RATE_LIMITED,
	REASON_HELD_BACK,
	REASON_MAIL_BUSY,
	REASON_IN_DOUBT,
	REASON_ADDRESS_REFUSED,
	REASON_MAIL_REFUSED,
	REASON_MAX_AGE,
	REASON_LATER_STATE,
	REASON_BY_HAND,
	REASON_COMPLAINED,
	REASON_COUNT,
};
const char *reason_name(enum reason reason); /* "" for REASON_NONE */
enum reason reason_find(const char *name);   /* REASON_NONE where there is none */

/* Scopes of a suspension, a set. */
enum { SCOPE_JOBS = 1, SCOPE_ROUTES = 2, SCOPE_EMAILS = 4, SCOPE_ALL = 7, SCOPE_COUNT = 3 };
const char *scope_name(int bit); /* "jobs" for 0, … "emails" for 2 */

#define WORDS_TEXT_MAX 80
/* "jobs,routes"; "" for none. Returns `text`. */
const char *scopes_format(unsigned scopes, char text[WORDS_TEXT_MAX]);
/* A comma list of scopes; false (untouched) where a word is none or nothing is there. */
bool scopes_parse(const char *text, unsigned *ret);
/* "dispatched,failed"; "none" for the empty set. Returns `text`. */
const char *states_format(unsigned states, char text[WORDS_TEXT_MAX]);
/* A comma list of states, or "all", or "none"; false (untouched) where a word is neither. */
bool states_parse(const char *text, unsigned *ret);

#endif
