/* SPDX-License-Identifier: MIT */
/*
 * The one way into customers.db: each transaction looks first what this machine is in its cluster.
 * A standby refuses it; an owner records it, and keeps the changes as a row in the same commit; for
 * anybody else the look is all. The row's head is JSON:
 *
 *	before     name of the change before
 *	name       of this one; by what is before its dash
 *	schema     version that the rows are of
 *	whole      false where the changes were too large
 *	size       of the changes before they were packed (LZ4); left out where they aren't packed
 *	folded     customers whose texts for search were put together again; the copy does the
 *	           same, since the index isn't recorded
 *	sequences  last ids of tables, by name, where they have changed: an id that was given to a
 *	           row which is gone at the end is never given again either
 */
#include "records/customers_write.h"

#include "base/jsontext.h"
#include "base/lz4_block.h"
#include "db/db_record.h"
#include "records/customers_changes.h"
#include "records/customers_hold.h"
#include "records/customers_private.h"
#include "records/search_fold.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { PACKED_MIN = 4096 }; /* bytes; less isn't worth it */
enum { PAST_MAX = 1000 }; /* names that are kept: a copy hears of a change twice, if at all, soon */

/* This machine's own, and the search index with what belongs to it. */
static const char *const left_out[] = {"cluster",        "cluster_change", "cluster_past",
                                       "search_stale",   "search_text",    "search_words",
                                       "search",         "search_config",  "search_data",
                                       "search_docsize", "search_idx",     NULL};

/* -- what this machine is ---------------------------------------------------------------------- */

static enum cluster_role role_of(const char *word)
{
	return strcmp(word, "owner") == 0     ? CLUSTER_OWNER
	       : strcmp(word, "standby") == 0 ? CLUSTER_STANDBY
	                                      : CLUSTER_NONE;
}

static void copy_text(struct db_query *query, int column, char *ret, size_t size)
{
	const char *text = db_peek_text(query, column, NULL);
	(void)snprintf(ret, size, "%s", text ? text : "");
}

bool cluster_read(struct customers *customers, struct cluster_state *ret, struct error *err)
{
	*ret = (struct cluster_state){0};
	struct db_query *query =
	        db_query(customers->db, "SELECT role, owner, last, name FROM cluster LEFT JOIN "
	                                "cluster_past ON id = last");
	enum db_step step = db_step(query, err);
	if (step == DB_ROW) {
		const char *role = db_peek_text(query, 0, NULL);
		ret->role = role_of(role ? role : "");
		copy_text(query, 1, ret->owner, sizeof ret->owner);
		ret->last = db_int(query, 2);
		copy_text(query, 3, ret->name, sizeof ret->name);
	}
	db_finish(query);
	return step != DB_FAULT;
}

bool cluster_name(struct customers *customers, char ret[CLUSTER_PAST_SIZE], struct error *err)
{
	struct db_query *query =
	        db_query(customers->db, "SELECT lower(hex(randomblob(16))) || '-' || "
	                                "coalesce(max(seq), 0) FROM recheck");
	enum db_step step = db_step(query, err);
	if (step == DB_ROW)
		copy_text(query, 0, ret, CLUSTER_PAST_SIZE);
	db_finish(query);
	return step == DB_ROW;
}

bool cluster_is_foreign(struct customers *customers, const struct cluster_state *state, bool *ret,
                        struct error *err)
{
	const char *dash = strchr(state->name, '-');
	int64_t foreign = 0;
	struct db_query *query =
	        db_query(customers->db, "SELECT coalesce((SELECT max(seq) FROM recheck), 0) <> ?1 "
	                                "OR (?2 AND EXISTS (SELECT 1 FROM search_stale))");
	db_bind_int(query, 1, dash ? strtoll(dash + 1, NULL, 10) : 0);
	db_bind_int(query, 2, db_is_latest(customers->db));
	bool good = db_run_int(query, 0, &foreign, err);
	*ret = dash != NULL && foreign != 0;
	return good;
}

/* A standby's file of an older version has its texts for search put together with the migration to
 * the latest. Of the last change's name only what is behind its dash changes: by the rest it is
 * known. */
