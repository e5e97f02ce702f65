/* SPDX-License-Identifier: MIT */
#ifndef RECORDS_CUSTOMERS_H
#define RECORDS_CUSTOMERS_H

#include "base/error.h"
#include "base/instant.h"
#include "base/mem.h"
#include "base/zone.h"
#include "db/db.h"
#include "model/customer.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * customers.db, the office's database: opened here, read here for the rules. What changes it and
 * what people look at is records/records.h. A `struct customers` belongs to one thread.
 */
struct customers;

/* As db_inspect() and db_open() say it. */
int64_t customers_schema_version(void); /* of the schema that this program has */
bool customers_inspect(const char *path, struct error *err) MUST_CHECK;
struct customers *customers_open(const char *path, enum db_mode mode, struct error *err) MUST_CHECK;
struct customers *customers_close(struct customers *customers); /* takes NULL; returns NULL */
struct db *customers_db(struct customers *customers);           /* still the store's */
struct zones *customers_zones(struct customers *customers);

/* Which database it is, "" where that was taken out of it. Copies have the same. */
bool customers_identity(struct customers *customers, char ret[IDENTITY_SIZE],
                        struct error *err) MUST_CHECK;
/* Gives one that has none a new one. */
bool customers_identify(struct customers *customers, struct error *err) MUST_CHECK;

/* A backup was put back: ids that were given since are left out, so that none is given twice, and
 * what the machine was in a cluster then isn't anymore. */
bool customers_jump(struct customers *customers, struct error *err) MUST_CHECK;

/* One view of the data for a whole turn (invariant 6). */
bool customers_begin_read(struct customers *customers, struct error *err) MUST_CHECK;
void customers_end_read(struct customers *customers);

/*
 * The customer of that number with its parents, their contacts, suspensions and hours, in `arena`;
 * NULL in *ret where there is none. What is not well formed in the database (edited by hand) is
 * passed over as if it weren't there; a suspension whose days or scopes can't be read holds for
 * everything and for good, and unreadable hours are closed, so that nobody is mailed by mistake.
 * Works within and without customers_begin_read().
 */
bool customers_load(struct customers *customers, struct arena *arena, const char *number,
                    const struct customer **ret, struct error *err) MUST_CHECK;

/* What else the customer has, in `arena`. */
bool customers_load_belongings(struct customers *customers, struct arena *arena,
                               const struct customer *customer, struct belongings *ret,
                               struct error *err) MUST_CHECK;

/* The address of a sales rep, in `arena`; "" where there is none of that name, or it has none. */
const char *customers_rep_email(struct customers *customers, const char *rep, struct arena *arena);

/* Customers' numbers that have changed, in order: those behind row `after` (0: all), in `arena`.
 * *ret_last is the latest row there is. */
struct renumbering {
	const char *before, *after;
	const char *contacts; /* that became others: [[id before, id after], …] as JSON; NULL for
	                         none */
};
bool customers_renumbered(struct customers *customers, int64_t after, struct arena *arena,
                          struct renumbering **ret, size_t *ret_n, int64_t *ret_last,
                          struct error *err) MUST_CHECK;

/* Numbers of customers that were erased, as above. */
bool customers_erased(struct customers *customers, int64_t after, struct arena *arena,
                      const char ***ret, size_t *ret_n, int64_t *ret_last,
                      struct error *err) MUST_CHECK;

/* When the last customer of that number was erased; INSTANT_NONE where none was. */
struct instant customers_erased_at(struct customers *customers, const char *number);

/* -- what has changed (customers_recheck.c) -- */

/*
 * How far somebody has followed the changes of what the rules see. A database that a backup was put
 * in the place of may have as many changes and another past: `mark` is the last change of the
 * history then, and the same row must be there.
 */
enum { CHANGE_MARK_SIZE = 128 };
struct change_point {
	int64_t seq;
	char mark[CHANGE_MARK_SIZE];
};
/* That of this moment. */
bool customers_change_point(struct customers *customers, struct change_point *ret,
                            struct error *err) MUST_CHECK;
/* Whether this database has that point in its past. */
bool customers_change_known(struct customers *customers, const struct change_point *point,
                            bool *ret, struct error *err) MUST_CHECK;
/* Whose changes they are, those behind `after`, at most `max` of them, no more than `max_numbers`.
 */
struct customer_changes {
	int64_t upto;         /* the last one that is in it; `after` where there is none */
	bool everybody;       /* something that holds for all, or more than `max_numbers` numbers */
	const char **numbers; /* of the customers and of their sites, and those that they had
	                         before; in the arena */
	size_t n_numbers;
};
bool customers_changes(struct customers *customers, int64_t after, size_t max, size_t max_numbers,
                       struct arena *arena, struct customer_changes *ret,
                       struct error *err) MUST_CHECK;

/*
 * Notes that a relay refused `address`, with its words. Does nothing where the contact is gone, has
 * another address by now, or is marked already, so it may be applied twice. A transaction of its
 * own.
 */
bool customers_mark_invalid(struct customers *customers, int64_t contact, const char *address,
                            struct instant when, const char *words, struct error *err) MUST_CHECK;

#endif
