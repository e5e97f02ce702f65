/* SPDX-License-Identifier: MIT */
#ifndef MAIL_CONTEXT_H
#define MAIL_CONTEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Adds what a template can't work out itself, since Mustache neither counts nor compares:
 * `job.history` is true if the timeline has more than one state, `job.grouped` if there is more
 * than one job, and each entry of `timeline` and `jobs` has a member named after its state that is
 * true (`{{#completed}}done{{/completed}}`).
 */
void context_complete(json_t *context);

/* Whether a name, in full ("job.reference", "jobs.time"), is one that the product provides or that
 * a publisher is expected to (contract, section 2). Others may still come in an event's data. */
bool context_provides(const char *name);

/*
 * What such a name takes from an event's data where it isn't provided: of "event.data.gate_code"
 * and "job.gate_code.first" it is "gate_code". Returns its length, *ret points into the name; 0
 * where it can't come from there.
 */
size_t context_data_member(const char *name, const char **ret);

/* Calls `fn` with all of them. */
void context_each_name(void (*fn)(void *arg, const char *name), void *arg);

#endif
