/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_BASE_COMMAND_H
#define DISPATCHCTL_BASE_COMMAND_H

#include "base/error.h"
#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * What dispatchctl can do, one row a command. The row is the only place that knows the command:
 * parsing, help, completion, the manual's check and the settings to read all come from it.
 */
struct ctl;

/*
 * An option of a command. A value in brackets, `[yes|no]`, may be left out. What its value is
 * called in the help also says how it completes: NUMBER a customer, FILE a file, DAY a day, `a|b`
 * or `a,b,c` these words.
 */
#define OPTION_JOB_STATE "JOB-STATE" /* in front of `value`: any state of a job */
struct option {
	const char *name;  /* without the dashes */
	const char *value; /* NULL: it has no value */
	const char *help;
	char letter; /* the short spelling, "-c"; 0: none */
	bool many;   /* may be given more than once */
};

struct command {
	const char *verb;             /* NULL: the noun is the whole command, as `suspend` */
	const char *args;             /* "NUMBER [ID]"; a last one with `...` takes any number */
	const struct option *options; /* ends with a row without a name; may be NULL */
	const char *kind;    /* the kind of record that it is about, where `run` serves several */
	bool fields;         /* the kind's fields are options as well */
	const char *without; /* but these, which come as arguments: "number"; may be NULL */
	const char *uses; /* the settings' sections that it needs: "customers office"; NULL: none */
	const char *help; /* a sentence without a full stop */
	const char *more; /* further lines of help; may be NULL */
	const char *examples; /* lines without "dispatchctl " */
	bool (*run)(struct ctl *ctl, struct error *err);
};

struct noun {
	const char *name, *help;
	const struct command *commands;
	size_t n;
};

/* By verb; the only command of a noun without verbs is found by any. */
const struct command *command_find(const struct noun *noun, const char *verb,
                                   struct error *err) MUST_CHECK;
bool noun_has_verbs(const struct noun *noun);

/* How it is written, without "dispatchctl ": "customer add NUMBER". In the arena. */
const char *command_usage(const struct noun *noun, const struct command *command,
                          struct arena *arena);
/* The same without arguments: "customer add". */
const char *command_name(const struct noun *noun, const struct command *command,
                         struct arena *arena);

/* How many arguments `command->args` asks for at least and at most. */
void command_arg_range(const struct command *command, size_t *ret_min, size_t *ret_max);
/* The name of argument `i`: "NUMBER"; "" beyond the last. In the arena. */
const char *command_arg_name(const struct command *command, size_t i, struct arena *arena);

#endif
