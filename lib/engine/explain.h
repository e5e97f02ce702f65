/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_EXPLAIN_H
#define ENGINE_EXPLAIN_H

#include "base/buf.h"
#include "base/error.h"
#include "base/instant.h"
#include "model/settings.h"

#include <stddef.h>

/*
 * The answer to "why?": what the rules decide about one event at an instant, with today's records.
 * Opens both databases for reading, changes and sends nothing, needs neither Redis nor a daemon.
 *
 * One batch sees one view of the records: explain_open() begins it.
 */
struct explain;
struct explain *explain_open(const struct settings *settings, struct error *err) MUST_CHECK;
struct explain *explain_close(struct explain *explain);

/*
 * Appends the answer (contract, section 8) as one JSON object on one line, without a line break. An
 * event that is malformed or whose customer nobody knows is an answer, too. An event on record is
 * judged as it was then: with the time that it had, beside those that came before it, and says
 * `recorded`. False, code 65, where the text is not JSON, else where the databases can't be read.
 */
bool explain_event(struct explain *explain, const char *text, size_t len, struct instant at,
                   struct buf *ret, struct error *err) MUST_CHECK;

/* One line of a batch: {"at": TIME, "event": {…}}; `at` may be left out and is then `now`. Code 65
 * where the line is not that. */
bool explain_line(struct explain *explain, const char *line, size_t len, struct instant now,
                  struct buf *ret, struct error *err) MUST_CHECK;

#endif
