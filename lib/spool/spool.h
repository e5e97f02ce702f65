/* SPDX-License-Identifier: MIT */
#ifndef SPOOL_SPOOL_H
#define SPOOL_SPOOL_H

#include "base/buf.h"
#include "base/error.h"
#include "base/instant.h"
#include "base/mem.h"
#include "db/db.h"
#include "model/event.h"
#include "model/job.h"
#include "model/rendering.h"
#include "model/words.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * spool.db: what was decided and what became of it. The engine is its only writer; dispatchctl
 * reads it, or holds the engine's lock where no daemon runs.
 *
 * A turn calls many small functions here. None of them returns a fault: the first one that the disk
 * has is kept, everything after it does nothing and gives nothing, and spool_commit() reports it.
 * So a turn is written as if disks never failed, and a failed one leaves no trace.
 */
struct spool;

int64_t spool_schema_version(void); /* of the schema that this program has */
/* As db_inspect() and db_open(). One that is opened by DB_FOLLOW is for spool_journal.h alone: what
 * reads it must work with all versions from the cluster's first one on. */
bool spool_inspect(const char *path, struct error *err) MUST_CHECK;
struct spool *spool_open(const char *path, enum db_mode mode, struct error *err) MUST_CHECK;
/* Reads all pages: is any damaged? */
bool spool_check(struct spool *spool, struct error *err) MUST_CHECK;
struct spool *spool_close(struct spool *spool);
struct db *spool_db(struct spool *spool); /* still the spool's */
/* Grows when another connection has committed; -1 where it can't be known. */
int64_t spool_data_version(struct spool *spool);

bool spool_begin(struct spool *spool, struct error *err) MUST_CHECK;
bool spool_commit(struct spool *spool, struct error *err) MUST_CHECK;
void spool_rollback(struct spool *spool);
bool spool_failed(const struct spool *spool);
/* Makes the transaction fail with somebody else's fault, so that nothing of it happens. */
void spool_fail(struct spool *spool, const struct error *fault);
bool spool_begin_read(struct spool *spool, struct error *err) MUST_CHECK;
void spool_end_read(struct spool *spool);

/* The name of this spool, made with it: what makes outcome ids unique across instances. */
const char *spool_instance(const struct spool *spool);

/* The customers.db that it goes with; "" while it knows none. */
struct spool_known {
	char identity[IDENTITY_SIZE];
	char stamp[DB_STAMP_SIZE]; /* of the file when the engine last looked */
};
void spool_known(struct spool *spool, struct spool_known *ret);
void spool_set_known(struct spool *spool, const struct spool_known *known);

/* ---- Jobs and events (spool_jobs.c, spool_event.c) ---- */

int64_t spool_job(struct spool *spool, const char *customer, const char *job); /* found or made */
/* One that isn't there. */
int64_t spool_job_add(struct spool *spool, const char *customer, const char *job,
                      enum job_state state);
int64_t spool_job_find(struct spool *spool, const char *customer, const char *job); /* 0: none */
void spool_job_set_state(struct spool *spool, int64_t job, enum job_state state);
/* Lists new jobs by their customers, a slice of them, once a turn. When to come again for the rest:
 * INSTANT_NEVER where there is none. */
struct instant spool_list_jobs(struct spool *spool, struct instant now);

/* A customer's number has changed: its jobs follow; gives how many. What the new number had of the
 * same id is theirs, too. (spool_renumber.c) */
size_t spool_renumber(struct spool *spool, const char *before, const char *after,
                      struct arena *arena);
/* What was for a contact is for another, with which it has become one. */
void spool_renumber_contact(struct spool *spool, int64_t before, int64_t after);
/* -- customers that were erased (spool_erase.c) -- */
/* Marks all jobs of that customer. */
void spool_erase_customer(struct spool *spool, const char *number);
/* Up to which row of customers.db's `erased` that was done. */
int64_t spool_erased(struct spool *spool);
void spool_set_erased(struct spool *spool, int64_t id);
/* Marked jobs of which nothing is under way, at most `max`. */
size_t spool_erasable(struct spool *spool, int64_t *ret, size_t max);
void spool_erase_job(struct spool *spool, int64_t job, struct arena *arena);
/* Whether what is deleted is written over at once, in free pages, too. */
void spool_wipe_deleted(struct spool *spool, bool wipe);
/* Writes the WAL back and empties it, as far as no reader is in the way. Outside a transaction. */
void spool_empty_wal(struct spool *spool);

