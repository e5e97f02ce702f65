/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_BASE_COMMAND_OPTIONS_H
#define DISPATCHCTL_BASE_COMMAND_OPTIONS_H

#include "dispatchctl/base/command.h"
#include "model/kind.h"

/*
 * The options of a command and those of its record kind's fields, ending with a row without a name.
 * The field postal_code is the option `--postal-code`; a flag's value may be left out:
 * `--urgent` is `--urgent yes`. In the arena.
 */
const struct option *command_options(const struct command *command, struct arena *arena);
/* An option's value with the states of a job in place of OPTION_JOB_STATE. In the arena. */
const char *option_value(const char *value, struct arena *arena);
/* Those that any command takes. */
extern const struct option options_global[];
/* By name, `len` bytes of it; NULL where it isn't in the list. `options` may be NULL. */
const struct option *option_find(const struct option *options, const char *name, size_t len);

/* Whether the field is one of the command's options. */
bool command_takes_field(const struct command *command, const struct field *field);

#endif
