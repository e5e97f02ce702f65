/* SPDX-License-Identifier: MIT */
#ifndef MAIL_CONTEXT_H
#define MAIL_CONTEXT_H

#include "base/error.h"
#include "base/jsonview.h"
#include "base/mem.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * What templates see of a mail (contract, section 5), as the engine records it with the mail, in
 * one of two forms. In full, as older versions wrote it for all mails: the object that templates
 * see. Or short, with each thing once, which context_read() makes the same object of:
 *
 *   {"v": 1,
 *    "event": {…},       id, source, type, time, job, customer: as templates see them. And `state`:
 *                        the job's, for `job`, `jobs` and `timeline`; not in `event` itself
 *    "data": {…},        the event's, as it was published
 *    "customer": {…},    with `timezone`; not there where the customer is unknown
 *    "window": {…},      arrive_by, leave_by, all_day; not there where there is none
 *    "history": […],     all events of the job by time; not there where this one is the only one
 *    "events": [{…}, …], of a mail about several events, the others: each with its event, data,
 *                        customer (not there: as above; `{}`: unknown), window and history
 *    "contact": {…}, "company": {…}, "suspension": {…},      as they are
 *    "report": {…},                                           in the office's mail about one
 *    "choice": {…},                                           in the answer to a wish for fewer
 * mails "bounce": {…}}      of a mail to a contact, where [bounce] address is set: address,
 * delimiter, url, replies (mail/mail_tokens.h); templates don't see it
 *
 * An entry of `history` has the names of `timeline`: event, state, type, time; its `data` (`{}`
 * where it has none or was left out), but for the event itself, whose data is above; and
 * `"repeat": true` where it is not in the timeline. What has no value is not there. All names but
 * `v` and `event` may be missing.
 */

/*
 * Reads either form, and adds what context_complete() adds. NULL where it isn't JSON (code 65).
 * Lives in the arena and by `text`, which ends with a NUL.
 */
const struct jsonview *context_read(struct arena *arena, const char *text,
                                    struct error *err) MUST_CHECK;

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
