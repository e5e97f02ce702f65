/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_ENGINE_PRIVATE_H
#define ENGINE_ENGINE_PRIVATE_H

/* For lib/engine/ only: the engine between its steps. */

#include "base/zone.h"
#include "engine/engine.h"
#include "engine/report.h"
#include "engine/stats.h"
#include "engine/sweep.h"
#include "model/customer.h"
#include "records/customers.h"
#include "rules/rules.h"

struct customer_slot {
	const char *number;
	const struct customer *customer; /* NULL: there is none */
};
enum { CUSTOMER_SLOTS = 1024 };

/* An address that was refused and whose mark is not in customers.db yet. */
struct refusal {
	struct refusal *next;
	int64_t contact;
	const char *address;
	struct instant at;
};

struct engine {
	const struct settings *settings;
	struct spool *spool;
	struct customers *customers;
	struct zones *zones;
	int lock_fd;
	char *from_domain;

	int64_t handed;          /* the last outcome given to be published */
	int64_t opened;          /* the last outcome of earlier processes */
	atomic_bool interrupted; /* by engine_interrupt() */
	int64_t customers_version;
	bool away;    /* `customers` is an empty one in memory: there was no file at the start */
	bool lacks;   /* the last turn failed for want of the known customers.db */
	bool spoiled; /* the file was written into while it was open: not used until another is
	                 there */
	struct spool_known known; /* the customers.db that the spool knows, as of the last commit */
	struct spool_known seen;  /* the one that this turn sees */
	int64_t unpublished;      /* how many outcomes Redis hasn't got, as of the last turn */
	struct instant feed_oldest; /* when the first customer who isn't in customers.db yet was
	                               published */
	struct sweeps sweeps, sweeps_before; /* now; as of the last commit */
	int64_t purged_ms;                   /* when old records were last looked for */
	struct stats stats, stats_before;    /* now; as of the turn's beginning */
	struct report_minute minutes[REPORT_KINDS];
	int64_t *yielding; /* mails at which a relay failed, in order of their ids: dispatched after
	                      the others */
	size_t n_yielding, cap_yielding;

	/* of the current turn */
	struct turn *turn;
	struct arena *arena;
	struct instant now;
	struct instant last; /* `now` and `tick` of the last turn that was committed */
	struct tick last_tick;
	struct refusal *refusals;
	struct customer_slot slots[CUSTOMER_SLOTS];
	size_t n_slots;
	bool erased;         /* words were: the WAL has them still */
	bool customers_came; /* customers.db changed since the last turn */
};

#endif
