/* SPDX-License-Identifier: MIT */
/*
 * A record between SQL, text and JSON, for every kind alike. The statements are put together from
 * the table of kinds once a connection; a `struct row` is a value a field.
 */
#include "records/record_row.h"

#include "base/buf.h"
#include "base/jsontext.h"
#include "records/customers_private.h"
#include "records/transaction.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* The next id follows the greatest: a file may not use them all up. */
enum { KEPT_ID_MAX = 1000000000 };

/* -- SQL from the table ------------------------------------------------------------------------ */

/* A customer is named by its number outside and by its id inside: the number may change. */
static void add_column_read(struct buf *sql, const struct field *field)
{
	if (field->type == FIELD_CUSTOMER)
		buf_printf(sql, ", (SELECT o.number FROM customer o WHERE o.id = t.\"%s\")",
		           field->name);
	else
		buf_printf(sql, ", t.\"%s\"", field->name);
}

static void add_parameter(struct buf *sql, const struct field *field, size_t i)
{
	if (field->type == FIELD_CUSTOMER)
		buf_printf(sql, "(SELECT o.id FROM customer o WHERE o.number = ?%zu)", i + 2);
	else
		buf_printf(sql, "?%zu", i + 2);
}

static char *insert_sql(const struct kind *kind)
{
	struct buf sql = {0};
	buf_printf(&sql, "INSERT INTO %s (%s", kind->table,
	           kind->owner ? kind->owner_column : "id");
	for (size_t i = 0; i < kind->n_fields; i++)
		buf_printf(&sql, ", \"%s\"", kind->fields[i].name);
	buf_printf(&sql, "%s) VALUES (?1", kind->owner ? ", id" : "");
	for (size_t i = 0; i < kind->n_fields; i++) {
		buf_adds(&sql, ", ");
		add_parameter(&sql, &kind->fields[i], i);
	}
	if (kind->owner)
		buf_printf(&sql, ", ?%zu", kind->n_fields + 2);
	buf_adds(&sql, ")");
	return buf_take(&sql);
}

static char *update_sql(const struct kind *kind)
{
	struct buf sql = {0};
	buf_printf(&sql, "UPDATE %s SET ", kind->table);
	for (size_t i = 0; i < kind->n_fields; i++) {
		buf_printf(&sql, "%s\"%s\" = ", i ? ", " : "", kind->fields[i].name);
		add_parameter(&sql, &kind->fields[i], i);
	}
	buf_adds(&sql, " WHERE id = ?1");
	return buf_take(&sql);
}

static void add_select(struct buf *sql, const struct kind *kind)
{
	buf_printf(sql, "SELECT t.id, %s%s", kind->owner ? "t." : "",
	           kind->owner ? kind->owner_column : "0");
	for (size_t i = 0; i < kind->n_fields; i++)
		add_column_read(sql, &kind->fields[i]);
	buf_printf(sql, " FROM %s t", kind->table);
}

static char *get_sql(const struct kind *kind)
{
	struct buf sql = {0};
	add_select(&sql, kind);
	buf_adds(&sql, " WHERE t.id = ?1");
	return buf_take(&sql);
}

static char *list_sql(const struct kind *kind, bool owned)
{
	struct buf sql = {0};
	add_select(&sql, kind);
	if (owned && kind->owner)
		buf_printf(&sql, " WHERE t.%s = ?1", kind->owner_column);
	buf_printf(&sql, " ORDER BY %s", kind->order);
	return buf_take(&sql);
}

static char *remove_sql(const struct kind *kind, const char *column)
{
	struct buf sql = {0};
	buf_printf(&sql, "DELETE FROM %s WHERE %s = ?1", kind->table, column);
	return buf_take(&sql);
}

/* The two by name are for kinds whose records have a name, their first field. */
static char *name_sql(const struct kind *kind)
{
	struct buf sql = {0};
	buf_printf(&sql, "SELECT %s FROM %s WHERE id = ?1", kind->fields[0].name, kind->table);
	return buf_take(&sql);
}

static char *find_sql(const struct kind *kind)
{
	struct buf sql = {0};
	buf_printf(&sql, "SELECT id FROM %s WHERE %s = ?1", kind->table, kind->fields[0].name);
	return buf_take(&sql);
}

static char *complete_sql(const struct kind *kind)
{
	const char *name = kind->fields[0].name;
	struct buf sql = {0};
	buf_printf(&sql,
	           "SELECT %s FROM %s WHERE %s >= ?1 AND %s < ?1 || char(0x10FFFF) ORDER BY %s "
	           "LIMIT ?2",
	           name, kind->table, name, name, name);
	return buf_take(&sql);
}

static char *contents_sql(const struct kind *kind)
{
	struct buf sql = {0};
	buf_printf(&sql, "SELECT hash, max(id) FROM %s WHERE hash IS NOT NULL GROUP BY hash",
	           kind->table);
	return buf_take(&sql);
}

