/* SPDX-License-Identifier: MIT */
#ifndef CENTER_PAGES_COMMAND_H
#define CENTER_PAGES_COMMAND_H

#include "center/entry/call.h"

#include <jansson.h>

/*
 * "dispatchctl mail retry 17": the command that does what a page does, for {{> command}}. Of the
 * words behind it, up to a NULL, each is quoted as a shell needs it. In the request's arena.
 */
const char *command_text(const struct call *call, ...) __attribute__((sentinel));
/* The same of an array of them. */
const char *command_of(const struct call *call, const char *const *words, size_t n);
/*
 * Likewise of words that people have chosen: noun, verb and arguments, and then the options with
 * their values, arrays of strings that it takes over; `options` may be NULL. Where an argument
 * begins with a dash, the arguments go behind the options and "--". The noun "user" is
 * dispatch-center's.
 */
const char *command_line(const struct call *call, json_t *words, json_t *options);
/* A field's option: "--postal-code". In the request's arena. */
const char *command_option(const struct call *call, const char *field);
/* Appends it to an array of commands. */
void command_add(const struct call *call, json_t *commands, json_t *words, json_t *options);
/* {commands: [...]}, of those up to a NULL, for {{#fold}}{{> command}}{{/fold}}. */
json_t *command_fold(const char *command, ...) __attribute__((sentinel));

#endif