/* Up to which row of customers.db's `renumbered` that was done. */
int64_t spool_renumbered(struct spool *spool);
void spool_set_renumbered(struct spool *spool, int64_t id);
/* The customer's number under which the job first came; `customer` where it has no other. */
const char *spool_job_began_as(struct spool *spool, int64_t job, const char *customer,
                               struct arena *arena);

/* The id of the event (source, id), 0 where it is not on record; its digest where wanted. */
int64_t spool_event_find(struct spool *spool, const char *source, const char *id,
                         unsigned char ret_digest[EVENT_DIGEST_SIZE]);
struct job_mark *spool_marks(struct spool *spool, int64_t job, struct arena *arena, size_t *ret_n);
/* Those that were received before event `id`. */
struct job_mark *spool_marks_before(struct spool *spool, int64_t job, int64_t id,
                                    struct arena *arena, size_t *ret_n);
int64_t spool_event_add(struct spool *spool, const struct job_event *event, int64_t job,
                        enum status status, enum reason reason, const char *trace);
struct spool_event {
	int64_t id, job;
	struct job_event event;
	enum status status;
	enum reason reason;
	const char *trace;
};
/* Whether one of the latest ten thousand events came with that member of data. */
bool spool_event_data_has(struct spool *spool, const char *member);
/* Without its data and trace, which may be large and few need: `event.data` is "{}", `trace`
 * "[]". */
bool spool_event_load(struct spool *spool, int64_t id, struct arena *arena,
                      struct spool_event *ret);
/* Its data; "{}" where there is no such event. */
const char *spool_event_data(struct spool *spool, int64_t id, struct arena *arena);
/* What the rules saw, as JSON; "[]" where there is no such event. */
const char *spool_event_trace(struct spool *spool, int64_t id, struct arena *arena);
/* All events of a job, by time of change. */
struct spool_event *spool_job_events(struct spool *spool, int64_t job, struct arena *arena,
                                     size_t *ret_n);
/* Events received in [since, until), by receipt, from behind event `after` (0: from the first), at
 * most `max`. Ids follow the time of receipt, unless the clock was set by more than a day. */
struct spool_event *spool_events_between(struct spool *spool, struct instant since,
                                         struct instant until, int64_t after, size_t max,
                                         struct arena *arena, size_t *ret_n);
/* True the first time for this job and state. */
bool spool_collision_first(struct spool *spool, int64_t job, enum job_state state);

/* ---- Mails (spool_mail.c) ---- */

enum { MAIL_OFFICE = 0 }; /* the contact of the office's mails */

struct spool_mail {
	int64_t id;
	int64_t contact;    /* MAIL_OFFICE for the office */
	int64_t event, job; /* the only event that it reports; 0: those of its notices, or none */
	const char *state;  /* of the job; or "collision" */
	enum status status;
	enum reason reason;
	struct instant made, due, expires, changed;
	bool open; /* others may join */
	int attempts;
	const char *address; /* as of the last time when it was judged or sent */
	/* Where it went instead when it was last sent, by [mail] redirect_to; "" or NULL: nowhere
	 */
	const char *redirected;
	const char *message_id, *thread_id, *reply;
	struct rendering rendering; /* of the last try */
};

/* An event that a mail reports: the one of its row, or one of several. */
struct spool_notice {
	int64_t mail, event, job, contact;
	bool active;
	bool superseded; /* in flight: once it is back */
};

/* It is held back by [rules] burst: due INSTANT_NEVER, which nobody is shown. */
bool spool_mail_is_held(const struct spool_mail *mail);
int64_t spool_mails_held(const struct spool *spool);

