/* SPDX-License-Identifier: MIT */
#ifndef RECORDS_RECORDS_H
#define RECORDS_RECORDS_H

#include "base/error.h"
#include "base/instant.h"
#include "model/kind.h"
#include "records/actor.h"
#include "records/customers.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * What people do with the office's records: the one place where a record is checked, changed and
 * its change recorded. dispatchctl, imports, the feed and the customer center use it.
 *
 * Values and results are JSON. Values are objects { field: value } with the fields of model/kind.h:
 * a text, a number, true/false, an array of words for a set, null or "" to clear; what isn't
 * mentioned stays. Results belong to the caller (json_decref). A field without a value is null.
 *
 * A record is named by `name`: a customer by its number, a rep and a system type by name, all
 * others by id. Errors: 65 bad values (the field is named), 66 no such record, 77 a manager's work,
 * and db_open()'s. Each function that changes something is one transaction of its
 * own, but between changes_begin() and changes_end().
 */

struct contents;

/* In place of a server's words, where a person marked an address (`email_invalid`). */
#define RECORDS_MARKED_BY_HAND "marked by hand"

/*
 * What somebody saw of a record before they changed it. Where both they and others have changed a
 * field since, to different values, records_set() changes nothing and fails (65), with `conflicts`
 * {field: {was, yours, theirs}}, the caller's. Else the changes merge: a value that is given as it
 * was seen takes nobody's change back.
 */
struct expected {
	int64_t version; /* as record_version() gave it */
	json_t *conflicts;
	/* May be NULL. Beside conflicts: of the values given, those that nobody's change stands
	 * against, for a form that is to be filled in again; the caller's. */
	json_t **ret_mine;
};

/* A transaction's circumstances: passed to everything that changes records. */
struct change_context {
	struct customers *store;
	struct actor actor;
	struct instant when;
	struct contents *contents; /* of an import of documents or pictures; NULL else */
	struct expected *expected; /* of records_set(); NULL: whatever is there */
};

/*
 * Several changes as one: what the functions below change between these two is committed at the
 * end, or, where one of them has failed or `good` is false, not at all. The database is locked for
 * others meanwhile. changes_end() is called once for each changes_begin() that was true; false
 * where nothing was committed; `err` stays as it is where `good` is false.
 */
bool changes_begin(struct customers *store, struct error *err) MUST_CHECK;
bool changes_end(struct customers *store, bool good, struct error *err) MUST_CHECK;

/* -- every kind (records.c) -------------------------------------------------------------------- */

/*
 * Adds one. `owner` names the record that it hangs on (a customer's number; a quote's or a sale's
 * id; a system type's name), NULL for kinds that hang on none. `customer` takes `email` and
 * `contact` besides its fields, for the first contact, and `hours` (as hours_show() gives them);
 * `system` takes the fields of its type; `quote` takes `items` and `sale` `payments`, arrays of
 * objects. *ret_id (may be NULL) is its id.
 */
bool records_add(const struct change_context *context, const struct kind *kind, const char *owner,
                 const json_t *values, int64_t *ret_id, struct error *err) MUST_CHECK;
bool records_set(const struct change_context *context, const struct kind *kind, const char *name,
                 const json_t *values, struct error *err) MUST_CHECK;
bool records_remove(const struct change_context *context, const struct kind *kind, const char *name,
                    struct error *err) MUST_CHECK;

/* One as an object: `id`, its owner (`customer`: the number; `quote`, `sale`, `system_type`), all
 * fields in the table's order; secrets as "******". A quote has `items` and `total`, a sale
 * `payments`, `paid` and `balance`, computed from them where it has a `contract_amount`. */
bool records_show(struct customers *store, const struct kind *kind, const char *name, json_t **ret,
                  struct error *err) MUST_CHECK;
/* All of an owner, or of everybody where it is NULL, as an array. */
bool records_list(struct customers *store, const struct kind *kind, const char *owner, json_t **ret,
                  struct error *err) MUST_CHECK;

/* The number of a record's last change; 0 where none is known. It grows with each. */
bool record_version(struct customers *store, const struct kind *kind, const char *name,
                    int64_t *ret, struct error *err) MUST_CHECK;

/* Every change to one, oldest first, as customer_history() gives them; of one that is gone too,
 * where it was called by its id. */
bool record_history(struct customers *store, const struct kind *kind, const char *name,
                    json_t **ret, struct error *err) MUST_CHECK;

/* Numbers or names that begin with `prefix`, at most `limit`, as an array of strings: for shell
 * completion. */
bool records_complete(struct customers *store, const struct kind *kind, const char *prefix,
                      int limit, json_t **ret, struct error *err) MUST_CHECK;

/* -- customers (record_customer.c) ------------------------------------------------------------- */