bool cluster_migrated(struct customers *customers, bool latest, struct error *err)
{
	return (!latest || search_refresh(customers, err)) &&
	       db_exec(customers->db,
	               "UPDATE cluster_past SET name = substr(name, 1, instr(name, '-')) || "
	               "(SELECT coalesce(max(seq), 0) FROM recheck) WHERE id = (SELECT last FROM "
	               "cluster) AND instr(name, '-') > 0",
	               err);
}

bool cluster_note(struct customers *customers, int64_t id, const char *name, struct error *err)
{
	struct db_query *query = db_query(
	        customers->db, "INSERT OR REPLACE INTO cluster_past (id, name) VALUES (?1, ?2)");
	db_bind_int(query, 1, id);
	db_bind_text(query, 2, name);
	if (!db_run(query, err))
		return false;
	query = db_query(customers->db, "DELETE FROM cluster_past WHERE id > ?1 OR id <= ?1 - ?2");
	db_bind_int(query, 1, id);
	db_bind_int(query, 2, PAST_MAX);
	if (!db_run(query, err))
		return false;
	query = db_query(customers->db, "UPDATE cluster SET last = ?1");
	db_bind_int(query, 1, id);
	return db_run(query, err);
}

/* -- an owner's transaction -------------------------------------------------------------------- */

static bool remember_sequences(struct customers *store, struct error *err)
{
	struct db_query *query = db_query(
	        store->db,
	        "SELECT coalesce(json_group_object(name, seq), '{}') FROM sqlite_sequence");
	enum db_step step = db_step(query, err);
	const char *text = step == DB_ROW ? db_peek_text(query, 0, NULL) : NULL;
	if (step == DB_ROW)
		store->recording.sequences = mem_strdup(text ? text : "{}");
	db_finish(query);
	return step == DB_ROW;
}

static void stop_recording(struct customers *store)
{
	(void)db_record_free(store->recording.record);
	free(store->recording.sequences);
	buf_free(&store->recording.folded);
	store->recording = (struct recording){0};
}

/* What another program has written isn't recorded: no copy has the same past from then on. */
static bool look_for_foreign(struct customers *store, const struct cluster_state *state,
                             struct error *err)
{
	bool foreign;
	char name[CLUSTER_PAST_SIZE];
	return cluster_is_foreign(store, state, &foreign, err) &&
	       (!foreign ||
	        (cluster_name(store, name, err) && cluster_note(store, state->last, name, err)));
}

static bool start_recording(struct customers *store, const struct cluster_state *state,
                            struct error *err)
{
	if (!look_for_foreign(store, state, err) || !remember_sequences(store, err))
		return false;
	store->recording.record = db_record_begin(store->db, left_out, err);
	return store->recording.record != NULL;
}

/* Those that have changed since, as an object. */
static bool changed_sequences(struct customers *store, json_t **ret, struct error *err)
{
	struct db_query *query = db_query(
	        store->db, "SELECT name, seq FROM sqlite_sequence AS now WHERE seq IS NOT (SELECT "
	                   "value FROM json_each(?1) WHERE key = now.name)");
	enum db_step step;
	db_bind_text(query, 1, store->recording.sequences);
	*ret = json_object();
	while ((step = db_step(query, err)) == DB_ROW) {
		const char *name = db_peek_text(query, 0, NULL);
		json_object_set_new(*ret, name ? name : "", json_integer(db_int(query, 1)));
	}
	return step == DB_DONE;
}

/* What was recorded, ready to be kept. */
struct change {
	struct buf bytes;
	size_t size; /* before they were packed; 0: they aren't */
	bool whole;
	json_t *sequences;
};

static void change_pack(struct change *change)
{
	struct buf packed = {0};
	size_t size = change->bytes.len;
	if (size < PACKED_MIN)
		return;
	if (lz4_block_pack(change->bytes.data, size, &packed) && packed.len < size) {
		change->size = size;
		buf_free(&change->bytes);
		change->bytes = packed;
	} else {
		buf_free(&packed);
	}
}

static bool change_end(struct customers *store, struct change *ret, struct error *err)
{
	if (!db_record_take_upto(store->recording.record, CUSTOMERS_CHANGE_MAX, &ret->bytes,
	                         &ret->whole, err) ||
	    !changed_sequences(store, &ret->sequences, err))
		return false;
	change_pack(ret);
	ret->whole =
	        ret->whole && ret->bytes.len + store->recording.folded.len <= CUSTOMERS_BYTES_MAX;
	return true;
}