const struct kind_sql *row_sql(struct customers *store, const struct kind *kind)
{
	struct kind_sql *sql = &store->sql[kind - kinds];
	if (sql->insert == NULL)
		*sql = (struct kind_sql){
		        .insert = insert_sql(kind),
		        .update = update_sql(kind),
		        .get = get_sql(kind),
		        .list = list_sql(kind, true),
		        .list_all = list_sql(kind, false),
		        .remove = remove_sql(kind, "id"),
		        .remove_owned = kind->owner ? remove_sql(kind, kind->owner_column) : NULL,
		        .name = name_sql(kind),
		        .find = find_sql(kind),
		        .complete = complete_sql(kind),
		        .contents = kind->file ? contents_sql(kind) : NULL};
	return sql;
}

/* -- rows and SQL ------------------------------------------------------------------------------ */

static void bind_value(struct db_query *query, int i, const struct field *field, const char *value)
{
	struct instant at;
	if (value == NULL)
		return; /* NULL is what parameters start as */
	if (field->type == FIELD_FLAG)
		db_bind_int(query, i, strcmp(value, "true") == 0);
	else if (field->type == FIELD_UNSIGNED)
		db_bind_int(query, i, strtoll(value, NULL, 10));
	else if (field->type == FIELD_INSTANT && instant_parse(value, &at))
		db_bind_instant(query, i, at);
	else
		db_bind_static(query, i, value, strlen(value));
}

const char *value_read(const struct field *field, struct db_query *query, int column,
                       struct arena *arena)
{
	char text[INSTANT_TEXT_MAX];
	if (db_is_null(query, column))
		return NULL;
	if (field->type == FIELD_FLAG)
		return db_int(query, column) != 0 ? "true" : "false";
	if (field->type == FIELD_INSTANT)
		return arena_strdup(arena, instant_format(db_instant(query, column), 0, text));
	return db_text(query, column, arena);
}

bool value_same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

void row_read(const struct kind *kind, struct db_query *query, struct arena *arena, struct row *ret)
{
	*ret = (struct row){.kind = kind, .id = db_int(query, 0), .owner = db_int(query, 1)};
	for (size_t i = 0; i < kind->n_fields; i++)
		ret->value[i] = value_read(&kind->fields[i], query, (int)i + 2, arena);
}

/* Which customer's history a record's changes belong to: through at most one record in between. */
static bool find_customer(struct customers *store, struct row *row, struct error *err)
{
	const struct kind *kind = row->kind;
	row->customer = kind->is_customer ? row->id : kind_is_of_customer(kind) ? row->owner : 0;
	if (kind->customer_of == NULL)
		return true;
	struct db_query *query = db_query(store->db, kind->customer_of);
	db_bind_int(query, 1, row->owner);
	return db_run_int(query, 0, &row->customer, err);
}

bool row_get(struct customers *store, struct arena *arena, const struct kind *kind, int64_t id,
             struct row *ret, struct error *err)
{
	*ret = (struct row){.kind = kind};
	if (id == 0)
		return true;
	struct db_query *query = db_query(store->db, row_sql(store, kind)->get);
	db_bind_int(query, 1, id);
	enum db_step step = db_step(query, err);
	if (step != DB_ROW)
		return step == DB_DONE;
	row_read(kind, query, arena, ret);
	db_finish(query);
	return find_customer(store, ret, err);
}

bool row_new(struct transaction *tx, const struct kind *kind, int64_t owner, struct row *ret)
{
	*ret = (struct row){.kind = kind, .owner = owner};
	return find_customer(tx->store, ret, tx->err);
}

/* Only the database knows which names are taken when two write at once. */
static bool refused(struct transaction *tx, const struct row *row)
{
	const struct field *first = &row->kind->fields[0];
	if (first->type == FIELD_NAME && row->value[0] != NULL)
		return error_set(tx->err, EX_DATAERR, "%s: there already is a %s %s", first->name,
		                 row->kind->name, row->value[0]);
	return error_set(tx->err, EX_DATAERR, "%s: that name is already taken", row->kind->name);
}

static bool write_row(struct transaction *tx, const struct row *row, const char *sql, int64_t first)
{
	struct db_query *query = db_query(tx->db, sql);
	if (first != 0)
		db_bind_int(query, 1, first);
	if (row->id == 0 && row->keep != 0)
		db_bind_int(query, (int)row->kind->n_fields + 2, row->keep);
	for (size_t i = 0; i < row->kind->n_fields; i++)
		bind_value(query, (int)i + 2, &row->kind->fields[i], row->value[i]);
	if (db_run(query, tx->err))
		return true;
	return db_answer(tx->db) == DB_CONSTRAINT ? refused(tx, row) : false;
}

/* For search: triggers note what is changed and removed, not what is added (customers_4.sql). */
static bool note_added(struct transaction *tx, const struct row *row)
{
	if (!row->kind->searched || tx->noted == row->customer)
		return true;
	tx->noted = row->customer;
	struct db_query *query = db_query(tx->db, "INSERT OR IGNORE INTO search_stale VALUES (?1)");
	db_bind_int(query, 1, row->customer);
	return db_run(query, tx->err);
}

