/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_BASE_STORE_H
#define DISPATCHCTL_BASE_STORE_H

#include "dispatchctl/base/ctl.h"
#include "overview/overview.h"
#include "records/records.h"

/*
 * Opens customers.db for the command; *ret has the acting user: the login name of the real uid, or
 * the user of `--as`, which only managers may give (root, the owner of customers.db, [office]
 * managers). It is closed at the end of the run.
 */
bool store_open(struct ctl *ctl, enum db_mode mode, struct change_context *ret,
                struct error *err) MUST_CHECK;

/* The acting user, for commands that change the spool. */
bool actor_find(const struct ctl *ctl, struct actor *ret, struct error *err) MUST_CHECK;

/* The time zone of customers without one of their own; NULL for the host's. */
const char *store_default_zone(const struct ctl *ctl);

/* What lib/overview needs. Opens customers.db for reading if it isn't open, and does without it if
 * that fails. Valid until the end of the run. */
const struct overview *store_overview(struct ctl *ctl);

/* The sections of the configuration that these need. */
#define USES_STORE "customers spool.path office.managers rules.timezone"

#endif
