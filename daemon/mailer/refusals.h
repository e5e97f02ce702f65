/* SPDX-License-Identifier: MIT */
#ifndef MAILER_REFUSALS_H
#define MAILER_REFUSALS_H

#include "mail/failure.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * "Ten different recipients in a row refused in the same words" is the relay's fault, not theirs (a
 * relay that no longer takes our mail says 550 to each). So refusals of addresses in the same words
 * are held back until it is clear which of the two it is:
 *
 *     a refusal in other words, any other result of a mail, nothing for hold_ms ──▶ all go out as they are
 *     the tenth recipient in the same words ──▶ all ten go out as DELIVERY_RELAY, the relay rests
 *
 * The row goes on after the tenth: an eleventh in the same words, be it from a connection that was open or
 * the one that tries the relay after its rest, is the relay's fault too, until any other result ends the row.
 *
 * A connection that ends in between is no result: some relays hang up after so many refusals. Then hold_ms
 * counts from the end of the relay's rest (warden.c).
 *
 * What that can do: a refusal is at most nine others and hold_ms late. A relay that refuses all
 * costs no mail and marks no address. Ten addresses in a row that really don't exist, on a server
 * that says the same of each, cost a rest; their mails come again. Lest they come first again and
 * again, they are remembered as suspects, and mailers take other letters first. As soon as one of
 * those is delivered, it wasn't the relay, or is no more: a suspect's next refusal goes out at once as what
 * it is.
 *
 * The address itself, where the server repeats it, doesn't make words different.
 */
enum { REFUSALS_TRIP = 10, REFUSALS_HELD = 12, REFUSALS_SUSPECTS = 128 };

struct refusals {
	char words[DELIVERY_REPLY_MAX];
	struct delivery_result held[REFUSALS_HELD]; /* in the order in which they came */
	size_t n_held;
	int64_t last_ms;
	bool in_row; /* ten were refused in these words, and nothing else came since */
	uint64_t suspects[REFUSALS_SUSPECTS]; /* recipients' hashes */
	size_t n_suspects;
	bool convicted; /* a mail was delivered since they were caught */
};

/*
 * Takes note of a result and tells which results may go out now: `ret_out` has room for
 * REFUSALS_HELD + 1. `*ret_tripped` says that the tenth came.
 */
size_t refusals_add(struct refusals *refusals, const struct delivery_result *result, int64_t now_ms,
                    struct delivery_result *ret_out, bool *ret_tripped);

/* All that is held, as it is; as the relay's fault where it goes on with a row of ten. */
size_t refusals_flush(struct refusals *refusals, struct delivery_result *ret_out);

/* Whether another letter should be taken first. */
bool refusals_suspect(const struct refusals *refusals, const char *to);

#endif
