/* SPDX-License-Identifier: MIT */
/* A commit by anybody raises SQLite's data_version for all other connections; what it was about is
 * read from the history of the records and from the spool's outcomes. */
#include "center/live/watch.h"

#include "base/mem.h"
#include "records/records.h"
#include "spool/spool_pause.h"
#include "spool/spool_read.h"

#include <stdlib.h>

enum { REOPEN_LOOKS = 20 }; /* about five seconds */

struct watcher {
	const struct settings *settings;
	live_event_fn *event;
	void *arg;
	struct customers *customers;
	struct spool *spool;
	int64_t customers_version, spool_version;
	int64_t last_change, last_outcome; /* -1: not known yet */
	int64_t pauses;                    /* the same */
	unsigned looks;
	bool any;
};

struct watcher *watcher_new(const struct settings *settings, live_event_fn *event, void *arg)
{
	struct watcher *watcher = mem_alloc(sizeof *watcher);
	*watcher = (struct watcher){.settings = settings,
	                            .event = event,
	                            .arg = arg,
	                            .last_change = -1,
	                            .last_outcome = -1,
	                            .pauses = -1};
	return watcher;
}

struct watcher *watcher_free(struct watcher *watcher)
{
	if (watcher == NULL)
		return NULL;
	(void)customers_close(watcher->customers);
	(void)spool_close(watcher->spool);
	free(watcher);
	return NULL;
}

static void report(struct watcher *watcher, enum live_topic topic, int64_t customer,
                   int64_t version)
{
	const struct live_event event = {.topic = topic, .customer = customer, .version = version};
	watcher->event(watcher->arg, &event);
	watcher->any = true;
}

/* -- customers.db ------------------------------------------------------------------------------ */

static void report_customer(struct watcher *watcher, int64_t id)
{
	struct error ignored;
	int64_t version = -1;
	if (id != 0 && !customer_version(watcher->customers, id, &version, &ignored))
		version = -1;
	report(watcher, LIVE_CUSTOMER, id, version);
}

static void look_at_changes(struct watcher *watcher)
{
	struct arena *arena = arena_new();
	struct error ignored;
	int64_t *ids, last;
	size_t n;
	if (changes_since(watcher->customers, watcher->last_change, arena, &ids, &n, &last,
	                  &ignored)) {
		for (size_t i = 0; i < n; i++)
			report_customer(watcher, ids[i]);
		/* Another file is in its place: anything may be different. */
		if (last < watcher->last_change)
			report(watcher, LIVE_CUSTOMER, 0, -1);
		watcher->last_change = last;
	}
	(void)arena_free(arena);
}

static bool is_replaced(struct watcher *watcher)
{
	bool clean;
	struct db *db = customers_db(watcher->customers);
	return db_in_memory(db) || db_replaced(db, &clean) || db_gone(db);
}

static void look_at_customers(struct watcher *watcher)
{
	struct error ignored;
	bool retry = watcher->looks % REOPEN_LOOKS == 0;
	if (watcher->customers && retry && is_replaced(watcher))
		watcher->customers = customers_close(watcher->customers);
	if (watcher->customers == NULL && retry) {
		watcher->customers =
		        customers_open(watcher->settings->customers.path, DB_READ, &ignored);
		watcher->customers_version = -2;
	}
	if (watcher->customers == NULL)
		return;
	int64_t version = db_data_version(customers_db(watcher->customers));
	if (version != watcher->customers_version)
		look_at_changes(watcher);
	watcher->customers_version = version;
}

/* -- spool.db ---------------------------------------------------------------------------------- */

static void report_number(struct watcher *watcher, struct arena *arena, const char *number)
{
	struct error ignored;
	const char *current;
	int64_t id;
	bool former;
	if (watcher->customers &&
	    customer_named(watcher->customers, number, arena, &id, &current, &former, &ignored))
		report_customer(watcher, id);
}

static void look_at_outcomes(struct watcher *watcher)
{
	struct spool_changes changes;
	struct arena *arena = arena_new();
	struct error ignored;
	if (spool_read_changes(watcher->spool, watcher->last_outcome, arena, &changes, &ignored)) {
		for (size_t i = 0; i < changes.n_customers && !changes.everybodys; i++)
			report_number(watcher, arena, changes.customers[i]);
		if (changes.everybodys)
			report(watcher, LIVE_CUSTOMER, 0, -1);
		if (changes.holds)
			report(watcher, LIVE_HOLDS, 0, -1);
		if (changes.mails)
			report(watcher, LIVE_MAILS, 0, -1);
		watcher->last_outcome = changes.last;
	}
	(void)arena_free(arena);
}

/* Whether somebody has paused or resumed sending, or both since the last look. */
static void look_at_pause(struct watcher *watcher)
{
	struct error ignored;
	int64_t pauses;
	if (!spool_read_pause_changes(watcher->spool, &pauses, &ignored))
		return;
	if (watcher->pauses >= 0 && pauses != watcher->pauses)
		report(watcher, LIVE_MAILS, 0, -1);
	watcher->pauses = pauses;
}

/* Reopened now and then: the daemon may have brought it up to date, or it may be another one. One
 * that is missing counts as empty. */
static void look_at_spool(struct watcher *watcher)
{
	struct error ignored;
	if (watcher->looks % REOPEN_LOOKS == 0) {
		watcher->spool = spool_close(watcher->spool);
		watcher->spool = spool_open(watcher->settings->spool.path, DB_READ, &ignored);
		watcher->spool_version = -2;
	}
	if (watcher->spool == NULL)
		return;
	int64_t version = spool_data_version(watcher->spool);
	if (version != watcher->spool_version) {
		look_at_outcomes(watcher);
		look_at_pause(watcher);
	}
	watcher->spool_version = version;
}

bool watcher_look(struct watcher *watcher)
{
	watcher->any = false;
	look_at_customers(watcher);
	look_at_spool(watcher);
	watcher->looks++;
	return watcher->any;
}
