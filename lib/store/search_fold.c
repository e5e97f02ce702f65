/* SPDX-License-Identifier: MIT */
/*
 * The folded copy of what is searched. Triggers note which customers changed (customers_4.sql); before
 * each commit of the record functions their texts are put together and folded here, and triggers again
 * carry them into the index. Several values of one field are lines of its text.
 */
#include "base/buf.h"
#include "store/fold.h"
#include "store/record_private.h"

#include <string.h>

static const char gather_sql[] =
        "SELECT name, dba, number, account, address, postal_code, city, state, phone, fax FROM customer"
        " WHERE id = ?1";
static const char contacts_sql[] = "SELECT name, first_name, last_name, email, alt_email, home_phone, "
                                   "cell_phone, work_phone FROM contact"
                                   " WHERE customer = ?1 ORDER BY id";
static const char equipment_sql[] = "SELECT type, label, NULL FROM system WHERE customer = ?1"
                                    " UNION ALL SELECT kind, serial, size FROM asset WHERE customer = ?1";

/* Where each column of the statements above goes. */
static const enum search_by customer_columns[] = {BY_NAME,    BY_DBA,  BY_NUMBER, BY_ACCOUNT, BY_ADDRESS,
                                                  BY_ADDRESS, BY_CITY, BY_STATE,  BY_PHONE,   BY_PHONE};
static const enum search_by contact_columns[] = {BY_CONTACT, BY_CONTACT, BY_CONTACT, BY_EMAIL,
                                                 BY_EMAIL,   BY_PHONE,   BY_PHONE,   BY_PHONE};
static const enum search_by equipment_columns[] = {BY_EQUIPMENT, BY_EQUIPMENT, BY_EQUIPMENT};

struct texts {
	struct buf by[BY_COUNT];
};

static void add_text(struct texts *texts, enum search_by by, struct db_query *query, int column)
{
	struct buf *out = &texts->by[by];
	size_t len;
	const char *text = db_peek_text(query, column, &len);
	if (len == 0)
		return;
	if (out->len > 0)
		buf_addc(out, '\n');
	if (by == BY_PHONE)
		fold_digits(text, len, out);
	else
		fold_text(text, len, out);
}

static bool gather(struct customers *store, int64_t id, const char *sql, const enum search_by *columns,
                   size_t n, struct texts *texts, bool *ret_any, struct error *err)
{
	struct db_query *query = db_query(store->db, sql);
	enum db_step step;
	db_bind_int(query, 1, id);
	while ((step = db_step(query, err)) == DB_ROW) {
		*ret_any = true;
		for (size_t i = 0; i < n; i++)
			add_text(texts, columns[i], query, (int)i);
	}
	return step == DB_DONE;
}

static bool drop(struct customers *store, int64_t id, struct error *err)
{
	struct db_query *query = db_query(store->db, "DELETE FROM search_text WHERE customer = ?1");
	db_bind_int(query, 1, id);
	return db_run(query, err);
}

static bool store_texts(struct customers *store, int64_t id, const struct texts *texts, struct error *err)
{
	struct db_query *query = db_query(
	        store->db,
	        "INSERT INTO search_text (customer, name, dba, number, account, address, city, state, phone,"
	        " email, equipment, contact) VALUES (?12, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)");
	for (int by = BY_NAME; by < BY_COUNT; by++) {
		if (texts->by[by].len > 0)
			db_bind_text_n(query, by, texts->by[by].data, texts->by[by].len);
	}
	db_bind_int(query, BY_COUNT, id);
	return db_run(query, err);
}

static bool fold_customer(struct customers *store, int64_t id, struct texts *texts, struct error *err)
{
	bool there = false, any;
	for (int by = 0; by < BY_COUNT; by++)
		buf_reset(&texts->by[by]);
	if (!drop(store, id, err) ||
	    !gather(store, id, gather_sql, customer_columns,
	            sizeof customer_columns / sizeof customer_columns[0], texts, &there, err))
		return false;
	if (!there)
		return true;
	return gather(store, id, contacts_sql, contact_columns,
	              sizeof contact_columns / sizeof contact_columns[0], texts, &any, err) &&
	       gather(store, id, equipment_sql, equipment_columns,
	              sizeof equipment_columns / sizeof equipment_columns[0], texts, &any, err) &&
	       store_texts(store, id, texts, err);
}

bool search_refresh(struct customers *store, struct error *err)
{
	struct db_query *query = db_query(store->db, "SELECT customer FROM search_stale");
	struct texts texts = {0};
	enum db_step step;
	bool good = true, any = false;
	while (good && (step = db_step(query, err)) == DB_ROW) {
		good = fold_customer(store, db_int(query, 0), &texts, err);
		any = true;
	}
	if (!good)
		db_finish(query);
	for (int by = 0; by < BY_COUNT; by++)
		buf_free(&texts.by[by]);
	return good && step == DB_DONE && (!any || db_exec(store->db, "DELETE FROM search_stale", err));
}

bool customers_reindex(struct customers *store, struct error *err)
{
	if (!db_begin(store->db, err))
		return false;
	if (db_exec(store->db,
	            "INSERT OR IGNORE INTO search_stale SELECT id FROM customer;"
	            "INSERT OR IGNORE INTO search_stale SELECT customer FROM search_text",
	            err) &&
	    search_refresh(store, err))
		return db_commit(store->db, err);
	db_rollback(store->db);
	return false;
}