bool row_keep_id(struct transaction *tx, struct row *row, int64_t id)
{
	struct row there;
	if (tx->known == NULL || id <= tx->known[row->kind - kinds] || id > KEPT_ID_MAX)
		return true;
	if (!row_get(tx->store, tx->arena, row->kind, id, &there, tx->err))
		return false;
	row->keep = there.id == 0 ? id : 0;
	return true;
}

bool row_insert(struct transaction *tx, struct row *row)
{
	if (!write_row(tx, row, row_sql(tx->store, row->kind)->insert, row->owner))
		return false;
	row->id = db_last_id(tx->db);
	if (row->kind->is_customer)
		row->customer = row->id;
	return note_added(tx, row);
}

bool row_update(struct transaction *tx, const struct row *row)
{
	return write_row(tx, row, row_sql(tx->store, row->kind)->update, row->id);
}

const char *row_value(const struct row *row, const char *field)
{
	return row->value[kind_field_index(row->kind, kind_field(row->kind, field))];
}

void row_set(struct row *row, const char *field, const char *value)
{
	row->value[kind_field_index(row->kind, kind_field(row->kind, field))] = value;
}

/* -- rows and JSON ----------------------------------------------------------------------------- */

/* A text of a database that was edited by hand may hold invalid UTF-8: then it is null. */
static json_t *text_json(const char *text)
{
	json_t *value = json_string(text);
	return value ? value : json_null();
}

static json_t *words_json(const char *text, struct arena *arena)
{
	json_t *array = json_array();
	if (strcmp(text, "none") == 0)
		return array;
	char *rest = arena_strdup(arena, text), *word;
	while ((word = strsep(&rest, ",")) != NULL)
		(void)json_array_append_new(array, text_json(word));
	return array;
}

json_t *value_json(const struct field *field, const char *value, struct arena *arena)
{
	if (value == NULL)
		return json_null();
	if (field->secret)
		return json_string("******");
	if (field->type == FIELD_FLAG)
		return json_boolean(strcmp(value, "true") == 0);
	if (field->type == FIELD_UNSIGNED)
		return json_integer(strtoll(value, NULL, 10));
	if (field->type == FIELD_STATES || field->type == FIELD_SCOPES)
		return words_json(value, arena);
	return text_json(value);
}

json_t *row_json(const struct row *row, struct arena *arena)
{
	json_t *object = json_object();
	for (size_t i = 0; i < row->kind->n_fields; i++)
		(void)json_object_set_new_nocheck(
		        object, row->kind->fields[i].name,
		        value_json(&row->kind->fields[i], row->value[i], arena));
	return object;
}

static bool words_text(const char *name, const json_t *array, struct arena *arena, struct buf *text,
                       struct error *err)
{
	size_t i;
	json_t *word;
	(void)arena;
	json_array_foreach(array, i, word)
	{
		if (!json_is_string(word))
			return error_set(err, EX_DATAERR,
			                 "%s: every entry of the list must be text", name);
		buf_printf(text, "%s%s", i ? "," : "", json_string_value(word));
	}
	if (json_array_size(array) == 0)
		buf_adds(text, "none");
	return true;
}

/* What names a record is a text or a whole number; other numbers are taken for texts, too. */
bool value_fits(const char *name, const struct field *field, const json_t *value, struct error *err)
{
	enum field_type type = field ? field->type : FIELD_NAME;
	bool names = type == FIELD_NAME || type == FIELD_CUSTOMER;
	if (json_is_array(value) && type != FIELD_STATES && type != FIELD_SCOPES)
		return error_set(err, EX_DATAERR, "%s: expected text or a number, not a list",
		                 name);
	if (json_is_boolean(value) && type != FIELD_FLAG)
		return error_set(err, EX_DATAERR,
		                 "%s: expected text or a number, not true or false", name);
	if (json_is_real(value) && names)
		return error_set(err, EX_DATAERR, "%s: must be an integer", name);
	return true;
}

bool value_text(const char *name, const json_t *value, struct arena *arena, const char **ret,
                size_t *ret_len, struct error *err)
{
	struct buf text = {0};
	bool good = true;
	if (json_is_string(value))
		buf_add(&text, json_string_value(value), json_string_length(value));
	else if (json_is_array(value))
		good = words_text(name, value, arena, &text, err);
	else if (json_is_object(value))
		good = error_set(err, EX_DATAERR, "%s: expected text or a number, not an object",
		                 name);
	else if (!json_is_null(value))
		jsontext_write(&text, value, JSONTEXT_AS_IS);
	if (good) {
		*ret = arena_strndup(arena, buf_text(&text), text.len);
		*ret_len = text.len;
	}
	buf_free(&text);
	return good;
}
