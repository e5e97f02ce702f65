/* SPDX-License-Identifier: MIT */
/*
 * Customers as a turn sees them: each loaded once, with the marks of refused addresses that are not
 * in customers.db yet. A mark is visible at once to all that follows. As they are in customers.db
 * they are kept for the turns to come, until anything changes there.
 */
#include "engine/customer_cache.h"

#include "engine/engine_private.h"
#include "engine/report.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

enum {
	REFUSALS_MAX = 1000,
	KEPT_BYTES = 1 << 20, /* of customers that are kept; one more may come */
};

/* ---- Tables of customers ---- */

static void customer_slots_empty(struct customer_slots *slots)
{
	memset(slots, 0, sizeof *slots);
}

/* The customer's, or the free one that it would take. */
static struct customer_slot *slot_of(struct customer_slots *slots, const char *number)
{
	size_t i = 1469598103934665603u;
	for (const char *p = number; *p; p++)
		i = (i ^ (unsigned char)*p) * 1099511628211u;
	i %= CUSTOMER_SLOTS;
	while (slots->slots[i].number != NULL && strcmp(slots->slots[i].number, number) != 0)
		i = (i + 1) % CUSTOMER_SLOTS;
	return &slots->slots[i];
}

/* Does nothing where the table is half full. */
static void slot_fill(struct customer_slots *slots, struct customer_slot *slot, const char *number,
                      const struct customer *customer, struct arena *arena)
{
	if (slots->n >= CUSTOMER_SLOTS / 2)
		return;
	*slot = (struct customer_slot){arena_strdup(arena, number), customer};
	slots->n++;
}

void engine_customers_begin(struct engine *engine)
{
	customer_slots_empty(&engine->seen_customers);
}

void engine_customers_changed_since(struct engine *engine, bool changed)
{
	if (engine->kept_arena == NULL)
		engine->kept_arena = arena_new();
	if (!changed && engine->kept_customers.n < CUSTOMER_SLOTS / 2 &&
	    arena_bytes(engine->kept_arena) < KEPT_BYTES)
		return;
	customer_slots_empty(&engine->kept_customers);
	arena_reset(engine->kept_arena);
}

/* ---- Refused addresses ---- */

static void add_refusal(struct engine *engine, int64_t contact, const char *address, bool no_more,
                        struct instant at)
{
	struct refusal *refusal = arena_alloc(engine->arena, sizeof *refusal);
	refusal->contact = contact;
	refusal->address = arena_strdup(engine->arena, address);
	refusal->no_more = no_more;
	refusal->at = at;
	refusal->next = engine->refusals;
	engine->refusals = refusal;
}

/* Marks that wait to be made in customers.db, as of the beginning of a turn. */
void engine_load_refusals(struct engine *engine)
{
	size_t n;
	struct spool_office_write *writes =
	        spool_refusals(engine->spool, REFUSALS_MAX, engine->arena, &n);
	engine->refusals = NULL;
	for (size_t i = 0; i < n; i++) {
		json_int_t contact = 0;
		const char *address = NULL;
		int no_more = 0;
		json_t *detail = json_loads(writes[i].detail, 0, NULL);
		if (detail && json_unpack(detail, "{s:I, s:s, s?b}", "contact", &contact, "address",
		                          &address, "no_more", &no_more) == 0)
			add_refusal(engine, contact, address, no_more != 0, writes[i].time);
		json_decref(detail);
	}
}

static void mark(struct contact *contact, const struct refusal *refusal)
{
	if (contact->id != refusal->contact)
		return;
	if (refusal->no_more) {
		contact->notify = 0;
		return;
	}
	if (strcmp(contact->email, refusal->address) == 0)
		contact->email_invalid = refusal->at;
	if (strcmp(contact->alt_email, refusal->address) == 0)
		contact->alt_email_invalid = refusal->at;
}

/* The customer with those marks; a copy, up the chain, where there are any at all. */
static const struct customer *with_refusals(struct engine *engine, const struct customer *customer)
{
	if (engine->refusals == NULL || customer == NULL)
		return customer;
	struct customer *copy = arena_alloc(engine->arena, sizeof *copy);
	struct contact *contacts =
	        arena_new_array(engine->arena, customer->n_contacts, struct contact);
	*copy = *customer;
	copy->contacts = contacts;
	copy->parent = with_refusals(engine, customer->parent);
	for (size_t i = 0; i < customer->n_contacts; i++) {
		contacts[i] = customer->contacts[i];
		for (const struct refusal *r = engine->refusals; r != NULL; r = r->next)
			mark(&contacts[i], r);
	}
	return copy;
}

/* An office write of kind "refused": the address, or with it all mails to the contact. */
static void write_refusal(struct engine *engine, int64_t contact, const char *address, bool no_more,
                          const char *reply)
{
	json_t *detail = json_pack("{s:I, s:s, s:s, s:b}", "contact", (json_int_t)contact,
	                           "address", address, "reply", reply, "no_more", no_more);
	char *text = detail ? json_dumps(detail, JSON_COMPACT) : NULL;
	if (text == NULL)
		bug("a refused address that is not text");
	struct spool_office_write write = {
	        .kind = "refused", .time = engine->now, .detail = text, .entry = ""};
	spool_office_write_add(engine->spool, &write);
	free(text);
	json_decref(detail);
	add_refusal(engine, contact, address, no_more, engine->now);
	customer_slots_empty(&engine->seen_customers); /* seen again, with the mark */
}

void engine_refuse_address(struct engine *engine, int64_t contact, const char *address,
                           const char *reply)
{
	write_refusal(engine, contact, address, false, reply);
	engine_report_often(engine, REPORT_ADDRESS, LOG_NOTICE,
	                    "address refused contact=%lld to=%s reply=\"%s\"", (long long)contact,
	                    address, reply);
}

void engine_no_more_mails(struct engine *engine, int64_t contact, const char *address,
                          const char *words)
{
	write_refusal(engine, contact, address, true, words);
	engine_report_often(engine, REPORT_ADDRESS, LOG_NOTICE,
	                    "complaint contact=%lld to=%s words=\"%s\": gets no more mails",
	                    (long long)contact, address, words);
}

/* ---- Customers ---- */

/* As it is in customers.db: kept from this turn on if there is a place. False where it can't be
 * read. */
static bool load(struct engine *engine, const char *number, const struct customer **ret)
{
	struct customer_slots *kept = &engine->kept_customers;
	struct customer_slot *slot = slot_of(kept, number);
	struct error err;
	if (slot->number != NULL) {
		*ret = slot->customer;
		return true;
	}
	bool keep = engine->kept_arena != NULL && kept->n < CUSTOMER_SLOTS / 2 &&
	            arena_bytes(engine->kept_arena) < KEPT_BYTES;
	struct arena *arena = keep ? engine->kept_arena : engine->arena;
	if (!customers_load(engine->customers, arena, number, ret, &err)) {
		spool_fail(engine->spool, &err); /* the turn can't be trusted: none of it happens */
		return false;
	}
	if (keep)
		slot_fill(kept, slot, number, *ret, arena);
	return true;
}

const struct customer *engine_customer(struct engine *engine, const char *number)
{
	struct customer_slots *seen = &engine->seen_customers;
	struct customer_slot *slot = slot_of(seen, number);
	const struct customer *customer = NULL;
	if (slot->number != NULL)
		return slot->customer;
	if (!load(engine, number, &customer))
		return NULL;
	customer = with_refusals(engine, customer);
	slot_fill(seen, slot, number, customer, engine->arena);
	return customer;
}
