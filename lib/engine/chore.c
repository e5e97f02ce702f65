/* SPDX-License-Identifier: MIT */
/*
 * What the daemon has to write into customers.db: addresses that were refused, customers from the
 * feed. Each is a row of the spool first; a thread of its own carries them out, in order and
 * idempotently, with its own connection (invariant 6).
 *
 *   engine: row ─▶ handed out ─▶ chores_run() ─▶ result ─▶ engine: row removed
 */
#include "engine/engine_private.h"

#include "base/jsontext.h"
#include "store/records.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <syslog.h>

enum { CHORES_MAX = 64, REFUSALS_MAX = 1000 };

/* ---- On the engine's side ---- */

static void add_refusal(struct engine *engine, int64_t contact, const char *address, struct instant at)
{
	struct refusal *refusal = arena_alloc(engine->arena, sizeof *refusal);
	refusal->contact = contact;
	refusal->address = arena_strdup(engine->arena, address);
	refusal->at = at;
	refusal->next = engine->refusals;
	engine->refusals = refusal;
}

/* Marks that wait to be made in customers.db, as of the beginning of a turn. */
void engine_load_refusals(struct engine *engine)
{
	size_t n;
	struct spool_chore *chores = spool_refusals(engine->spool, REFUSALS_MAX, engine->arena, &n);
	engine->refusals = NULL;
	for (size_t i = 0; i < n; i++) {
		json_int_t contact = 0;
		const char *address = NULL;
		json_t *detail = json_loads(chores[i].detail, 0, NULL);
		if (detail &&
		    json_unpack(detail, "{s:I, s:s}", "contact", &contact, "address", &address) == 0)
			add_refusal(engine, contact, address, chores[i].time);
		json_decref(detail);
	}
}

static void mark(struct contact *contact, const struct refusal *refusal)
{
	if (contact->id != refusal->contact)
		return;
	if (strcmp(contact->email, refusal->address) == 0)
		contact->email_invalid = refusal->at;
	if (strcmp(contact->alt_email, refusal->address) == 0)
		contact->alt_email_invalid = refusal->at;
}

/* The customer with those marks; a copy, up the chain, where there are any at all. */
const struct customer *engine_with_refusals(struct engine *engine, const struct customer *customer)
{
	if (engine->refusals == NULL || customer == NULL)
		return customer;
	struct customer *copy = arena_alloc(engine->arena, sizeof *copy);
	struct contact *contacts = arena_new_array(engine->arena, customer->n_contacts, struct contact);
	*copy = *customer;
	copy->contacts = contacts;
	copy->parent = engine_with_refusals(engine, customer->parent);
	for (size_t i = 0; i < customer->n_contacts; i++) {
		contacts[i] = customer->contacts[i];
		for (const struct refusal *r = engine->refusals; r != NULL; r = r->next)
			mark(&contacts[i], r);
	}
	return copy;
}

void engine_refuse_address(struct engine *engine, int64_t contact, const char *address, const char *reply)
{
	json_t *detail = json_pack("{s:I, s:s, s:s}", "contact", (json_int_t)contact, "address", address,
	                           "reply", reply);
	char *text = detail ? json_dumps(detail, JSON_COMPACT) : NULL;
	if (text == NULL)
		bug("a refused address that is no text");
	struct spool_chore chore = {.kind = "refused", .time = engine->now, .detail = text, .entry = ""};
	spool_chore_add(engine->spool, &chore);
	free(text);
	json_decref(detail);
	add_refusal(engine, contact, address, engine->now);
	memset(engine->slots, 0, sizeof engine->slots); /* loaded again, with the mark */
	engine->n_slots = 0;
	engine_report_often(engine, REPORT_ADDRESS, LOG_NOTICE,
	                    "address refused contact=%lld to=%s reply=\"%s\"", (long long)contact, address,
	                    reply);
}

void engine_take_customer(struct engine *engine, const struct entry *entry)
{
	if (entry->n_fields != 1 || entry->fields[0].name_len != 8 ||
	    memcmp(entry->fields[0].name, "customer", 8) != 0) {
		engine_dead_letter(engine, entry, REASON_MALFORMED,
		                   "an entry of the customers feed has one field, customer");
		return;
	}
	struct error err;
	json_t *json = jsontext_read(entry->fields[0].value, entry->fields[0].value_len, &err);
	if (!json_is_object(json)) {
		engine_dead_letter(engine, entry, REASON_MALFORMED,
		                   json ? "customer is no JSON object" : err.text);
	} else {
		const struct entry_field *field = &entry->fields[0];
		struct spool_chore chore = {
		        .kind = "customer",
		        .time = engine->now,
		        .detail = arena_strndup(engine->arena, field->value, field->value_len),
		        .entry = entry->id,
		};
		spool_chore_add(engine->spool, &chore);
	}
	json_decref(json);
}

