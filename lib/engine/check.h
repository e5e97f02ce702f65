/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_CHECK_H
#define ENGINE_CHECK_H

#include "base/error.h"
#include "base/instant.h"
#include "model/settings.h"
#include "spool/spool.h"

#include <jansson.h>
#include <stdatomic.h>

/*
 * What the office would want to know before a customer complains: customers nobody can be mailed
 * for, calendars that never open, suspensions that were forgotten, zones and locales that don't
 * exist, template variables that nothing provides. Reads customers.db and the templates, changes
 * nothing.
 */

enum { CHECK_FORGOTTEN_DAYS = 90 };

/*
 * *ret is an array of findings, the caller's: each an object with `finding` (unreachable,
 * same_address, never_open, forgotten, timezone, locale, template, sender), `text` (a sentence),
 * and `customer` (with its `name`), `contact`, `suspension` (with `from` and `note`) or `file`
 * where it is about one; of an unreachable one `why` (no_contact, none_wanted, no_address,
 * all_refused), of a shared one the `address`. With very many customers it takes its time: once
 * another thread has set `stop` (NULL: nobody does) it ends with 75.
 */
bool check_all(const struct settings *settings, struct instant now, const atomic_bool *stop,
               json_t **ret, struct error *err) MUST_CHECK;

/* The findings `template` alone. */
bool check_template_set(const struct settings *settings, json_t **ret,
                        struct error *err) MUST_CHECK;

/* Adds the finding `relay` where the last mails all failed: by what the daemon answers to `status`,
 * NULL where it is away, else by the spool. */
bool check_relays(const json_t *status, struct spool *spool, json_t *findings,
                  struct error *err) MUST_CHECK;

/* Puts the finding `paused` in front where sending is paused and mails that are due wait for its
 * end. */
bool check_pause(struct spool *spool, struct instant now, json_t *findings,
                 struct error *err) MUST_CHECK;
/* Adds `refusals` where the office was alarmed in the last day that mail servers refuse mails, and
 * `busy` for each address (with its `contact`) that another busy day may mark. */
bool check_reports(struct spool *spool, struct instant now, json_t *findings,
                   struct error *err) MUST_CHECK;

#endif
