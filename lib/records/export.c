/* SPDX-License-Identifier: MIT */
/*
 * Writes all records of a kind in the form that an import takes: a column or key a field, and
 * besides them what a kind's values may carry (a customer's first contact and hours, a quote's
 * items, …).
 */
#include "records/records.h"

#include "base/buf.h"
#include "base/jsontext.h"
#include "db/csv.h"
#include "records/customers_private.h"
#include "records/record_hours.h"
#include "records/record_json.h"
#include "records/record_operations.h"
#include "records/record_row.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>

enum { PROGRESS_ROWS = 1000 };

struct export
{
	struct customers *store;
	const struct kind *kind;
	enum records_format format;
	FILE *out;
	struct arena *arena; /* of one row */
	struct buf buf;
	struct error *err;
};

/* -- what is not a field ----------------------------------------------------------------------- */

/* All contacts as a list that an import takes: without marks that say nothing. */
static bool contacts_json(struct export *export, const struct row *row, json_t **ret)
{
	const struct kind *kind = kind_find("contact");
	struct db_query *query = db_query(export->store->db, row_sql(export->store, kind)->list);
	json_t *list = json_array();
	enum db_step step;
	db_bind_int(query, 1, row->id);
	while ((step = db_step(query, export->err)) == DB_ROW) {
		struct row contact;
		row_read(kind, query, export->arena, &contact);
		json_t *one = row_json(&contact, export->arena);
		for (size_t i = 0; i < kind->n_fields; i++) {
			if (contact.value[i] == NULL)
				(void)json_object_del(one, kind->fields[i].name);
		}
		json_t *numbered = json_pack("{s:I}", "id", (json_int_t)contact.id);
		(void)json_object_update(numbered, one);
		json_decref(one);
		(void)json_array_append_new(list, numbered);
	}
	*ret = list;
	return step == DB_DONE;
}

static bool reps_json(struct export *export, const struct row *row, json_t **ret)
{
	struct db_query *query = db_query(
	        export->store->db, "SELECT r.name FROM rep r JOIN customer_rep cr ON cr.rep = r.id"
	                           " WHERE cr.customer = ?1 ORDER BY r.name");
	json_t *list = json_array();
	enum db_step step;
	db_bind_int(query, 1, row->id);
	while ((step = db_step(query, export->err)) == DB_ROW)
		(void)json_array_append_new(list, json_string(db_peek_text(query, 0, NULL)));
	*ret = list;
	return step == DB_DONE;
}

/* Takes the value; one with nothing in it is null. */
static void set_list(json_t *object, const char *key, json_t *list)
{
	bool any = json_array_size(list) > 0;
	(void)json_object_set_new(object, key, any ? list : json_null());
	if (!any)
		json_decref(list);
}

static void set_copy(json_t *object, const char *key, json_t *value)
{
	(void)json_object_set_new(object, key, value ? json_incref(value) : json_null());
}

/* The first contact's address and name have columns of their own, for tables made and read by
 * people. */
static bool customer_extras(struct export *export, const struct row *row, json_t *object)
{
	json_t *contacts = NULL, *reps = NULL, *hours = NULL;
	bool good = contacts_json(export, row, &contacts) && reps_json(export, row, &reps) &&
	            hours_json(export->store, row->id, &hours, export->err);
	const json_t *first = json_array_get(contacts, 0);
	bool any = json_is_object(json_object_get(hours, "weekly")) ||
	           json_object_size(json_object_get(hours, "dates")) > 0;
	set_copy(object, "email", json_object_get(first, "email"));
	set_copy(object, "contact", json_object_get(first, "name"));
	set_copy(object, "hours", any ? hours : NULL);
	set_list(object, "contacts", contacts);
	set_list(object, "reps", reps);
	json_decref(hours);
	return good;
}

/* The columns behind the fields; what is shown under them is what an import takes. */
static const char *const *extra_names(const struct kind *kind)
{
	static const char *const none[] = {NULL};
	return kind->extra ? kind->extra : none;
}

/* The whole record as an object in the order of the columns. */
static bool record_object(struct export *export, const struct row *row, json_t **ret)
{
	const struct kind_operations *operations = operations_find(export->kind);
	json_t *object = json_object();
	bool good = true;
	if (export->kind->owner) {
		(void)json_object_set_new(object, "id", json_integer(row->id));
		good = owner_json(export->store, row, object, export->err);
	}
	json_t *fields = row_json(row, export->arena);
	(void)json_object_update(object, fields);
	json_decref(fields);
	if (good && export->kind->is_customer)
		good = customer_extras(export, row, object);
	else if (good && *extra_names(export->kind) && operations->show)
		good = operations->show(export->store, row, object, export->err);
	if (good)
		*ret = object;
	else
		json_decref(object);
	return good;
}

