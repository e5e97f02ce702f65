/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_ENGINE_PRIVATE_H
#define ENGINE_ENGINE_PRIVATE_H

/* For lib/engine/ only: the engine between its steps. */

#include "base/zone.h"
#include "engine/changed.h"
#include "engine/engine.h"
#include "engine/in_flight.h"
#include "engine/limits.h"
#include "engine/mail_new.h"
#include "engine/report.h"
#include "engine/stats.h"
#include "mail/templates.h"
#include "mail/token.h"
#include "model/customer.h"
#include "records/customers.h"
#include "rules/rules.h"
#include "spool/spool.h"

struct customer_slot {
	const char *number;
	const struct customer *customer; /* NULL: there is none */
};
enum { CUSTOMER_SLOTS = 2048 };
struct customer_slots {
	struct customer_slot slots[CUSTOMER_SLOTS];
	size_t n;
};

struct kept_customers {
	struct customer_slots slots;
	struct arena *arena; /* of all that is in them */
};

/* What is not in customers.db yet: an address that was refused, its mark; or states that a contact
 * refuses mails about, or wants them about again. */
struct refusal {
	struct refusal *next;
	int64_t contact;
	const char *address; /* "": states */
	unsigned off, on;
	struct instant at;
};

/* Contacts that have an address which was busy lately, in order (bounce_strikes.c). */
struct struck {
	int64_t *contacts;
	size_t n, cap;
};

struct engine {
	const struct settings *settings;
	struct spool *spool;
	struct customers *customers;
	struct zones *zones;
	int lock_fd;
	int owner_fd;                         /* held while the journal is ours; -1: not held */
	const struct engine_journal *journal; /* NULL: no cluster */
	bool appended;                        /* the journal has the current turn */
	bool journal_over;                    /* it takes no further turn from here */
	/* The office's last change that the journal has; that the current turn gives it. */
	int64_t office_sent, office_new;
	char *from_domain;
	struct templates *templates; /* those in use; NULL: none is known */
	bool templates_kept;         /* in the spool, as of the last commit */

	int64_t handed;      /* the last outcome given to be published */
	bool again;          /* the next ones are the first since turn_input.again */
	int64_t published;   /* the last one that Redis has, as of the last commit */
	int64_t unpublished; /* how many outcomes Redis hasn't got, as of the last turn */
	int64_t opened;      /* the last outcome of earlier processes */
	struct published_at_start at_start;

	atomic_bool interrupted; /* by engine_interrupt() */
	int64_t customers_version;
	char rules[FOLLOWED_RULES_SIZE]; /* what the rules go by besides customers.db */
	bool recheck_all; /* another customers.db is used: what is known of its changes is void */
	bool away;    /* `customers` is an empty one in memory: there was no file at the start */
	bool lacks;   /* the last turn failed for want of the known customers.db */
	bool spoiled; /* its file was written into while open: unused until another is there */
	bool erased;  /* words were: the WAL has them still */
	bool paused;  /* no mail goes out; of the current turn, and as of the last commit */
	bool paused_before;
	struct instant first_due; /* of the mails that waited at the end of the last turn */
	bool redirect_new;        /* [mail] redirect_to may be another than the spool knows */
	size_t left; /* mails that the last turn couldn't dispatch for lack of room, about */
	struct spool_known known; /* the customers.db that the spool knows, as of the last commit */
	struct spool_known seen;  /* the one that this turn sees */

	struct instant last; /* `now` and `tick` of the last turn that was committed */
	struct tick last_tick;
	/* When the first customer who isn't in customers.db yet was published. */
	struct instant feed_oldest;
	struct sweeps sweeps, sweeps_before; /* now; as of the last commit */
	int64_t purged_ms;                   /* when old records were last looked for */
	bool purging;                        /* and more of them are left */
	struct instant list_again;        /* new jobs by their customers: when the next of them */
	struct stats stats, stats_before; /* now; as of the turn's beginning */
	struct report_minute minutes[REPORT_KINDS];
	/* Mails at which a relay failed, in order of their ids: dispatched after the others. */
	int64_t *yielding;
	size_t n_yielding, cap_yielding;
	struct in_flight *in_flight;
	struct limits limits;
	/* reports about mails */
	struct token_keys token_keys;
	struct struck struck;
	struct instant last_early; /* when one came before its mail's result */
	int64_t searches_began_ms; /* for mails by their Message-ID, in this hour */
	int n_searches;
	/* As they are in customers.db, those loaded last and those before: customer_cache.c. */
	struct kept_customers kept, kept_before;

	/* of the current turn */
	const struct turn_input *in;
	struct turn_output *out;
	struct arena *arena; /* gone when the turn ends; what `out` has is in arenas of its own */
	struct instant now;
	bool customers_came;                      /* customers.db changed since the last turn */
	struct refusal *refusals, **refusals_end; /* in their order */
	struct customer_slots seen_customers;     /* as this turn sees them */
	struct new_mails new_mails;
};

#endif