/* `release`, `approve`, `decline`, `deactivate`: the verbs of the status. */
bool customer_move(const struct change_context *context, const char *number, const char *verb,
                   struct error *err) MUST_CHECK;

/*
 * Makes all that hangs on `from` the customer `into`'s and takes `from` away; its number stays a
 * name of `into`. What `into` doesn't set itself it has from `from` then. Managers only. 65 for one
 * and the same, and for a customer and one of its sites.
 */
bool customer_merge(const struct change_context *context, const char *from, const char *into,
                    struct error *err) MUST_CHECK;
/*
 * Takes a customer's words out of the database for good: records, history, search, files. Its
 * number, ids, times, who did what and that it was erased stay. Managers only; 65 while it has
 * sites, or by a former number.
 */
bool customer_erase(const struct change_context *context, const char *number,
                    struct error *err) MUST_CHECK;
/* Whom `name` names; whether by a number that it had before (*ret_former), which doesn't justify
 * removing it. The number that it has now is in the arena. 66 where there is none. */
bool customer_named(struct customers *store, const char *name, struct arena *arena, int64_t *ret_id,
                    const char **ret_number, bool *ret_former, struct error *err) MUST_CHECK;

/* All there is: the fields, `former_numbers`, `sites` (numbers), `contacts`, `hours` (as
 * hours_show()), `suspensions`, `notes`, `comments`, `assets`, `systems`, `reps` (names, the first
 * first), `third_parties`, `activities`, `quotes`, `sales`, `documents`, `pictures`. */
bool customer_show(struct customers *store, const char *number, json_t **ret,
                   struct error *err) MUST_CHECK;

/* The numbers of the customer and of all sites below it, the nearer ones first. */
bool customer_below(struct customers *store, const char *number, json_t **ret,
                    struct error *err) MUST_CHECK;

/* record_version() of a customer by its id. */
bool customer_version(struct customers *store, int64_t id, int64_t *ret,
                      struct error *err) MUST_CHECK;
/* Fills `ret`, of `max`, from its second place with the ids above the customer, 0 behind the last
 * one. */
bool customer_ancestors(struct customers *store, int64_t id, int64_t *ret, size_t max,
                        struct error *err) MUST_CHECK;

/* number, name, dba, city, state, status, phone, sales_rep, suspended (whether a suspension of its
 * own or of an ancestor holds at `now`), by `sort` (a name of customer_sorts[], those without one
 * last, and then by number) or, where it is NULL or another word, by number; `rep` (first or
 * linked), `parent`, `status`, `city` and `text` (as customers_search() finds it, of the first
 * LISTED_FOUND_MAX) may be NULL. For a list in pieces `after` is the last number of the piece
 * before. */
enum { LISTED_FOUND_MAX = 5000 };
extern const char *const customer_sorts[]; /* fields; ends with NULL */
struct customer_filter {
	const char *rep, *parent, *status, *city, *text, *sort, *after;
	bool suspended;           /* only those */
	const char *default_zone; /* of customers without one, see suspensions below */
	struct instant now;
	int64_t limit; /* 0: all */
};
bool customer_list(struct customers *store, const struct customer_filter *filter, json_t **ret,
                   struct error *err) MUST_CHECK;

/* The same customers as CSV in UTF-8: a column a field of theirs, cells as an export has them. A
 * spreadsheet runs none. */
bool customer_list_csv(struct customers *store, const struct customer_filter *filter,
                       const struct field *const *columns, size_t n_columns, FILE *out,
                       struct error *err) MUST_CHECK;

/* Every change to the customer and what hangs on it, oldest first: id, time, user, kind, record,
 * action, before, after (objects of the fields that changed). A removed customer's history
 * stays. */
bool customer_history(struct customers *store, const char *number, json_t **ret,
                      struct error *err) MUST_CHECK;

/* The same of what came behind change `after`, of a customer that is there. */
bool customer_changes_after(struct customers *store, const char *number, int64_t after,
                            json_t **ret, struct error *err) MUST_CHECK;
/* The latest change of all; 0 where there is none. */
bool changes_last(struct customers *store, int64_t *ret, struct error *err) MUST_CHECK;

/* Whose records have changed behind change `after`: ids of customers, each once, 0 for what is of
 * no customer, in the arena; *ret_last is the latest change. With `after` -1 nobody's. */
bool changes_since(struct customers *store, int64_t after, struct arena *arena, int64_t **ret,
                   size_t *ret_n, int64_t *ret_last, struct error *err) MUST_CHECK;

/* -- hours (record_hours.c) -------------------------------------------------------------------- */

/* `{"weekly": {"mon": "07:00-12:00", …} or null, "dates": {"2026-12-25": "closed"}}`; the
 * customer's own, nothing inherited. With `number` NULL the dates that hold for everybody, without
 * `weekly`. */
