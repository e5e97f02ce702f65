/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_ENGINE_PRIVATE_H
#define ENGINE_ENGINE_PRIVATE_H

/* For lib/engine/ only: the engine between its steps. */

#include "base/zone.h"
#include "engine/engine.h"
#include "engine/stats.h"
#include "model/customer.h"
#include "records/customers.h"
#include "rules/gate.h"
#include "rules/rules.h"

#include <jansson.h>

struct customer_slot {
	const char *number;
	const struct customer *customer; /* NULL: there is none */
};
enum { CUSTOMER_SLOTS = 1024 };

/* An address that was refused and whose mark is not in customers.db yet. */
struct refusal {
	struct refusal *next;
	int64_t contact;
	const char *address;
	struct instant at;
};

/* Lines for the log that can come without end, by what they tell of. */
enum report_kind {
	REPORT_DEAD,
	REPORT_AHEAD,
	REPORT_DIFFERING,
	REPORT_TEMPLATE,
	REPORT_LARGE,
	REPORT_ADDRESS,
	REPORT_KINDS
};
struct report_minute {
	int64_t began_ms;
	unsigned said, kept_back;
};

/* A round over requests, some a turn. */
struct scan {
	int64_t after; /* where it goes on; 0: from the first */
	bool all;      /* customers have changed: not only those whose time has come */
	bool again;    /* they changed under way: another round */
	int begun;     /* how often this one has been */
};
struct scans {
	struct scan waiting, held, watched, deferred;
};

struct engine {
	const struct settings *settings;
	struct spool *spool;
	struct customers *customers;
	struct zones *zones;
	int lock_fd;
	char *from_domain;

	int64_t handed;          /* the last outcome handed out for publishing */
	int64_t opened;          /* the last outcome of earlier processes */
	atomic_bool interrupted; /* by engine_interrupt() */
	int64_t customers_version;
	bool away;    /* `customers` is an empty one in memory: there was no file at the start */
	bool lacks;   /* the last turn failed for want of the known customers.db */
	bool spoiled; /* the file was written into while it was open: not used until another is there */
	struct spool_known known;   /* the customers.db that the spool knows, as of the last commit */
	struct spool_known seen;    /* the one that this turn sees */
	int64_t unpublished;        /* how many outcomes Redis hasn't got, as of the last turn */
	struct instant feed_oldest; /* when the first customer who isn't in customers.db yet was published */
	struct scans scans, scans_before; /* now; as of the last commit */
	int64_t purged_ms;                /* when old records were last looked for */
	struct stats stats, stats_before; /* now; as of the turn's beginning */
	struct report_minute minutes[REPORT_KINDS];
	int64_t *yielding; /* mails at which a relay failed, in order of their ids: handed out after the
	                      others */
	size_t n_yielding, cap_yielding;

	/* of the current turn */
	struct turn *turn;
	struct arena *arena;
	struct instant now;
	struct instant last; /* `now` and `tick` of the last turn that was committed */
	struct tick last_tick;
	struct refusal *refusals;
	struct customer_slot slots[CUSTOMER_SLOTS];
	size_t n_slots;
	bool erased;         /* words were: the WAL has them still */
	bool customers_came; /* customers.db changed since the last turn */
};

/*
 * Whether a turn has taken so much memory that what is left of a round over records had better wait for
 * the next turn: `turn->more` is then set. Events may be as large as max_event_size each.
 */
bool engine_turn_is_full(struct engine *engine);

/* ---- report.c: lines for the log, once the turn is committed ---- */
void engine_report(struct engine *engine, int level, const char *fmt, ...) PRINTF_LIKE(3, 4);
void engine_report_often(struct engine *engine, enum report_kind kind, int level, const char *fmt, ...)
        PRINTF_LIKE(4, 5);
void engine_sum_up(struct engine *engine);

/* The customer as of this turn; NULL where there is none. */
const struct customer *engine_customer(struct engine *engine, const char *number);

/* Marks an address as refused, by a chore; engine_customer() shows the mark at once. (chore.c) */
void engine_refuse_address(struct engine *engine, int64_t contact, const char *address, const char *reply);

