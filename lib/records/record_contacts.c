/* SPDX-License-Identifier: MIT */
/*
 * Contacts and sales reps that come with a customer's values:
 *
 *	email, contact	address and name of its first contact
 *	contacts	a list of contacts, the first one first
 *	reps		names of its sales reps
 *
 * Nothing is taken away: contacts and reps that aren't mentioned stay. Ids are a database's own, so
 * a contact in the list is known by its address and name, else by its address, else by its name; a
 * new one keeps the id that it comes with where that is free.
 */
#include "records/record_contacts.h"

#include "base/address.h"
#include "records/record_find.h"
#include "records/record_rep.h"
#include "records/record_row.h"
#include "records/record_write.h"
#include "records/transaction.h"

#include <string.h>
#include <sysexits.h>

static bool is_empty(const json_t *value)
{
	return value == NULL || json_is_null(value) ||
	       (json_is_string(value) && json_string_length(value) == 0);
}

/* The customer's contacts that no value has been given to yet, oldest first. */
struct there {
	int64_t id;
	const char *email, *name;
	struct there *next;
};

static bool read_there(struct transaction *tx, const struct row *row, bool adding,
                       struct there **ret)
{
	struct there **end = ret;
	enum db_step step;
	*ret = NULL;
	if (adding)
		return true;
	struct db_query *query = db_query(
	        tx->db, "SELECT id, email, name FROM contact WHERE customer = ?1 ORDER BY id");
	db_bind_int(query, 1, row->id);
	while ((step = db_step(query, tx->err)) == DB_ROW) {
		struct there *one = arena_alloc(tx->arena, sizeof *one);
		*one = (struct there){.id = db_int(query, 0),
		                      .email = db_text_or_null(query, 1, tx->arena),
		                      .name = db_text_or_null(query, 2, tx->arena)};
		*end = one;
		end = &one->next;
	}
	return step == DB_DONE;
}

static bool equals(const char *text, const json_t *value)
{
	return text && json_is_string(value) && strcmp(text, json_string_value(value)) == 0;
}

/* How well it matches: by address and name 3, by address 2, by name 1. */
static int rank_of(const struct transaction *tx, const struct there *there, const json_t *email,
                   const json_t *name)
{
	bool address = there->email && json_is_string(email) &&
	               address_same(there->email, json_string_value(email));
	bool named = equals(there->name, name);
	bool both = address && (named || (is_empty(name) && there->name == NULL));
	bool none = named && is_empty(email) && there->email == NULL;
	if (both || none)
		return 3;
	if (transaction_is_claimed(tx, there->id))
		return 0;
	return address ? 2 : named ? 1 : 0;
}

/* Takes one that matches so well out of those that are left; 0 where there is none. */
static int64_t take_match(const struct transaction *tx, struct there **left, const json_t *email,
                          const json_t *name, int rank)
{
	for (struct there **at = left; *at; at = &(*at)->next) {
		if (rank_of(tx, *at, email, name) < rank)
			continue;
		int64_t id = (*at)->id;
		*at = (*at)->next;
		return id;
	}
	return 0;
}

/* `keep` is the id that a new one comes with, 0 for none. */
static bool put_contact(struct transaction *tx, const struct row *row, int64_t id, int64_t keep,
                        const json_t *values, bool *changed)
{
	const struct kind *kind = kind_find("contact");
	struct row contact;
	bool contact_changed = false;
	bool good = (id != 0 ? row_get(tx->store, tx->arena, kind, id, &contact, tx->err)
	                     : row_new(tx, kind, row->id, &contact) &&
	                               row_keep_id(tx, &contact, keep)) &&
	            record_put(tx, &contact, values, &id, &contact_changed);
	if (good)
		transaction_claim(tx, id);
	*changed = *changed || contact_changed;
	return good;
}

/* As `customer show` gives it: with an id and an owner of that database, with marks that say
 * nothing. */
static json_t *plain_contact(const json_t *shown)
{
	const struct kind *kind = kind_find("contact");
	json_t *plain = json_copy((json_t *)(uintptr_t)shown);
	(void)json_object_del(plain, "id");
	(void)json_object_del(plain, "customer");
	for (size_t i = 0; i < kind->n_fields; i++) {
		if (kind->fields[i].read_only &&
		    json_is_null(json_object_get(plain, kind->fields[i].name)))
			(void)json_object_del(plain, kind->fields[i].name);
	}
	return plain;
}

/* The list with `email` and `contact` in its first one: whoever changes these columns of an export
 * wants that change. */
static json_t *merged(const json_t *list, json_t *email, json_t *name)
{
	json_t *all = json_array(), *one;
	size_t i;
	json_array_foreach(list, i, one)(void) json_array_append_new(all, plain_contact(one));
	if (json_array_size(all) == 0 && !(is_empty(email) && is_empty(name)))
		(void)json_array_append_new(all, json_object());
	one = json_array_get(all, 0);
	if (one && email)
		(void)json_object_set(one, "email", email);
	if (one && name)
		(void)json_object_set(one, "name", name);
	return all;
}

