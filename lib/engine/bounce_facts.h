/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_BOUNCE_FACTS_H
#define ENGINE_BOUNCE_FACTS_H

#include "base/error.h"
#include "base/mem.h"
#include "mail/report.h"
#include "mail/token.h"
#include "spool/spool_bounce.h"

#include <jansson.h>

/*
 * What a request says of a report (`bounce.take`):
 *
 *   {"do": "bounce.take",
 *    "recipient": to whom it came, "sender": its envelope sender; both may be "",
 *    "facts": {"kind", "recipients": [{"address", "action", "status", "diagnostic", "verdict"}],
 *              "message_id", "token", "envelope_id", "from", "all",
 *              "own_id": Message-ID of the mail that came, "automatic": a program may have sent it,
 *              "queue_ids": [under which the relay had it, as the report says],
 *              "digest": 64 hex digits, of the report itself},
 *    "reply": {"subject", "from", "bytes", "text"}}
 *
 * What is missing or of another type counts as empty, and a text that is too long is cut: the facts
 * are somebody else's.
 */

struct bounce_recipient {
	const char *address, *code, *text;
	enum mail_report_verdict verdict;
};

enum { BOUNCE_RECIPIENTS_MAX = 50, BOUNCE_QUEUE_IDS_MAX = 16, BOUNCE_TEXT_MAX = 1000 };

struct bounce_facts {
	enum mail_report_kind kind;
	struct bounce_recipient recipients[BOUNCE_RECIPIENTS_MAX];
	size_t n_recipients;
	const char *recipient;  /* to whom it came */
	const char *sender;     /* its envelope sender, else who wrote it */
	const char *token;      /* of the mail that it returns, its text; "" */
	const char *message_id; /* of the mail that it is about; without brackets */
	const char *envelope_id;
	const char *queue_ids[BOUNCE_QUEUE_IDS_MAX];
	size_t n_queue_ids;
	const char *own_id; /* Message-ID of the mail that came; without brackets */
	bool automatic;     /* a program may have sent it, or it isn't said that none did */
	bool all;           /* an opt-out of all states */
	unsigned char digest[BOUNCE_DIGEST_SIZE];
};

/* Texts are in the arena. Codes: 65 where there are no facts, or they are of no known kind. */
bool bounce_facts_read(const json_t *request, struct arena *arena, struct bounce_facts *ret,
                       struct error *err) MUST_CHECK;

/*
 * The recipient that counts for a mail to `address`: the one of that address; where that isn't
 * among them (it was forwarded), the only one, or of several the one with the mildest verdict. NULL
 * where there is none.
 */
const struct bounce_recipient *bounce_facts_recipient(const struct bounce_facts *facts,
                                                      const char *address);

/* At most `max` bytes of a text in the arena, cut between characters; "" for NULL. */
const char *bounce_text(struct arena *arena, const char *text, size_t max);

#endif