/* ---- follow.c: which customers.db is used ---- */

/* That of the settings, made where the spool knows none; nothing is made in place of a known one. */
bool engine_open_customers(struct engine *engine, struct error *err) MUST_CHECK;
/* Before a turn: opens what has been put in its place. False where there is none that can be used. */
bool engine_follow_customers(struct engine *engine, struct error *err) MUST_CHECK;
/* Within a turn: whether it is the known one, or the one to adopt, or the first. It is recorded. */
bool engine_knows_customers(struct engine *engine, struct error *err) MUST_CHECK;

/* Jobs of customers whose numbers have changed go with them. (numbers.c) */
void engine_follow_numbers(struct engine *engine);
/* Words of customers that were erased go. (erase.c) */
void engine_erase(struct engine *engine);
/* The root of the thread of a job's mails: the same whatever its customer's number is now. (numbers.c) */
const char *engine_thread_id(struct engine *engine, const struct spool_event *event);

/* ---- decide.c: events ---- */
void engine_take_entries(struct engine *engine);
void engine_take_entry(struct engine *engine, const struct entry *entry); /* one of any feed */
void engine_take_waiting(struct engine *engine);
/* Whether one who isn't known may still come: until `until`, and as long as customers who were published
 * before it are on their way into customers.db, however long a feed or an import takes. */
bool engine_may_come(const struct engine *engine, struct instant until);
struct instant engine_next_wait(struct engine *engine); /* when engine_take_waiting() has something to do */
/* An event or a request whose customer is not known yet, or which goes behind held jobs that are still looked
 * at. One that waits already is a duplicate. */
void engine_wait_for_customer(struct engine *engine, const struct entry *entry, const struct job_event *event,
                              struct instant until);
/* Counts an event or request that is on record, and tells of one whose content is another than then. */
void engine_take_duplicate(struct engine *engine, const struct job_event *event,
                           const unsigned char recorded[EVENT_DIGEST_SIZE]);
/* Judges an event of a known customer for the first time and records what follows. */
void engine_decide(struct engine *engine, const struct job_event *event, const struct customer *customer);
/* The event as of the customer's present number; itself where it names that. */
const struct job_event *engine_event_of(struct engine *engine, const struct job_event *event,
                                        const struct customer *customer);

/* ---- mailmake.c: mails made, joined and superseded ---- */
void engine_make_mail(struct engine *engine, const struct spool_event *event,
                      const struct contact_verdict *verdict);
void engine_make_office_mail(struct engine *engine, const struct spool_event *event,
                             const struct suspension *suspension);
/* The office's one mail of jobs called back; `context` is recorded. False where there is no office. */
bool engine_make_callback_mail(struct engine *engine, const struct spool_event *first, const char *context,
                               struct spool_mail *ret) MUST_CHECK;
void engine_supersede(struct engine *engine, const struct spool_event *event, const struct verdict *verdict);
/* The same for a mail that a person brings back: what its jobs have left behind meanwhile leaves it. */
void engine_supersede_brought_back(struct engine *engine, struct spool_mail *mail);

/* ---- takeup.c: mails that are due, judged again and handed out ---- */
void engine_hand_out(struct engine *engine);
/* Whether the mail is handed out after all others; what isn't known here is forgotten with the process. */
void engine_yield(struct engine *engine, int64_t mail, bool on);
void engine_look_at_deferred(struct engine *engine); /* where customers have changed */
void engine_look_at_sending(struct engine *engine);  /* the same */
/* One that is sending had better come back, if it still can: it waits for a mailer, perhaps for long. */
void engine_recall(struct engine *engine, int64_t mail);
/* Judges a mail again by the first event in it; false where there is none. */
bool engine_judge_mail(struct engine *engine, const struct spool_mail *mail, struct contact_verdict *ret);

/* ---- sending.c: what became of mails ---- */
void engine_take_results(struct engine *engine);
void engine_expire(struct engine *engine);
void engine_doubt_all(struct engine *engine); /* after a crash */
/* One of several events leaves a mail. */
void engine_notice_leaves(struct engine *engine, struct spool_mail *mail, const struct spool_notice *notice);
/* One notice leaves a mail; where it was the last the mail takes that status too. */
void engine_notice_ends(struct engine *engine, struct spool_mail *mail, const struct spool_notice *notice,
                        enum status status, enum reason reason);