/* -- CSV --------------------------------------------------------------------------------------- */

static void add_header(struct export *export)
{
	bool first = true;
	if (export->kind->owner) {
		csv_add(&export->buf, true, "id");
		csv_add(&export->buf, false, export->kind->owner_key);
		first = false;
	}
	for (size_t i = 0; i < export->kind->n_fields; i++, first = false)
		csv_add(&export->buf, first, export->kind->fields[i].name);
	for (const char *const *name = extra_names(export->kind); *name; name++)
		csv_add(&export->buf, false, *name);
	buf_adds(&export->buf, "\r\n");
}

static void add_member(struct export *export, bool first, const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	struct buf text = {0};
	if (json_is_string(value))
		buf_adds(&text, json_string_value(value));
	else if (value && !json_is_null(value))
		jsontext_write(&text, value, JSONTEXT_AS_IS);
	csv_add_marked(&export->buf, first, buf_text(&text));
	buf_free(&text);
}

static void add_csv_row(struct export *export, const struct row *row, const json_t *object)
{
	bool first = true;
	if (export->kind->owner) {
		add_member(export, true, object, "id");
		add_member(export, false, object, export->kind->owner_key);
		first = false;
	}
	for (size_t i = 0; i < export->kind->n_fields; i++, first = false) {
		if (export->kind->fields[i].computed)
			add_member(export, first, object,
			           export->kind->fields[i].name); /* it is in no row */
		else
			csv_add_marked(&export->buf, first, row->value[i] ? row->value[i] : "");
	}
	for (const char *const *name = extra_names(export->kind); *name; name++)
		add_member(export, false, object, *name);
	buf_adds(&export->buf, "\r\n");
}

/* -- the export -------------------------------------------------------------------------------- */

static bool flush(struct export *export)
{
	bool good =
	        fwrite(buf_text(&export->buf), 1, export->buf.len, export->out) == export->buf.len;
	buf_reset(&export->buf);
	return good ||
	       error_set(export->err, EX_IOERR, "the file can't be written: %s", strerror(errno));
}

static bool export_row(struct export *export, const struct row *row)
{
	json_t *object;
	if (!record_object(export, row, &object))
		return false;
	if (export->format == RECORDS_CSV) {
		add_csv_row(export, row, object);
	} else {
		jsontext_write(&export->buf, object, JSONTEXT_AS_IS);
		buf_addc(&export->buf, '\n');
	}
	json_decref(object);
	return flush(export);
}

static bool export_rows(struct export *export, records_progress *progress, void *arg, int64_t total,
                        int64_t *rows)
{
	struct db_query *query =
	        db_query(export->store->db, row_sql(export->store, export->kind)->list_all);
	enum db_step step = DB_DONE;
	bool good = true;
	for (*rows = 0; good && (step = db_step(query, export->err)) == DB_ROW;
	     arena_reset(export->arena)) {
		struct row row;
		row_read(export->kind, query, export->arena, &row);
		good = export_row(export, &row);
		if (++*rows % PROGRESS_ROWS == 0 && progress)
			progress(arg, *rows, *rows, total);
	}
	if (!good)
		db_finish(query);
	return good && step == DB_DONE;
}

static bool count_rows(struct customers *store, const struct kind *kind, int64_t *ret,
                       struct error *err)
{
	struct buf sql = {0};
	buf_printf(&sql, "SELECT count(*) FROM %s", kind->table);
	struct db_query *query = db_query_once(store->db, buf_text(&sql));
	bool good = db_run_int(query, 0, ret, err);
	db_finish(query);
	buf_free(&sql);
	return good;
}

bool records_export(struct customers *store, const struct kind *kind, enum records_format format,
                    FILE *out, records_progress *progress, void *arg, int64_t *ret_rows,
                    struct error *err)
{
	struct export export = {
	        .store = store, .kind = kind, .format = format, .out = out, .err = err};
	int64_t total, rows = 0;
	if (!customers_begin_read(store, err))
		return false;
	export.arena = arena_new();
	if (format == RECORDS_CSV)
		add_header(&export);
	bool good = count_rows(store, kind, &total, err) && flush(&export) &&
	            export_rows(&export, progress, arg, total, &rows);
	if (good && fflush(out) != 0)
		good = error_set(err, EX_IOERR, "the file can't be written: %s", strerror(errno));
	customers_end_read(store);
	arena_free(export.arena);
	buf_free(&export.buf);
	if (good && ret_rows)
		*ret_rows = rows;
	return good;
}
