/* SPDX-License-Identifier: MIT */
#ifndef RECORDS_RECORD_PRIVATE_H
#define RECORDS_RECORD_PRIVATE_H

#include "base/buf.h"
#include "records/customers_private.h"
#include "records/records.h"

#include <glib.h>

/* What the record_*.c files share; nobody else includes it. */

/* One change under way: who, what memory, in which manner. */
struct transaction {
	const struct change_context *context;
	struct customers *store;
	struct db *db;
	struct arena *arena;
	bool import; /* values come from an import or the feed: fields that the program keeps may
	              * come along
	              */
	const int64_t *known; /* an import's: the greatest id of each kind when it began; NULL: ids
	                       * are not kept
	                       */
	bool stored; /* a file's content was stored: name, type, size and hash may be given */
	json_t *unused_files; /* hashes of files that what is removed pointed to; NULL while nothing
	                         is removed */
	struct records_counts
	        *stale;      /* an import's: where edits that it takes back are noted; NULL else */
	bool took_back;      /* the row under way takes one back */
	GHashTable *claimed; /* an import's: ids of contacts that a row of it meant or added; else
	                        NULL */
	int64_t noted;       /* customer noted last for search; 0: none */
	records_change *observer; /* told of each record that is added or changed; may be NULL */
	void *observer_arg;
	struct error *err;
};

/* A record as text: a value a field, in the table's order, canonical; NULL where it has none. */
struct row {
	const struct kind *kind;
	int64_t id;       /* 0: not there yet */
	int64_t keep;     /* the id that it is to have when it is added; 0: the next one */
	int64_t owner;    /* id of the record that it hangs on; 0 for none */
	int64_t customer; /* id of the customer whose history its changes belong to; 0 for none */
	const char *value[KIND_FIELDS_MAX];
};

/* -- record_row.c -- */
const struct kind_sql *row_sql(struct customers *store, const struct kind *kind);
/* Where there is no such record: true, and ret->id is 0. */
bool row_get(struct customers *store, struct arena *arena, const struct kind *kind, int64_t id,
             struct row *ret, struct error *err) MUST_CHECK;
/* Lets a row that will be added keep the id that it had where it was exported, if an import brings
 * it and that id was never given here. */
bool row_keep_id(struct transaction *tx, struct row *row, int64_t id) MUST_CHECK;
bool row_insert(struct transaction *tx, struct row *row) MUST_CHECK; /* sets row->id */
bool row_update(struct transaction *tx, const struct row *row) MUST_CHECK;
/* Reads a row that a `get` or `list` statement stands on. */
void row_read(const struct kind *kind, struct db_query *query, struct arena *arena,
              struct row *ret);
/* A field's column as text; NULL for NULL. */
const char *value_read(const struct field *field, struct db_query *query, int column,
                       struct arena *arena);
json_t *row_json(const struct row *row, struct arena *arena);
json_t *value_json(const struct field *field, const char *value, struct arena *arena);
/* Whether a JSON value is of a type that the field may have; NULL is the field of an id or an
 * owner. */
bool value_fits(const char *name, const struct field *field, const json_t *value,
                struct error *err) MUST_CHECK;
/* A JSON value as the text that field_check() takes; NULL and a fault for an object. */
bool value_text(const char *name, const json_t *value, struct arena *arena, const char **ret,
                size_t *ret_len, struct error *err) MUST_CHECK;
const char *row_value(const struct row *row, const char *field);
void row_set(struct row *row, const char *field, const char *value);

/* -- record_json.c -- */
/* Adds the record that it hangs on, by its name outside. */
bool owner_json(struct customers *store, const struct row *row, json_t *object,
                struct error *err) MUST_CHECK;
/* A row's id, its owner and its fields. */
bool record_json(struct customers *store, const struct row *row, struct arena *arena, json_t **ret,
                 struct error *err) MUST_CHECK;
typedef bool row_show_fn(struct customers *store, const struct row *row, struct arena *arena,
                         json_t **ret, struct error *err);