/* The same by a verdict that said no, with the suspension's note in the outcome. */
void engine_notice_stops(struct engine *engine, struct spool_mail *mail, const struct spool_notice *notice,
                         const struct contact_verdict *why);
/* All active notices of a mail take a status with it. */
void engine_mail_ends(struct engine *engine, struct spool_mail *mail, enum status status, enum reason reason);

/* ---- outcome.c ---- */
struct outcome_facts { /* what may stand in an outcome besides event, status and reason */
	const struct spool_mail *mail;
	const char *to;
	const char *reply;
	struct instant due; /* INSTANT_NONE: left out */
	const struct suspension *suspension;
	const char *note;   /* instead of the suspension's */
	bool outside_hours; /* a job that is released all the same */
	int64_t contact;
};
/* Returns its seq. */
int64_t engine_outcome(struct engine *engine, const struct spool_event *event, enum status status,
                       enum reason reason, const struct outcome_facts *facts);
const char *entry_feed_name(enum entry_feed feed);
void engine_dead_letter(struct engine *engine, const struct entry *entry, enum reason reason,
                        const char *detail);

/* ---- context.c ---- */
const char *engine_context(struct engine *engine, const struct spool_mail *mail,
                           const struct spool_notice *notices, size_t n);

/* ---- chore.c ---- */
void engine_load_refusals(struct engine *engine);
const struct customer *engine_with_refusals(struct engine *engine, const struct customer *customer);
void engine_take_feed(struct engine *engine);
void engine_take_customer(struct engine *engine, const struct entry *entry);
void engine_refuse_unread(struct engine *engine, const struct entry *entry);
void engine_take_chores(struct engine *engine);
void engine_hand_chores(struct engine *engine);

/* What a template sees of a customer, a job, a suspension, the firm. */
json_t *engine_customer_json(const struct customer *customer);
/* Events' data in one mail may weigh so much; `*room` is what is left of it. Each is there several times. */
enum { MAIL_DATA_MAX = 1 << 20 };
/* Values of an event's data that are in mails, where it weighs more than that by itself. */
enum { MAIL_VALUES_MAX = 4096 };
json_t *engine_job_json(struct engine *engine, const struct spool_event *event, size_t *room);
json_t *engine_suspension_json(const struct suspension *suspension);
json_t *engine_company_json(const struct settings *settings);

/* ---- gate.c ---- */
/* `until`: how long it may wait for its customer. */
void engine_take_request(struct engine *engine, const struct entry *entry, const struct job_event *event,
                         struct instant until);
void engine_look_at_held(struct engine *engine);
struct gate_case engine_gate_case(struct engine *engine, const struct spool_request *request);
/* Up to when requests are to be looked at in this turn; then, that `n` of at most `max` have been. */
struct instant engine_scan_begin(struct engine *engine, struct scan *scan);
void engine_scan_end(struct engine *engine, struct scan *scan, const int64_t *ids, size_t n, size_t max);

/* ---- gate_release.c: the entry of the dispatch stream ---- */
void engine_release_job(struct engine *engine, const struct spool_request *request,
                        const struct customer *customer, bool outside_hours);

/* ---- gate_callback.c ---- */
/* A job that is released from now on: sets `watched` and `look`. */
void engine_watch(struct engine *engine, struct spool_request *request, const struct gate_case *asked);
void engine_call_back(struct engine *engine);

/* By hand; false with a reason where it is not held. By the request's id, else by the job's where there is no
 * such request; *id becomes the request's. */
bool engine_release_by_hand(struct engine *engine, int64_t *id, const char *job, const char *note,
                            struct error *err) MUST_CHECK;
bool engine_cancel_by_hand(struct engine *engine, int64_t *id, const char *job, const char *note,
                           struct error *err) MUST_CHECK;

/* ---- command.c ---- */
void engine_take_commands(struct engine *engine);

#endif
