/* SPDX-License-Identifier: MIT */
/*
 * A cluster's changes of customers.db: the role of this machine, what its owner has kept for the
 * others (customers_write.c keeps it), and how a standby makes it in its copy.
 */
#include "records/customers_changes.h"

#include "base/jsontext.h"
#include "base/lz4_block.h"
#include "db/db_record.h"
#include "records/customers_private.h"
#include "records/customers_write.h"
#include "records/record_erase.h"
#include "records/search_fold.h"

#include <jansson.h>
#include <string.h>
#include <sysexits.h>

/* -- the role ---------------------------------------------------------------------------------- */

static const char *const role_words[] = {
        [CLUSTER_NONE] = "none", [CLUSTER_OWNER] = "owner", [CLUSTER_STANDBY] = "standby"};

static bool write_role(struct customers *store, enum cluster_role role, const char *owner,
                       struct error *err)
{
	struct db_query *query = db_query(
	        store->db, "INSERT INTO cluster (one, role, owner, last) VALUES (1, ?1, ?2, 0) ON "
	                   "CONFLICT (one) DO UPDATE SET role = ?1, owner = ?2");
	db_bind_text(query, 1, role_words[role]);
	db_bind_text(query, 2, *owner ? owner : NULL);
	return db_run(query, err);
}

/* An owner's first change has a name to say. */
static bool start_past(struct customers *store, struct error *err)
{
	struct cluster_state state;
	char name[CLUSTER_PAST_SIZE];
	return search_refresh(store, err) && cluster_read(store, &state, err) &&
	       (state.name[0] != '\0' ||
	        (cluster_name(store, name, err) && cluster_note(store, state.last, name, err)));
}

static bool change_role(struct customers *store, enum cluster_role role, const char *owner,
                        struct error *err)
{
	return write_role(store, role, owner, err) &&
	       (role != CLUSTER_OWNER || start_past(store, err)) &&
	       (role != CLUSTER_NONE || db_exec(store->db, "DELETE FROM cluster_change", err));
}

static bool end(struct customers *store, bool good, struct error *err)
{
	if (good)
		return db_commit(store->db, err);
	db_rollback(store->db);
	return false;
}

bool customers_set_role(struct customers *customers, enum cluster_role role, const char *owner,
                        struct error *err)
{
	struct cluster_state state;
	const char *follows = role == CLUSTER_STANDBY && owner ? owner : "";
	if (!cluster_read(customers, &state, err))
		return false;
	if (state.role == role && strcmp(state.owner, follows) == 0)
		return true;
	return db_begin(customers->db, err) &&
	       end(customers, change_role(customers, role, follows, err), err);
}

/* -- the owner --------------------------------------------------------------------------------- */

/* The head, a NUL, the changes. */
static void read_change(struct db_query *query, struct arena *arena, struct customers_change *ret)
{
	size_t head, changes;
	const char *text = db_peek_text(query, 1, &head);
	const void *blob = db_peek_blob(query, 2, &changes);
	char *bytes = arena_alloc(arena, head + 1 + changes);
	if (head > 0)
		memcpy(bytes, text, head);
	if (changes > 0)
		memcpy(bytes + head + 1, blob, changes);
	*ret = (struct customers_change){
	        .id = db_int(query, 0), .bytes = bytes, .len = head + 1 + changes};
}

bool customers_changes_after(struct customers *customers, int64_t after, size_t max_bytes,
                             struct arena *arena, struct customers_change **ret, size_t *ret_n,
                             struct error *err)
{
	struct customers_change *rows = NULL;
	size_t n = 0, cap = 0, bytes = 0;
	enum db_step step;
	struct db_query *query = db_query(
	        customers->db, "SELECT id, head, changes, length(CAST(head AS BLOB)) + 1 + "
	                       "coalesce(length(changes), 0) FROM cluster_change WHERE id "
	                       "> ?1 ORDER BY id");
	db_bind_int(query, 1, after);
	while ((step = db_step(query, err)) == DB_ROW) {
		size_t len = (size_t)db_int(query, 3);
		if (n > 0 && (bytes > max_bytes || len > max_bytes - bytes)) {
			db_finish(query);
			step = DB_DONE;
			break;
		}
		rows = arena_grow(arena, rows, n, &cap, sizeof *rows);
		read_change(query, arena, &rows[n++]);
		bytes += len;
	}
	*ret = rows;
	*ret_n = n;
	return step == DB_DONE;
}