static bool insert_change(struct customers *store, int64_t id, const struct buf *head,
                          const struct change *change, struct error *err)
{
	struct db_query *query = db_query(
	        store->db, "INSERT INTO cluster_change (id, head, changes) VALUES (?1, ?2, ?3)");
	db_bind_int(query, 1, id);
	db_bind_static(query, 2, head->data, head->len);
	if (change->whole)
		db_bind_static_blob(query, 3, buf_text(&change->bytes), change->bytes.len);
	return db_run(query, err);
}

static void write_head(struct customers *store, const char *before, const char *name,
                       const struct change *change, struct buf *head)
{
	buf_printf(head, "{\"before\":\"%s\",\"name\":\"%s\",\"schema\":%lld,\"whole\":%s", before,
	           name, (long long)db_version(store->db), change->whole ? "true" : "false");
	if (change->whole && change->size > 0)
		buf_printf(head, ",\"size\":%zu", change->size);
	if (change->whole) {
		buf_printf(head,
		           ",\"folded\":[%s],\"sequences\":", buf_text(&store->recording.folded));
		jsontext_write(head, change->sequences, JSONTEXT_AS_IS);
	}
	buf_addc(head, '}');
}

static bool insert_named(struct customers *store, const struct change *change, struct error *err)
{
	struct cluster_state state;
	char name[CLUSTER_PAST_SIZE];
	struct buf head = {0};
	if (!cluster_read(store, &state, err) || !cluster_name(store, name, err))
		return false;
	write_head(store, state.name, name, change, &head);
	bool good = insert_change(store, state.last + 1, &head, change, err) &&
	            cluster_note(store, state.last + 1, name, err);
	buf_free(&head);
	return good;
}

static bool keep_changes(struct customers *store, struct error *err)
{
	struct change change = {.whole = true};
	bool good = change_end(store, &change, err);
	if (good &&
	    (!change.whole || change.bytes.len > 0 || json_object_size(change.sequences) > 0))
		good = insert_named(store, &change, err);
	buf_free(&change.bytes);
	json_decref(change.sequences);
	return good;
}

/* -- all transactions -------------------------------------------------------------------------- */

/* Written to outside of a cluster, the file has no past in common with others. */
static bool leave_past(struct customers *store, const struct cluster_state *state,
                       struct error *err)
{
	return state->name[0] == '\0' || db_exec(store->db, "DELETE FROM cluster_past", err);
}

static bool refuse_standby(const struct cluster_state *state, struct error *err)
{
	return error_set(err, EX_TEMPFAIL,
	                 "nothing was changed: this machine is a standby and follows %s; make the "
	                 "change there",
	                 state->owner[0] ? state->owner : "the cluster's owner");
}

bool customers_may_change(struct customers *customers, struct error *err)
{
	struct cluster_state state;
	return cluster_read(customers, &state, err) &&
	       (state.role != CLUSTER_STANDBY || refuse_standby(&state, err));
}

static bool enter(struct customers *store, struct error *err)
{
	struct cluster_state state;
	if (!cluster_read(store, &state, err))
		return false;
	if (state.role == CLUSTER_OWNER && !customers_owner_works(store->path))
		return error_set(
		        err, EX_TEMPFAIL,
		        "nothing was changed: dispatchd doesn't run on this machine, which "
		        "owned the cluster; start it, or make the change on the cluster's "
		        "owner");
	if (state.role == CLUSTER_OWNER)
		return start_recording(store, &state, err);
	if (state.role == CLUSTER_NONE)
		return leave_past(store, &state, err);
	return refuse_standby(&state, err);
}

bool customers_write_begin(struct customers *store, struct error *err)
{
	if (store->follows)
		bug("%s: written to by the connection that follows", store->path);
	if (!db_begin(store->db, err))
		return false;
	if (enter(store, err))
		return true;
	stop_recording(store);
	db_rollback(store->db);
	return false;
}

bool customers_write_end(struct customers *store, bool good, struct error *err)
{
	good = good && search_refresh(store, err) &&
	       (store->recording.record == NULL || keep_changes(store, err));
	stop_recording(store);
	if (good)
		return db_commit(store->db, err);
	db_rollback(store->db);
	return false;
}