/* A backup was put back: ids that were given since (of mails, outcomes, reports) are left out, so
 * that none is given twice. */
void spool_jump(struct spool *spool);
/* The id of a mail that will be added in this transaction, or of none. */
int64_t spool_mail_new_id(struct spool *spool);
/* `mail->status` must be queued, deferred or sending; sets mail->id unless it is a new one. */
void spool_mail_add(struct spool *spool, struct spool_mail *mail);
bool spool_mail_load(struct spool *spool, int64_t id, struct arena *arena, struct spool_mail *ret);
/*
 * The one setter of a mail's state: a move that is not in its table is a bug. Writes status,
 * reason, due, attempts, address, reply and rendering from *mail, and `now` as the time of the
 * change.
 */
void spool_mail_move(struct spool *spool, struct spool_mail *mail, enum status to,
                     enum reason reason, struct instant now);
/* What its template sees, as JSON; NULL: none. `event` may be one that the mail reports, with its
 * data as they are on record: where the context has them as they are, they are kept once. */
void spool_mail_set_context(struct spool *spool, int64_t mail, const char *context,
                            const struct spool_event *event);
const char *spool_mail_context(struct spool *spool, int64_t mail, struct arena *arena);
/* For one that keeps its status. */
void spool_mail_set_due(struct spool *spool, int64_t mail, struct instant due);
void spool_mail_set_expires(struct spool *spool, int64_t mail, struct instant expires);
void spool_mail_open(struct spool *spool, int64_t mail); /* for others to join */
void spool_mail_close_group(struct spool *spool, int64_t mail);
/* All events of one that was never tried are those of mail `into`; the one is no more. */
void spool_mail_merge(struct spool *spool, const struct spool_mail *mail, int64_t into);
/* message_id and thread_id. */
void spool_mail_set_ids(struct spool *spool, const struct spool_mail *mail);
/* One that gathers for this contact and state and is due in [from, until], other than `but`; 0:
 * none. */
int64_t spool_mail_open_group(struct spool *spool, int64_t contact, const char *state,
                              struct instant from, struct instant until, int64_t but);
/* When the latest outcome was made; INSTANT_NONE: there is none. */
struct instant spool_last_time(struct spool *spool);
/*
 * The wall clock was set back by `by_ms`, 0 where that is unknown, to `now`: what was due is still
 * due, and what waits for a length of time (a retry, a group, a contact's limit, an unknown
 * customer) waits no longer for that. A mail that counts for a contact's limit at a time that is
 * still to come counts that much earlier.
 */
void spool_set_back(struct spool *spool, struct instant now, int64_t by_ms);
/* It was set forward by `by_ms`, or the machine slept: an unknown customer is waited for as long as
 * before. Mails that wait go by the new time. */
void spool_set_forward(struct spool *spool, int64_t by_ms);

/* Ids of mails due at `now`, the longest due first, from behind (after_due, after_id); at most
 * `max`. */
struct spool_due {
	int64_t id;
	struct instant due;
};
size_t spool_mails_due(struct spool *spool, struct instant now, struct spool_due after,
                       struct spool_due *ret, size_t max);
/* When the next mail is due after `now`, the next shelf life ends; INSTANT_NEVER: none. */
struct instant spool_next_due(struct spool *spool, struct instant now);
struct instant spool_next_expiry(struct spool *spool);
/* When the mail that waits was due that has been for longest, be it in the future; INSTANT_NEVER:
 * none waits. One step into an index. */
struct instant spool_first_due(struct spool *spool);
size_t spool_mails_expired(struct spool *spool, struct instant now, int64_t *ret, size_t max);
/* After a crash: those that were in flight. */
size_t spool_mails_sending(struct spool *spool, int64_t *ret, size_t max);
/* Ids of mails with that status changed since `since`, by change; at most `max`. */
size_t spool_mails_with(struct spool *spool, enum status status, int64_t after, int64_t *ret,
                        size_t max);
int64_t spool_mail_count(const struct spool *spool, enum status status);

