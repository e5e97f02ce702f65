/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_OFFICE_WRITER_H
#define ENGINE_OFFICE_WRITER_H

#include "base/error.h"
#include "base/instant.h"
#include "spool/spool.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* Writes customers.db for the engine: called on a thread of its own, with its own connection. */
struct office_writer;
/* As known_open(). */
struct office_writer *office_writer_open(const char *path, const char *spool_path,
                                         struct error *err) MUST_CHECK;
/* Statements end once *stop is true, which must outlive the writer. */
void office_writer_set_stop(struct office_writer *writer, const atomic_bool *stop);
struct office_writer *office_writer_close(struct office_writer *writer);

/* What became of an office write. */
struct office_write_result {
	int64_t seq;
	bool refused; /* it can never be done: `text` says why; an entry of the feed is dead then */
	char text[320];
};

/*
 * Carries office writes out in order, one result each. Stops where customers.db is locked or
 * broken, with `err` set: the rest is to be tried again later. Returns how many results there are.
 */
size_t office_writer_run(struct office_writer *writer, const struct spool_office_write *rows,
                         size_t n, struct instant now, struct office_write_result *ret,
                         struct error *err);

/* The journal of a cluster has the office's changes up to that one: they go. False as
 * office_writer_run() stops. */
bool office_writer_drop(struct office_writer *writer, int64_t upto, struct error *err) MUST_CHECK;

#endif
