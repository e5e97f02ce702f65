/* SPDX-License-Identifier: MIT */
#ifndef SPOOL_SPOOL_LIMITS_H
#define SPOOL_SPOOL_LIMITS_H

#include "spool/spool.h"

#include <jansson.h>

/* What [rules] per_contact and burst count, kept so that a restart goes on from there. Nothing of
 * it is written where there is no limit. */

/* ---- per_contact: a slot for each mail, at the time at which it counts */

/* One more, or the same mail's at another time. */
void spool_slot_set(struct spool *spool, int64_t mail, int64_t contact, struct instant at);
void spool_slot_remove(struct spool *spool, int64_t mail); /* it goes nowhere; may have none */
/* Each of the contact's behind `after`, in order, for as long as `each` wants another; that of mail
 * `but` is left out (0: of none). */
typedef bool spool_slot_fn(void *arg, int64_t at);
void spool_each_slot(struct spool *spool, int64_t contact, struct instant after, int64_t but,
                     spool_slot_fn *each, void *arg);
/* Removes some of those at `before` or earlier, looking at most at so many; whether it had better
 * go on. */
bool spool_slots_purge(struct spool *spool, struct instant before, struct instant now,
                       int64_t rows);

/* ---- burst: how many new mails were made when */

struct spool_burst {
	struct instant at;
	int64_t mails;
};
/* Those behind `after`, in order; in the arena. */
struct spool_burst *spool_bursts(struct spool *spool, struct instant after, struct arena *arena,
                                 size_t *ret_n);
void spool_burst_set(struct spool *spool, const struct spool_burst *burst);
/* Removes those at `until` or earlier; those later than `t`. */
void spool_burst_forget(struct spool *spool, struct instant until);
void spool_burst_forget_later(struct spool *spool, struct instant t);

/* ---- the breaker */

struct spool_breaker {
	struct instant since; /* INSTANT_NONE: it is closed */
	int64_t made;         /* new mails in the window when it opened */
	const char *limit;    /* [rules] burst as it was then */
};
void spool_breaker_load(struct spool *spool, struct arena *arena, struct spool_breaker *ret);
void spool_breaker_open(struct spool *spool, const struct spool_breaker *breaker);
void spool_breaker_close(struct spool *spool);

/* For people, within a transaction: {"open", "since", "held", "made", "limit"}; `since` null and
 * the last two left out where it is closed. The caller's. */
json_t *spool_breaker_json(struct spool *spool);
/* The same in a view of its own. */
bool spool_read_breaker(struct spool *spool, json_t **ret, struct error *err) MUST_CHECK;

/*
 * What the latest `max` mails to contacts are of: an array of {"by", "what", "mails"}, the largest
 * shares by customer, job, state and source, `each` of them. Only those that are held back where
 * `held`. Within a transaction; the caller's.
 */
json_t *spool_mail_shares(struct spool *spool, bool held, int64_t max, int64_t each);
bool spool_read_shares(struct spool *spool, int64_t max, int64_t each, json_t **ret,
                       struct error *err) MUST_CHECK;

#endif
