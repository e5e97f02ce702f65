/* SPDX-License-Identifier: MIT */
/*
 * One edit of many customers. A preview makes it for one customer after the other, each in a
 * transaction that is rolled back, and reads from the history what that had changed: so it is the
 * record functions themselves that say what will happen and what can't.
 */
#include "records/bulk_edit.h"

#include "base/digest.h"
#include "base/jsontext.h"
#include "model/job_state.h"

#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static const char *const names[BULK_VERB_COUNT] = {
        [BULK_SET] = "set",     [BULK_NOTIFY] = "notify",   [BULK_WEEKLY] = "weekly",
        [BULK_DATES] = "dates", [BULK_SUSPEND] = "suspend", [BULK_RESUME] = "resume",
};

const char *bulk_verb_name(enum bulk_verb verb)
{
	return verb < BULK_VERB_COUNT ? names[verb] : NULL;
}

bool bulk_verb_find(const char *name, enum bulk_verb *ret)
{
	for (int v = 0; v < BULK_VERB_COUNT; v++)
		if (strcmp(names[v], name) == 0) {
			*ret = (enum bulk_verb)v;
			return true;
		}
	return false;
}

/* -- what a program may ask for ---------------------------------------------------------------- */

bool bulk_field(const struct field *field)
{
	return field && !field->read_only && strcmp(field->name, "number") != 0 &&
	       strcmp(field->name, "name") != 0;
}

static bool check_set(const json_t *values, struct error *err)
{
	const char *name;
	json_t *ignored;
	json_object_foreach((json_t *)(uintptr_t)values, name, ignored)
	{
		(void)ignored;
		if (!bulk_field(kind_field(kind_find("customer"), name)))
			return error_set(err, EX_DATAERR,
			                 "values: no field to set is called \"%.40s\"", name);
	}
	return json_object_size(values) > 0 ||
	       error_set(err, EX_DATAERR, "values: expected at least one field");
}

static bool check_notify(const json_t *values, struct error *err)
{
	const char *how = jsontext_at(values, "how");
	const json_t *states = json_object_get(values, "states"), *state;
	size_t i;
	if (strcmp(how, "add") != 0 && strcmp(how, "remove") != 0 && strcmp(how, "set") != 0)
		return error_set(err, EX_DATAERR, "how: expected add, remove or set");
	json_array_foreach(states, i, state)
	{
		const char *name = json_string_value(state);
		if (name == NULL || job_state_find(name) == JOB_NONE)
			return error_set(err, EX_DATAERR, "states: expected states of a job");
	}
	return json_is_array(states) ||
	       error_set(err, EX_DATAERR, "states: expected an array of states of a job");
}

/* Texts under these keys. */
static bool check_texts(const json_t *values, const char *one, const char *other, struct error *err)
{
	const char *keys[] = {one, other};
	for (size_t i = 0; i < 2; i++)
		if (*jsontext_at(values, keys[i]) == '\0')
			return error_set(err, EX_DATAERR, "%s: expected text", keys[i]);
	return true;
}

static bool check_dates(const json_t *values, struct error *err)
{
	const json_t *windows = json_object_get(values, "windows");
	if (!check_texts(values, "first", "last", err))
		return false;
	return json_is_string(windows) || json_is_null(windows) ||
	       error_set(err, EX_DATAERR,
	                 "windows: expected text, or null for the hours of the week");
}

bool bulk_check(const struct bulk_edit *edit, struct error *err)
{
	switch (edit->verb) {
	case BULK_SET:
		return check_set(edit->values, err);
	case BULK_NOTIFY:
		return check_notify(edit->values, err);
	case BULK_WEEKLY:
		return check_texts(edit->values, "weekdays", "windows", err);
	case BULK_DATES:
		return check_dates(edit->values, err);
	case BULK_SUSPEND:
	case BULK_RESUME:
	case BULK_VERB_COUNT:
		break;
	}
	return true;
}

/* -- the edit of one customer ------------------------------------------------------------------ */

static bool has_word(const json_t *words, const char *word)
{
	size_t i;
	json_t *one;
	json_array_foreach(words, i,
	                   one) if (strcmp(json_string_value(one), word) == 0) return true;
	return false;
}

