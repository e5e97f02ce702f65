/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "base/buf.h"
#include "base/error.h"
#include "base/instant.h"
#include "mail/failure.h"
#include "mail/outgoing_mail.h"
#include "model/event.h"
#include "model/settings.h"
#include "spool/spool.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The engine decides. One call of engine_turn() takes whatever has arrived, runs the rules, makes
 * one transaction and hands back effects, which may only be carried out because it returned true.
 *
 *   entries, results, commands, published ─▶ engine_turn ─▶ outgoing mails, outcomes, replies,
 * reports │ one commit of spool.db
 *
 * It has no thread, no clock and no socket: the daemon's engine thread calls it, dispatchctl does
 * where no daemon runs, tests do with a clock of their own. One caller at a time.
 */
struct engine;

/*
 * Opens both databases, takes the engine's lock beside spool.db (waits 10 s for it at most:
 * dispatchctl has it for one turn; err->code 75 where another engine keeps it), and puts mails that
 * a crash left in flight in doubt. `settings` must outlive the engine or the next engine_reload().
 */
struct engine *engine_open(const struct settings *settings, struct instant now,
                           struct error *err) MUST_CHECK;
struct engine *engine_close(struct engine *engine); /* takes NULL; returns NULL */
/* From any thread: ends a statement under way in customers.db, and those to come. The turn fails.
 */
void engine_interrupt(struct engine *engine);
void engine_reload(struct engine *engine, const struct settings *settings);

/* Something for the log; `level` as in syslog(3). */
struct engine_report {
	int level;
	bool counted; /* there is a limit to its kind already: each one is to be said */
	const char *text;
};

struct office_write_result;

struct turn {
	/* in; kept by the caller */
	struct instant now;
	struct tick
	        tick; /* at `now`; 0: not known, so only a clock that goes back is seen to be set */
	uint64_t random; /* for jitter */
	const struct entry *const *entries;
	size_t n_entries;
	const struct delivery_result *results;
	size_t n_results;
	const char *const *commands; /* JSON texts */
	size_t n_commands;
	int64_t published;   /* Redis has all outcomes up to this one; 0: nothing new */
	size_t room;         /* how many mails may be dispatched */
	size_t room_bytes;   /* and how large in all; one in any case. 0: no limit */
	size_t outcomes_max; /* outcomes to be published weigh so much (spool_outcome_weight()) */
	bool office_writes_wanted; /* whether office writes may be dispatched */
	const struct office_write_result *office_writes_done; /* in order */
	size_t n_office_writes_done;
	bool feed_unread; /* the feed may hold customers who were not read yet: nobody is unknown
	                     for good */
	bool debug;       /* the log takes lines at debug: mails' moves are reported, too */
	bool prove;       /* writes to the disk though there be nothing to write: is it full? */

	/* out; owned by the turn until turn_clear() */
	struct arena *arena;
	struct outgoing_mail **outgoing; /* each to be taken over by the caller */
	size_t n_outgoing, outgoing_bytes;
	int64_t *recalled; /* mails dispatched before: to be given back where no mailer has begun
	                      with them */
	size_t n_recalled, cap_recalled;
	struct spool_outcome *outcomes; /* to be published, in order */
	size_t n_outcomes;
	const char **replies; /* JSON texts, one a command */
	struct engine_report *reports;
	size_t n_reports;
	struct spool_office_write *office_writes; /* for office_writer_run(), by order */
	size_t n_office_writes;
	struct instant
	        next; /* when something will be due by the wall clock; INSTANT_NEVER: nothing */
	bool more;    /* there is more to do now: turn again at once */
};

/*
 * Runs one turn. False: the transaction failed, nothing has happened and nothing may be carried
 * out; the same input can be given again later.
 */
bool engine_turn(struct engine *engine, struct turn *turn, struct error *err) MUST_CHECK;
void turn_clear(struct turn *turn); /* frees what a turn gave, mails that nobody took included */

/* One command alone, for dispatchctl without a daemon: opens nothing, runs a turn with it. The
 * reply is malloc'd. */
char *engine_command(struct engine *engine, const char *text, struct instant now,
                     struct error *err) MUST_CHECK;

/* Whether a command says that the customers.db which is there is meant, though the spool knows
 * another: the one that is to be tried where turns fail for want of the known one. */
bool engine_is_adoption(const char *command);

/* True while more may be taken in: not too much is unpublished or waiting. */
bool engine_open_for_intake(const struct engine *engine);
/* True while customers of the feed are on their way into customers.db: events behind them had
 * better wait a little. */
bool engine_feed_pending(const struct engine *engine);
/* True when the office changed customer data since the last turn. */
bool engine_customers_changed(struct engine *engine);
/* True after a turn that failed because customers.db is missing, or not the known one: another may
 * work as soon as it is back. */
bool engine_lacks_customers(const struct engine *engine);
/* By how many ms somebody set the wall clock since the last turn, negative for back; 0 for less
 * than a tenth of a second, which nobody waits for. */
int64_t engine_clock_set(const struct engine *engine, struct instant now, struct tick tick);

/* The last outcome given to be published; at first the last that Redis has. */
int64_t engine_handed(const struct engine *engine);

/* What a stream entry for an outcome looks like, ready for XADD: its `id`, then its fields. In the
 * arena. */
struct entry_field *engine_outcome_fields(const struct engine *engine,
                                          const struct spool_outcome *outcome, struct arena *arena,
                                          size_t *ret_n);
/* The stream's key and bound. */
const char *engine_outcome_stream(const struct engine *engine, const struct spool_outcome *outcome,
                                  int64_t *ret_maxlen);

/* How long the last turn took, for the histogram; the caller has the clock. */
void engine_turn_took(struct engine *engine, double seconds);
/* What has been counted since the start, as Prometheus text. */
void engine_metrics(const struct engine *engine, struct buf *out);

#endif
