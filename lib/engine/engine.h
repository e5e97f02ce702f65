/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "base/buf.h"
#include "base/error.h"
#include "base/instant.h"
#include "engine/turn_input.h"
#include "engine/turn_output.h"
#include "journal/journal.h"
#include "mail/templates.h"
#include "mail/token.h"
#include "model/settings.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The engine decides. One call of engine_turn() takes whatever has arrived, runs the rules, makes
 * one transaction and hands back effects, which may only be carried out because it returned true.
 *
 *                               ┌─────────────┐
 *   entries, results,           │             │   outgoing mails, publications,
 *   commands, published ──────▶ │ engine_turn │ ──────▶ replies, reports
 *   (struct turn_input)         │             │   (struct turn_output)
 *                               └──────┬──────┘
 *                                      ▼
 *                           one commit of spool.db
 *
 * It has no thread, no clock and no socket: the daemon's engine thread calls it, dispatchctl does
 * where no daemon runs, tests do with a clock of their own. One caller at a time.
 */
struct engine;

/*
 * Opens both databases, takes the engine's lock beside spool.db (waits 10 s for it at most:
 * dispatchctl has it for one turn; err->code 75 where another engine keeps it), and requeues mails
 * that a crash left in flight. `settings` must outlive the engine or the next engine_reload().
 */
struct engine *engine_open(const struct settings *settings, struct instant now,
                           struct error *err) MUST_CHECK;
struct engine *engine_close(struct engine *engine); /* takes NULL; returns NULL */

/*
 * A cluster's journal. Each turn that changes something is given to it before it is committed, with
 * all but epoch, number and seal of the entry filled in; `before` is where the spool is. It waits
 * until the journal has the entry for good, and returns true with these filled in; false with `err`
 * where it never will: then the turn fails. So what is on disk here is in the journal, too.
 */
struct engine_journal {
	bool (*append)(void *arg, const struct journal_position *before,
	               struct journal_entry *entry, struct error *err);
	void *arg;
};
/* As engine_open(), with a journal, which has to outlive the engine. */
struct engine *engine_open_journaled(const struct settings *settings,
                                     const struct engine_journal *journal, struct instant now,
                                     struct error *err) MUST_CHECK;
/* Whether the journal takes no further turn from here: it has one that couldn't be committed, or
 * has refused one. */
bool engine_journal_over(const struct engine *engine);
/* From any thread: ends a statement under way in customers.db, and later ones. The turn fails. */
void engine_interrupt(struct engine *engine);
void engine_reload(struct engine *engine, const struct settings *settings);
/* By what mails are rendered from now on: the next turn keeps it. Takes a reference of its own. */
void engine_set_templates(struct engine *engine, struct templates *templates);

/* Which keys sign and verify the tokens of mails; at first there are none. Copies them. */
void engine_set_token_keys(struct engine *engine, const struct token_keys *keys);

/*
 * Runs one turn. True: it is committed, and `*ret` has its effects, until turn_output_clear().
 * False: the transaction failed, nothing has happened, and `*ret` is empty; the same input can be
 * given again later.
 */
bool engine_turn(struct engine *engine, const struct turn_input *in, struct turn_output *ret,
                 struct error *err) MUST_CHECK;

/* One command alone, for dispatchctl without a daemon: runs a turn with it. NULL where that fails,
 * else the reply, malloc'd. */
char *engine_command(struct engine *engine, const char *text, struct instant now,
                     struct error *err) MUST_CHECK;

/* Whether a command adopts the customers.db that is there, though the spool knows another: the one
 * command that is worth a try while turns fail for want of the known one. */
bool engine_is_adoption(const char *command);

/* What earlier processes had published when this one was opened: the last outcome that Redis had,
 * and the last of these that was there PUBLISH_AGAIN_MS earlier. */
enum { PUBLISH_AGAIN_MS = 60000 };
struct published_at_start {
	int64_t last, a_minute_ago;
};
struct published_at_start engine_published_at_start(const struct engine *engine);

/* True while more may be taken in: not too much is unpublished or waiting. */
bool engine_open_for_intake(const struct engine *engine);
/* True while customers of the feed are on their way into customers.db: events behind them had
 * better wait a little. */
bool engine_feed_pending(const struct engine *engine);
/* About how many mails that are due the last turn left in the spool, since the mailers had no room:
 * they go before new ones. 0 while sending is paused. */
size_t engine_mails_left(const struct engine *engine);
/* True while nothing goes to the mailers, as of the last turn. */
bool engine_sending_paused(const struct engine *engine);
/* True when the office changed customer data since the last turn. */
bool engine_customers_changed(struct engine *engine);
/* True after a turn that failed because customers.db is missing, or not the known one: another may
 * work as soon as it is back. */
bool engine_lacks_customers(const struct engine *engine);
/* By how many ms somebody set the wall clock since the last turn, negative for back; 0 for less
 * than a tenth of a second, which nobody waits for. */
int64_t engine_clock_set(const struct engine *engine, struct instant now, struct tick tick);

/* How long the last turn took, for the histogram; the caller has the clock. */
void engine_turn_took(struct engine *engine, double seconds);
/* What has been counted since the start, and what waits. */
struct figures; /* engine/stats.h */
void engine_figures(const struct engine *engine, struct figures *ret);

#endif
