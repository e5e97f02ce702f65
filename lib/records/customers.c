/* SPDX-License-Identifier: MIT */
/* Opening customers.db, and the one thing that the daemon writes there on its own. */
#include "records/customers.h"

#include "model/kind.h"
#include "records/customers_private.h"
#include "records/customers_schema.h"
#include "records/customers_write.h"

#include <stdio.h>
#include <stdlib.h>

int64_t customers_schema_version(void)
{
	return (int64_t)customers_schema()->n_migrations;
}

bool customers_inspect(const char *path, struct error *err)
{
	return db_inspect(path, customers_schema(), err);
}

struct customers *customers_open(const char *path, enum db_mode mode, struct error *err)
{
	struct db *db = db_open(path, customers_schema(), mode, err);
	if (db == NULL)
		return NULL;
	struct customers *customers = mem_alloc(sizeof *customers);
	*customers = (struct customers){
	        .db = db, .zones = zones_new(), .path = mem_strdup(path), .folder = FOLDER_NONE};
	customers->sql = mem_alloc(n_kinds * sizeof *customers->sql);
	return customers;
}

struct customers *customers_close(struct customers *customers)
{
	if (customers == NULL)
		return NULL;
	(void)db_close(customers->db);
	(void)zones_free(customers->zones);
	folder_close(&customers->folder);
	for (size_t i = 0; i < n_kinds; i++) {
		free(customers->sql[i].insert);
		free(customers->sql[i].update);
		free(customers->sql[i].get);
		free(customers->sql[i].list);
		free(customers->sql[i].list_all);
		free(customers->sql[i].remove);
		free(customers->sql[i].remove_owned);
		free(customers->sql[i].name);
		free(customers->sql[i].find);
		free(customers->sql[i].complete);
		free(customers->sql[i].contents);
	}
	free(customers->sql);
	customers_load_free(&customers->load);
	free(customers->key_file);
	free(customers->key_from);
	free(customers->path);
	free(customers);
	return NULL;
}

struct db *customers_db(struct customers *customers)
{
	return customers->db;
}

struct zones *customers_zones(struct customers *customers)
{
	return customers->zones;
}

bool customers_jump(struct customers *customers, struct error *err)
{
	return db_run(db_query(customers->db, DB_SEQUENCES_ALL), err) &&
	       db_run(db_query(customers->db, "UPDATE sqlite_sequence SET seq = seq + 1000000"),
	              err) &&
	       db_run(db_query(customers->db, "UPDATE cluster SET role = 'none', owner = NULL"),
	              err);
}

bool customers_begin_read(struct customers *customers, struct error *err)
{
	return db_begin_read(customers->db, err);
}

void customers_end_read(struct customers *customers)
{
	db_end_read(customers->db);
}

/* -- which database it is ---------------------------------------------------------------------- */

bool customers_identity(struct customers *customers, char ret[IDENTITY_SIZE], struct error *err)
{
	struct db_query *query =
	        db_query(customers->db, "SELECT id FROM identity ORDER BY rowid LIMIT 1");
	enum db_step step = db_step(query, err);
	const char *id = step == DB_ROW ? db_peek_text(query, 0, NULL) : NULL;
	(void)snprintf(ret, IDENTITY_SIZE, "%s", id ? id : "");
	db_finish(query);
	return step != DB_FAULT;
}

bool customers_identify(struct customers *customers, struct error *err)
{
	char identity[IDENTITY_SIZE];
	if (!customers_identity(customers, identity, err))
		return false;
	if (identity[0] != '\0')
		return true;
	return customers_write_begin(customers, err) &&
	       customers_write_end(customers,
	                           db_exec(customers->db,
	                                   "INSERT INTO identity SELECT lower(hex(randomblob(16)))"
	                                   " WHERE NOT EXISTS (SELECT 1 FROM identity)",
	                                   err),
	                           err);
}

/* -- numbers that have changed ----------------------------------------------------------------- */

bool customers_renumbered(struct customers *customers, int64_t after, struct arena *arena,
                          struct renumbering **ret, size_t *ret_n, int64_t *ret_last,
                          struct error *err)
{
	struct renumbering *rows = NULL;
	size_t n = 0, cap = 0;
	enum db_step step;
	if (!db_run_int(db_query(customers->db, "SELECT max(id) FROM renumbered"), 0, ret_last,
	                err))
		return false;
	struct db_query *query = db_query(
	        customers->db,
	        "SELECT before, after, contacts FROM renumbered WHERE id > ?1 ORDER BY id");
	db_bind_int(query, 1, after);
	while ((step = db_step(query, err)) == DB_ROW) {
		rows = arena_grow(arena, rows, n, &cap, sizeof *rows);
		rows[n++] = (struct renumbering){db_text(query, 0, arena), db_text(query, 1, arena),
		                                 db_text_or_null(query, 2, arena)};
	}
	*ret = rows;
	*ret_n = n;
	return step == DB_DONE;
}

