/* SPDX-License-Identifier: MIT */
#ifndef SPOOL_SPOOL_PRIVATE_H
#define SPOOL_SPOOL_PRIVATE_H

/* For spool_*.c only. */

#include "db/db.h"
#include "spool/outcome_pack.h"
#include "spool/spool.h"
#include "spool/squeeze.h"

#include <jansson.h>

struct spool_listed_job {
	int64_t job;
	const char *customer;
};

struct spool {
	struct db *db;
	char instance[32];
	bool writes;                  /* opened to be written */
	bool records;                 /* each transaction is recorded; spool_journal.c */
	bool complete;                /* all that it counts is written */
	struct db_record *record;     /* of the current transaction; NULL: none */
	struct db_follower *follower; /* a standby's; NULL: none */
	bool failed;                  /* something in this transaction did; `fault` says what */
	struct error fault;
	int64_t mails[STATUS_COUNT],
	        mails_before[STATUS_COUNT]; /* mails by status; as of the last commit */
	int64_t held, held_before;          /* mails that are held back; the same */
	bool counted; /* `mails_before` is in the file, as of the last commit */
	int64_t waits, waits_before;
	int64_t last_mail;    /* the largest id of a mail; 0: not yet known in this transaction */
	int64_t last_outcome; /* the same of outcomes */
	struct instant last_sent,
	        last_sent_before; /* when a mail was; {0}: not since the opening */
	struct { /* spool_limits.c: up to which mail they are purged, and when from the first on */
		int64_t after;
		struct instant begun;
	} slots;
	struct {
		size_t kind;   /* spool_purge.c: which table it is at, */
		int64_t after; /* and behind which id */
	} purge;
	struct { /* spool_recent.c: the latest outcomes, those behind the first without a gap */
		struct arena *arena;
		struct spool_outcome *rows;
		size_t n, cap;
		bool given; /* all of them: whoever publishes them has them */
	} recent;
	struct { /* spool_jobs.c */
		bool known;
		int64_t listed, last, before; /* in `customer_job`, of all, of the turn before */
		struct arena *listing;        /* of `rows`; NULL: none is under way */
		struct spool_listed_job *rows;
		size_t n, next;
		int64_t upto;    /* the last of them */
		int64_t busy_ms; /* when the latest many came or were listed */
	} jobs;
	bool rechecked_unlisted; /* spool_recheck.c: jobs that aren't listed were gone through */
	struct event_keys *keys; /* spool_keys.c; NULL: not read, or forgotten */
	struct buf brief, all;   /* of an outcome while it is added; `brief` of other rows, too */
	struct squeezer *squeezer;
};

/* -- spool.c -- */
/* Mails that are held back; for who only reads, as of the view that is open. */
int64_t spool_count_held(struct spool *spool);
/* Writes what is kept of a transaction as a whole: once, before its end. */
void spool_complete(struct spool *spool);

/* -- spool_recent.c -- */
/* What is in memory of outcomes isn't so anymore: it is read again. */
void spool_outcomes_forget(struct spool *spool);
void spool_outcomes_remember(struct spool *spool, const struct spool_outcome *outcome);
/* As spool_outcomes_after(); NULL where not all of them are in memory. */
const struct spool_outcome *spool_outcomes_recent(struct spool *spool, int64_t seq, size_t max,
                                                  size_t *ret_n);
/* What an outcome's fields begin with. */
struct outcome_head spool_outcome_head(const struct spool_outcome *outcome,
                                       const struct job_event *event);

/* -- spool_jobs.c -- */
/* Gives up the listing that is under way; a later one begins again. */
void spool_jobs_unlist(struct spool *spool);
/* All jobs of a customer have got another number; one has been removed. */
void spool_jobs_moved(struct spool *spool, const char *before, const char *after);
void spool_job_removed(struct spool *spool, int64_t job, const char *customer);

/* Jobs that aren't in `customer_job` yet; ids of a customer's jobs, some of them perhaps twice. */
#define SPOOL_UNLISTED_JOBS                                                                        \
	"SELECT id FROM job WHERE id > (SELECT value FROM meta WHERE key = 'jobs_listed') AND "    \
	"customer "
#define SPOOL_JOBS_OF(number)                                                                      \
	"(SELECT job AS id FROM customer_job WHERE customer = " number                             \
	" UNION ALL " SPOOL_UNLISTED_JOBS "= " number ")"

/* -- spool_keys.c -- */
/* Notes an event that isn't on record yet; the id of its row, which the caller writes. */
int64_t spool_keys_add(struct spool *spool, const char *source, const char *id);
/* Keys of which no event is left go. */
void spool_keys_purge(struct spool *spool);

/* A query of the current transaction; after a fault one that gives nothing. */
struct db_query *spool_query(struct spool *spool, const char *sql);
/* True for a row; a fault is kept and ends the rows. */
bool spool_row(struct spool *spool, struct db_query *query);
void spool_run(struct spool *spool, struct db_query *query);
size_t spool_run_ids(struct spool *spool, struct db_query *query, int64_t *ret, size_t max);
int64_t spool_run_int(struct spool *spool, struct db_query *query, int64_t none);

/* An id of which no event received at that time or later is before, unless the clock was set by
 * more than a day: ids follow the time of receipt. */
int64_t spool_event_since(struct spool *spool, struct instant since);

/* The first column of the first row; "" where there is none. */
void spool_get_text(struct spool *spool, const char *sql, char *ret, size_t size);

/* Binds a text's short form; NULL binds NULL. */
void spool_bind_short(struct spool *spool, struct db_query *query, int i, enum squeeze dictionary,
                      const char *text);
/* The text of two columns, the long form and the short one; "" where that is damaged. */
const char *spool_text(struct db_query *query, int column, struct arena *arena);

/* Members of what people are shown: a text that isn't UTF-8 is marked as such; a time in UTC. */
void spool_set_text(json_t *object, const char *name, const char *text);
void spool_set_time(json_t *object, const char *name, struct instant t);

/* The reading functions' common end, with what they have read, NULL where that is a fault of
 * theirs: a fault of the disk wins over it. */
bool spool_finish_read(struct spool *spool, json_t *json, json_t **ret,
                       struct error *err) MUST_CHECK;

/* One number of a statement without values, in a view of its own; `none` where there is no row. */
bool spool_read_int(struct spool *spool, const char *sql, int64_t none, int64_t *ret,
                    struct error *err) MUST_CHECK;

/* An event's digest, where it is wanted (not NULL) and the column has one. */
void spool_get_digest(struct db_query *query, int column,
                      unsigned char ret_digest[EVENT_DIGEST_SIZE]);

/* -- spool_bounce_read.c -- */
/* Reports about a mail, or about a job's mails, the first first. */
json_t *spool_bounces_of_mail(struct spool *spool, int64_t mail);
json_t *spool_bounces_of_job(struct spool *spool, int64_t job);

/* Ids of the mails that report a job, or reported it once. */
#define SPOOL_MAILS_OF(job)                                                                        \
	"(SELECT id FROM mail WHERE job = " job                                                    \
	" UNION ALL SELECT mail FROM notice WHERE job = " job ")"

/* Ids of that table ("mail", "outcome") go on above it: set by spool_jump(), and by the
 * purge of the last mail; else 0. */
int64_t spool_floor(struct spool *spool, const char *table);

#endif
