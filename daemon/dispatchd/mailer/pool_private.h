/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_MAILER_POOL_PRIVATE_H
#define DISPATCHD_MAILER_POOL_PRIVATE_H

#include "dispatchd/mailer/bucket.h"
#include "dispatchd/mailer/coroutine.h"
#include "dispatchd/mailer/limits.h"
#include "dispatchd/mailer/mailer_config.h"
#include "dispatchd/mailer/pace.h"
#include "dispatchd/mailer/pool.h"
#include "dispatchd/mailer/relay.h"
#include "dispatchd/mailer/watch.h"
#include "model/rendering.h"
#include "template/dates.h"

#include <pthread.h>

/*
 * The inside of a pool, for its own files: pool.c (what the engine calls), workers.c (starts
 * mailers), supervisor.c (the thread that watches the clock), relay_test.c (a test of the relays),
 * worker.c (a mailer), relay_choice.c (whose turn it is), mail_queue.c (what they all share under
 * the lock). Each calls only those that come after it.
 *
 *               ┌────────────────── a mail's credit ──────────────────┐
 *   pool_put ─▶ queue ─▶ in a mailer's hand ─▶ (held refusals) ─▶ results ─▶ pool_take_results
 *                 ▲              │
 *                 └─ put back ───┘  not begun, and another relay or connection may take it
 */
struct queued_mail {
	struct queued_mail *next;
	struct outgoing_mail *outgoing;
	int64_t put_ms;
	int64_t handed_ms; /* to the connection that has it in hand */
	uint64_t begun;    /* refusals_begin() of the relay that has it in hand */
	unsigned faults;   /* relays that failed it since it was put */
	bool second;       /* its connection had carried enough; it gets a fresh one */
	bool yields;       /* the relay failed when it was its turn: others first */
	bool template_broken;
	struct rendering rendering; /* the last one */
	char *envelope;             /* its signed sender; NULL for none */
	char fault[256];
	char relay[128]; /* the last that was tried, and what came of it */
	char words[DELIVERY_REPLY_MAX];
};

struct worker {
	struct pool *pool;
	size_t index;
	struct watch watch;
	/* under the pool's lock */
	struct relay *relay; /* to which it has a connection, or opens one; NULL for none */
	bool leaving;        /* and only sends QUIT */
	bool ended;          /* it takes no more work */
};

/* Worker i runs on thread i % MAILER_THREADS. With two threads, mails are made on one processor
 * while a relay on this machine has the other. */
enum { MAILER_THREADS = 2 };
struct mailer_thread {
	struct coroutines *workers;
	struct dates *dates; /* theirs: none waits while it renders */
	pthread_t id;
};

struct pool {
	pthread_mutex_t lock;
	struct coroutine_condition work; /* for mailers without a connection */
	/* For those beyond pool_size(): no signal for work is lost on them. */
	struct coroutine_condition spare;
	struct coroutine_condition feed; /* for mailers with a connection */
	pthread_cond_t clock;            /* for the supervisor */
	pthread_mutex_t wake_lock;       /* the innermost: for whom to wake */
	pool_wake *wake;                 /* NULL: nobody */
	void *wake_arg;
	const struct mailer_limits *limits;
	struct mailer_config *config;
	struct relay *relays; /* all there ever were, so that sessions may point at them */
	struct bucket bucket;

	struct queued_mail *head, *tail;
	size_t n_queued, n_feeding; /* n_feeding: connections that wait for a mail */
	struct pace pace;           /* by which mails have gone */
	size_t n_out;               /* mails put whose results were not taken */
	size_t bytes;               /* of the mails that are queued or in a mailer's hand */

	struct delivery_result *results; /* a ring with a place for each mail that is out */
	size_t n_results, first_result, results_size;
	bool woken; /* the engine, and it has not asked for results since: it need not be again */
	struct queued_mail *spent; /* to be freed without the lock */

	struct worker **workers;
	size_t n_workers;
	/* Of them, those that wait for a relay that is stalled: others work in their places. */
	size_t n_stuck;
	struct mailer_thread threads[MAILER_THREADS];
	size_t n_threads; /* of them, those that run */
	pthread_t supervisor;
	struct relay_test *test; /* under way, or not yet taken; NULL for none */
	bool starved;            /* pool_room() was 0: whoever makes room wakes the engine */
	bool stopping, over;
	int64_t cut_ms; /* stopping: when what is in hand is cut off */
};

/* ---- mail_queue.c: all with the lock held ---- */