bool customers_erased(struct customers *customers, int64_t after, struct arena *arena,
                      const char ***ret, size_t *ret_n, int64_t *ret_last, struct error *err)
{
	const char **numbers = NULL;
	size_t n = 0, cap = 0;
	enum db_step step;
	if (!db_run_int(db_query(customers->db, "SELECT max(id) FROM erased"), 0, ret_last, err))
		return false;
	struct db_query *query =
	        db_query(customers->db, "SELECT number FROM erased WHERE id > ?1 ORDER BY id");
	db_bind_int(query, 1, after);
	while ((step = db_step(query, err)) == DB_ROW) {
		numbers = arena_grow(arena, numbers, n, &cap, sizeof *numbers);
		numbers[n++] = db_text(query, 0, arena);
	}
	*ret = numbers;
	*ret_n = n;
	return step == DB_DONE;
}

struct instant customers_erased_at(struct customers *customers, const char *number)
{
	struct error ignored;
	struct db_query *query =
	        db_query(customers->db,
	                 "SELECT time FROM erased WHERE number = ?1 ORDER BY id DESC LIMIT 1");
	db_bind_text(query, 1, number);
	if (db_step(query, &ignored) != DB_ROW)
		return INSTANT_NONE;
	struct instant when = db_instant(query, 0);
	db_finish(query);
	return when;
}

const char *customers_rep_email(struct customers *customers, const char *rep, struct arena *arena)
{
	struct error ignored;
	const char *email = "";
	struct db_query *query = db_query(
	        customers->db, "SELECT email FROM rep WHERE name = ?1 AND email IS NOT NULL");
	db_bind_text(query, 1, rep);
	if (db_step(query, &ignored) != DB_ROW)
		return email;
	email = db_text(query, 0, arena);
	db_finish(query);
	return email;
}

/* -- addresses that a relay refused ------------------------------------------------------------ */

/* The two addresses of a contact are marked alike; each statement leaves alone what is marked
 * already. */
static const char *const marks[] = {
        "UPDATE contact SET email_invalid = ?3, email_invalid_why = ?4"
        " WHERE id = ?1 AND email = ?2 AND email_invalid IS NULL",
        "UPDATE contact SET alt_email_invalid = ?3, alt_email_invalid_why = ?4"
        " WHERE id = ?1 AND alt_email = ?2 AND alt_email_invalid IS NULL",
};
static const char *const mark_changes[] = {
        "INSERT INTO change (time, user, kind, record, customer, action, after)"
        " SELECT ?1, 'dispatchd', 'contact', id, customer, 'mark',"
        " json_object('email', email, 'email_invalid_why', ?3) FROM contact WHERE id = ?2",
        "INSERT INTO change (time, user, kind, record, customer, action, after) SELECT ?1, "
        "'dispatchd', 'contact', id, customer, 'mark', json_object('alt_email', alt_email, "
        "'alt_email_invalid_why', ?3) FROM contact WHERE id = ?2",
};

static bool mark(struct db *db, size_t which, int64_t contact, const char *address,
                 struct instant when, const char *words, struct error *err)
{
	struct db_query *query = db_query(db, marks[which]);
	db_bind_int(query, 1, contact);
	db_bind_text(query, 2, address);
	db_bind_instant(query, 3, when);
	db_bind_text(query, 4, words);
	if (!db_run(query, err))
		return false;
	if (db_changes(db) == 0)
		return true;
	query = db_query(db, mark_changes[which]);
	db_bind_instant(query, 1, when);
	db_bind_int(query, 2, contact);
	db_bind_text(query, 3, words);
	return db_run(query, err);
}

bool customers_mark_invalid(struct customers *customers, int64_t contact, const char *address,
                            struct instant when, const char *words, struct error *err)
{
	struct db *db = customers->db;
	return customers_write_begin(customers, err) &&
	       customers_write_end(customers,
	                           mark(db, 0, contact, address, when, words, err) &&
	                                   mark(db, 1, contact, address, when, words, err),
	                           err);
}
