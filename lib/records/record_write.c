/* SPDX-License-Identifier: MIT */
/*
 * Adding and changing a record of any kind within a transaction. What is common comes from the
 * table of kinds; what a kind does besides is in its operations (record_operations.c).
 *
 *	values (JSON) ─ merge ─▶ row ─ check ─▶ row ─ insert/update ─▶ written ─▶ change
 */
#include "records/record_write.h"

#include "records/customers_private.h"
#include "records/record_change.h"
#include "records/record_operations.h"
#include "records/record_row.h"
#include "records/record_stale.h"
#include "records/transaction.h"

#include <stdint.h>
#include <string.h>
#include <sysexits.h>

/* -- values into a row ------------------------------------------------------------------------- */

static bool unknown_field(const struct kind *kind, const char *key, struct error *err)
{
	const char *near = kind_nearest(kind, key);
	return error_set(err, EX_DATAERR, "%s: a %s has no such field%s%s%s", key, kind->name,
	                 near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
}

/* A read-only value may be given by an import only: by anybody where it is unchanged, else by a
 * manager. */
static bool may_give(struct transaction *tx, const struct field *field, struct error *err)
{
	if (!field->read_only || tx->stored)
		return true;
	if (!tx->import)
		return error_set(err, EX_DATAERR, "%s: is read-only; the program sets it",
		                 field->name);
	return transaction_needs_manager(tx, field->name);
}

/* `yes` sets a read-only time to now where it isn't set, `no` clears it. False where `value` is
 * neither. */
static bool merge_by_hand(struct transaction *tx, struct row *row, const struct field *field,
                          const json_t *value)
{
	char time[INSTANT_TEXT_MAX];
	const char *text = json_string_value(value),
	           **at = &row->value[kind_field_index(row->kind, field)];
	bool yes = json_is_true(value) ||
	           (text && (strcmp(text, "yes") == 0 || strcmp(text, "true") == 0));
	bool no = json_is_false(value) ||
	          (text && (strcmp(text, "no") == 0 || strcmp(text, "false") == 0));
	if (!field->by_hand || !(yes || no))
		return false;
	if (no)
		*at = NULL;
	else if (*at == NULL)
		*at = arena_strdup(tx->arena, instant_format(tx->context->when, 0, time));
	return true;
}

static bool merge_one(struct transaction *tx, struct row *row, const struct field *field,
                      const json_t *value)
{
	const char *text, *canonical;
	size_t len;
	if (merge_by_hand(tx, row, field, value))
		return true;
	if (field->by_hand && !tx->import && !tx->stored && json_is_string(value))
		return error_set(tx->err, EX_DATAERR, "%s: must be yes or no (got \"%s\")",
		                 field->name, json_string_value(value));
	if (!value_fits(field->name, field, value, tx->err) ||
	    !value_text(field->name, value, tx->arena, &text, &len, tx->err) ||
	    !field_check(field, text, len, tx->store->zones, tx->arena, &canonical, tx->err))
		return false;
	bool same = value_same(row->value[kind_field_index(row->kind, field)], canonical);
	if (!(tx->import && same) && !may_give(tx, field, tx->err))
		return false;
	if (canonical == NULL && !field_emptied(field, row->id == 0, &canonical, tx->err))
		return false;
	row->value[kind_field_index(row->kind, field)] = canonical;
	return true;
}

static bool merge(struct transaction *tx, struct row *row, const json_t *values)
{
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)values, key, value)
	{
		const struct field *field = kind_field(row->kind, key);
		if (field && !merge_one(tx, row, field, value))
			return false;
		if (field == NULL && !kind_has_extra(row->kind, key))
			return unknown_field(row->kind, key, tx->err);
	}
	return true;
}

static void fill_initial(struct row *row)
{
	for (size_t i = 0; i < row->kind->n_fields; i++)
		row->value[i] = row->kind->fields[i].initial;
}

static bool check_needed(struct transaction *tx, const struct row *row)
{
	for (size_t i = 0; i < row->kind->n_fields; i++) {
		if (row->kind->fields[i].required && row->value[i] == NULL)
			return error_set(tx->err, EX_DATAERR, "%s: is required",
			                 row->kind->fields[i].name);
	}
	return true;
}

/* Who may change what. */
static bool check_rights(struct transaction *tx, const struct row *before, const struct row *after)
{
	for (size_t i = 0; before->id != 0 && i < after->kind->n_fields; i++) {
		const struct field *field = &after->kind->fields[i];
		if (value_same(before->value[i], after->value[i]))
			continue;
		if (field->manager && !tx->context->actor.manager)
			return error_set(tx->err, EX_NOPERM, "%s: only a manager may change it",
			                 field->name);
		if (field->fixed || (after->kind->added_only && !field->read_only))
			return error_set(tx->err, EX_DATAERR,
			                 "%s: can't be changed once it is entered", field->name);
	}
	return true;
}

/* -- adding and changing ----------------------------------------------------------------------- */

static bool write_difference(struct transaction *tx, const struct row *before, struct row *after,
                             bool *changed)
{
	bool adding = before->id == 0;
	*changed = adding || row_differs(before, after);
	if (*changed && !adding && tx->stale && !stale_note(tx, before, after))
		return false;
	return !*changed || ((adding ? row_insert(tx, after) : row_update(tx, after)) &&
	                     change_row(tx, before, after, adding ? "add" : "set"));
}

struct row row_start(const struct row *before)
{
	struct row after = *before;
	if (before->id == 0)
		fill_initial(&after);
	return after;
}

bool record_write(struct transaction *tx, const struct row *before, struct row *after,
                  const json_t *values, bool *ret_changed)
{
	const struct kind_operations *operations = operations_find(before->kind);
	bool changed = false;
	if ((operations->check && !operations->check(tx, before, after, values)) ||
	    !check_needed(tx, after) || !check_rights(tx, before, after) ||
	    !write_difference(tx, before, after, &changed) ||
	    (operations->written &&
	     !operations->written(tx, after, values, before->id == 0, &changed)))
		return false;
	if (ret_changed)
		*ret_changed = changed;
	return true;
}

bool record_put(struct transaction *tx, const struct row *before, const json_t *values,
                int64_t *ret_id, bool *ret_changed)
{
	struct row after = row_start(before);
	if (!merge(tx, &after, values) || !record_write(tx, before, &after, values, ret_changed))
		return false;
	if (ret_id)
		*ret_id = after.id;
	return true;
}
