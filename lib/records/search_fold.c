/* SPDX-License-Identifier: MIT */
/*
 * The folded copy of what is searched. Triggers note which customers changed (customers_4.sql);
 * before each commit of the record functions their texts are put together and folded here, and go
 * into the index. Several values of one field are lines of its text.
 */
#include "records/search_fold.h"

#include "base/buf.h"
#include "records/customers_private.h"
#include "records/fold.h"
#include "records/records.h"
#include "records/search_private.h"

#include <string.h>

static const char gather_sql[] = "SELECT name, dba, number, account, address, postal_code, city, "
                                 "state, phone, fax, reference, county,"
                                 " sales_rep FROM customer WHERE id = ?1";
static const char contacts_sql[] =
        "SELECT name, first_name, last_name, email, alt_email, home_phone, "
        "cell_phone, work_phone FROM contact"
        " WHERE customer = ?1 ORDER BY id";
static const char equipment_sql[] =
        "SELECT type, label, NULL FROM system WHERE customer = ?1"
        " UNION ALL SELECT kind, serial, size FROM asset WHERE customer = ?1";

/* Where each column of the statements above goes. */
static const enum search_by customer_columns[] = {
        BY_NAME,  BY_DBA,   BY_NUMBER, BY_ACCOUNT,   BY_ADDRESS, BY_ADDRESS, BY_CITY,
        BY_STATE, BY_PHONE, BY_PHONE,  BY_REFERENCE, BY_COUNTY,  BY_REP};
static const enum search_by contact_columns[] = {BY_CONTACT, BY_CONTACT, BY_CONTACT, BY_EMAIL,
                                                 BY_EMAIL,   BY_PHONE,   BY_PHONE,   BY_PHONE};
static const enum search_by equipment_columns[] = {BY_EQUIPMENT, BY_EQUIPMENT, BY_EQUIPMENT};

static const char reps_sql[] = "SELECT r.name FROM customer_rep cr JOIN rep r ON r.id = cr.rep "
                               "WHERE cr.customer = ?1 ORDER BY r.name";
static const enum search_by rep_columns[] = {BY_REP};

static const char formers_sql[] =
        "SELECT number FROM former_number WHERE customer = ?1 ORDER BY number";
static const enum search_by former_columns[] = {BY_NUMBER};

struct texts {
	struct buf by[BY_COUNT];    /* as search_text has them */
	struct buf lines[BY_COUNT]; /* as search_words has them */
};

void search_value_lines(enum search_by by, const char *text, size_t len, struct buf *out)
{
	size_t start = out->len;
	if (by != BY_PHONE) {
		fold_lines(text, len, by == BY_EMAIL, out);
		return;
	}
	fold_digits(text, len, out);
	if (out->len > start)
		buf_addc(out, '\n');
	const char *trunk = memmem(text, len, "(0)", 3);
	if (trunk == NULL)
		return;
	fold_digits(text, (size_t)(trunk - text), out);
	fold_digits(trunk + 3, len - (size_t)(trunk + 3 - text), out);
	buf_addc(out, '\n');
}

static void add_text(struct texts *texts, enum search_by by, struct db_query *query, int column)
{
	struct buf *out = &texts->by[by];
	size_t len;
	const char *text = db_peek_text(query, column, &len);
	if (len == 0)
		return;
	if (texts->lines[by].len == 0)
		buf_addc(&texts->lines[by], '\n');
	search_value_lines(by, text, len, &texts->lines[by]);
	if (by > BY_CONTACT)
		return;
	if (out->len > 0)
		buf_addc(out, '\n');
	if (by == BY_PHONE)
		fold_digits(text, len, out);
	else
		fold_text(text, len, out);
}

static bool gather(struct customers *store, int64_t id, const char *sql,
                   const enum search_by *columns, size_t n, struct texts *texts, bool *ret_any,
                   struct error *err)
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

#define COLUMNS "name, dba, number, account, address, city, state, phone, email, equipment, contact"
#define WORDS   COLUMNS ", reference, county, rep"

/* What is there now, into `texts`; *ret_there is whether anything is. */
static bool read_old(struct customers *store, int64_t id, struct texts *texts, bool *ret_there,
                     struct error *err)
{
	*ret_there = false;
	struct db_query *query = db_query(store->db, "SELECT customer, " WORDS
	                                             " FROM search_words WHERE customer = ?1");
	db_bind_int(query, 1, id);
	enum db_step step = db_step(query, err);
	*ret_there = step == DB_ROW;
	for (int by = BY_NAME; step == DB_ROW && by < BY_COUNT; by++) {
		size_t len;
		const char *text = db_peek_text(query, by, &len);
		if (text)
			buf_add(&texts->lines[by], text, len);
	}
	db_finish(query);
	return step != DB_FAULT;
}

