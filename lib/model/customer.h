/* SPDX-License-Identifier: MIT */
#ifndef MODEL_CUSTOMER_H
#define MODEL_CUSTOMER_H

#include "base/instant.h"
#include "base/mem.h"
#include "model/hours.h"
#include "model/words.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A customer as the rules see it: one record with its contacts, suspensions and hours, and its
 * chain of parents. Loaded whole by records/customers_load.c into an arena, never changed, thrown
 * away with the turn. Texts are "" where the record has none, never NULL.
 *
 * `texts` has every field of the record that a template sees, by its place in the table of kinds;
 * the members are those that the code reads by name, where their rows (`member` in kind.c) put
 * them.
 */
struct contact {
	int64_t id;
	const char *const *texts;
	const char *customer; /* the number of the record that it belongs to: an ancestor's for
	                         `all_sites` */
	const char *name;     /* put together where the record has only its parts */
	const char *first_name, *last_name;
	const char *email, *alt_email;
	struct instant email_invalid,
	        alt_email_invalid; /* when it was refused; INSTANT_NONE while it is good */
	const char *home_phone, *cell_phone, *work_phone;
	const char *locale;
	const char *link; /* what its signed links are bound to (mail/token.h); "": nothing */
	unsigned notify;  /* JOB_BIT of each state it wants */
	bool all_sites;
};

/* The address that a mail to the contact goes to now: the first one, or the alternate one where
 * that is missing or marked; "" where none is usable. *ret_reason is then REASON_NO_ADDRESS or
 * REASON_ADDRESS_INVALID, else REASON_OK. */
const char *contact_address(const struct contact *contact, enum reason *ret_reason);

struct suspension {
	int64_t id;
	const char *customer; /* whose record it is: the customer's own or an ancestor's */
	unsigned scopes;      /* SCOPE_… */
	struct day from;      /* holds from the first instant of this day */
	struct day until;     /* to the first instant of this one; DAY_NONE: indefinite */
	const char *note, *author;
};

struct asset {
	const char *kind, *serial, *position;
	const char *latitude, *longitude; /* degrees as decimal numbers */
	const char *plan_x, *plan_y;      /* on the plan, from 0 to 1; both or neither */
};

struct picture {
	int64_t id;
	const char *job; /* "" where it is of the customer */
	const char *name, *description, *type;
	bool plan; /* the one of the site */
};

struct customer {
	int64_t id;
	const char *const *texts;
	const char *number, *name, *status;
	const char *address, *city, *state, *postal_code, *country, *phone;
	const char *timezone, *locale, *reference, *sales_rep, *location_notes;
	const char *disclaimer;         /* a day */
	const struct contact *contacts; /* its own, by id */
	size_t n_contacts;
	const struct suspension *suspensions; /* its own that are not removed, by id */
	size_t n_suspensions;
	struct hours hours;                    /* its own */
	const struct hours_date *office_dates; /* the office's for everybody, by day; the customer's
	                                          alone that was asked for, not its parents' */
	size_t n_office_dates;
	const struct customer *parent; /* NULL at the top */
};

/* What a driver gets with a customer's job; no rule and no mail needs it. */
struct belongings {
	const struct asset *assets;
	size_t n_assets;
	const struct picture *pictures;
	size_t n_pictures;
	const char *const *urgent_notes;
	size_t n_urgent_notes;
	const char *const *documents;
	size_t n_documents;
};

enum { CUSTOMER_DEPTH_MAX = 8 };

/* The customer and its ancestors, nearest first; returns how many, never more than the longest
 * chain there is. */
size_t customer_chain(const struct customer *customer,
                      const struct customer *ret[CUSTOMER_DEPTH_MAX]);

/*
 * What a site takes from its ancestors where it says nothing itself (contract, section 4,
 * Inheritance). Texts are "" where nobody up the chain has one.
 */
const char *customer_timezone(const struct customer *customer);
const char *customer_locale(const struct customer *customer);
const char *customer_reference(const struct customer *customer);
const char *customer_location_notes(const struct customer *customer);
const char *customer_sales_rep(const struct customer *customer);
/* A field's text by its place in the table of kinds: the nearest that is set where the field is
 * inherited, else the record's own. */
const char *customer_text(const struct customer *customer, size_t field);

/* The weekly hours of the nearest that has any, with all dates of the chain, the nearest winning,
 * and the office's for everybody last. */
const struct hours *customer_hours(const struct customer *customer, struct arena *arena);

/* Its own contacts, then those of ancestors marked `all_sites`; an array in the arena. */
const struct contact *const *customer_contacts(const struct customer *customer, struct arena *arena,
                                               size_t *ret_n);
/* The one of them with that id; NULL where there is none, or no customer. */
const struct contact *customer_contact(const struct customer *customer, int64_t id);

/* The first up the chain that is not active; NULL where all are. */
const struct customer *customer_not_active(const struct customer *customer);

#endif