bool customers_changes_drop(struct customers *customers, int64_t upto, struct error *err)
{
	if (!erase_wiping(customers, true, err))
		return false;
	bool good = db_begin(customers->db, err);
	if (good) {
		struct db_query *query =
		        db_query(customers->db, "DELETE FROM cluster_change WHERE id <= ?1");
		db_bind_int(query, 1, upto);
		good = end(customers, db_run(query, err), err);
	}
	return erase_wiping(customers, false, good ? err : NULL) && good;
}

bool customers_last_change(struct customers *customers, int64_t *ret, struct error *err)
{
	return db_run_int(db_query(customers->db, "SELECT last FROM cluster"), 0, ret, err);
}

/* -- a standby --------------------------------------------------------------------------------- */

struct customers *customers_open_follower(const char *path, struct error *err)
{
	struct customers *customers = customers_open(path, DB_FOLLOW, err);
	if (customers == NULL)
		return NULL;
	customers->follows = true;
	return db_follow_begin(customers->db, err) ? customers : customers_close(customers);
}

static bool leave_past(struct customers *store, const struct cluster_state *state,
                       struct error *err)
{
	char name[CLUSTER_PAST_SIZE];
	return db_begin(store->db, err) &&
	       end(store,
	           cluster_name(store, name, err) && cluster_note(store, state->last, name, err),
	           err);
}

bool customers_migrate(struct customers *customers, int64_t version, struct error *err)
{
	struct cluster_state state;
	bool foreign = false;
	if (version <= db_version(customers->db))
		return true;
	return cluster_read(customers, &state, err) &&
	       cluster_is_foreign(customers, &state, &foreign, err) &&
	       (!foreign || leave_past(customers, &state, err)) &&
	       db_migrate(customers->db, version, err);
}

struct following {
	struct customers *store;
	int64_t id;
	json_t *head;
	const char *changes;
	size_t len;
	bool erases; /* a customer's words */
	struct error *err;
};

static bool refuse(const struct following *f, const char *why)
{
	return error_set(f->err, EX_DATAERR,
	                 "%s: change %lld can't be followed: %s; this copy has to be seeded again",
	                 f->store->path, (long long)f->id, why);
}

/* The name of a change that this copy has; "" where it is too long ago. */
static bool find_name(const struct following *f, char ret[CLUSTER_PAST_SIZE])
{
	struct db_query *query =
	        db_query(f->store->db, "SELECT name FROM cluster_past WHERE id = ?1");
	db_bind_int(query, 1, f->id);
	enum db_step step = db_step(query, f->err);
	const char *name = step == DB_ROW ? db_peek_text(query, 0, NULL) : NULL;
	ret[0] = '\0';
	if (name && strlen(name) < CLUSTER_PAST_SIZE)
		strcpy(ret, name);
	db_finish(query);
	return step != DB_FAULT;
}

/* The number behind the dash isn't the same before and after a migration. */
static bool same_name(const char *a, const char *b)
{
	size_t len = strcspn(a, "-");
	return len > 0 && len == strcspn(b, "-") && strncmp(a, b, len) == 0;
}

static bool is_had(const struct following *f)
{
	char name[CLUSTER_PAST_SIZE];
	if (!find_name(f, name))
		return false;
	return same_name(name, jsontext_at(f->head, "name")) ||
	       refuse(f, "the one of that number was another here");
}

static bool is_next(const struct following *f, const struct cluster_state *state)
{
	if (f->id != state->last + 1)
		return error_set(f->err, EX_DATAERR,
		                 "%s: change %lld can't be followed: the last one here is %lld; "
		                 "this copy has to be seeded again",
		                 f->store->path, (long long)f->id, (long long)state->last);
	if (!same_name(state->name, jsontext_at(f->head, "before")))
		return refuse(f, "what was changed before isn't the same here");
	if (json_integer_value(json_object_get(f->head, "schema")) != db_version(f->store->db))
		return refuse(f, "it was made before a migration that is made here already");
	return json_is_true(json_object_get(f->head, "whole")) ||
	       refuse(f, "it was too large to be kept");
}

