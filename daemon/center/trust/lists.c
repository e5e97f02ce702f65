/* SPDX-License-Identifier: MIT */
/* Saved lists in center.db. */
#include "center/trust/lists.h"

#include "base/utf8.h"
#include "center/trust/accounts_private.h"

#include <string.h>
#include <sysexits.h>

static bool list_check(const char *name, const char *query, struct error *err)
{
	size_t len = strlen(name), chars = utf8_length(name, len);
	if (strspn(name, " ") == len || chars > LIST_NAME_MAX)
		return error_set(err, EX_DATAERR, "name: expected 1 to %d characters",
		                 LIST_NAME_MAX);
	for (const char *c = name; *c != '\0'; c++)
		if ((unsigned char)*c < ' ')
			return error_set(err, EX_DATAERR, "name: expected one line of text");
	if (strlen(query) > LIST_QUERY_MAX)
		return error_set(err, EX_DATAERR, "the list chooses by too long a text");
	return true;
}

/* Whether there is room for one more, or the name is one of the lists'. */
static bool list_fits(struct accounts *accounts, int64_t account, const char *name,
                      struct error *err)
{
	int64_t others;
	struct db_query *query = db_query(
	        accounts->db, "SELECT count(*) FROM list WHERE account = ?1 AND name <> ?2");
	db_bind_int(query, 1, account);
	db_bind_text(query, 2, name);
	if (!db_run_int(query, 0, &others, err))
		return false;
	return others < LISTS_MAX ||
	       error_set(err, EX_DATAERR, "an account can save %d lists; remove one first",
	                 LISTS_MAX);
}

bool lists_save(struct accounts *accounts, int64_t account, const char *name, bool shared,
                const char *query, int64_t *ret_id, struct error *err)
{
	if (!accounts_may_change(accounts, err) || !list_check(name, query, err) ||
	    !list_fits(accounts, account, name, err))
		return false;
	struct db_query *save = db_query(
	        accounts->db, "INSERT INTO list (account, name, shared, query) VALUES (?1, ?2, ?3,"
	                      " ?4) ON CONFLICT (account, name) DO UPDATE SET shared = ?3, query ="
	                      " ?4 RETURNING id");
	db_bind_int(save, 1, account);
	db_bind_text(save, 2, name);
	db_bind_int(save, 3, shared);
	db_bind_text(save, 4, query);
	return db_run_int(save, 0, ret_id, err);
}

static bool list_none(int64_t id, struct error *err)
{
	return error_set(err, EX_NOINPUT, "there is no list %lld", (long long)id);
}

bool lists_remove(struct accounts *accounts, int64_t account, int64_t id, struct error *err)
{
	if (!accounts_may_change(accounts, err))
		return false;
	struct db_query *query =
	        db_query(accounts->db, "DELETE FROM list WHERE id = ?1 AND account = ?2");
	db_bind_int(query, 1, id);
	db_bind_int(query, 2, account);
	return db_run(query, err) && (db_changes(accounts->db) > 0 || list_none(id, err));
}

/* All with id 0. */
static bool list_rows(struct accounts *accounts, int64_t account, int64_t id, json_t **ret,
                      struct error *err)
{
	struct db_query *query =
	        db_query(accounts->db,
	                 "SELECT list.id, list.name, list.shared, list.query, list.account = ?1,"
	                 " account.name FROM list JOIN account ON account.id = list.account"
	                 " WHERE (list.account = ?1 OR list.shared) AND (?2 = 0 OR list.id = ?2)"
	                 " ORDER BY list.account <> ?1, list.name, list.id");
	json_t *rows = json_array();
	enum db_step step;
	db_bind_int(query, 1, account);
	db_bind_int(query, 2, id);
	while ((step = db_step(query, err)) == DB_ROW)
		json_array_append_new(rows, json_pack("{s:I, s:s, s:b, s:s, s:b, s:s}", "id",
		                                      (json_int_t)db_int(query, 0), "name",
		                                      db_peek_text(query, 1, NULL), "shared",
		                                      db_int(query, 2) != 0, "query",
		                                      db_peek_text(query, 3, NULL), "own",
		                                      db_int(query, 4) != 0, "whose",
		                                      db_peek_text(query, 5, NULL)));
	if (step == DB_DONE)
		*ret = rows;
	else
		json_decref(rows);
	return step == DB_DONE;
}

bool lists_find(struct accounts *accounts, int64_t account, int64_t id, json_t **ret,
                struct error *err)
{
	json_t *rows;
	if (id <= 0)
		return list_none(id, err);
	if (!list_rows(accounts, account, id, &rows, err))
		return false;
	json_t *row = json_array_get(rows, 0);
	if (row)
		*ret = json_incref(row);
	json_decref(rows);
	return row || list_none(id, err);
}

bool lists_all(struct accounts *accounts, int64_t account, json_t **ret, struct error *err)
{
	return list_rows(accounts, account, 0, ret, err);
}
