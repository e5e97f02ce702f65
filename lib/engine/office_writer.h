/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_OFFICE_WRITER_H
#define ENGINE_OFFICE_WRITER_H

#include "base/error.h"
#include "base/instant.h"
#include "spool/spool.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* Chores for customers.db: called on a thread of its own, with its own connection. */
struct chores;
/* As known_open(). */
struct chores *chores_open(const char *path, const char *spool_path, struct error *err) MUST_CHECK;
/* Statements end once *stop is true, which must outlive the chores. */
void chores_set_stop(struct chores *chores, const atomic_bool *stop);
struct chores *chores_close(struct chores *chores);

/* What became of a chore. */
struct chore_result {
	int64_t seq;
	bool refused; /* it can never be done: `text` says why (an entry of the feed then is a dead letter) */
	char text[320];
};

/*
 * Carries chores out in order, one result each. Stops where customers.db is locked or broken, with
 * `err` set: the rest is to be tried again later. Returns how many results there are.
 */
size_t chores_run(struct chores *chores, const struct spool_chore *rows, size_t n, struct instant now,
                  struct chore_result *ret, struct error *err);

#endif