size_t mail_queue_places(const struct pool *pool);
size_t mail_queue_room(struct pool *pool);
bool pool_has_usable_relay(struct pool *pool);
struct relay *pool_relay_named(struct pool *pool, const char *name); /* found or made */

void mail_queue_append(struct pool *pool, struct queued_mail *queued);
void mail_queue_put_back(struct pool *pool, struct relay *relay, struct queued_mail *queued);
/* Takes a mail out of the queue; NULL where there is none, or not before `*ret_wait_ms` for the
 * rate's sake. Those at which the relay failed come last, and wait a moment for others. Those that
 * need a fresh connection come first to one, and to no other. */
struct queued_mail *mail_queue_take(struct pool *pool, struct relay *relay, bool fresh,
                                    int64_t *ret_wait_ms);

/* What came of a mail: its result goes out, now or when it is clear what it means. Frees the queued
 * mail. */
void mail_queue_finish(struct pool *pool, struct relay_session *session, struct queued_mail *queued,
                       struct delivery_result *result);
void mail_queue_finish_unsent(struct pool *pool, struct queued_mail *queued,
                              struct delivery_result *result);
void mail_queue_return(struct pool *pool, struct queued_mail *queued); /* nothing is counted */
void mail_queue_return_all(struct pool *pool);                         /* the queue, so */
/* One of the queue, or one whose refusal is held back, so, if it is there. */
void mail_queue_recall(struct pool *pool, int64_t mail);
/* Held refusals whose time is over, or all at the end; when the next one's is. */
int64_t mail_queue_expire(struct pool *pool, struct relay *relay, int64_t now_ms, bool *ret_news);

void mail_queue_free_spent(struct queued_mail *spent); /* without the lock; takes NULL */

/* Ends the lock, frees what is spent, and wakes the engine if there is a result or room it waits
 * for. */
void pool_unlock(struct pool *pool, bool news);

/* Whether another relay may take what this one, which is stalled, doesn't. */
bool pool_has_other_relay(struct pool *pool, const struct relay *relay);

/* ---- relay_choice.c: with the lock held ---- */

/*
 * Opens a session to the relay whose turn it is, of those that are stalled or of those not, and
 * returns its number in the configuration; -1: none may be opened, or not before `*ret_wait_ms`
 * (CLOCK_NEVER_MS: something else has to happen first).
 *
 * The lowest rank with a relay that is up gets the mails; that it is full isn't a reason to turn to
 * the next one. In a rank it is the turn of the relay that is furthest behind its share.
 */
int relay_choose(struct pool *pool, bool stalled, struct relay_session *ret, int64_t *ret_wait_ms);
/* A connection to it has taken a mail. */
void relay_choice_note(struct pool *pool, struct relay *relay);
/* Whether a connection to it should end for another's sake: of a lower rank, or one of its own that
 * is far behind its share, and could have another connection. */
bool relay_choice_calls(struct pool *pool, const struct relay *relay);

/* How many mailers there should be: for each that is stuck one more, up to twice as many. */
size_t pool_size(const struct pool *pool);

/* ---- workers.c ---- */

/* Threads of the pool take no signals: those are the loop's. */
bool pool_start_thread(pthread_t *thread, void *(*run)(void *), void *arg);
/* With the lock held: as many mailers as there should be, and at least one for each thread. Fewer
 * are not a fault as long as each thread has one; else false. */
bool pool_start_workers(struct pool *pool);
/* Once, at the start: makes what workers are added to, starts workers, and runs them. False where
 * memory, descriptors or threads are lacking: what is there is pool_free()'s. */
bool pool_start_threads(struct pool *pool);

/* How often deadlines of connections are looked at while there are any. */
enum { POOL_LOOK_MS = 250 };

/* ---- relay_test.c: with the lock held ---- */

/* Cuts off what takes too long, or all when the pool ends; when to look again. */
int64_t pool_test_check(struct pool *pool, int64_t now_ms);

/* ---- the threads ---- */
void worker_main(void *worker); /* of one mailer: a coroutine of mailers_main() */
void *mailers_main(void *mailer_thread);
struct mailer_thread *worker_thread(const struct worker *worker); /* which runs it */
void *supervisor_main(void *pool);

/* As pool_start(), with the tests' patience. `limits` must live as long as the pool. */
struct pool *pool_start_with(const struct settings *settings, struct templates *templates,
                             const struct mailer_limits *limits, struct error *err) MUST_CHECK;

#endif
