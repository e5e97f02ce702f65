/* SPDX-License-Identifier: MIT */
#ifndef CENTER_ENTRY_STORES_H
#define CENTER_ENTRY_STORES_H

#include "base/error.h"
#include "base/zone.h"
#include "center/trust/accounts.h"
#include "model/settings.h"
#include "overview/overview.h"
#include "records/records.h"
#include "spool/spool.h"

/*
 * The databases of one server thread. Each is opened at first use; customers.db is reopened after
 * its file was replaced. Not to be shared between threads.
 */
struct stores;

struct stores *stores_new(const struct settings *settings);
struct stores *stores_free(struct stores *stores); /* takes NULL; returns NULL */

const struct settings *stores_settings(const struct stores *stores);
/* Each NULL with a fault where it can't be opened. */
struct accounts *stores_accounts(struct stores *stores, struct error *err) MUST_CHECK;
struct customers *stores_customers(struct stores *stores, struct error *err) MUST_CHECK;
/* For reading alone: an absent one counts as empty. */
struct spool *stores_spool(struct stores *stores, struct error *err) MUST_CHECK;
/* What lib/overview wants to know; false where customers.db can't be opened. */
bool stores_overview(struct stores *stores, struct arena *arena, struct instant now,
                     struct overview *ret, struct error *err) MUST_CHECK;
/* The time zone of customers that set none; NULL for the host's. */
const char *stores_default_zone(const struct stores *stores);

/* The time zones that were needed so far. */
struct zones *stores_zones(struct stores *stores);

/* Which other process is writing to customers.db now, as "dispatchctl (user sam)"; NULL where none
 * is. In the arena. */
const char *stores_writer(struct stores *stores, struct arena *arena);

#endif
