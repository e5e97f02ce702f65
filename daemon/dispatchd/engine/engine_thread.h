/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_ENGINE_ENGINE_THREAD_H
#define DISPATCHD_ENGINE_ENGINE_THREAD_H

#include "base/error.h"
#include "base/mem.h"
#include "engine/turn_output.h"
#include "mail/templates.h"
#include "model/event.h"
#include "model/settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The engine on a thread of its own, as the loop sees it: bounded queues of typed messages in and
 * out, and one wake-up call. The loop submits what has arrived; the engine takes all of it into one
 * turn, commits, and hands back effects. It feeds the mailers itself.
 *
 *   loop ── submit(intake), published(seq), command() ──▶ engine ──▶ mailers
 *   loop ◀── take(): effects of each turn ─────────────────┘
 */

/* Entries read together from one source, which acknowledges them together. Owns its arena. */
struct intake {
	struct intake *next;
	struct arena *arena;
	int source; /* the loop's own number for where it came from */
	struct entry *entries;
	size_t n, bytes; /* entries, and what they weigh */
	size_t given;    /* of them, those that turns have had: a turn may have but a part */
	void *token;     /* the loop's own */
};
struct intake *intake_new(void);
struct intake *intake_free(struct intake *intake);
/* Of job events, as opposed to the gate's requests and customers of the feed. */
bool intake_is_events(const struct intake *intake);

/* Where a request came from, and so where its reply goes. */
enum command_origin {
	COMMAND_CONTROL, /* the control socket */
	COMMAND_HTTP,
	COMMAND_REPORT, /* the socket for reports */
};
struct command_route {
	enum command_origin origin;
	int64_t number; /* the origin's own, by which it finds the waiting client */
};

/* A request (one JSON document); `effects.out.replies` has its reply. */
struct command {
	struct command *next;
	struct command_route route;
	char *text;  /* malloc'd, as are */
	char *bytes; /* that belong to it; NULL for none */
	size_t n_bytes;
};
struct command *command_new(struct command_route route, const char *text);
struct command *command_free(struct command *command);

/* What one turn leaves to the loop: the turn's own output, and what it was about. */
struct effects {
	struct effects *next;
	struct intake *done;      /* committed: acknowledge; who takes them over puts NULL here */
	struct command *commands; /* each answered, in order, by out.replies */
	struct turn_output out;
};
struct effects *effects_free(struct effects *list); /* all of them; takes NULL, returns NULL */

struct engine_thread;
struct pool;
struct buf;

/*
 * Opens the databases and starts the thread; `wake` is called from it when there is something to
 * take. `settings` must live until a reload has replaced it or the thread has stopped.
 */
typedef void engine_wake(void *arg);
struct engine_journal; /* engine/engine.h; NULL: no cluster */
struct engine_thread *engine_thread_start(const struct settings *settings,
                                          const struct engine_journal *journal, engine_wake *wake,
                                          void *arg, struct error *err);
/* The mailers that outgoing mails go to; set once, before the first submit. The pool wakes this
 * thread from now on, until it stops; it must live longer. */
void engine_thread_set_pool(struct engine_thread *thread, struct pool *pool);
/* Results are there, or room. From any thread. */
void engine_thread_nudge(struct engine_thread *thread);

/* False while intake is stopped (unpublished too much, disk not writable, too much waiting): read
 * no more entries. */
bool engine_thread_open(struct engine_thread *thread);
void engine_thread_submit(struct engine_thread *thread, struct intake *intake); /* takes it over */
/* Everything in the customers feed at the start is submitted. Until this is called, no customer is
 * finally unknown. */
void engine_thread_feed_read(struct engine_thread *thread);
/* Redis has all publications up to `seq`; all that it has got since the start weigh `taken`. */
void engine_thread_published(struct engine_thread *thread, int64_t seq, uint64_t taken);
/* Of earlier processes. */
struct published_at_start engine_thread_published_at_start(const struct engine_thread *thread);
/* What was published behind `seq` is published once more, under the same ids: the first of these
 * publications say `again`, and those that come before are to be thrown away. */
void engine_thread_publish_again(struct engine_thread *thread, int64_t seq);
/* Takes it over. */
void engine_thread_command(struct engine_thread *thread, struct command *command);
/* Doesn't wait: the turn under way ends with the old ones. */
void engine_thread_reload(struct engine_thread *thread, const struct settings *settings);
/* By what mails are rendered, to be kept in the spool. Takes a reference of its own. */
void engine_thread_set_templates(struct engine_thread *thread, struct templates *templates);
/* Those in use: others before them may be freed. */
const struct settings *engine_thread_settings(struct engine_thread *thread);
/* The wall clock jumped: what is due is rechecked. */
void engine_thread_clock_set(struct engine_thread *thread);

/* What has become of turns since the last take, in order; NULL: nothing. The caller owns it. */
struct effects *engine_thread_take(struct engine_thread *thread);

/* For the watchdog and /healthz: no turn has ended for 20 s; every 5 s at least one should. */
bool engine_thread_stalled(struct engine_thread *thread);
/* How many turns have worked. One that ends now may have begun before what was submitted last. */
int64_t engine_thread_turns(struct engine_thread *thread);
/* For /readyz: has the next turn write something, once a second at most, so that a full disk is
 * known before there is work. */
void engine_thread_prove(struct engine_thread *thread);
/* What keeps a database from being used, in a sentence; false where nothing does. `i` is 0 for the
 * first such fault, 1 for the second. */
bool engine_thread_fault(struct engine_thread *thread, int i, struct error *ret);

/*
 * In a cluster: whether another machine had better go on, with the reason. Its journal takes no
 * further turn from here; or, where there is a standby, nothing could be written for some seconds.
 */
bool engine_thread_gives_up(struct engine_thread *thread, bool has_standby, struct error *ret_why);

/* Appends what the engine counts (events, outcomes, mails by status …) as Prometheus text. */
void engine_thread_metrics(struct engine_thread *thread, struct buf *out);

/* Hands no more mails to the mailers and expects no more entries; results of mails in flight are
 * still recorded. */
void engine_thread_drain(struct engine_thread *thread);
/* Ends the thread after a last turn and closes the databases; effects not taken are freed. */
struct engine_thread *engine_thread_stop(struct engine_thread *thread);

#endif
