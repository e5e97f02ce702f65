/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_BASE_CTL_H
#define DISPATCHCTL_BASE_CTL_H

#include "base/instant.h"
#include "base/zone.h"
#include "dispatchctl/base/command.h"
#include "dispatchctl/show/output.h"

#include <jansson.h>
#include <stdint.h>

struct settings;
struct customers;

struct ctl_given { /* an option as it was given */
	const char *name, *value;
};

/*
 * One run of dispatchctl: what was asked, and what a command needs to answer. All memory that a
 * command takes for itself comes from the arena, which goes with the run.
 */
struct ctl {
	struct arena *arena;
	const struct noun *noun;
	const struct command *command;
	const char **args;
	size_t n_args;
	struct ctl_given *given;
	size_t n_given;

	bool json, yes, help, version;
	const char *as, *config;

	struct settings *settings; /* where the command uses any */
	struct instant now;
	struct zones *zones;
	struct output *out;
	struct customers *store; /* once opened: store_open() */
	int status; /* the exit status where the command succeeded: `check` says 1 where it found
	               something */
};

/* The value of an option; NULL where it wasn't given ("" for one that takes none). */
const char *ctl_option(const struct ctl *ctl, const char *name);
/* A whole number from `min` to `max`; `*ret` is left alone where the option wasn't given. */
bool ctl_option_number(const struct ctl *ctl, const char *name, int64_t min, int64_t max,
                       int64_t *ret, struct error *err) MUST_CHECK;
/* A day as day_read() takes it; the same where it wasn't given. */
bool ctl_option_day(const struct ctl *ctl, const char *name, const struct zone *zone,
                    struct day *ret, struct error *err) MUST_CHECK;
/* A time as time_read() takes it, by the host's zone; the same. */
bool ctl_option_time(const struct ctl *ctl, const char *name, struct instant *ret,
                     struct error *err) MUST_CHECK;
/* An argument by its place; NULL where it was left out. */
const char *ctl_arg(const struct ctl *ctl, size_t i);
/* An argument that has to be a record's id (a positive whole number). */
bool ctl_arg_id(const struct ctl *ctl, size_t i, int64_t *ret, struct error *err) MUST_CHECK;

/* "completed" is what people type; the contract's word is job.completed. Others stay as they are.
 */
const char *ctl_event_type(const struct ctl *ctl, const char *word);

/* "customers office" as a list that ends with NULL. */
const char *const *ctl_words(struct arena *arena, const char *words);

/* Whether to go on with what can't be undone: `--yes`, or the answer of the person at the terminal.
 */
bool ctl_confirm(const struct ctl *ctl, struct error *err, const char *question) MUST_CHECK;
/* The same for what is only worth a second thought: where nobody can be asked, it goes on. */
bool ctl_confirm_at_terminal(const struct ctl *ctl, struct error *err,
                             const char *question) MUST_CHECK;

/* `today`, `tomorrow`, `yesterday`, `+30d`, `-1d`, `2026-12-24`; `zone` says what today is. */
bool day_read(const char *text, struct instant now, const struct zone *zone, struct day *ret,
              struct error *err) MUST_CHECK;
/* RFC 3339, or `now`, `-2h`, `+30m`, or a day as above, which means its first instant. */
bool time_read(const char *text, struct instant now, const struct zone *zone, struct instant *ret,
               struct error *err) MUST_CHECK;

#endif