/* What a contact hears of afterwards, in the states' own order. */
static json_t *states_after(const json_t *now, const json_t *values)
{
	const json_t *chosen = json_object_get(values, "states");
	const char *how = jsontext_at(values, "how");
	json_t *after = json_array();
	for (int s = 0; s < JOB_STATE_COUNT; s++) {
		const char *state = job_state_name((enum job_state)s);
		bool given = has_word(chosen, state), had = has_word(now, state);
		if (strcmp(how, "add") == 0      ? given || had
		    : strcmp(how, "remove") == 0 ? had && !given
		                                 : given)
			json_array_append_new(after, json_string(state));
	}
	return after;
}

static bool set_states(const struct change_context *context, const json_t *contact,
                       const json_t *values, struct error *err)
{
	char id[24];
	(void)snprintf(id, sizeof id, "%lld",
	               (long long)json_integer_value(json_object_get(contact, "id")));
	json_t *set = json_pack("{s:o}", "notify",
	                        states_after(json_object_get(contact, "notify"), values));
	bool good = records_set(context, kind_find("contact"), id, set, err);
	json_decref(set);
	return good;
}

static bool edit_notify(const struct change_context *context, const struct bulk_edit *edit,
                        const char *number, struct error *err)
{
	json_t *contacts, *contact;
	size_t i;
	bool good = records_list(context->store, kind_find("contact"), number, &contacts, err);
	if (!good)
		return false;
	json_array_foreach(contacts, i, contact) good =
	        good && set_states(context, contact, edit->values, err);
	json_decref(contacts);
	return good;
}

static bool edit_dates(const struct change_context *context, const struct bulk_edit *edit,
                       const char *number, struct error *err)
{
	const char *first = jsontext_at(edit->values, "first"),
	           *last = jsontext_at(edit->values, "last");
	struct day from, to;
	if (!day_parse(first, &from))
		return error_set(err, EX_DATAERR,
		                 "first: must be a day, such as 2026-12-24 (got \"%s\")", first);
	if (!day_parse(last, &to))
		return error_set(err, EX_DATAERR,
		                 "last: must be a day, such as 2026-12-26 (got \"%s\")", last);
	return hours_except(context, number, from, to,
	                    json_string_value(json_object_get(edit->values, "windows")), err);
}

static bool edit_one(const struct change_context *context, const struct bulk_edit *edit,
                     const char *number, struct error *err)
{
	const json_t *values = edit->values;
	switch (edit->verb) {
	case BULK_SET:
		return records_set(context, kind_find("customer"), number, values, err);
	case BULK_NOTIFY:
		return edit_notify(context, edit, number, err);
	case BULK_WEEKLY:
		return hours_set(context, number, jsontext_at(values, "weekdays"),
		                 jsontext_at(values, "windows"), err);
	case BULK_DATES:
		return edit_dates(context, edit, number, err);
	case BULK_SUSPEND:
		return suspend(context, number, edit->default_zone, values, NULL, err);
	case BULK_RESUME:
		return resume(context, number, edit->default_zone, 0, NULL, err);
	case BULK_VERB_COUNT:
		break;
	}
	return error_set(err, EX_SOFTWARE, "no such edit: %d", (int)edit->verb);
}

/* With what the history has of it. */
static bool edit_and_read(const struct change_context *context, const struct bulk_edit *edit,
                          const char *number, json_t **ret_changes, struct error *err)
{
	int64_t last;
	return changes_last(context->store, &last, err) && edit_one(context, edit, number, err) &&
	       customer_changes_after(context->store, number, last, ret_changes, err);
}

/* -- the preview ------------------------------------------------------------------------------- */

/* Whether the fault is this customer's, and not the database's or the edit's as a whole. */
static bool is_refusal(const struct error *err)
{
	return err->code == EX_DATAERR || err->code == EX_NOINPUT || err->code == EX_NOPERM;
}

static bool preview_one(const struct change_context *context, const struct bulk_edit *edit,
                        json_t *customer, struct error *err)
{
	json_t *changes = NULL;
	if (!changes_begin(context->store, err))
		return false;
	bool good = edit_and_read(context, edit, jsontext_at(customer, "number"), &changes, err);
	bool committed = changes_end(context->store, false, err);
	json_object_set_new(customer, "changes", changes ? changes : json_array());
	json_object_set_new(customer, "fault", good ? json_null() : json_string(err->text));
	return !committed && (good || is_refusal(err));
}

