/* SPDX-License-Identifier: MIT */
#ifndef SPOOL_SPOOL_READ_H
#define SPOOL_SPOOL_READ_H

#include "base/error.h"
#include "spool/spool.h"

#include <jansson.h>

/*
 * The spool for people: what `job show`, `mail list` and the like print, as JSON that the caller
 * json_decref()s. Opened with DB_READ these work beside a running daemon. Times are RFC 3339 in
 * UTC.
 */

/*
 * A job: job, customer, state, events (each with status, reason, data and trace), requests to the
 * gate (id, request, source, type, status, reason, received, changed, data, and the trace of the
 * last decision), outcomes, released (entries of the dispatch stream), mails, and `reports` about
 * these where there are any (spool_bounce.h); `erased`, true, where its words went with its
 * customer's. `customer` may be NULL where only one customer has such a job. Codes: 66 no such job,
 * 65 several have.
 */
bool spool_read_job(struct spool *spool, const char *job, const char *customer, json_t **ret,
                    struct error *err) MUST_CHECK;

/* Which jobs or mails a list has: all that is set must hold. Words are the contract's. */
struct spool_filter {
	const char *status;
	const char *state; /* of the job; the state that a mail reports */
	const char *customer, *job;
	const char *to; /* an address, case ignored */
	const char *reason;
	struct instant before; /* a mail made, a job changed earlier; INSTANT_NONE: whenever */
	int64_t before_id;     /* below it alone; 0: from the latest */
	int64_t limit;
};

/* Jobs, those heard of first last first. A job: id, job, customer, state, changed (the time of its
 * latest event), and of its events' and requests' data service, reference, scheduled, eta,
 * route, driver.
 * `status` is a job's state, else that of one of its mails, events or requests; `reason` is one of
 * theirs. */
bool spool_read_jobs(struct spool *spool, const struct spool_filter *filter, json_t **ret,
                     struct error *err) MUST_CHECK;

/* The same of jobs that have not ended, at most `limit`: those under way, and those without an
 * event that are held or that the gate has let through. `gate` is its last answer, or null. */
bool spool_read_current(struct spool *spool, int64_t limit, json_t **ret,
                        struct error *err) MUST_CHECK;

/* Adds to each of such jobs `notice`, what became of its latest event: {"state", "status",
 * "reason", "mails": [{"id", "status", "reason", "to", "due", "attempts", "reply"}]}; null for a
 * job without any. */
bool spool_read_notices(struct spool *spool, json_t *jobs, struct error *err) MUST_CHECK;

/* What is still to come for a customer: {"mails": those that wait, [{"id", "state", "due"}],
 * "held": [{"id", "job", "scheduled"}], "under_way": [{"job", "state"}]}. */
bool spool_read_pending(struct spool *spool, const char *customer, json_t **ret,
                        struct error *err) MUST_CHECK;

/* Jobs whose last word is that they failed, heard at `since` or later, the latest first, at most
 * `limit`: [{"customer", "job", "state", "time", "reason", "service"}], the last two of the
 * event's data, or null. */
bool spool_read_failed_jobs(struct spool *spool, struct instant since, int64_t limit, json_t **ret,
                            struct error *err) MUST_CHECK;

/* What has changed behind outcome `after` (-1: nothing): whose jobs (numbers, in the arena), and
 * whether any held job or dead letter (`holds`), or any mail. */
struct spool_changes {
	const char **customers;
	size_t n_customers;
	bool everybodys; /* too many to name */
	bool holds, mails;
	int64_t last; /* the latest outcome */
};
bool spool_read_changes(struct spool *spool, int64_t after, struct arena *arena,
                        struct spool_changes *ret, struct error *err) MUST_CHECK;

/* Mails, the newest first. A mail: id, status, reason, state, customer, jobs, contact, to, made,
 * due, expires, changed, attempts, reply, message_id. */
bool spool_read_mails(struct spool *spool, const struct spool_filter *filter, json_t **ret,
                      struct error *err) MUST_CHECK;
/* The ids of those whose status is one of `statuses` (1u << status each). Those with the reason
 * `but` (NULL: none) are left out unless the filter asks for a reason. */
bool spool_read_mail_ids(struct spool *spool, const struct spool_filter *filter, unsigned statuses,
                         const char *but, json_t **ret, struct error *err) MUST_CHECK;
/* One with its outcomes and its context, and `reports` where there are any (spool_bounce.h). Code
 * 66: no such mail. */
bool spool_read_mail(struct spool *spool, int64_t id, json_t **ret, struct error *err) MUST_CHECK;

/* One with all that its message is made of, in the arena. Code 66: no such mail. */
struct spool_rendered {
	struct spool_mail mail;
	const char *context; /* NULL: it has none (yet), or its customer was erased */
	const char *const *jobs;
	size_t n_jobs;
	struct entry_field *files; /* of its set of templates */
	size_t n_files;            /* 0: never rendered, or the set isn't kept anymore */
};
bool spool_read_rendered(struct spool *spool, int64_t id, struct arena *arena,
                         struct spool_rendered *ret, struct error *err) MUST_CHECK;

/* How many dead letters there are; those, the newest first: id (what `dead retry` takes), time,
 * reason, detail, entry, fields. */
bool spool_read_dead_count(struct spool *spool, int64_t *ret, struct error *err) MUST_CHECK;
bool spool_read_dead(struct spool *spool, int64_t limit, json_t **ret,
                     struct error *err) MUST_CHECK;

/* Held jobs in the order in which they came: id (what `hold release` takes), request, source, job,
 * customer, reason, received, look (when it will be rechecked at the latest; null: when customer
 * data changes), data. */
bool spool_read_held(struct spool *spool, json_t **ret, struct error *err) MUST_CHECK;

/* What failed since the last mail was delivered: {"failures": n, "reply": the last words}. */
bool spool_read_failures(struct spool *spool, json_t **ret, struct error *err) MUST_CHECK;

/* Since when the mail that has been due for longest waits to be sent; INSTANT_NONE where none is
 * due. */
bool spool_read_late(struct spool *spool, struct instant now, struct instant *ret,
                     struct error *err) MUST_CHECK;

/* Counts: {"mails": {status: n}, "waiting": n, "held": n, "unpublished": n, "instance": …}. */
bool spool_read_counts(struct spool *spool, json_t **ret, struct error *err) MUST_CHECK;

#endif