/* One more than those that it has. */
void spool_notice_add(struct spool *spool, const struct spool_notice *notice);
void spool_notice_leave(struct spool *spool, int64_t mail, int64_t event);
/* Of a mail in flight, which is left alone until it is back. */
void spool_notice_supersede(struct spool *spool, int64_t mail, int64_t event);
size_t spool_notice_count(struct spool *spool, int64_t mail); /* active ones */
/* A mail's active ones. */
struct spool_notice *spool_notices(struct spool *spool, int64_t mail, struct arena *arena,
                                   size_t *ret_n);
/* The first of them; false where there is none, or its event is gone. */
bool spool_mail_event(struct spool *spool, int64_t mail, struct arena *arena,
                      struct spool_event *ret);
/* Mails that other contacts have of an event: those that are sent or may still be. */
struct spool_other_mail {
	int64_t contact;
	const char *address;
	bool went; /* sent, or with a mailer */
};
struct spool_other_mail *spool_other_mails(struct spool *spool, int64_t event, int64_t contact,
                                           struct arena *arena, size_t *ret_n);
/* Active notices of a job in mails that are not yet sent or given up. */
struct spool_notice *spool_job_notices(struct spool *spool, int64_t job, struct arena *arena,
                                       size_t *ret_n);
/* Whether another mail of this job to this contact is in flight, or due at `now` with an earlier
 * event. */
bool spool_notice_blocked(struct spool *spool, const struct spool_notice *notice,
                          struct instant now);

/* ---- Templates (spool_templates.c) ---- */

/* The set in use from `now` on: kept if it isn't yet, its files packed by db/fields.h. Those of
 * before stay as long as mails may name them. */
void spool_templates_keep(struct spool *spool, const unsigned char digest[RENDERING_DIGEST_SIZE],
                          const struct buf *files, struct instant now);

/* ---- Outcomes (spool_outcome.c) ---- */

enum outbox { OUTBOX_OUTCOMES, OUTBOX_DEAD, OUTBOX_DISPATCH };

struct spool_outcome {
	int64_t seq;
	enum outbox outbox;
	const char *key; /* of OUTBOX_DISPATCH; "" else */
	struct instant time;
	int64_t event, job, mail; /* 0: none */
	const char *entry; /* of a dead letter: its id, or one made for a list's item; else NULL */
	int64_t again;     /* the outcome that this one repeats, under its id; 0: none */
	enum status status;
	enum reason reason;
	const void *fields; /* packed: db/fields.h */
	size_t fields_len;
	/* When it is added: an event on record, and `fields` are those behind `reason` alone
	 * (contract, section 3): the ones before are made of it. NULL: all of them, or none. */
	const struct spool_event *of;
	/* When it is to be published, all of them, where they are in memory: `fields` is NULL. */
	const struct entry_field *list;
	size_t n_list;
};
void spool_outcome_add(struct spool *spool, struct spool_outcome *outcome); /* sets seq */
/* What it takes to have it in hand: 1, and one more for each KiB. */
size_t spool_outcome_weight(const struct spool_outcome *outcome);
/* In order, until they weigh `max` together; the last one may weigh more. They stay until another
 * is added. */
const struct spool_outcome *spool_outcomes_after(struct spool *spool, int64_t seq, size_t max,
                                                 struct arena *arena, size_t *ret_n);
/* All its fields, where they are or in the arena; none where they are damaged. */
const struct entry_field *spool_outcome_fields(const struct spool_outcome *outcome,
                                               struct arena *arena, size_t *ret_n);
struct spool_outcome *spool_job_outcomes(struct spool *spool, int64_t job, struct arena *arena,
                                         size_t *ret_n);
/* Dead letters that were not retried. The newest first; */
struct spool_outcome *spool_dead_letters(struct spool *spool, int64_t limit, struct arena *arena,
                                         size_t *ret_n);
/* those behind `after` and not behind `until`, the oldest first, at most `limit`, and `max_bytes`
 * of them or one more; */
struct spool_outcome *spool_dead_after(struct spool *spool, int64_t after, int64_t until,
                                       int64_t limit, size_t max_bytes, struct arena *arena,
                                       size_t *ret_n);