bool bulk_preview(const struct change_context *context, const struct bulk_edit *edit,
                  json_t *customers, struct error *err)
{
	json_t *customer;
	size_t i;
	bool good = true;
	if (json_array_size(customers) > BULK_MAX)
		return error_set(err, EX_DATAERR, "more than %d customers can't be edited at once",
		                 BULK_MAX);
	json_array_foreach(customers, i, customer) good =
	        good && preview_one(context, edit, customer, err);
	return good;
}

static bool is_edited(const json_t *customer)
{
	return json_array_size(json_object_get(customer, "changes")) > 0 &&
	       json_is_null(json_object_get(customer, "fault"));
}

/* -- what was seen ----------------------------------------------------------------------------- */

static void digest_json(crypto_generichash_state *state, const json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
	digest_part(state, text, strlen(text));
	free(text);
}

/* What is added has no number yet, and what it will be is in the edit's values. */
static void digest_change(crypto_generichash_state *state, const json_t *change)
{
	const char *action = jsontext_at(change, "action");
	digest_part(state, action, strlen(action));
	digest_json(state, json_object_get(change, "kind"));
	digest_json(state, json_object_get(change, "before"));
	if (strcmp(action, "add") != 0)
		digest_json(state, json_object_get(change, "record"));
}

static void digest_begin(crypto_generichash_state *state, const struct bulk_edit *edit)
{
	crypto_generichash_init(state, NULL, 0, crypto_generichash_BYTES);
	digest_part(state, names[edit->verb], strlen(names[edit->verb]));
	digest_json(state, edit->values);
}

static void digest_customer(crypto_generichash_state *state, const char *number,
                            const json_t *changes)
{
	const json_t *change;
	size_t i;
	digest_part(state, number, strlen(number));
	json_array_foreach(changes, i, change) digest_change(state, change);
}

static void digest_end(crypto_generichash_state *state, char *ret)
{
	unsigned char hash[crypto_generichash_BYTES];
	crypto_generichash_final(state, hash, sizeof hash);
	sodium_bin2hex(ret, BULK_DIGEST_SIZE, hash, sizeof hash);
}

void bulk_digest(const struct bulk_edit *edit, const json_t *previewed, char *ret)
{
	crypto_generichash_state state;
	const json_t *customer;
	size_t i;
	digest_begin(&state, edit);
	json_array_foreach(previewed, i, customer) if (is_edited(customer)) digest_customer(
	        &state, jsontext_at(customer, "number"), json_object_get(customer, "changes"));
	digest_end(&state, ret);
}

/* -- making it --------------------------------------------------------------------------------- */

static bool apply_one(const struct change_context *context, const struct bulk_edit *edit,
                      const json_t *customer, crypto_generichash_state *state, struct error *err)
{
	const char *number = jsontext_at(customer, "number");
	json_t *changes;
	if (!edit_and_read(context, edit, number, &changes, err))
		return false;
	digest_customer(state, number, changes);
	json_decref(changes);
	return true;
}

static bool same(crypto_generichash_state *state, const char *digest, struct error *err)
{
	char now[BULK_DIGEST_SIZE];
	digest_end(state, now);
	return strcmp(now, digest) == 0 ||
	       error_set(err, EX_DATAERR, "the records have changed since; nothing was edited");
}

bool bulk_apply(const struct change_context *context, const struct bulk_edit *edit,
                const json_t *previewed, const char *digest, int64_t *ret_n, struct error *err)
{
	crypto_generichash_state state;
	const json_t *customer;
	size_t i;
	*ret_n = 0;
	if (!changes_begin(context->store, err))
		return false;
	bool good = true;
	digest_begin(&state, edit);
	json_array_foreach(previewed, i, customer)
	{
		if (!good || !is_edited(customer))
			continue;
		good = apply_one(context, edit, customer, &state, err);
		++*ret_n;
	}
	return changes_end(context->store, good && same(&state, digest, err), err);
}
