/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_NOUNS_PROBLEMS_H
#define DISPATCHCTL_NOUNS_PROBLEMS_H

#include "dispatchctl/base/ctl.h"

/*
 * What is wrong, the worst first, of what `status` found (`state`) and what can be seen beside the
 * daemon: a new list of {"problem", "text", "since" (a time, or left out), "do"}. `do` is a command
 * or a place to look.
 */
json_t *problems_find(const struct ctl *ctl, const json_t *state);

/* For a person, with an empty line after each; nothing where there is none. */
void problems_print(struct ctl *ctl, const json_t *problems, const json_t *state);

#endif