/* The best matches first, so that none takes another's. */
static void find_matches(const struct transaction *tx, const json_t *list, const json_t *all,
                         bool columns, struct there *left, int64_t *ids)
{
	for (int rank = 3; rank >= 0; rank--) {
		const json_t *one;
		size_t i;
		json_array_foreach(all, i, one)
		{
			const json_t *named =
			        i < json_array_size(list) ? json_array_get(list, i) : one;
			bool oldest = rank == 0 && i == 0 && columns && left;
			if (ids[i] != 0 || (rank == 0 && !oldest))
				continue;
			ids[i] = take_match(tx, &left, json_object_get(named, "email"),
			                    json_object_get(named, "name"), rank);
		}
	}
}

/* Each is found before any is changed, the first by what the list called it before the columns
 * changed it. */
static bool put_list(struct transaction *tx, const struct row *row, const json_t *list,
                     const json_t *all, bool columns, struct there *left, bool *changed)
{
	const json_t *one;
	size_t i;
	int64_t *ids = arena_new_array(tx->arena, json_array_size(all) + 1, int64_t);
	find_matches(tx, list, all, columns, left, ids);
	json_array_foreach(all, i, one)
	{
		const json_t *id = json_object_get(json_array_get(list, i), "id");
		if (!put_contact(tx, row, ids[i], json_integer_value(id), one, changed))
			return false;
	}
	return true;
}

/* Without a list the columns are the contact's that has the address, else the oldest one's. */
static int64_t match_columns(const struct transaction *tx, struct there *there, const json_t *email,
                             const json_t *name)
{
	int64_t oldest = there ? there->id : 0,
	        id = is_empty(email) ? 0 : take_match(tx, &there, email, name, 2);
	return id ? id : oldest;
}

static bool check_list(struct transaction *tx, const json_t *list)
{
	size_t i;
	const json_t *one;
	if (!is_empty(list) && !json_is_array(list))
		return error_set(tx->err, EX_DATAERR, "contacts: expected a list of contacts");
	json_array_foreach(list, i, one)
	{
		if (!json_is_object(one))
			return error_set(tx->err, EX_DATAERR,
			                 "contacts: every entry must be an object");
	}
	return true;
}

static bool put_contacts(struct transaction *tx, const struct row *row, const json_t *values,
                         bool adding, bool *changed)
{
	json_t *email = json_object_get(values, "email"),
	       *name = json_object_get(values, "contact");
	const json_t *list = json_object_get(values, "contacts");
	struct there *there;
	if (!check_list(tx, list) || !read_there(tx, row, adding, &there))
		return false;
	bool columns = email || name;
	json_t *all = json_is_array(list) && json_array_size(list) > 0 ? merged(list, email, name)
	                                                               : json_array();
	if (json_array_size(all) == 0 && columns &&
	    (there || !is_empty(email) || !is_empty(name))) {
		json_t *one = json_object();
		(void)json_object_set(one, "email", email);
		(void)json_object_set(one, "name", name);
		(void)json_array_append_new(all, one);
		list = NULL;
		bool good = put_contact(tx, row, match_columns(tx, there, email, name), 0, one,
		                        changed);
		json_decref(all);
		return good;
	}
	bool good = put_list(tx, row, list, all, columns, there, changed);
	json_decref(all);
	return good;
}

/* -- sales reps -------------------------------------------------------------------------------- */

static bool put_rep(struct transaction *tx, const struct row *row, const json_t *name,
                    bool *changed)
{
	int64_t rep;
	if (!json_is_string(name))
		return error_set(tx->err, EX_DATAERR, "reps: expected a list of names");
	if (!record_find(tx->store, kind_find("rep"), json_string_value(name), &rep, tx->err))
		return tx->err->code == EX_NOINPUT
		               ? error_set(tx->err, EX_DATAERR, "reps: there is no sales rep %s",
		                           json_string_value(name))
		               : false;
	bool linked;
	if (!rep_put_link(tx, row->id, rep, json_string_value(name), &linked))
		return false;
	*changed = *changed || linked;
	return true;
}

static bool put_reps(struct transaction *tx, const struct row *row, const json_t *reps,
                     bool *changed)
{
	size_t i;
	const json_t *name;
	if (!is_empty(reps) && !json_is_array(reps))
		return error_set(tx->err, EX_DATAERR, "reps: expected a list of names");
	json_array_foreach(reps, i, name)
	{
		if (!put_rep(tx, row, name, changed))
			return false;
	}
	return true;
}

bool people_put(struct transaction *tx, const struct row *row, const json_t *values, bool adding,
                bool *changed)
{
	bool contacts = json_object_get(values, "email") || json_object_get(values, "contact") ||
	                json_object_get(values, "contacts");
	return (!contacts || put_contacts(tx, row, values, adding, changed)) &&
	       put_reps(tx, row, json_object_get(values, "reps"), changed);
}