bool hours_show(struct customers *store, const char *number, json_t **ret,
                struct error *err) MUST_CHECK;
bool hours_set(const struct change_context *context, const char *number, const char *weekdays,
               const char *windows, struct error *err) MUST_CHECK;
/* Dates from `first` to `last`, both included (at most HOURS_SPAN_MAX). `windows` NULL takes their
 * exceptions away. With `number` NULL for every customer that doesn't set the date itself, here and
 * in the two below. */
enum { HOURS_SPAN_MAX = 366 };
bool hours_except(const struct change_context *context, const char *number, struct day first,
                  struct day last, const char *windows, struct error *err) MUST_CHECK;
bool hours_clear(const struct change_context *context, const char *number,
                 struct error *err) MUST_CHECK;
/* Replaces `weekly` and `dates` as a whole by those in `hours`; what isn't given is cleared. With
 * `context->expected` (of hours_version()) each of the two is merged as records_set() merges
 * fields. Not for the dates of everybody. */
bool hours_replace(const struct change_context *context, const char *number, const json_t *hours,
                   struct error *err) MUST_CHECK;
/* The number of the hours' last change; 0 where none is known. */
bool hours_version(struct customers *store, const char *number, int64_t *ret,
                   struct error *err) MUST_CHECK;
/* Every change to the hours, as customer_history() gives them. */
bool hours_history(struct customers *store, const char *number, json_t **ret,
                   struct error *err) MUST_CHECK;

/* -- suspensions (record_suspension.c) --------------------------------------------------------- */

/* `default_zone` is what customers without a time zone have ([rules] timezone; NULL: the
 * host's). */

/* `values`: from (today there), until, scopes, note. */
bool suspend(const struct change_context *context, const char *number, const char *default_zone,
             const json_t *values, int64_t *ret_id, struct error *err) MUST_CHECK;
/* Ends `id`, or with 0 all of the customer's own that hold at `context->when`; *ret_n (may be NULL)
 * is how many. */
bool resume(const struct change_context *context, const char *number, const char *default_zone,
            int64_t id, int64_t *ret_n, struct error *err) MUST_CHECK;
/* Those of one customer with its ancestors', or of all with NULL; each with `customer` and `holds`.
 * Those that were ended or have worn off only with `history`. */
bool suspensions_list(struct customers *store, const char *number, const char *default_zone,
                      struct instant now, bool history, json_t **ret, struct error *err) MUST_CHECK;

/* -- sales reps (record_rep.c) ----------------------------------------------------------------- */

/* `first` makes it the customer's `sales_rep`. Unlinking the first clears that. */
bool rep_link(const struct change_context *context, const char *number, const char *rep, bool first,
              struct error *err) MUST_CHECK;
bool rep_unlink(const struct change_context *context, const char *number, const char *rep,
                struct error *err) MUST_CHECK;

/* -- systems' secrets (record_system.c) -------------------------------------------------------- */

/* The file with the key: 32 bytes, or their 64 hex digits. Read when a secret is sealed or
 * revealed. `from` is what names the file, and begins faults: "[customers] key_file". */
void records_set_key_file(struct customers *store, const char *path, const char *from);
/* records_show() of a system with its secrets in clear, which is recorded. Managers only. */
bool system_reveal(const struct change_context *context, const char *id, json_t **ret,
                   struct error *err) MUST_CHECK;
/* Has the store show all secrets in clear from now on, for an export; recorded for each system that
 * has any. Managers only. */
bool systems_reveal(const struct change_context *context, struct error *err) MUST_CHECK;

/* -- documents and pictures (record_file.c) ---------------------------------------------------- */

/*
 * Adds the content of a stream as a document or picture (`kind`). It is kept in `files/` beside the
 * database by its SHA-256, once however often it comes. `name` is recorded without its directories
 * and trusted for nothing. `size_max` in bytes.
 */
bool file_add(const struct change_context *context, const struct kind *kind, const char *number,
              const char *name, FILE *in, int64_t size_max, const json_t *values, int64_t *ret_id,
              struct error *err) MUST_CHECK;
/* Writes its content to `out` and checks it against its hash on the way. */
bool file_fetch(struct customers *store, const struct kind *kind, const char *id, FILE *out,
                struct error *err) MUST_CHECK;

/* -- their contents in and out (record_file_transfer.c) ---------------------------------------- */

/*
 * Where an import finds the content that a row's `hash` names: in `files`, laid out as the store's
 * own folder (the first two digits of the hash, then the whole), or in the store. What is taken
 * into the store is noted; the end lets go of what no record points to, because the import failed
 * or another content took its place.
 */
struct contents {
	const char *files;       /* NULL: only the store; opened as the person (base/identity.h) */
	struct customers *store; /* with the folder to read; a dry run writes to another */
	int64_t size_max;        /* bytes */
	bool look_only;          /* a dry run: nothing is taken */
	json_t *noted;
};
void contents_begin(struct contents *contents, struct customers *store, const char *files,
                    int64_t size_max, bool look_only);
