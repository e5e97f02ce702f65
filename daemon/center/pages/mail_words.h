/* SPDX-License-Identifier: MIT */
#ifndef CENTER_PAGES_MAIL_WORDS_H
#define CENTER_PAGES_MAIL_WORDS_H

#include "center/entry/call.h"

#include <jansson.h>

/*
 * Adds to a mail of the spool what pages say of it: `why` (the reason, where it says more than the
 * status), `at` (when it is due, of one that waits; else when it took its status), `trouble` (the
 * server's words, unless it was sent), `of_jobs` [{job}], `waits`, `may_retry`, `may_cancel`. Times
 * are by the customer's clock, where overview/local_times.h has added them.
 */
void mail_words_add(const struct call *call, json_t *mail);

/* A time of a row in words: by its customer's clock where `local` has it; "" where there is none.
 */
const char *mail_words_time(const struct call *call, const json_t *row, const char *key);

/* The same in a list of many customers' rows: with the place of the clock where it isn't the
 * office's. */
const char *mail_words_listed(const struct call *call, const json_t *row, const char *key);

/* What an outcome says, {at, status, why, job, mail, to, text}: `text` is the server's words, or a
 * note. The caller's. */
json_t *mail_words_step(const struct call *call, const json_t *outcome);

#endif
