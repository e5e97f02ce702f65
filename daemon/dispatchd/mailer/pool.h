/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_MAILER_POOL_H
#define DISPATCHD_MAILER_POOL_H

#include "base/error.h"
#include "mail/failure.h"
#include "mail/outgoing_mail.h"
#include "mail/templates.h"
#include "model/histogram.h"
#include "model/settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The mailers: `[smtp] connections` of them, each with one SMTP connection (or writing to the
 * Maildir), fed with mails and giving back one result for each.
 *
 *   engine ── pool_put() ──▶ queue ──▶ mailer ──▶ relay
 *   engine ◀─ pool_take_results() ── results ◀──┘
 *
 * Every mail put holds a credit, and a place for its result is kept with it until the result is
 * taken: so neither side ever waits for the other. One thread at a time may call these functions
 * (pool_relays() any); they never block for longer than a short lock.
 *
 * Settings are copied: they may be freed as soon as the call returns. Of the templates the pool
 * takes a reference of its own.
 */
struct pool;

/* Called from any of the pool's threads when a result is there or room has come. It must only post
 * a wake-up. */
typedef void pool_wake(void *arg);

/*
 * Reads the password and the authorities' file, starts the threads. NULL with `err` where the
 * settings can't be used. To be called before other threads read the environment: it points HOME
 * at nothing, so that libesmtp reads no private files of the user who starts us. Ignores SIGPIPE.
 */
struct pool *pool_start(const struct settings *settings, struct templates *templates,
                        struct error *err) MUST_CHECK;

/* Whom to wake: the engine; NULL: nobody. Once this returns, the one before isn't called again. */
void pool_set_wake(struct pool *pool, pool_wake *wake, void *arg);

/* How many mails may be put now; 0 while no relay is usable. */
size_t pool_room(struct pool *pool);

/* How busy the mailers are; `up` while a relay is usable, so that room will come. */
struct pool_load {
	bool up;
	size_t room, places; /* as pool_room() has it, and at most */
	size_t queued;       /* mails that no mailer has begun */
};
struct pool_load pool_load(struct pool *pool);

/* Takes ownership of the mail. Room was asked first; one too many (a reload came between) only
 * costs memory. While no relay is usable it comes back at once, DELIVERY_RELAY. */
void pool_put(struct pool *pool, struct outgoing_mail *outgoing);

/* Those of these mails that no mailer has begun with come back at once, DELIVERY_RELAY. */
void pool_recall(struct pool *pool, const int64_t *mails, size_t n);

/* Moves up to `max` results out, returns how many. Each gives its credit back. */
size_t pool_take_results(struct pool *pool, struct delivery_result *results, size_t max);

/*
 * New settings and templates for every mail not yet begun: open connections end after the mail they
 * are at. False with `err` where the settings can't be used: then nothing has changed.
 */
bool pool_reload(struct pool *pool, const struct settings *settings, struct templates *templates,
                 struct error *err) MUST_CHECK;

/* A relay's state, for status, metrics and log. A Maildir counts as one, named by its path. */
struct pool_relay {
	char name[128];                 /* as configured */
	char address[128];              /* likewise; the name where that isn't another */
	bool tried;                     /* false: nothing is known of it yet */
	bool up;                        /* false: at fault and not yet seen well again */
	struct instant since;           /* up or down */
	struct instant open_until;      /* down: no connection before that; INSTANT_NONE while up */
	char words[DELIVERY_REPLY_MAX]; /* down: its last reply, or our own text */
	unsigned sessions;              /* connections open or being opened */
	uint64_t delivered, faults;     /* since the start */
	struct histogram answered_s;    /* how long it took to answer a mail, likewise */
	/* Mails that it refused, or that failed at it, since it took the last one. */
	uint64_t failures;
	struct instant failing_since;           /* the first of them; INSTANT_NONE for none */
	char failing_words[DELIVERY_REPLY_MAX]; /* the answer to the last of them */
};
enum { RELAYS_MAX = 32 }; /* as many as are shown */
size_t pool_relays(struct pool *pool, struct pool_relay *relays, size_t max);

/*
 * The end: takes no more mails and returns at once. Those not begun are reported DELIVERY_RELAY;
 * those in hand have `grace_ms` to finish, after which they are cut off and reported as what they
 * are then. Called again with a shorter time it hastens. Results can be taken until pool_free().
 */
void pool_stop(struct pool *pool, int64_t grace_ms);
bool pool_stopped(struct pool *pool); /* every mail has its result, every mailer has ended */
/* Stops without grace, joins. Takes NULL; returns NULL. */
struct pool *pool_free(struct pool *pool);

#endif
