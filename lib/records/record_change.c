/* SPDX-License-Identifier: MIT */
/* The history: who changed what, when, what it was before and after. Only added to, never changed. */
#include "records/record_private.h"

#include "base/jsontext.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static struct db_query *change_query(struct work *work, const char *kind, int64_t record, int64_t customer,
                                     const char *action)
{
	struct db_query *query = db_query(
	        work->db, "INSERT INTO change (time, user, kind, record, customer, action, before, after)"
	                  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
	db_bind_instant(query, 1, work->act->when);
	db_bind_text(query, 2, work->act->actor.user);
	db_bind_static(query, 3, kind, strlen(kind));
	db_bind_int(query, 4, record);
	if (customer != 0)
		db_bind_int(query, 5, customer);
	db_bind_static(query, 6, action, strlen(action));
	return query;
}

static void bind_object(struct db_query *query, int i, json_t *object)
{
	char *text = json_object_size(object) > 0 ? json_dumps(object, JSON_COMPACT) : NULL;
	db_bind_text(query, i, text);
	free(text);
	json_decref(object);
}

bool change_add(struct work *work, const char *kind, int64_t record, int64_t customer, const char *action,
                json_t *before, json_t *after)
{
	struct db_query *query = change_query(work, kind, record, customer, action);
	bind_object(query, 7, before);
	bind_object(query, 8, after);
	return db_run(query, work->err);
}

/* Tells a dry run's caller. */
static void observe(struct work *work, const struct row *row, const char *action, const char *was,
                    const char *is)
{
	const char *name =
	        row->kind->fields[0].type == FIELD_NAME
	                ? row->value[0]
	                : arena_printf(work->arena, "%s %lld", row->kind->name, (long long)row->id);
	json_t *before = json_loads(was, 0, NULL), *after = json_loads(is, 0, NULL);
	work->observer(work->observer_arg, action, name, before, after);
	json_decref(before);
	json_decref(after);
}

/* -- a row's change, straight into text ---------------------------------------------------------- */

/* An import writes two of these a customer, which is why they don't go through JSON objects. */

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c != 0x7f && c != '"' && c != '\\';
}

static void add_string(struct buf *out, const char *text, size_t len)
{
	buf_addc(out, '"');
	for (size_t i = 0; i < len; i++) {
		size_t run = i;
		while (run < len && is_plain((unsigned char)text[run]))
			run++;
		buf_add(out, text + i, run - i);
		i = run;
		if (i < len && (unsigned char)text[i] >= 0x20 && text[i] != 0x7f)
			buf_printf(out, "\\%c", text[i]);
		else if (i < len)
			buf_printf(out, "\\u%04x", (unsigned char)text[i]);
	}
	buf_addc(out, '"');
}

static void add_words(struct buf *out, const char *text)
{
	buf_addc(out, '[');
	for (const char *word = strcmp(text, "none") == 0 ? "" : text; *word;) {
		size_t len = strcspn(word, ",");
		add_string(out, word, len);
		word += len + (word[len] == ',');
		if (*word)
			buf_addc(out, ',');
	}
	buf_addc(out, ']');
}