/* All rows of an owner, of everybody with 0, each as `show` gives it. */
bool rows_list(struct customers *store, const struct kind *kind, int64_t owner, row_show_fn *show,
               json_t **ret, struct error *err) MUST_CHECK;

/* -- transaction.c -- */
bool transaction_begin(struct transaction *tx, const struct change_context *context,
                       struct error *err) MUST_CHECK;
/* Folds what search has to know, commits where `good`, else rolls back; frees the arena; gives what
 * became of it. */
bool transaction_end(struct transaction *tx, bool good);
/* Whether a row of this import meant the contact. */
bool transaction_is_claimed(const struct transaction *tx, int64_t contact);
void transaction_claim(struct transaction *tx, int64_t contact);
bool transaction_needs_manager(struct transaction *tx, const char *what) MUST_CHECK;

/* -- record_find.c -- */
/* The first column of all rows as an array of strings. */
bool query_texts(struct db_query *query, json_t **ret, struct error *err) MUST_CHECK;
/* A name that is an id: a positive whole number. */
bool record_id(const char *text, int64_t *ret) MUST_CHECK;
/* The id of the record of that name; 66 where there is none. */
bool record_find(struct customers *store, const struct kind *kind, const char *name, int64_t *ret,
                 struct error *err) MUST_CHECK;
/* As record_find() for "customer", but true and 0 where there is none. A number that it had before
 * names it, too. */
bool customer_id(struct customers *store, const char *number, int64_t *ret,
                 struct error *err) MUST_CHECK;

/* -- record_write.c -- */
/* Adds or changes within a transaction. `before` is what is there (id 0: add). *ret_changed may be
 * NULL. */
bool record_put(struct transaction *tx, const struct row *before, const json_t *values,
                int64_t *ret_id, bool *ret_changed) MUST_CHECK;
/* The same in two steps, for values that are checked already: a copy to change, with initial values
 * where it is added; and writing it. `values` holds what is no field. */
struct row row_start(const struct row *before);
bool record_write(struct transaction *tx, const struct row *before, struct row *after,
                  const json_t *values, bool *ret_changed) MUST_CHECK;
/* A row of `kind` to be added to `owner`, empty. */
bool row_new(struct transaction *tx, const struct kind *kind, int64_t owner,
             struct row *ret) MUST_CHECK;

/* -- record_operations.c: what a kind does besides the table -- */
struct kind_operations {
	const char *kind;
	/* May refuse, and may complete `after`. `before->id` is 0 for one that is added. */
	bool (*check)(struct transaction *tx, const struct row *before, struct row *after,
	              const json_t *values);
	/* After the row itself is written. Sets *changed where it changed something. */
	bool (*written)(struct transaction *tx, const struct row *row, const json_t *values,
	                bool adding, bool *changed);
	/* Before it is removed. */
	bool (*removing)(struct transaction *tx, const struct row *row);
	/* Adds members to its JSON. */
	bool (*show)(struct customers *store, const struct row *row, json_t *object,
	             struct error *err);
};
const struct kind_operations *operations_find(const struct kind *kind); /* never NULL */

/* -- record_change.c -- */
/* `before`, `after`: objects, stolen; NULL for nothing. */
bool change_add(struct transaction *tx, const char *kind, int64_t record, int64_t customer,
                const char *action, json_t *before, json_t *after) MUST_CHECK;
bool row_differs(const struct row *before, const struct row *after);
/* The fields that differ; `id` 0 in one of the two: added or removed. Secrets are redacted. */
bool change_row(struct transaction *tx, const struct row *before, const struct row *after,
                const char *action) MUST_CHECK;
/* A number that it had before, as customer_named() finds it, is no name of it any more. */
bool customer_forget_number(struct transaction *tx, int64_t customer, const char *name) MUST_CHECK;

/* -- what kinds do -- */
bool customer_check(struct transaction *tx, const struct row *before, struct row *after,
                    const json_t *values);
