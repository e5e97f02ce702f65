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

struct ctl_given { /* an option as given */
	const char *name, *value;
};

/*
 * One run of dispatchctl: the command line, and what a command needs to run. All memory that a
 * command allocates comes from the arena, which is freed at the end of the run.
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
	int status; /* the exit status on success; `check` sets 1 if it found something */
};

/* The value of an option; NULL if it wasn't given ("" if it takes none). */
const char *ctl_option(const struct ctl *ctl, const char *name);
/* An integer from `min` to `max`; `*ret` is unchanged if the option wasn't given. */
bool ctl_option_number(const struct ctl *ctl, const char *name, int64_t min, int64_t max,
                       int64_t *ret, struct error *err) MUST_CHECK;
/* A day as day_read() takes it; `*ret` is unchanged if it wasn't given. */
bool ctl_option_day(const struct ctl *ctl, const char *name, const struct zone *zone,
                    struct day *ret, struct error *err) MUST_CHECK;
/* A time as time_read() takes it, in the host's zone; likewise. */
bool ctl_option_time(const struct ctl *ctl, const char *name, struct instant *ret,
                     struct error *err) MUST_CHECK;
/* An argument by position; NULL if it was left out. */
const char *ctl_arg(const struct ctl *ctl, size_t i);
/* An argument that has to be a record's id (a positive integer). */
bool ctl_arg_id(const struct ctl *ctl, size_t i, int64_t *ret, struct error *err) MUST_CHECK;

/* People type "completed"; the contract's word is job.completed. Other words are returned as is. */
const char *ctl_event_type(const struct ctl *ctl, const char *word);

/* "customers office" as a list that ends with NULL. */
const char *const *ctl_words(struct arena *arena, const char *words);

/* Asks before something that can't be undone. True with `--yes` or if the person agrees. */
bool ctl_confirm(const struct ctl *ctl, struct error *err, const char *question) MUST_CHECK;
/* The same for less serious changes: true also without a terminal. */
bool ctl_confirm_at_terminal(const struct ctl *ctl, struct error *err,
                             const char *question) MUST_CHECK;

/* `today`, `tomorrow`, `yesterday`, `+30d`, `-1d`, `2026-12-24`; `zone` decides what today is. */
bool day_read(const char *text, struct instant now, const struct zone *zone, struct day *ret,
              struct error *err) MUST_CHECK;
/* RFC 3339, or `now`, `-2h`, `+30m`, or a day as above, which means its start. */
bool time_read(const char *text, struct instant now, const struct zone *zone, struct instant *ret,
               struct error *err) MUST_CHECK;

#endif
