/* SPDX-License-Identifier: MIT */
#ifndef CENTER_PAGES_COMMAND_H
#define CENTER_PAGES_COMMAND_H

#include "center/entry/call.h"

/*
 * "dispatchctl mail retry 17": the command that does what a page does, for {{> command}}. Of the
 * words behind it, up to a NULL, each is quoted as a shell needs it. In the request's arena.
 */
const char *command_text(const struct call *call, ...) __attribute__((sentinel));
/* The same of an array of them. */
const char *command_of(const struct call *call, const char *const *words, size_t n);

#endif