static void add_value(struct buf *out, const struct field *field, const char *value)
{
	if (value == NULL || !utf8_valid(value, strlen(value)))
		buf_adds(out, "null");
	else if (field->secret)
		buf_adds(out, "\"******\"");
	else if (field->type == FIELD_FLAG || field->type == FIELD_WHOLE)
		buf_adds(out, value);
	else if (field->type == FIELD_STATES || field->type == FIELD_SCOPES)
		add_words(out, value);
	else
		add_string(out, value, strlen(value));
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

bool row_differs(const struct row *before, const struct row *after)
{
	for (size_t i = 0; i < after->kind->n_fields; i++) {
		if (!same(before->value[i], after->value[i]))
			return true;
	}
	return false;
}

static void add_differing(struct buf *out, const struct row *before, const struct row *after,
                          const struct row *shown)
{
	for (size_t i = 0; i < after->kind->n_fields; i++) {
		const struct field *field = &after->kind->fields[i];
		if (same(before->value[i], after->value[i]))
			continue;
		buf_adds(out, out->len > 0 ? ",\"" : "{\"");
		buf_adds(out, field->name);
		buf_adds(out, "\":");
		add_value(out, field, shown->value[i]);
	}
	if (out->len > 0)
		buf_addc(out, '}');
}

bool change_row(struct work *work, const struct row *before, const struct row *after, const char *action)
{
	struct buf was = {0}, is = {0};
	const struct row *row = after->id ? after : before;
	if (before->id)
		add_differing(&was, before, after, before);
	if (after->id)
		add_differing(&is, before, after, after);
	struct db_query *query = change_query(work, row->kind->name, row->id, row->customer, action);
	if (was.len > 0)
		db_bind_static(query, 7, was.data, was.len);
	if (is.len > 0)
		db_bind_static(query, 8, is.data, is.len);
	bool good = db_run(query, work->err);
	if (good && work->observer)
		observe(work, row, action, buf_text(&was), buf_text(&is));
	buf_free(&was);
	buf_free(&is);
	return good;
}

/* -- reading it -------------------------------------------------------------------------------- */

static json_t *change_object(struct db_query *query, int column)
{
	size_t len;
	const char *text = db_peek_text(query, column, &len);
	json_t *object = text ? jsontext_read(text, len, NULL) : NULL;
	return object ? object : json_null();
}

static json_t *change_json(struct db_query *query, struct arena *arena)
{
	char time[INSTANT_TEXT_MAX];
	json_t *user = json_string(db_text(query, 1, arena)), *record = json_integer(db_int(query, 3));
	return json_pack("{s:s, s:o, s:s, s:o, s:s, s:o, s:o}", "time",
	                 instant_format(db_instant(query, 0), 0, time), "user", user ? user : json_null(),
	                 "kind", db_text(query, 2, arena), "record", record, "action",
	                 db_text(query, 4, arena), "before", change_object(query, 5), "after",
	                 change_object(query, 6));
}

/* Also that of customers who had the number and are gone. */
static bool history_ids(struct customers *store, const char *number, int64_t *ret, struct error *err)
{
	struct error none;
	if (record_find(store, kind_find("customer"), number, ret, &none))
		return true;
	if (none.code != EX_NOINPUT) {
		*err = none;
		return false;
	}
	struct db_query *query =
	        db_query(store->db, "SELECT max(customer) FROM removed_customer WHERE number = ?1");
	db_bind_text(query, 1, number);
	if (!db_run_int(query, 0, ret, err))
		return false;
	return *ret != 0 || error_set(err, EX_NOINPUT, "there is no customer %s", number);
}

#define CHANGES "SELECT time, user, kind, record, action, before, after FROM change"

static bool changes(struct db_query *query, json_t **ret, struct error *err)
{
	struct arena *arena = arena_new();
	json_t *array = json_array();
	enum db_step step;
	while ((step = db_step(query, err)) == DB_ROW)
		(void)json_array_append_new(array, change_json(query, arena));
	arena_free(arena);
	if (step == DB_DONE)
		*ret = array;
	else
		json_decref(array);
	return step == DB_DONE;
}

bool customer_history(struct customers *store, const char *number, json_t **ret, struct error *err)
{
	int64_t id;
	if (!history_ids(store, number, &id, err))
		return false;
	struct db_query *query = db_query(store->db, CHANGES " WHERE customer = ?1 ORDER BY id");
	db_bind_int(query, 1, id);
	return changes(query, ret, err);
}

bool hours_history(struct customers *store, const char *number, json_t **ret, struct error *err)
{
	int64_t id = 0;
	if (number && !history_ids(store, number, &id, err))
		return false;
	struct db_query *query = db_query(
	        store->db, number ? CHANGES " WHERE customer = ?1 AND kind = 'hours' ORDER BY id"
	                          : CHANGES " WHERE customer IS NULL AND kind = 'hours' ORDER BY id");
	if (number)
		db_bind_int(query, 1, id);
	return changes(query, ret, err);
}

/* The last one of that name that was removed; 0 where there was none. */
static bool find_removed(struct customers *store, const struct kind *kind, const char *name, int64_t *ret,
                         struct error *err)
{
	struct db_query *query =
	        db_query(store->db, "SELECT record FROM change WHERE customer IS NULL AND kind = ?1 AND"
	                            " action = 'remove' AND json_extract(before, '$.name') = ?2"
	                            " ORDER BY id DESC LIMIT 1");
	db_bind_text(query, 1, kind->name);
	db_bind_text(query, 2, name);
	return db_run_int(query, 0, ret, err);
}

/* The id of one that is there, or of one that is gone. */
static bool find_record(struct customers *store, const struct kind *kind, const char *name, struct row *ret,
                        struct arena *arena, struct error *err)
{
	int64_t id;
	if (record_find(store, kind, name, &id, err))
		return row_get(store, arena, kind, id, ret, err);
	*ret = (struct row){.kind = kind};
	if (err->code != EX_NOINPUT)
		return false;
	if (kind->fields[0].type != FIELD_NAME)
		return record_id(name, &ret->id);
	struct error none = *err;
	if (!find_removed(store, kind, name, &ret->id, err))
		return false;
	*err = none;
	return ret->id != 0;
}

/* By the index of the customers where the record still tells whose it is; who asks for one that is gone can
 * wait for a walk over all changes. */
bool record_history(struct customers *store, const struct kind *kind, const char *name, json_t **ret,
                    struct error *err)
{
	struct row row;
	json_t *array = NULL;
	struct arena *arena = arena_new();
	struct db_query *query = NULL;
	bool good = find_record(store, kind, name, &row, arena, err);
	if (good) {
		bool there =
		        row.customer != 0 || kind->owner == NULL || strcmp(kind->owner, "system-type") == 0;
		query = db_query(
		        store->db,
		        there ? CHANGES " WHERE customer IS ?3 AND kind = ?1 AND record = ?2 ORDER BY id"
		              : CHANGES " WHERE kind = ?1 AND record = ?2 AND ?3 IS NULL ORDER BY id");
		db_bind_text(query, 1, kind->name);
		db_bind_int(query, 2, row.id);
		if (row.customer != 0)
			db_bind_int(query, 3, row.customer);
		good = changes(query, &array, err);
	}
	arena_free(arena);
	if (good && json_array_size(array) == 0)
		good = error_set(err, EX_NOINPUT, "there is no %s %s", kind->name, name);
	if (good)
		*ret = array;
	else
		json_decref(array);
	return good;
}