static bool raise_sequence(struct db *db, const char *name, int64_t seq, struct error *err)
{
	struct db_query *query =
	        db_query(db, "UPDATE sqlite_sequence SET seq = max(seq, ?2) WHERE name = ?1");
	db_bind_text(query, 1, name);
	db_bind_int(query, 2, seq);
	if (!db_run(query, err))
		return false;
	if (db_changes(db) > 0)
		return true;
	query = db_query(db, "INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)");
	db_bind_text(query, 1, name);
	db_bind_int(query, 2, seq);
	return db_run(query, err);
}

static bool raise_sequences(const struct following *f)
{
	const char *name;
	json_t *seq;
	json_object_foreach(json_object_get(f->head, "sequences"), name, seq)
	{
		if (!raise_sequence(f->store->db, name, json_integer_value(seq), f->err))
			return false;
	}
	return true;
}

static bool fold(const struct following *f)
{
	size_t i;
	json_t *customer;
	json_array_foreach(json_object_get(f->head, "folded"), i, customer)
	{
		struct db_query *query = db_query(
		        f->store->db, "INSERT OR IGNORE INTO search_stale (customer) VALUES (?1)");
		db_bind_int(query, 1, json_integer_value(customer));
		if (!db_run(query, f->err))
			return false;
	}
	return !db_is_latest(f->store->db) || search_refresh(f->store, f->err);
}

static bool unpack(const struct following *f, size_t size, struct buf *ret)
{
	if (size > CUSTOMERS_CHANGE_MAX || f->len > CUSTOMERS_BYTES_MAX)
		return refuse(f, "it is too large");
	return lz4_block_unpack(f->changes, f->len, size, ret) || refuse(f, "it can't be read");
}

static bool make_rows(const struct following *f)
{
	json_int_t size = json_integer_value(json_object_get(f->head, "size"));
	struct buf unpacked = {0};
	if (size <= 0)
		return db_follow(f->store->db, f->changes, f->len, f->err);
	bool good = unpack(f, (size_t)size, &unpacked) &&
	            db_follow(f->store->db, unpacked.data, unpacked.len, f->err);
	buf_free(&unpacked);
	return good;
}

static bool make_change(const struct following *f)
{
	return make_rows(f) && raise_sequences(f) && fold(f) &&
	       (!f->erases || erase_search(f->store, f->err)) &&
	       db_exec(f->store->db, "DELETE FROM cluster_change", f->err) &&
	       cluster_note(f->store, f->id, jsontext_at(f->head, "name"), f->err);
}

static bool is_untouched(const struct following *f, const struct cluster_state *state)
{
	bool foreign;
	return cluster_is_foreign(f->store, state, &foreign, f->err) &&
	       (!foreign || refuse(f, "another program has written to this file"));
}

static bool follow(const struct following *f)
{
	struct cluster_state state;
	if (!cluster_read(f->store, &state, f->err))
		return false;
	if (state.role != CLUSTER_STANDBY)
		return error_set(f->err, EX_SOFTWARE, "%s: this machine isn't a standby",
		                 f->store->path);
	return f->id <= state.last
	               ? is_had(f)
	               : is_next(f, &state) && is_untouched(f, &state) && make_change(f);
}

bool customers_follow(struct customers *customers, int64_t id, const char *bytes, size_t len,
                      struct error *err)
{
	struct following f = {.store = customers, .id = id, .err = err};
	if (!customers->follows)
		bug("%s: a change followed by a connection for others", customers->path);
	const char *head_end = len > 0 ? memchr(bytes, '\0', len) : NULL;
	f.head = head_end ? jsontext_read(bytes, (size_t)(head_end - bytes), err) : NULL;
	if (f.head == NULL)
		return refuse(&f, "it can't be read");
	f.changes = head_end + 1;
	f.len = len - (size_t)(f.changes - bytes);
	f.erases = json_object_get(json_object_get(f.head, "sequences"), "erased") != NULL;
	bool good = (!f.erases || erase_wiping(customers, true, err)) &&
	            db_begin(customers->db, err) && end(customers, follow(&f), err);
	if (good && f.erases)
		erase_clean_up(customers);
	json_decref(f.head);
	return (!f.erases || erase_wiping(customers, false, good ? err : NULL)) && good;
}
