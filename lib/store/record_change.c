/* SPDX-License-Identifier: MIT */
/* The history: who changed what, when, what it was before and after. Only added to, never changed. */
#include "store/record_private.h"

#include "base/jsontext.h"

#include <string.h>
#include <sysexits.h>

static void bind_object(struct db_query *query, int i, const json_t *object)
{
	struct buf text = {0};
	if (object == NULL || json_object_size(object) == 0)
		return;
	jsontext_write(&text, object, JSONTEXT_AS_IS);
	db_bind_text_n(query, i, text.data, text.len);
	buf_free(&text);
}

bool change_add(struct work *work, const char *kind, int64_t record, int64_t customer, const char *action,
                json_t *before, json_t *after)
{
	struct db_query *query = db_query(
	        work->db, "INSERT INTO change (time, user, kind, record, customer, action, before, after)"
	                  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
	db_bind_instant(query, 1, work->act->when);
	db_bind_text(query, 2, work->act->actor.user);
	db_bind_text(query, 3, kind);
	db_bind_int(query, 4, record);
	if (customer != 0)
		db_bind_int(query, 5, customer);
	db_bind_text(query, 6, action);
	bind_object(query, 7, before);
	bind_object(query, 8, after);
	json_decref(before);
	json_decref(after);
	return db_run(query, work->err);
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

void row_difference(const struct row *before, const struct row *after, struct arena *arena,
                    json_t **ret_before, json_t **ret_after)
{
	*ret_before = *ret_after = NULL;
	for (size_t i = 0; i < after->kind->n_fields; i++) {
		const struct field *field = &after->kind->fields[i];
		if (same(before->value[i], after->value[i]))
			continue;
		if (*ret_after == NULL) {
			*ret_after = json_object();
			*ret_before = before->id ? json_object() : NULL;
		}
		(void)json_object_set_new_nocheck(*ret_after, field->name,
		                                  value_json(field, after->value[i], arena));
		if (*ret_before)
			(void)json_object_set_new_nocheck(*ret_before, field->name,
			                                  value_json(field, before->value[i], arena));
	}
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
	if (!customer_id(store, number, ret, err) || *ret != 0)
		return *ret != 0;
	struct db_query *query =
	        db_query(store->db, "SELECT max(customer) FROM removed_customer WHERE number = ?1");
	db_bind_text(query, 1, number);
	if (!db_run_int(query, 0, ret, err))
		return false;
	return *ret != 0 || error_set(err, EX_NOINPUT, "there is no customer %s", number);
}

bool customer_history(struct customers *store, const char *number, json_t **ret, struct error *err)
{
	int64_t id;
	if (!history_ids(store, number, &id, err))
		return false;
	struct db_query *query =
	        db_query(store->db, "SELECT time, user, kind, record, action, before, after FROM change"
	                            " WHERE customer = ?1 ORDER BY id");
	struct arena *arena = arena_new();
	json_t *array = json_array();
	enum db_step step;
	db_bind_int(query, 1, id);
	while ((step = db_step(query, err)) == DB_ROW)
		(void)json_array_append_new(array, change_json(query, arena));
	arena_free(arena);
	if (step == DB_DONE)
		*ret = array;
	else
		json_decref(array);
	return step == DB_DONE;
}