/* `texts` has one a field, of which the first `n` are columns. */
static bool write_texts(struct customers *store, const char *sql, int64_t id,
                        const struct buf *texts, int n, struct error *err)
{
	struct db_query *query = db_query(store->db, sql);
	for (int by = BY_NAME; by < n; by++) {
		if (texts[by].len > 0)
			db_bind_static(query, by, texts[by].data, texts[by].len);
	}
	db_bind_int(query, BY_COUNT, id);
	return db_run(query, err);
}

#define VALUES "?15, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11"
_Static_assert(BY_COUNT == 15, "the id is bound behind the texts");

/* The index keeps no text of its own: to forget a row it needs what the row was. */
static bool forget(struct customers *store, int64_t id, const struct texts *old, struct error *err)
{
	struct db_query *plain = db_query(store->db, "DELETE FROM search_text WHERE customer = ?1");
	db_bind_int(plain, 1, id);
	if (!db_run(plain, err))
		return false;
	struct db_query *query =
	        db_query(store->db, "DELETE FROM search_words WHERE customer = ?1");
	db_bind_int(query, 1, id);
	return db_run(query, err) && write_texts(store,
	                                         "INSERT INTO search (search, rowid, " WORDS
	                                         ") VALUES ('delete', " VALUES ", ?12, ?13, ?14)",
	                                         id, old->lines, BY_COUNT, err);
}

static bool learn(struct customers *store, int64_t id, const struct texts *texts, struct error *err)
{
	return write_texts(store,
	                   "INSERT INTO search_text (customer, " COLUMNS ") VALUES (" VALUES ")",
	                   id, texts->by, BY_CONTACT + 1, err) &&
	       write_texts(store,
	                   "INSERT INTO search_words (customer, " WORDS ") VALUES (" VALUES
	                   ", ?12, ?13, ?14)",
	                   id, texts->lines, BY_COUNT, err) &&
	       write_texts(store,
	                   "INSERT INTO search (rowid, " WORDS ") VALUES (" VALUES
	                   ", ?12, ?13, ?14)",
	                   id, texts->lines, BY_COUNT, err);
}

static bool gather_all(struct customers *store, int64_t id, bool equipment, struct texts *texts,
                       bool *ret_there, struct error *err)
{
	bool any;
	*ret_there = false;
	if (!gather(store, id, gather_sql, customer_columns,
	            sizeof customer_columns / sizeof customer_columns[0], texts, ret_there, err))
		return false;
	return !*ret_there ||
	       (gather(store, id, reps_sql, rep_columns, 1, texts, &any, err) &&
	        gather(store, id, formers_sql, former_columns, 1, texts, &any, err) &&
	        gather(store, id, contacts_sql, contact_columns,
	               sizeof contact_columns / sizeof contact_columns[0], texts, &any, err) &&
	        (!equipment ||
	         gather(store, id, equipment_sql, equipment_columns,
	                sizeof equipment_columns / sizeof equipment_columns[0], texts, &any, err)));
}

static bool same_texts(const struct texts *a, const struct texts *b)
{
	for (int by = BY_NAME; by < BY_COUNT; by++) {
		const struct buf *x = &a->lines[by], *y = &b->lines[by];
		if (x->len != y->len || (x->len > 0 && memcmp(x->data, y->data, x->len) != 0))
			return false;
	}
	return true;
}

/* Reused from customer to customer. */
struct folding {
	struct texts old, texts;
	int64_t known;  /* greater ids aren't in the index yet (an import adds many) */
	bool equipment; /* whether there is any at all */
};

static bool start_folding(struct customers *store, struct folding *ret, struct error *err)
{
	int64_t any;
	*ret = (struct folding){0};
	if (!db_run_int(db_query(store->db, "SELECT max(customer) FROM search_words"), 0,
	                &ret->known, err) ||
	    !db_run_int(
	            db_query(
	                    store->db,
	                    "SELECT EXISTS (SELECT 1 FROM system) OR EXISTS (SELECT 1 FROM asset)"),
	            0, &any, err))
		return false;
	ret->equipment = any != 0;
	return true;
}

