/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_BOUNCE_SUBJECT_H
#define ENGINE_BOUNCE_SUBJECT_H

#include "base/error.h"
#include "engine/bounce_facts.h"
#include "records/contact_choice.h"
#include "spool/spool.h"

#include <stdbool.h>

struct engine;

/* What a report is about. */
struct bounce_subject {
	bool has_token;               /* one that is signed; else it was matched, or isn't known */
	struct token token;           /* that one */
	struct contact_choice choice; /* whose opt-out token it is, if it is one */
	bool known;                   /* the mail is, for sure */
	struct spool_mail mail;       /* if it is */
	const char *address;          /* to which it went then, or was to go */
	bool redirected;              /* it went elsewhere, by [mail] redirect_to */
	const char *why; /* it is known without a token: matched. Or nothing may come of it:
	                    no_token, forged, old, other_kind, unproven, too_many. "" else */
};

/*
 * Finds it: by the token in the address where the report came, else by that of the mail which it
 * returns, else by the envelope's id or the Message-ID of a mail of the last 14 days. The latter
 * proves nothing by itself: what the report says of recipient and relay must agree with what is on
 * record, and at most BOUNCE_MATCHED_MAX an hour may do anything.
 */
enum { BOUNCE_MATCHED_MAX = 5 };
void engine_bounce_find(struct engine *engine, const struct bounce_facts *facts,
                        struct bounce_subject *ret);

#endif
