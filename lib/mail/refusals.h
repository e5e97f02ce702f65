/* SPDX-License-Identifier: MIT */
#ifndef MAIL_REFUSALS_H
#define MAIL_REFUSALS_H

#include "mail/failure.h"
#include "mail/wording.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Whose fault is a refusal? A relay whose quota is used up, or that no longer takes our mail, says
 * 550 to each mail; a mailbox that is gone gets the same 550. What distinguishes them is what
 * becomes of other mails. So every 5xx, whatever command it answers, is held back until that is
 * clear:
 *
 *     a mail that was begun after it is delivered ──────────────▶ it goes out as it is
 *     nothing more in these words for a while ──────────────────▶ it goes out as it is
 *     the tenth recipient in the same words, no delivery since ─▶ all ten: DELIVERY_RELAY
 *
 * Refusals in the same words (wording.h) are a row; each wording has its own, and a delivery ends
 * what was begun before it in all of them. A row counts recipients also after their results went
 * out, so that a relay that gets a mail a minute is found out, too. Once ten were refused, each
 * further one in these words is the relay's fault until a mail that was begun later is delivered.
 *
 * Those that go out as the relay's fault are suspects: others are sent first, of another domain and
 * of another kind first of all, so that a relay whose breaker is open is tried with another mail
 * each time. Once others were delivered, suspects by themselves don't make it the relay's fault
 * again: what is refused while the others go through is the mail's own. The same holds for a mail
 * at whose sending the relay itself seems to fail, time and again (refusals_alone()).
 *
 * Order is by a count of what happened, not by a clock. All under the caller's lock.
 */
enum {
	REFUSALS_OPEN_AT = 10,
	REFUSALS_ROWS = 8,
	REFUSALS_HELD = 64,
	REFUSALS_SUSPECTS = 128,
};

/* Who was refused: hashes, case ignored. */
struct refusals_who {
	uint64_t to, domain, kind;
	uint64_t seq; /* when */
};

struct refusals_row {
	char key[WORDING_MAX];                     /* "" for a place that is free */
	struct refusals_who who[REFUSALS_OPEN_AT]; /* the latest different recipients */
	bool fresh[REFUSALS_OPEN_AT]; /* of each: not a suspect while others went through */
	size_t n;
	uint64_t opened; /* when the tenth came, or one after it; 0: not since the last delivery */
	int64_t last_ms;
};

struct refusals_held {
	struct delivery_result result;
	struct refusals_who who;
	size_t row;
};

struct refusals {
	uint64_t seq;
	uint64_t delivered; /* the latest beginning of a mail that was delivered */
	struct refusals_row rows[REFUSALS_ROWS];
	struct refusals_held held[REFUSALS_HELD]; /* in the order in which they came */
	size_t n_held;
	struct refusals_who suspects[REFUSALS_SUSPECTS];
	size_t n_suspects;
};

/* Called with each result that goes out. */
typedef void refusals_out(void *arg, const struct delivery_result *result);

/* To be called when a mail is begun with; refusals_add() wants the answer. */
uint64_t refusals_begin(struct refusals *refusals);

/*
 * What came of a mail of that kind (its template's name). It, and what it makes clear, goes out now
 * or later. True where it shows that the relay refuses everybody.
 */
bool refusals_add(struct refusals *refusals, const struct delivery_result *result, const char *kind,
                  uint64_t begun, int64_t now_ms, refusals_out *out, void *arg);

/* How long refusals are held back after the last one with the same words. */
struct refusals_patience {
	int64_t lone_ms;       /* if only one recipient was refused so */
	int64_t hold_ms;       /* if several were */
	int64_t open_until_ms; /* its breaker is open until then, perhaps for their sake: its next
	                          words are waited for, up to REFUSALS_OPEN_MS; 0: it doesn't */
};
enum { REFUSALS_OPEN_MS = 30 * 1000 };

/* Lets go of those whose time is over; returns when the next one's is, INT64_MAX for none. */
int64_t refusals_expire(struct refusals *refusals, const struct refusals_patience *patience,
                        int64_t now_ms, refusals_out *out, void *arg);

/* The end: a lone refusal goes out as it is, what may still be the relay's fault as that. */
void refusals_end(struct refusals *refusals, refusals_out *out, void *arg);

/* Takes out what is held of a mail; false if there is nothing. */
bool refusals_take(struct refusals *refusals, int64_t mail, struct delivery_result *ret);

/* The relay failed at this mail: others first. */
void refusals_suspect(struct refusals *refusals, const char *to, const char *kind);

/* Whether the relay failed at this recipient's mail before, and delivered one since: it is not the
 * relay. */
bool refusals_alone(const struct refusals *refusals, const char *to);

/* Which mail is to be sent first: the greater the sooner. REFUSALS_RANK_BEST has nothing in common
 * with any that was refused since the last delivery: what becomes of it is the best evidence. Mails
 * to the same recipients are below 0, the one refused first before the others. */
enum { REFUSALS_RANK_BEST = 3 };
int64_t refusals_rank(const struct refusals *refusals, const char *to, const char *kind);

/* Whether any row has ten, and no mail was delivered since. */
bool refusals_breaker_open(const struct refusals *refusals);

/* Whether any refusal is still unexplained. */
bool refusals_unresolved(const struct refusals *refusals);

#endif