static bool fold_customer(struct customers *store, int64_t id, struct folding *folding,
                          struct error *err)
{
	bool was, is;
	for (int by = 0; by < BY_COUNT; by++) {
		buf_reset(&folding->old.lines[by]);
		buf_reset(&folding->texts.by[by]);
		buf_reset(&folding->texts.lines[by]);
	}
	was = id <= folding->known;
	if ((was && !read_old(store, id, &folding->old, &was, err)) ||
	    !gather_all(store, id, folding->equipment, &folding->texts, &is, err))
		return false;
	if (was && is && same_texts(&folding->old, &folding->texts))
		return true;
	return (!was || forget(store, id, &folding->old, err)) &&
	       (!is || learn(store, id, &folding->texts, err));
}

/* Whether one of the value's lines is that one. */
static bool has_line(enum search_by by, const char *text, size_t len, const char *line)
{
	struct buf lines = {0};
	size_t n = strlen(line);
	bool has = false;
	search_value_lines(by, text, len, &lines);
	for (const char *p = buf_text(&lines), *end; !has && (end = strchr(p, '\n')) != NULL;
	     p = end + 1)
		has = (size_t)(end - p) == n && memcmp(p, line, n) == 0;
	buf_free(&lines);
	return has;
}

static bool find_value(struct customers *store, int64_t id, const char *sql,
                       const enum search_by *columns, size_t n, enum search_by by, const char *line,
                       struct arena *arena, const char **ret, struct error *err)
{
	struct db_query *query = db_query(store->db, sql);
	enum db_step step;
	db_bind_int(query, 1, id);
	while ((step = db_step(query, err)) == DB_ROW) {
		for (size_t i = 0; *ret == NULL && i < n; i++) {
			size_t len;
			const char *text =
			        columns[i] == by ? db_peek_text(query, (int)i, &len) : NULL;
			if (text && has_line(by, text, len, line))
				*ret = arena_strndup(arena, text, len);
		}
	}
	return step == DB_DONE;
}

#define FIND(sql, columns)                                                                         \
	find_value(store, id, sql, columns, sizeof(columns) / sizeof(columns)[0], by, line, arena, \
	           ret, err)

bool search_value(struct customers *store, int64_t id, enum search_by by, const char *line,
                  struct arena *arena, const char **ret, struct error *err)
{
	*ret = NULL;
	bool good = FIND(gather_sql, customer_columns) && FIND(contacts_sql, contact_columns) &&
	            FIND(equipment_sql, equipment_columns) && FIND(reps_sql, rep_columns) &&
	            FIND(formers_sql, former_columns);
	if (good && *ret == NULL)
		*ret = line;
	return good;
}

/* A standby's index follows by that. */
static void note_folded(struct recording *recording, int64_t id)
{
	if (recording->record == NULL)
		return;
	if (recording->folded.len > 0)
		buf_addc(&recording->folded, ',');
	buf_add_integer(&recording->folded, id);
}

bool search_refresh(struct customers *store, struct error *err)
{
	struct db_query *query = db_query(store->db, "SELECT customer FROM search_stale");
	struct folding folding;
	enum db_step step = DB_DONE;
	bool good = start_folding(store, &folding, err), any = false;
	while (good && (step = db_step(query, err)) == DB_ROW) {
		int64_t id = db_int(query, 0);
		good = fold_customer(store, id, &folding, err);
		note_folded(&store->recording, id);
		any = true;
	}
	if (!good)
		db_finish(query);
	for (int by = 0; by < BY_COUNT; by++) {
		buf_free(&folding.old.lines[by]);
		buf_free(&folding.texts.by[by]);
		buf_free(&folding.texts.lines[by]);
	}
	return good && step == DB_DONE &&
	       (!any || db_exec(store->db, "DELETE FROM search_stale", err));
}

/* The index is emptied first, so that one which no longer agrees with the folded copy is put right,
 * too. It is each machine's own, a standby's too, so that nothing is kept of this. */
bool customers_reindex(struct customers *store, struct error *err)
{
	if (!db_begin(store->db, err))
		return false;
	if (db_exec(store->db,
	            "INSERT INTO search (search) VALUES ('delete-all'); DELETE FROM search_text; "
	            "DELETE FROM search_words;INSERT OR IGNORE INTO search_stale SELECT id FROM "
	            "customer",
	            err) &&
	    search_refresh(store, err))
		return db_commit(store->db, err);
	db_rollback(store->db);
	return false;
}