void contents_end(struct contents *contents, struct customers *store);
/* Writes, as the person, the contents of all records of a kind to such a folder, which is made
 * where there are any. */
bool contents_export(struct customers *store, const struct kind *kind, const char *files,
                     struct error *err) MUST_CHECK;

/* -- search (search.c) ------------------------------------------------------------------------- */

/*
 * Customers that have every word of `text` somewhere, in any order, each any part of a value (one
 * of fewer than three characters: a whole word); case, accents and punctuation don't count. Best
 * match first: number, name, dba, address, city, state, phone, status and `matched` (the field and
 * its value on record).
 */
bool customers_search(struct customers *store, const char *text, enum search_by by, int limit,
                      json_t **ret, struct error *err) MUST_CHECK;
/* Adds `suspended` to what was found: whether a suspension holds now, an ancestor's, too. */
bool customers_show_suspended(struct customers *store, json_t *rows, const char *default_zone,
                              struct instant now, struct error *err) MUST_CHECK;
/* Others that share something with it: number, name, city, and `shares`, the strongest first. */
bool customers_related(struct customers *store, const char *number, int limit, json_t **ret,
                       struct error *err) MUST_CHECK;
/* Groups that may be the same customer twice: `shares`, `value`, `customers` [{number, name,
 * city}]. */
bool customers_duplicates(struct customers *store, int limit, json_t **ret,
                          struct error *err) MUST_CHECK;
/* Those of the same name, compared as customers_duplicates() does, in the same city or in one that
 * isn't known; not what is above `parent` (a number; NULL for none): number, name, city. `city` may
 * be NULL. */
bool customers_like(struct customers *store, const char *name, const char *city, const char *parent,
                    json_t **ret, struct error *err) MUST_CHECK;
/* Folds all texts again, for a database that another tool has written to. */
bool customers_reindex(struct customers *store, struct error *err) MUST_CHECK;

/* -- in and out (import.c, export.c) ----------------------------------------------------------- */

enum records_format { RECORDS_CSV, RECORDS_JSONL };
/* By the file's ending (.csv, .jsonl, .ndjson, .json); false for another. */
bool records_format_of(const char *path, enum records_format *ret);

/* Called now and then; done of total bytes (0: not known) and rows so far. */
typedef void records_progress(void *arg, int64_t rows, int64_t done, int64_t total);
/* Called for each bad row: line and column (from 1; 0 where there is none) and what is wrong. */
typedef void records_bad_row(void *arg, int64_t line, int64_t column, const char *text);
/* Called in a dry run for each record that would change: "add" or "set", its number or id, the
 * fields before and after. */
typedef void records_change(void *arg, const char *action, const char *name, const json_t *before,
                            const json_t *after);

struct records_import {
	enum records_format format;
	const char *const *maps; /* each `foreign=field`, or the path of a file with such lines; the
	                            last wins */
	size_t n_maps;
	bool dry_run;
	records_progress *progress;
	records_bad_row *bad_row;
	records_change *change;
	void *arg;
};
struct records_counts {
	int64_t rows, added, changed, same, bad;
	/* Rows that bring back a value which somebody has replaced since, and the latest of those
	 * edits. */
	int64_t stale;
	struct instant stale_latest; /* INSTANT_NONE: there is none */
	char stale_by[64];           /* whose it was; cut where it is longer */
};

/*
 * All or nothing: where a row is bad, all bad rows are reported, nothing is changed and false is
 * returned (65). `kind` is customer, or any other, whose rows then have `customer` (the number) and
 * may have `id` (an existing record's, to change it).
 */
bool records_import(const struct change_context *context, const struct kind *kind, FILE *in,
                    const struct records_import *how, struct records_counts *ret,
                    struct error *err) MUST_CHECK;

/* Writes all records of a kind as records_import() takes them. Cells that a spreadsheet would run
 * are marked with a `'` in front, which an import takes away again. */
bool records_export(struct customers *store, const struct kind *kind, enum records_format format,
                    FILE *out, records_progress *progress, void *arg, int64_t *ret_rows,
                    struct error *err) MUST_CHECK;

/* An entry of the customers feed. */
struct records_upsert {
	const char *json;
	size_t len;
	bool refused;     /* out: it can never be taken, and why */
	struct error err; /* of one that is refused */
};

/*
 * Upserts entries of the feed by `number`, in order, in one transaction; what is refused leaves
 * nothing behind. False where the database is at fault (locked, full, broken): nothing has
 * happened, and they can be given again.
 */
bool records_upsert(const struct change_context *context, struct records_upsert *rows, size_t n,
                    struct error *err) MUST_CHECK;

#endif
