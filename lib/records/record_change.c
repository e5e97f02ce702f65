/* SPDX-License-Identifier: MIT */
/* The history: who changed what, when, what it was before and after. Only added to, never
 * changed. */
#include "records/record_change.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "model/key.h"
#include "records/record_row.h"
#include "records/transaction.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static struct db_query *change_query(struct transaction *tx, const char *kind, int64_t record,
                                     int64_t customer, const char *action)
{
	struct db_query *query = db_query(
	        tx->db,
	        "INSERT INTO change (time, user, kind, record, customer, action, before, after)"
	        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
	db_bind_instant(query, 1, tx->context->when);
	db_bind_text(query, 2, tx->context->actor.user);
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

bool change_add(struct transaction *tx, const char *kind, int64_t record, int64_t customer,
                const char *action, json_t *before, json_t *after)
{
	struct db_query *query = change_query(tx, kind, record, customer, action);
	bind_object(query, 7, before);
	bind_object(query, 8, after);
	return db_run(query, tx->err);
}

/* Reports to a dry run's caller. */
static void observe(struct transaction *tx, const struct row *row, const char *action,
                    const char *was, const char *is)
{
	const char *name =
	        row->kind->fields[0].type == FIELD_NAME
	                ? row->value[0]
	                : arena_printf(tx->arena, "%s %lld", row->kind->name, (long long)row->id);
	json_t *before = json_loads(was, 0, NULL), *after = json_loads(is, 0, NULL);
	tx->observer(tx->observer_arg, action, name, before, after);
	json_decref(before);
	json_decref(after);
}

/* -- a row's change, straight into text -------------------------------------------------------- */

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
	else if (field->type == FIELD_FLAG || field->type == FIELD_UNSIGNED)
		buf_adds(out, value);
	else if (field->type == FIELD_STATES || field->type == FIELD_SCOPES)
		add_words(out, value);
	else
		add_string(out, value, strlen(value));
}

bool row_differs(const struct row *before, const struct row *after)
{
	for (size_t i = 0; i < after->kind->n_fields; i++) {
		if (!value_same(before->value[i], after->value[i]))
			return true;
	}
	return false;
}

static void add_differing(struct buf *out, const struct row *before, const struct row *after,
                          const struct row *shown)
{
	for (size_t i = 0; i < after->kind->n_fields; i++) {
		const struct field *field = &after->kind->fields[i];
		if (value_same(before->value[i], after->value[i]))
			continue;
		buf_adds(out, out->len > 0 ? ",\"" : "{\"");
		buf_adds(out, field->name);
		buf_adds(out, "\":");
		add_value(out, field, shown->value[i]);
	}
	if (out->len > 0)
		buf_addc(out, '}');
}

bool change_row(struct transaction *tx, const struct row *before, const struct row *after,
                const char *action)
{
	struct buf was = {0}, is = {0};
	const struct row *row = after->id ? after : before;
	if (before->id)
		add_differing(&was, before, after, before);
	if (after->id)
		add_differing(&is, before, after, after);
	struct db_query *query = change_query(tx, row->kind->name, row->id, row->customer, action);
	if (was.len > 0)
		db_bind_static(query, 7, was.data, was.len);
	if (is.len > 0)
		db_bind_static(query, 8, is.data, is.len);
	bool good = db_run(query, tx->err);
	if (good && tx->observer)
		observe(tx, row, action, buf_text(&was), buf_text(&is));
	buf_free(&was);
	buf_free(&is);
	return good;
}

/* `name` is one that customer_named() found. */
bool customer_forget_number(struct transaction *tx, int64_t customer, const char *name)
{
	const char *clean = name;
	size_t len = strlen(name);
	key_trim(&clean, &len);
	clean = arena_strndup(tx->arena, clean, len);
	struct db_query *query = db_query(
	        tx->db, "DELETE FROM former_number WHERE customer = ?1 AND number IN (?2, ?3)");
	db_bind_int(query, 1, customer);
	db_bind_text(query, 2, name);
	db_bind_text(query, 3, clean);
	return db_run(query, tx->err) &&
	       change_add(tx, "customer", customer, customer, "remove",
	                  json_pack("{s:s}", "former_number", clean), NULL);
}
