/* SPDX-License-Identifier: MIT */
#ifndef CENTER_PAGES_FORM_COMMAND_H
#define CENTER_PAGES_FORM_COMMAND_H

#include "center/entry/call.h"
#include "model/kind.h"

#include <jansson.h>

/*
 * The command that does what saving a record's form does, for {{#fold}}{{> command}}{{/fold}}
 * beside the form: {commands, follow {how, words, field, again}}. With what the form shows, each
 * of its fields an option; command.js keeps it true as one types. What is missing, and secrets, are
 * in it as a word in capitals. `inputs` are those of form_inputs(). The caller's.
 */

/* Adding one; `owner` NULL: it belongs to none. */
json_t *form_command_add(const struct call *call, const struct kind *kind, const char *owner,
                         const json_t *inputs);
/* Changing the record of that name; `again`: the form shows what was typed, not what is stored. */
json_t *form_command_set(const struct call *call, const struct kind *kind, const char *name,
                         const json_t *inputs, bool again);
/* What command.js has to know of a form that adds something, for `follow`: the words before those
 * of the form, and the field that is an argument (NULL for none). The caller's. */
json_t *form_command_follow(const json_t *words, const char *field);
/* Removing it; `record` as records_show() has it. */
const char *form_command_remove(const struct call *call, const struct kind *kind, const char *name,
                                const json_t *record);

#endif
