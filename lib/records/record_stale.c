/* SPDX-License-Identifier: MIT */
/*
 * An import that is older than what it changes: the history has the value which a row brings as one
 * that somebody replaced. That may be intended, so it is only reported.
 */
#include "records/record_stale.h"

#include "base/jsontext.h"
#include "records/record_row.h"
#include "records/transaction.h"

#include <stdio.h>
#include <string.h>

enum { CHANGES_MAX = 50 }; /* the latest of a record that are looked at */

/* Whether that change replaced a value which the row brings back. */
static bool replaced(struct transaction *tx, const struct row *before, const struct row *after,
                     const json_t *was)
{
	bool found = false;
	for (size_t i = 0; !found && i < after->kind->n_fields; i++) {
		const struct field *field = &after->kind->fields[i];
		const json_t *old = json_object_get(was, field->name);
		if (old == NULL || field->secret || value_same(before->value[i], after->value[i]))
			continue;
		json_t *brought = value_json(field, after->value[i], tx->arena);
		found = json_equal(old, brought);
		json_decref(brought);
	}
	return found;
}

static void note(struct transaction *tx, struct instant when, const char *user)
{
	struct records_counts *stale = tx->stale;
	tx->took_back = true;
	if (!instant_is_none(stale->stale_latest) && !instant_before(stale->stale_latest, when))
		return;
	stale->stale_latest = when;
	(void)snprintf(stale->stale_by, sizeof stale->stale_by, "%s", user ? user : "");
}

/* Rows of a change: time, user, before. Those of this import itself are none. */
static bool look(struct transaction *tx, struct db_query *query, const struct row *before,
                 const struct row *after)
{
	size_t len;
	struct instant when = db_instant(query, 0);
	const char *text = db_peek_text(query, 2, &len);
	if (text == NULL || when.ms == tx->context->when.ms)
		return false;
	json_t *was = jsontext_read(text, len, NULL);
	bool found = replaced(tx, before, after, was);
	json_decref(was);
	if (found)
		note(tx, when, db_peek_text(query, 1, NULL));
	return found;
}

bool stale_note(struct transaction *tx, const struct row *before, const struct row *after)
{
	enum db_step step;
	if (after->customer == 0) /* reps and types of systems: no index leads to their changes */
		return true;
	struct db_query *query = db_query(
	        tx->db,
	        "SELECT time, user, before FROM change WHERE customer = ?1 AND kind = ?2 AND"
	        " record = ?3 AND action = 'set' ORDER BY id DESC LIMIT ?4");
	db_bind_int(query, 1, after->customer);
	db_bind_text(query, 2, after->kind->name);
	db_bind_int(query, 3, after->id);
	db_bind_int(query, 4, CHANGES_MAX);
	while ((step = db_step(query, tx->err)) == DB_ROW) {
		if (look(tx, query, before, after)) {
			db_finish(query);
			return true;
		}
	}
	return step == DB_DONE;
}
