/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_TURN_OUTPUT_H
#define ENGINE_TURN_OUTPUT_H

#include "base/instant.h"
#include "base/mem.h"
#include "mail/outgoing_mail.h"
#include "model/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spool_office_write;

/* A row of the spool's outbox that Redis is to get: XADD stream MAXLEN [~] maxlen * fields. */
struct publication {
	int64_t seq;   /* rising */
	int64_t job;   /* the spool's; 0: it is about none */
	size_t weight; /* spool_outcome_weight() */
	const char *stream;
	int64_t maxlen;                   /* 0: not trimmed */
	bool at_most;                     /* not one more than maxlen; else about so many */
	const struct entry_field *fields; /* its id, then what the contract names */
	size_t n_fields;
	bool taken; /* the publisher's own: Redis has it */
};

/* A batch of them, in order, one at least. It outlives its turn until Redis has all of it, so it
 * owns an arena of its own. */
struct publications {
	struct publications *next;
	struct arena *arena;
	struct publication *rows;
	size_t n;
	size_t weight; /* of all rows */
	bool again;    /* the first since turn_input.again */
};
struct publications *publications_new(size_t max); /* room for so many; none is there yet */
struct publications *publications_free(struct publications *publications); /* takes NULL */

/* Writes for customers.db, in order, one at least; owns its arena. */
struct office_writes {
	struct arena *arena;
	struct spool_office_write *rows; /* for office_writer_run() */
	size_t n;
};
struct office_writes *office_writes_free(struct office_writes *writes); /* takes NULL */

/* A line for the log; `level` as in syslog(3), with a message of model/message.h. */
struct turn_report {
	int level;
	bool each; /* a person's act, a delivery, or of a kind that has a limit already: it is
	            * logged, whatever was a short while ago */
	const char *text;
};

/*
 * What a turn gives: effects, to be carried out only once it is committed. Whoever carries one out
 * takes it from here; nothing between the engine and there copies it.
 *
 *   outgoing, recalled ─▶ mailers        publications ─▶ Redis        replies ─▶ who asked
 *   office_writes ─▶ office's thread     reports ─▶ log
 */
struct turn_output {
	/* whoever takes one of these over puts NULL in its place */
	struct outgoing_mail **outgoing;
	size_t n_outgoing, outgoing_bytes;
	struct publications *publications;   /* NULL: none */
	struct office_writes *office_writes; /* NULL: none */

	struct arena *arena; /* of all that follows, and the array `outgoing` */
	int64_t *recalled;   /* mails dispatched before: given back unless a mailer has begun */
	size_t n_recalled, cap_recalled;
	const char **replies; /* JSON texts, one for each command */
	int64_t office_sent;  /* the journal has the office's changes up to this one; 0: nothing new
	                       */
	struct turn_report *reports;
	size_t n_reports, cap_reports;
	struct instant next; /* when something will be due by the wall clock; or INSTANT_NEVER */
	bool more;           /* there is more to do now: turn again at once */
};

/* One more line for the log; `text` is copied. */
void turn_output_report(struct turn_output *out, int level, bool each, const char *text);
/* Frees what nobody took over; it is empty then. */
void turn_output_clear(struct turn_output *out);

#endif
