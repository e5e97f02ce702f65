/* SPDX-License-Identifier: MIT */
/*
 * Adding and changing a record of any kind within a transaction. What is common comes from the table of
 *kinds; what a kind does besides is in its operations (record_operations.c).
 *
 *	values (JSON) ─ merge ─▶ row ─ check ─▶ row ─ insert/update ─▶ written ─▶ change
 */
#include "records/record_private.h"

#include <stdint.h>
#include <string.h>
#include <sysexits.h>

/* -- values into a row ------------------------------------------------------------------------- */

static bool unknown_field(const struct kind *kind, const char *key, struct error *err)
{
	const char *meant = kind_nearest(kind, key);
	return error_set(err, EX_DATAERR, "%s: a %s has no such field%s%s%s", key, kind->name,
	                 meant ? " (did you mean " : "", meant ? meant : "", meant ? "?)" : "");
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* What the program keeps may be given by an import alone: what it is already by anybody, else by a manager.
 */
static bool may_give(struct work *work, const struct field *field, struct error *err)
{
	if (!field->kept || work->stored)
		return true;
	if (!work->import)
		return error_set(err, EX_DATAERR, "%s: is kept by the program and can't be given",
		                 field->name);
	return work_needs_manager(work, field->name);
}

/* `yes` sets a kept time to now where it isn't set, `no` clears it. False where `value` is neither. */
static bool merge_by_hand(struct work *work, struct row *row, const struct field *field, const json_t *value)
{
	char time[INSTANT_TEXT_MAX];
	const char *text = json_string_value(value), **at = &row->value[kind_field_index(row->kind, field)];
	bool yes = json_is_true(value) || (text && (strcmp(text, "yes") == 0 || strcmp(text, "true") == 0));
	bool no = json_is_false(value) || (text && (strcmp(text, "no") == 0 || strcmp(text, "false") == 0));
	if (!field->by_hand || !(yes || no))
		return false;
	if (no)
		*at = NULL;
	else if (*at == NULL)
		*at = arena_strdup(work->arena, instant_format(work->act->when, 0, time));
	return true;
}

static bool merge_one(struct work *work, struct row *row, const struct field *field, const json_t *value)
{
	const char *text, *canonical;
	size_t len;
	if (merge_by_hand(work, row, field, value))
		return true;
	if (field->by_hand && !work->import && !work->stored && json_is_string(value))
		return error_set(work->err, EX_DATAERR, "%s: must be yes or no (got \"%s\")", field->name,
		                 json_string_value(value));
	if (!value_fits(field->name, field, value, work->err) ||
	    !value_text(field->name, value, work->arena, &text, &len, work->err) ||
	    !field_check(field, text, len, work->store->zones, work->arena, &canonical, work->err))
		return false;
	bool same = same_text(row->value[kind_field_index(row->kind, field)], canonical);
	if (!(work->import && same) && !may_give(work, field, work->err))
		return false;
	if (canonical == NULL && !field_emptied(field, row->id == 0, &canonical, work->err))
		return false;
	row->value[kind_field_index(row->kind, field)] = canonical;
	return true;
}

static bool merge(struct work *work, struct row *row, const json_t *values)
{
	const struct hook *hook = hook_find(row->kind);
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)values, key, value)
	{
		const struct field *field = kind_field(row->kind, key);
		if (field && !merge_one(work, row, field, value))
			return false;
		if (field == NULL && !is_extra(hook, key))
			return unknown_field(row->kind, key, work->err);
	}
	return true;
}

static void fill_initial(struct row *row)
{
	for (size_t i = 0; i < row->kind->n_fields; i++)
		row->value[i] = row->kind->fields[i].initial;
}

static bool check_needed(struct work *work, const struct row *row)
{
	for (size_t i = 0; i < row->kind->n_fields; i++) {
		if (row->kind->fields[i].needed && row->value[i] == NULL)
			return error_set(work->err, EX_DATAERR, "%s: is needed", row->kind->fields[i].name);
	}
	return true;
}

/* Who may change what. */
static bool check_rights(struct work *work, const struct row *before, const struct row *after)
{
	for (size_t i = 0; before->id != 0 && i < after->kind->n_fields; i++) {
		const struct field *field = &after->kind->fields[i];
		if (same_text(before->value[i], after->value[i]))
			continue;
		if (field->manager && !work->act->actor.manager)
			return error_set(work->err, EX_NOPERM, "%s: only a manager may change it",
			                 field->name);
		if (field->fixed || (after->kind->added_only && !field->kept))
			return error_set(work->err, EX_DATAERR, "%s: can't be changed once it is entered",
			                 field->name);
	}
	return true;
}

/* -- adding and changing ----------------------------------------------------------------------- */

static bool write_difference(struct work *work, const struct row *before, struct row *after, bool *changed)
{
	bool adding = before->id == 0;
	*changed = adding || row_differs(before, after);
	if (*changed && !adding && work->stale && !stale_note(work, before, after))
		return false;
	return !*changed || ((adding ? row_insert(work, after) : row_update(work, after)) &&
	                     change_row(work, before, after, adding ? "add" : "set"));
}

struct row row_start(const struct row *before)
{
	struct row after = *before;
	if (before->id == 0)
		fill_initial(&after);
	return after;
}

bool record_write(struct work *work, const struct row *before, struct row *after, const json_t *values,
                  bool *ret_changed)
{
	const struct hook *hook = hook_find(before->kind);
	bool changed = false;
	if ((hook->check && !hook->check(work, before, after, values)) || !check_needed(work, after) ||
	    !check_rights(work, before, after) || !write_difference(work, before, after, &changed) ||
	    (hook->written && !hook->written(work, after, values, before->id == 0, &changed)))
		return false;
	if (ret_changed)
		*ret_changed = changed;
	return true;
}

bool record_put(struct work *work, const struct row *before, const json_t *values, int64_t *ret_id,
                bool *ret_changed)
{
	struct row after = row_start(before);
	if (!merge(work, &after, values) || !record_write(work, before, &after, values, ret_changed))
		return false;
	if (ret_id)
		*ret_id = after.id;
	return true;
}
