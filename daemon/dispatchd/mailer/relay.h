/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_MAILER_RELAY_H
#define DISPATCHD_MAILER_RELAY_H

#include "dispatchd/mailer/bucket.h"
#include "dispatchd/mailer/limits.h"
#include "dispatchd/mailer/pool.h"
#include "dispatchd/mailer/transport.h"
#include "mail/refusals.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * A relay's circuit breaker and what is known of the relay. All under the pool's lock.
 *
 *                fault                   its time is over, a mailer wants it
 *      CLOSED ───────────────▶ OPEN ───────────────────────────────────▶ HALF OPEN
 *      ▲                         ▲              fault (open twice as long)    │
 *      │                         └────────────────────────────────────────────┤
 *      └──────────────────────────────────────────────────────────────────────┘
 *                              a mail went through (or was refused as such)
 *
 * A fault while other connections to it deliver means that it wants fewer of us (a limit on
 * connections answers the one too many with 421): they stay, and only as many as then are opened
 * again, until a trial shows that one more is welcome.
 */
enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN };

struct relay {
	struct relay *next;
	char name[128];
	/* As configured: see struct transport_target. */
	char address[128];
	unsigned rank, weight, most; /* most: connections; 0: no limit */
	struct bucket bucket;        /* of its own rate */
	/* Mails that it got, by weight: the relay of a rank that has least is the next one. */
	double share;
	enum breaker_state breaker;
	bool gone;  /* a reload took it out of the configuration */
	bool tried; /* a connection to it has had an end, good or bad */
	bool up;    /* as reported: the breaker is closed, or connections are allowed and work */
	unsigned faults;   /* how often the breaker opened in a row */
	int64_t opened_ms; /* what began before says nothing about now */
	int64_t open_until_ms;
	struct instant since, open_until;
	char words[DELIVERY_REPLY_MAX];
	unsigned sessions; /* open or being opened */
	unsigned proven;   /* of them, those over which a mail went */
	unsigned allowed;  /* breaker not closed: so many may be open beside a trial */
	/* A connection waits for it, and it has answered no mail since (supervisor.c). */
	bool stalled;
	int64_t answered_ms; /* its last answer to a mail */
	bool called;         /* a connection to a lesser relay has ended for its trial's sake */
	unsigned epoch;      /* rises when every open session has to end */
	uint64_t delivered, n_faults;
	struct histogram answered_s; /* from mail to answer, the connection's opening included */
	uint64_t failures;           /* mails that it did not take since it took the last one */
	struct instant failing_since;
	char failing_words[DELIVERY_REPLY_MAX];
	struct refusals refusals;
};

/* One connection's part in it. */
struct relay_session {
	struct relay *relay;
	int64_t from_ms;
	unsigned epoch;
	bool trial, proven;
};

struct relay *relay_new(const char *name);
struct relay *relay_free(struct relay *relay); /* takes NULL; returns NULL */

/* A name too long for it is cut, also here. */
bool relay_is_named(const struct relay *relay, const char *name);

/* Whether mails may wait for it: its breaker isn't open, or is due for a trial, or connections
 * still work. */
bool relay_usable(const struct relay *relay, int64_t now_ms);

/* Whether a session may be opened now, if only to try it. */
bool relay_admits(const struct relay *relay, int64_t now_ms);

/* As the configuration has it now. One at another address isn't the one that was at fault. */
void relay_configure(struct relay *relay, const struct transport_target *target, int64_t now_ms);

/* It is up, but has all the connections that it may, or has to wait for its rate: `ret_wait_ms`,
 * 0 where a connection has to end first. */
bool relay_is_full(struct relay *relay, int64_t now_ms, int64_t *ret_wait_ms);

/* Opens a session if one may be opened now. */
bool relay_session_open(struct relay *relay, int64_t now_ms, struct relay_session *ret);
void relay_session_close(struct relay_session *session);
/* Whether a connection to a relay further down the list should end for this one: it is up, or due
 * to be tried (for which one of them is enough). */
bool relay_calls(struct relay *relay, int64_t now_ms);
bool relay_goes_on(const struct relay_session *session); /* it may take another mail */

void relay_fault(struct relay_session *session, const struct mailer_limits *limits,
                 const char *words);
void relay_good(struct relay_session *session, bool delivered);

/* It answered a mail, if only by a refusal that turned out to be the mail's: it is there. */
void relay_answers(struct relay *relay);
/* What became of a mail, for the count of those that fail with no delivery between. */
void relay_count(struct relay *relay, const struct delivery_result *result);

/* It refuses everybody: all sessions end, and the breaker lets none in while it is open. */
void relay_refuses_all(struct relay_session *session, const struct mailer_limits *limits,
                       const char *words);

void relay_describe(const struct relay *relay, struct pool_relay *ret);

#endif