bool customer_written(struct transaction *tx, const struct row *row, const json_t *values,
                      bool adding, bool *changed);
bool customer_removing(struct transaction *tx, const struct row *row);
bool contact_check(struct transaction *tx, const struct row *before, struct row *after,
                   const json_t *values);
bool suspension_check(struct transaction *tx, const struct row *before, struct row *after,
                      const json_t *values);
bool authored_check(struct transaction *tx, const struct row *before, struct row *after,
                    const json_t *values);
bool asset_check(struct transaction *tx, const struct row *before, struct row *after,
                 const json_t *values);
bool activity_check(struct transaction *tx, const struct row *before, struct row *after,
                    const json_t *values);
bool system_check(struct transaction *tx, const struct row *before, struct row *after,
                  const json_t *values);
bool system_written(struct transaction *tx, const struct row *row, const json_t *values,
                    bool adding, bool *changed);
bool system_show(struct customers *store, const struct row *row, json_t *object, struct error *err);
bool system_type_show(struct customers *store, const struct row *row, json_t *object,
                      struct error *err);
bool parts_written(struct transaction *tx, const struct row *row, const json_t *values, bool adding,
                   bool *changed);
bool quote_show(struct customers *store, const struct row *row, json_t *object, struct error *err);
bool sale_check(struct transaction *tx, const struct row *before, struct row *after,
                const json_t *values);
bool sale_show(struct customers *store, const struct row *row, json_t *object, struct error *err);
bool rep_check(struct transaction *tx, const struct row *before, struct row *after,
               const json_t *values);
bool rep_show(struct customers *store, const struct row *row, json_t *object, struct error *err);
bool file_check(struct transaction *tx, const struct row *before, struct row *after,
                const json_t *values);
bool file_removing(struct transaction *tx, const struct row *row);

/* -- record_stale.c -- */
/* Whether an import's change takes a newer edit back: notes it. */
bool stale_note(struct transaction *tx, const struct row *before,
                const struct row *after) MUST_CHECK;

/* -- record_status.c -- */
/* The moves between a customer's states. */
struct customer_move {
	const char *from, *to, *verb;
	bool anybody; /* else a manager's work */
};
extern const struct customer_move customer_moves[];
extern const size_t n_customer_moves;
/* Whether this actor may change the status so. */
bool customer_check_status(struct transaction *tx, const char *from, const char *to) MUST_CHECK;

/* -- record_customer.c -- */
/* Whether the sites of `from` would be no deeper than may be with `into` as their parent. */
bool customer_sites_fit(struct transaction *tx, int64_t from, int64_t into, bool *ret) MUST_CHECK;

/* -- record_suspension.c -- */
/* Whether one of its own or of an ancestor holds, by its own days. */
bool customer_suspended(struct customers *store, int64_t id, const char *default_zone,
                        struct instant now, bool *ret, struct error *err) MUST_CHECK;

/* -- record_contacts.c -- */
/* `email`, `contact`, `contacts` and `reps` of a customer's values. */
bool people_put(struct transaction *tx, const struct row *row, const json_t *values, bool adding,
                bool *changed) MUST_CHECK;

/* -- record_rep.c -- */
/* Ids of the customers that the rep ?1 looks after: those whose first one that is, their sites that
 * have none of their own, and those linked with it. */
#define SQL_LOOKED_AFTER                                                                           \
	"WITH RECURSIVE led(id) AS (SELECT id FROM customer WHERE sales_rep = ?1 UNION"            \
	" SELECT s.id FROM customer s JOIN led ON s.parent = led.id WHERE s.sales_rep IS NULL)"    \
	" SELECT id FROM led UNION"                                                                \
	" SELECT cr.customer FROM customer_rep cr JOIN rep r ON r.id = cr.rep WHERE r.name = ?1"
bool rep_put_link(struct transaction *tx, int64_t customer, int64_t rep, const char *name,
                  bool *ret_linked) MUST_CHECK;
