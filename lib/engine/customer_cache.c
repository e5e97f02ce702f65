/* SPDX-License-Identifier: MIT */
/*
 * Customers as a turn sees them: each loaded once, with the marks of refused addresses and the
 * changed choices of contacts that are not in customers.db yet. A mark is visible at once to all
 * that follows. As they are in customers.db they are kept for the turns to come, until anything
 * changes there, or until so many others were loaded since that these make two lots: a customer is
 * still there when the mail of an event is sent some turns later.
 */
#include "engine/customer_cache.h"

#include "engine/engine_private.h"
#include "engine/report.h"
#include "model/job_state.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

enum {
	REFUSALS_MAX = 1000,
	/* Of a lot of customers that are kept: when the next turn begins another, and what it may
	 * become within a turn. */
	LOT = 512,
	LOT_MAX = CUSTOMER_SLOTS / 2,
	LOT_BYTES = 768 << 10,
	LOT_BYTES_MAX = 2 * LOT_BYTES,
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

static void kept_empty(struct kept_customers *kept)
{
	customer_slots_empty(&kept->slots);
	arena_reset(kept->arena);
}

void engine_customers_changed_since(struct engine *engine, bool changed)
{
	if (engine->kept.arena == NULL) {
		engine->kept.arena = arena_new();
		engine->kept_before.arena = arena_new();
	}
	if (changed) {
		kept_empty(&engine->kept);
		kept_empty(&engine->kept_before);
	} else if (engine->kept.slots.n >= LOT || arena_bytes(engine->kept.arena) >= LOT_BYTES) {
		struct arena *arena = engine->kept_before.arena;
		engine->kept_before = engine->kept;
		engine->kept.arena = arena;
		kept_empty(&engine->kept);
	}
}

/* ---- What contacts and mail servers refuse ---- */

static struct refusal *refusal_new(struct engine *engine, const struct refusal *of)
{
	struct refusal *refusal = arena_alloc(engine->arena, sizeof *refusal);
	*refusal = *of;
	refusal->next = NULL;
	refusal->address = arena_strdup(engine->arena, of->address);
	return refusal;
}

/* From an office write. An earlier version's `no_more` is a contact that complained. */
static bool refusal_read(const json_t *detail, struct instant at, struct refusal *ret)
{
	json_int_t contact = 0, off = 0, on = 0;
	int no_more = 0;
	*ret = (struct refusal){.address = "", .at = at};
	if (json_unpack((json_t *)detail, "{s:I, s?s, s?I, s?I, s?b}", "contact", &contact,
	                "address", &ret->address, "off", &off, "on", &on, "no_more", &no_more) != 0)
		return false;
	ret->contact = contact;
	ret->off = no_more != 0 ? JOB_NOTIFY_ALL : (unsigned)off;
	ret->on = (unsigned)on;
	return true;
}

/* The spool has the latest first. */
void engine_load_refusals(struct engine *engine)
{
	size_t n;
	struct spool_office_write *writes =
	        spool_refusals(engine->spool, REFUSALS_MAX, engine->arena, &n);
	engine->refusals = NULL;
	engine->refusals_end = &engine->refusals;
	for (size_t i = n; i-- > 0;) {
		struct refusal read;
		json_t *detail = json_loads(writes[i].detail, 0, NULL);
		if (refusal_read(detail, writes[i].time, &read)) {
			*engine->refusals_end = refusal_new(engine, &read);
			engine->refusals_end = &(*engine->refusals_end)->next;
		}
		json_decref(detail);
	}
}

static void mark(struct contact *contact, const struct refusal *refusal)
{
	if (contact->id != refusal->contact)
		return;
	if ((refusal->off | refusal->on) != 0) {
		contact->notify = (contact->notify & ~refusal->off) | refusal->on;
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

/* An office write of kind "refused"; takes the detail. */
static void write_refusal(struct engine *engine, json_t *detail, const struct refusal *refusal)
{
	char *text = detail ? json_dumps(detail, JSON_COMPACT) : NULL;
	if (text == NULL)
		bug("a refusal that is not text");
	struct spool_office_write write = {
	        .kind = "refused", .time = engine->now, .detail = text, .entry = ""};
	spool_office_write_add(engine->spool, &write);
	free(text);
	json_decref(detail);
	*engine->refusals_end = refusal_new(engine, refusal);
	engine->refusals_end = &(*engine->refusals_end)->next;
	customer_slots_empty(&engine->seen_customers); /* seen again, with the mark */
}

void engine_refuse_address(struct engine *engine, int64_t contact, const char *address,
                           const char *reply)
{
	const struct refusal refusal = {.contact = contact, .address = address, .at = engine->now};
	write_refusal(engine,
	              json_pack("{s:I, s:s, s:s}", "contact", (json_int_t)contact, "address",
	                        address, "reply", reply),
	              &refusal);
	engine_report_often(engine, REPORT_ADDRESS, LOG_NOTICE,
	                    "address refused contact=%lld to=%s reply=\"%s\"", (long long)contact,
	                    address, reply);
}

void engine_choose_states(struct engine *engine, int64_t contact, const char *link, unsigned off,
                          unsigned on)
{
	const struct refusal refusal = {
	        .contact = contact, .address = "", .off = off, .on = on, .at = engine->now};
	write_refusal(engine,
	              json_pack("{s:I, s:s, s:I, s:I}", "contact", (json_int_t)contact, "link",
	                        link, "off", (json_int_t)off, "on", (json_int_t)on),
	              &refusal);
}

void engine_pending_choice(struct engine *engine, struct contact_choice *choice)
{
	for (const struct refusal *r = engine->refusals; r != NULL; r = r->next)
		if (r->contact == choice->contact)
			contact_choice_change(choice, r->off, r->on);
}

/* ---- Customers ---- */

/* As it is in customers.db: kept from this turn on if there is a place. False where it can't be
 * read. */
static bool load(struct engine *engine, const char *number, const struct customer **ret)
{
	struct customer_slots *kept = &engine->kept.slots;
	struct customer_slot *slot = slot_of(kept, number);
	const struct customer_slot *before = slot_of(&engine->kept_before.slots, number);
	struct error err;
	if (slot->number != NULL || before->number != NULL) {
		*ret = slot->number != NULL ? slot->customer : before->customer;
		return true;
	}
	bool keep = engine->kept.arena != NULL && kept->n < LOT_MAX &&
	            arena_bytes(engine->kept.arena) < LOT_BYTES_MAX;
	struct arena *arena = keep ? engine->kept.arena : engine->arena;
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