/* those of a stream's entry, and the one with that number. */
struct spool_outcome *spool_dead_named(struct spool *spool, const char *entry, int64_t seq,
                                       struct arena *arena, size_t *ret_n);
void spool_dead_retried(struct spool *spool, int64_t seq); /* it is off the list */
/* Whether this very dead letter (the same feed, entry and fields) is on record up to `seq`. */
bool spool_dead_known(struct spool *spool, const struct spool_outcome *dead, int64_t seq);
/* The last one before that time; 0 where there is none. */
int64_t spool_outcome_before(struct spool *spool, struct instant time);
int64_t spool_published(struct spool *spool);
void spool_set_published(struct spool *spool, int64_t seq);
/* Means nothing, but the disk has to take it. */
void spool_write_something(struct spool *spool, struct instant now);
int64_t spool_last_outcome(struct spool *spool);
int64_t spool_unpublished(struct spool *spool); /* how many outcomes Redis hasn't got */

/* ---- Entries that wait for their customer, and office writes (spool_wait.c) ---- */

struct spool_waiting {
	int64_t id;
	struct entry entry; /* in the arena */
	const char *customer;
	struct instant until;
};
/* False where an entry with this source and id waits already. */
bool spool_wait_add(struct spool *spool, const struct entry *entry, const struct job_event *event,
                    struct instant until);
/* The one that waits with that source and id. */
bool spool_wait_find(struct spool *spool, const struct entry *entry, const struct job_event *event,
                     struct arena *arena, struct spool_waiting *ret);
/* By the order in which they came, behind the one with id `after`: those whose time is over by
 * `until`, and if `listed` those on the list of RECHECK_WAITING. At most `max`, and `max_bytes` of
 * them or one more: `*ret_cut` then says that there may be others. */
struct spool_waiting *spool_waits(struct spool *spool, struct instant until, bool listed,
                                  int64_t after, struct arena *arena, size_t max, size_t max_bytes,
                                  size_t *ret_n, bool *ret_cut);
struct instant spool_next_wait(struct spool *spool);
int64_t spool_wait_count(const struct spool *spool);
void spool_wait_remove(struct spool *spool, int64_t id);

struct spool_office_write {
	int64_t seq;
	const char *kind;   /* "refused", "comment" or "customer" */
	const char *detail; /* JSON */
	const char *entry;  /* the stream entry's id; "" for none */
	struct instant time;
};
void spool_office_write_add(struct spool *spool, const struct spool_office_write *write);
bool spool_office_write_load(struct spool *spool, int64_t seq, struct arena *arena,
                             struct spool_office_write *ret);
struct spool_office_write *spool_office_writes(struct spool *spool, size_t max, struct arena *arena,
                                               size_t *ret_n);
/* When the first of the feed's customers that aren't in customers.db yet was published;
 * INSTANT_NEVER: all are. */
struct instant spool_feed_oldest(struct spool *spool);
/* Those of kind "refused", the latest first. */
struct spool_office_write *spool_refusals(struct spool *spool, size_t max, struct arena *arena,
                                          size_t *ret_n);
void spool_office_writes_done(struct spool *spool, int64_t seq); /* all up to seq */

/* ---- What waits for customers that have changed (spool_recheck.c) ---- */

enum recheck {
	RECHECK_WAITING,  /* entries that wait for their customer */
	RECHECK_HELD,     /* requests */
	RECHECK_WATCHED,  /* released requests */
	RECHECK_DEFERRED, /* mails that wait for an opening */
	RECHECK_SENDING,  /* mails in flight */
	RECHECK_KINDS
};
/* Makes the lists, once a connection and before anything else here. */
bool spool_recheck_open(struct spool *spool, struct error *err) MUST_CHECK;
/* Whose numbers spool_recheck_list() goes by, in place of those before. */
void spool_recheck_customers(struct spool *spool, const char *const *numbers, size_t n);
/* Puts on the kind's list what waits for them. Returns how many are on it then; `max` where some
 * may be missing. */
size_t spool_recheck_list(struct spool *spool, enum recheck kind, size_t max);
/* How many of a kind there are; `max` where there are more of those that would have to be counted.
 */
