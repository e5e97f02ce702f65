/* SPDX-License-Identifier: MIT */
/*
 * A contact's choice of mails as its recipient sees and changes it. Which states were switched off
 * by a link is in `opt_out`; a trigger takes a state out of it as soon as anybody switches it on.
 */
#include "records/contact_choice.h"

#include "records/customers_private.h"
#include "records/records.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static bool load_off(struct customers *customers, int64_t contact, unsigned *ret, struct error *err)
{
	enum db_step step;
	unsigned off = 0;
	struct db_query *query =
	        db_query(customers->db, "SELECT state FROM opt_out WHERE contact = ?1");
	db_bind_int(query, 1, contact);
	while ((step = db_step(query, err)) == DB_ROW) {
		const char *name = db_peek_text(query, 0, NULL);
		enum job_state state = job_state_find(name ? name : "");
		off |= state != JOB_NONE ? JOB_BIT(state) : 0;
	}
	*ret = off;
	return step == DB_DONE;
}

bool contact_choice_load(struct customers *customers, int64_t contact, struct arena *arena,
                         struct contact_choice *ret, struct error *err)
{
	struct db_query *query =
	        db_query(customers->db, "SELECT l.link, k.number, c.locale, c.notify FROM contact c"
	                                " JOIN contact_link l ON l.contact = c.id JOIN customer k"
	                                " ON k.id = c.customer WHERE c.id = ?1");
	db_bind_int(query, 1, contact);
	enum db_step step = db_step(query, err);
	if (step != DB_ROW)
		return step == DB_DONE &&
		       error_set(err, EX_NOINPUT, "there is no contact %lld", (long long)contact);
	*ret = (struct contact_choice){.contact = contact,
	                               .link = db_text(query, 0, arena),
	                               .customer = db_text(query, 1, arena),
	                               .locale = db_text(query, 2, arena)};
	(void)states_parse(db_text(query, 3, arena), &ret->on);
	db_finish(query);
	return load_off(customers, contact, &ret->off_by_link, err);
}

static bool note_off(struct customers *customers, int64_t contact, unsigned off,
                     struct instant when, struct error *err)
{
	for (int state = 0; state < JOB_STATE_COUNT; state++) {
		if ((off & JOB_BIT(state)) == 0)
			continue;
		struct db_query *query =
		        db_query(customers->db, "INSERT OR IGNORE INTO opt_out (contact, state, "
		                                "time) VALUES (?1, ?2, ?3)");
		db_bind_int(query, 1, contact);
		db_bind_text(query, 2, job_state_name((enum job_state)state));
		db_bind_instant(query, 3, when);
		if (!db_run(query, err))
			return false;
	}
	return true;
}

static bool write_choice(struct customers *customers, const struct contact_choice *choice,
                         unsigned states, struct instant when, struct error *err)
{
	char id[24], text[WORDS_TEXT_MAX];
	const struct change_context context = {
	        .store = customers, .actor = {.user = "recipient"}, .when = when};
	json_t *values = json_pack("{s:s}", "notify", states_format(states, text));
	(void)snprintf(id, sizeof id, "%lld", (long long)choice->contact);
	bool ok = records_set(&context, kind_find("contact"), id, values, err) &&
	          note_off(customers, choice->contact, choice->on & ~states, when, err);
	json_decref(values);
	return ok;
}

void contact_choice_change(struct contact_choice *choice, unsigned off, unsigned on)
{
	on &= choice->off_by_link & ~off;
	choice->off_by_link = (choice->off_by_link | (off & choice->on)) & ~on;
	choice->on = (choice->on & ~off) | on;
}

bool contact_choice_set(struct customers *customers, int64_t contact, const char *link,
                        unsigned off, unsigned on, struct instant when, struct error *err)
{
	struct contact_choice choice;
	struct arena *arena = arena_new();
	if (!changes_begin(customers, err)) {
		arena_free(arena);
		return false;
	}
	struct error fault = {0};
	bool ok = contact_choice_load(customers, contact, arena, &choice, &fault);
	bool same = ok && (*link == '\0' || strcmp(choice.link, link) == 0);
	struct contact_choice after = choice;
	if (same)
		contact_choice_change(&after, off, on);
	if (same && after.on != choice.on)
		ok = write_choice(customers, &choice, after.on, when, &fault);
	arena_free(arena);
	if (!ok && fault.code == EX_NOINPUT)
		ok = true; /* it is gone */
	else if (!ok && err != NULL)
		*err = fault;
	return changes_end(customers, ok, err);
}
