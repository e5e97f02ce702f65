/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_LOOP_RELAYS_H
#define DISPATCHD_LOOP_RELAYS_H

#include "dispatchd/mailer/pool.h"

/* Logs when a relay goes down and when it is up again: one line each, however often it is tried in
 * between. So, too, when many mails in a row have failed at it, again at each tenfold of them, and
 * when it delivers again. */
struct relays {
	struct {
		char name[sizeof(((struct pool_relay *)0)->name)];
		bool down;         /* and the log has it */
		uint64_t failures; /* in a row, when last logged; 0: not logged */
		struct instant since;
	} seen[RELAYS_MAX];
	size_t n;
};

/* Checks them all; to be called now and then. `{0}` is how it begins: a relay counts as up until it
 * is seen down. */
void relays_check(struct relays *relays, struct pool *pool);

#endif