int64_t spool_recheck_count(struct spool *spool, enum recheck kind, int64_t max);
/* The first `max` of the list, in order; whether there is any, or any of a customer. */
size_t spool_recheck_listed(struct spool *spool, enum recheck kind, int64_t *ret, size_t max);
bool spool_recheck_lists(struct spool *spool, enum recheck kind);
bool spool_recheck_lists_held_for(struct spool *spool, const char *customer);
/* Takes those from behind `after` up to `upto` off the list. */
void spool_recheck_done(struct spool *spool, enum recheck kind, int64_t after, int64_t upto);

/* Up to where all that was rechecked; seq is -1 where that is unknown. */
enum { FOLLOWED_MARK_SIZE = 128, FOLLOWED_RULES_SIZE = 80 };
struct spool_followed {
	int64_t seq;                     /* the last change of customers.db */
	char mark[FOLLOWED_MARK_SIZE];   /* what its history was then */
	char rules[FOLLOWED_RULES_SIZE]; /* what else the rules went by */
};
void spool_followed(struct spool *spool, struct spool_followed *ret);
void spool_set_followed(struct spool *spool, const struct spool_followed *followed);

/* ---- The gate's requests (spool_request.c) ---- */

/* What recalls a released job as long as it has not started. */
enum gate_watch {
	GATE_WATCH_NONE,
	GATE_WATCH_ALL,    /* a suspension of jobs or routes */
	GATE_WATCH_ROUTES, /* of routes: one of jobs held already when it was released */
};

struct spool_request {
	int64_t id, job;
	struct job_event event; /* kind EVENT_ASK_… */
	enum status status;     /* allowed, denied, released, held, cancelled, expired */
	enum reason reason;
	struct instant recheck; /* held or watched: when, at the latest */
	enum gate_watch watched;
	struct instant changed;
	int64_t answer;    /* the outcome that answers it */
	const char *trace; /* of the last decision, as JSON */
};
/* 0 where (source, id) is not on record; its digest where wanted. */
int64_t spool_request_find(struct spool *spool, const char *source, const char *id,
                           unsigned char ret_digest[EVENT_DIGEST_SIZE]);
void spool_request_add(struct spool *spool, struct spool_request *request,
                       struct instant now); /* sets id */
bool spool_request_load(struct spool *spool, int64_t id, struct arena *arena,
                        struct spool_request *ret);
/* Writes status, reason, recheck, watched, answer and trace. held → released, cancelled, denied,
 * expired; or as it is. */
void spool_request_move(struct spool *spool, struct spool_request *request, enum status to,
                        enum reason reason, struct instant now);
/* Ids of held requests to recheck by `until`, in the order in which they came, behind `after`; if
 * `listed` also those on the list of RECHECK_HELD. */
size_t spool_requests_held(struct spool *spool, struct instant until, bool listed, int64_t after,
                           int64_t *ret, size_t max);
int64_t spool_held_count(struct spool *spool);
/* Ids of held requests for the job, of whichever customer. */
size_t spool_requests_held_for(struct spool *spool, const char *job, int64_t *ret, size_t max);
/* Is a job of the customer held whose request's id is behind `after`? */
bool spool_holds_for(struct spool *spool, const char *customer, int64_t after);
/* INSTANT_NEVER where none is held or watched. */
struct instant spool_next_recheck(struct spool *spool);
/* The same of released requests whose jobs have not started, and RECHECK_WATCHED; and the end of
 * watching a job. */
size_t spool_requests_watched(struct spool *spool, struct instant until, bool listed, int64_t after,
                              int64_t *ret, size_t max);
void spool_unwatch_job(struct spool *spool, int64_t job);
/* The outcome once more, under the same id. */
void spool_outcome_again(struct spool *spool, int64_t seq, struct instant now);

/* Goes on removing what ended before `before`: a slice of about `max` rows. True where more is
 * left. (spool_purge.c) */
bool spool_purge(struct spool *spool, struct instant before, struct instant now, size_t max);

#endif