bool rep_take_link(struct transaction *tx, int64_t customer, int64_t rep,
                   const char *name) MUST_CHECK;

/* -- record_system.c -- */
enum { SYSTEM_KEY_SIZE = 32 };
bool system_read_key(struct customers *store, unsigned char key[SYSTEM_KEY_SIZE],
                     struct error *err) MUST_CHECK;
/* All fields of a system's type, by name; `key` NULL keeps secrets hidden. */
bool system_fields_json(struct customers *store, const struct row *row, const unsigned char *key,
                        json_t **ret, struct error *err) MUST_CHECK;

/* -- record_content.c -- */
enum { HASH_TEXT_SIZE = 65, CONTENT_HEAD_SIZE = 16 };
struct content {
	unsigned char head[CONTENT_HEAD_SIZE];
	size_t head_len;
	int64_t size;
	bool text; /* nothing in it but text, as far as a glance tells */
	char hash[HASH_TEXT_SIZE];
};
bool content_hash_valid(const char *hash);
/* A content of the store; its descriptor, or -1. */
int content_open(struct customers *store, const char *hash, struct error *err) MUST_CHECK;
/* The folder that it lies in, below the store's or an export's; with `mode` made where it is
 * missing. */
bool content_shelf(const struct folder *files, const char *hash, mode_t mode, struct folder *ret,
                   struct error *err) MUST_CHECK;
/* The whole of `in` to `out` (NULL: nowhere), and what it is. `size_max` 0: of any size. */
bool content_copy(FILE *in, FILE *out, const char *out_name, int64_t size_max,
                  struct content *content, struct error *err) MUST_CHECK;
/* Its type, told by its first bytes. Where `kind` is that of pictures, it has to be one. */
bool content_type(const struct content *content, const struct kind *kind, const char **ret,
                  struct error *err) MUST_CHECK;
/* A content on its way into files/, under a name of its own. */
struct incoming {
	struct folder files;
	char name[FOLDER_NEW_SIZE]; /* "": there is none (any more) */
};
/* Copies a stream of at most `size_max` bytes there. incoming_end() is called in any case. */
bool content_take_in(struct customers *store, FILE *in, int64_t size_max, struct incoming *ret,
                     struct content *content, struct error *err) MUST_CHECK;
/* Gives it its own name. Within the transaction that adds the record, so that files_sweep() can't
 * come between. */
bool content_put_in_place(struct transaction *tx, struct incoming *incoming,
                          const char *hash) MUST_CHECK;
void incoming_end(struct incoming *incoming);
/* Takes a stream into the store, under its hash: both in one. */
bool content_keep(struct transaction *tx, FILE *in, int64_t size_max,
                  struct content *content) MUST_CHECK;
/* Writes a content of the store to `out`, held against its hash. */
bool content_fetch(struct customers *store, const char *hash, FILE *out,
                   struct error *err) MUST_CHECK;
/* The last part of a name, without what could hurt a terminal. */
const char *content_name(const char *name, struct arena *arena);
/* Deletes those of the files (hashes) that no record has any more; a transaction of its own for
 * each. */
void files_sweep(struct customers *store, const json_t *hashes);

/* -- record_file_transfer.c -- */
/* The content of a row that an import brings: found, looked at, taken in. */
bool content_arrives(struct transaction *tx, const struct row *before,
                     struct row *after) MUST_CHECK;

/* -- shown and imported with others -- */
bool hours_json(struct customers *store, int64_t customer, json_t **ret,
                struct error *err) MUST_CHECK;
/* Replaces a customer's hours as a whole; null clears them. */
bool hours_put(struct transaction *tx, int64_t customer, const json_t *hours,
               bool *changed) MUST_CHECK;

/* -- search_fold.c -- */
/* Folds the customers that the triggers noted. Within a transaction. */
bool search_refresh(struct customers *store, struct error *err) MUST_CHECK;

#endif