void engine_take_feed(struct engine *engine)
{
	for (size_t i = 0; i < engine->turn->n_entries; i++) {
		if (engine->turn->entries[i]->feed == FEED_CUSTOMERS)
			engine_take_customer(engine, engine->turn->entries[i]);
	}
}

static void feed_refused(struct engine *engine, const struct spool_chore *chore, const char *text)
{
	struct entry_field field = {"customer", 8, chore->detail, strlen(chore->detail)};
	struct entry entry = {.feed = FEED_CUSTOMERS,
	                      .id = chore->entry,
	                      .fields = &field,
	                      .n_fields = 1,
	                      .received = chore->time};
	engine_dead_letter(engine, &entry, REASON_MALFORMED, text);
}

void engine_take_chores(struct engine *engine)
{
	const struct turn *turn = engine->turn;
	for (size_t i = 0; i < turn->n_chores_done; i++) {
		const struct chore_result *result = &turn->chores_done[i];
		struct spool_chore chore;
		if (!result->refused || !spool_chore_load(engine->spool, result->seq, engine->arena, &chore))
			continue;
		if (strcmp(chore.kind, "customer") == 0)
			feed_refused(engine, &chore, result->text);
		else
			engine_report(engine, LOG_ERR, "chore %lld (%s): %s", (long long)chore.seq,
			              chore.kind, result->text);
	}
	if (turn->n_chores_done > 0)
		spool_chores_done(engine->spool, turn->chores_done[turn->n_chores_done - 1].seq);
}

void engine_hand_chores(struct engine *engine)
{
	struct turn *turn = engine->turn;
	engine->feed_pending = spool_feed_pending(engine->spool);
	if (turn->chores_wanted)
		turn->chores = spool_chores(engine->spool, CHORES_MAX, turn->arena, &turn->n_chores);
}

/* ---- On the chores' thread ---- */

struct chores {
	struct customers *customers;
};

struct chores *chores_open(const char *path, struct error *err)
{
	struct customers *customers = customers_open(path, DB_WRITE, err);
	if (customers == NULL)
		return NULL;
	struct chores *chores = mem_alloc(sizeof *chores);
	chores->customers = customers;
	return chores;
}

struct chores *chores_close(struct chores *chores)
{
	if (chores != NULL)
		customers_close(chores->customers);
	free(chores);
	return NULL;
}

static bool run_refused(struct chores *chores, const struct spool_chore *row, json_t *detail,
                        struct error *err)
{
	json_int_t contact = 0;
	const char *address = "", *reply = "";
	if (json_unpack(detail, "{s:I, s:s, s:s}", "contact", &contact, "address", &address, "reply",
	                &reply) != 0)
		return error_set(err, EX_DATAERR, "chore %lld is damaged", (long long)row->seq);
	return customers_mark_invalid(chores->customers, contact, address, row->time, reply, err);
}

static bool run_one(struct chores *chores, const struct spool_chore *row, struct instant now,
                    struct error *err)
{
	struct db *db = customers_db(chores->customers);
	bool clean;
	db_answer_clear(db);
	if (db_replaced(db, &clean)) /* what is written now would go with the old file */
		return error_set(err, EX_TEMPFAIL, "%s was replaced", db_path(db));
	json_t *detail = jsontext_read(row->detail, strlen(row->detail), err);
	if (detail == NULL)
		return false;
	/* The feed comes from the firm's own systems: it may do what a manager may. */
	struct act act = {
	        .store = chores->customers, .actor = {.user = "feed", .manager = true}, .when = now};
	bool ok;
	if (strcmp(row->kind, "refused") == 0)
		ok = run_refused(chores, row, detail, err);
	else
		ok = records_upsert_json(&act, row->detail, strlen(row->detail), err);
	json_decref(detail);
	return ok;
}

/* What the row itself is to blame for; not a database that is locked, full, read-only, broken or replaced. */
static bool never_works(const struct chores *chores, const struct error *err)
{
	enum db_answer answer = db_answer(customers_db(chores->customers));
	return (answer == DB_FINE || answer == DB_CONSTRAINT) &&
	       (err->code == EX_DATAERR || err->code == EX_NOPERM || err->code == EX_NOINPUT);
}

size_t chores_run(struct chores *chores, const struct spool_chore *rows, size_t n, struct instant now,
                  struct chore_result *ret, struct error *err)
{
	size_t done = 0;
	for (; done < n; done++) {
		struct chore_result *result = &ret[done];
		*result = (struct chore_result){.seq = rows[done].seq};
		if (run_one(chores, &rows[done], now, err))
			continue;
		if (!never_works(chores, err))
			break;
		result->refused = true;
		memcpy(result->text, err->text, sizeof result->text - 1);
	}
	return done;
}
