/* SPDX-License-Identifier: MIT */
/*
 * Customers as a turn sees them: each loaded once, with the marks of refused addresses that are not
 * in customers.db yet. A mark is visible at once to all that follows.
 */
#include "engine/customer_cache.h"

#include "engine/engine_private.h"
#include "engine/report.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

enum { REFUSALS_MAX = 1000 };

static void add_refusal(struct engine *engine, int64_t contact, const char *address,
                        struct instant at)
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
	struct spool_office_write *writes =
	        spool_refusals(engine->spool, REFUSALS_MAX, engine->arena, &n);
	engine->refusals = NULL;
	for (size_t i = 0; i < n; i++) {
		json_int_t contact = 0;
		const char *address = NULL;
		json_t *detail = json_loads(writes[i].detail, 0, NULL);
		if (detail && json_unpack(detail, "{s:I, s:s}", "contact", &contact, "address",
		                          &address) == 0)
			add_refusal(engine, contact, address, writes[i].time);
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

void engine_refuse_address(struct engine *engine, int64_t contact, const char *address,
                           const char *reply)
{
	json_t *detail = json_pack("{s:I, s:s, s:s}", "contact", (json_int_t)contact, "address",
	                           address, "reply", reply);
	char *text = detail ? json_dumps(detail, JSON_COMPACT) : NULL;
	if (text == NULL)
		bug("a refused address that is not text");
	struct spool_office_write write = {
	        .kind = "refused", .time = engine->now, .detail = text, .entry = ""};
	spool_office_write_add(engine->spool, &write);
	free(text);
	json_decref(detail);
	add_refusal(engine, contact, address, engine->now);
	memset(engine->slots, 0, sizeof engine->slots); /* loaded again, with the mark */
	engine->n_slots = 0;
	engine_report_often(engine, REPORT_ADDRESS, LOG_NOTICE,
	                    "address refused contact=%lld to=%s reply=\"%s\"", (long long)contact,
	                    address, reply);
}

static size_t slot_of(const char *number)
{
	size_t hash = 1469598103934665603u;
	for (; *number; number++)
		hash = (hash ^ (unsigned char)*number) * 1099511628211u;
	return hash % CUSTOMER_SLOTS;
}

const struct customer *engine_customer(struct engine *engine, const char *number)
{
	struct error err;
	size_t i = slot_of(number);
	while (engine->slots[i].number != NULL && strcmp(engine->slots[i].number, number) != 0)
		i = (i + 1) % CUSTOMER_SLOTS;
	if (engine->slots[i].number != NULL)
		return engine->slots[i].customer;
	const struct customer *customer = NULL;
	if (!customers_load(engine->customers, engine->arena, number, &customer, &err)) {
		spool_fail(engine->spool, &err); /* the turn can't be trusted: none of it happens */
		return NULL;
	}
	customer = with_refusals(engine, customer);
	if (engine->n_slots < CUSTOMER_SLOTS / 2) {
		engine->slots[i] =
		        (struct customer_slot){arena_strdup(engine->arena, number), customer};
		engine->n_slots++;
	}
	return customer;
}
