/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_MAILER_RELAY_TEST_H
#define DISPATCHD_MAILER_RELAY_TEST_H

#include "base/error.h"
#include "dispatchd/mailer/pool.h"
#include "dispatchd/mailer/steps.h"
#include "mail/outgoing_mail.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * A test of the relays: a connection to each by the very code that carries mails, from where the
 * daemon runs and with its password, that notes each step. It is a question: no breaker, no rate,
 * no count and no mail knows of it.
 *
 *   pool_test_start() ──▶ a thread, a coroutine for each relay ──▶ the last one wakes
 *   the caller ──▶ pool_test_take()
 *
 * With a mail of its own, one coroutine tries relay after relay until one takes it.
 *
 * So a relay that doesn't answer holds up no other one, no mailer and not the caller. All of it
 * ends within RELAY_TEST_S, and one is under way at a time.
 */
enum { RELAY_TEST_S = 25 };

struct relay_test;

/*
 * Begins one. With `to`, a checked address, each relay is handed a test mail to it; NULL: MAIL and
 * RCPT alone, to the address of `[mail] from`, and RSET. With `mail` (NULL: none), which is taken
 * over in any case, that goes to its own `to`, rendered by the templates in force. `wake` is called
 * once the result is there, from any thread: it must only post a wake-up. Codes: 75 while another
 * one is under way or the daemon stops, 78 without any relay (mails go to a Maildir).
 */
bool pool_test_start(struct pool *pool, const char *to, struct outgoing_mail *mail, pool_wake *wake,
                     void *arg, struct error *err) MUST_CHECK;
/* The one that has ended; NULL where none has. The caller's. */
struct relay_test *pool_test_take(struct pool *pool);
struct relay_test *relay_test_free(struct relay_test *test); /* takes NULL; returns NULL */

/* What it found of the i-th relay that was tried, in the order of the configuration; false beyond
 * the last. As long as the test. */
struct relay_test_row {
	const char *relay;         /* as configured */
	bool ok;                   /* it took the mail, or the address */
	const struct steps *steps; /* the last of them say why not */
};
bool relay_test_row(const struct relay_test *test, size_t i, struct relay_test_row *ret);
/* The address that was given; "" for none. */
const char *relay_test_to(const struct relay_test *test);

#endif
