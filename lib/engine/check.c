/* SPDX-License-Identifier: MIT */
/*
 * The checks: some look at a customer as the rules see it, the others at what only the database or
 * the templates have. Each reports its findings in the office's terms.
 */
#include "engine/check.h"

#include "base/address.h"
#include "base/domain.h"
#include "engine/known.h"
#include "mail/context.h"
#include "mail/templates.h"
#include "model/kind.h"
#include "model/suspension.h"
#include "records/customers.h"
#include "rules/rules.h"
#include "spool/spool.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

struct check {
	const struct settings *settings;
	struct customers *store;
	struct spool *spool;
	struct zones *zones;
	struct arena *arena; /* of the customer that is checked */
	struct instant now;
	const atomic_bool *stop; /* may be NULL */
	json_t *findings;
};

static json_t *found(struct check *check, const char *finding, const char *fmt, ...)
        PRINTF_LIKE(3, 4);

static json_t *found(struct check *check, const char *finding, const char *fmt, ...)
{
	char text[1000];
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	json_t *sentence = json_string(text); /* NULL where a name was cut within a character */
	json_t *object = json_pack("{s:s, s:o}", "finding", finding, "text",
	                           sentence ? sentence : json_string(finding));
	json_array_append_new(check->findings, object);
	return object;
}

static void about(json_t *finding, const struct customer *customer)
{
	json_object_set_new(finding, "customer", json_string(customer->number));
	json_object_set_new(finding, "name", json_string(customer->name));
}

/* ---- A customer as the rules see it ---- */

static void check_reachable(struct check *check, const struct customer *customer)
{
	size_t n, wanting = 0, refused = 0;
	const struct contact *const *contacts = customer_contacts(customer, check->arena, &n);
	enum reason ignored;
	for (size_t i = 0; i < n; i++) {
		if (contacts[i]->notify == 0)
			continue;
		if (*contact_address(contacts[i], &ignored) != '\0')
			return;
		wanting++;
		refused += *contacts[i]->email != '\0';
	}
	static const struct {
		const char *word, *sentence;
	} whys[] = {{"no_contact", "no contact"},
	            {"none_wanted", "no contact wants any mail"},
	            {"no_address", "no contact has an address"},
	            {"all_refused", "every address was refused"}};
	size_t why = n == 0 ? 0 : wanting == 0 ? 1 : refused == 0 ? 2 : 3;
	json_t *finding = found(check, "unreachable", "customer %s, %s, can't be reached: %s",
	                        customer->number, customer->name, whys[why].sentence);
	about(finding, customer);
	json_object_set_new(finding, "why", json_string(whys[why].word));
}

static const char *first_address(const struct contact *contact)
{
	return *contact->email ? contact->email : contact->alt_email;
}

/* Two who are mailed of one state at one address. What both inherit is reported of the parent. */
static void check_doubles(struct check *check, const struct customer *customer)
{
	size_t n;
	const struct contact *const *contacts = customer_contacts(customer, check->arena, &n);
	for (size_t i = 0; i < customer->n_contacts; i++) {
		for (size_t k = i + 1; k < n; k++) {
			const char *address = first_address(contacts[i]);
			if ((contacts[i]->notify & contacts[k]->notify) == 0 || *address == '\0' ||
			    !address_same(address, first_address(contacts[k])))
				continue;
			json_t *finding =
			        found(check, "same_address",
			              "contacts %lld and %lld of customer %s, %s, have the same "
			              "address, %s: an event sends one mail there",
			              (long long)contacts[i]->id, (long long)contacts[k]->id,
			              customer->number, customer->name, address);
			about(finding, customer);
			json_object_set_new(finding, "address", json_string(address));
			json_object_set_new(finding, "contacts",
			                    json_pack("[I, I]", (json_int_t)contacts[i]->id,
			                              (json_int_t)contacts[k]->id));
		}
	}
}

static void check_calendar(struct check *check, const struct customer *customer)
{
	struct instant next;
	const struct hours *hours = customer_hours(customer, check->arena);
	const struct zone *zone = rules_zone(check->settings, check->zones, customer);
	if (!hours_next_open(hours, zone, check->now, &next))
		about(found(check, "never_open",
		            "the service hours of customer %s, %s, never open: mails that wait for "
		            "them are never sent",
		            customer->number, customer->name),
		      customer);
}

static void check_suspension(struct check *check, const struct customer *customer,
                             const struct suspension *s, struct day today)
{
	char from[DAY_TEXT_MAX];
	if (!day_is_none(s->until) || today.n - s->from.n <= CHECK_FORGOTTEN_DAYS)
		return;
	json_t *finding = found(check, "forgotten",
	                        "suspension %lld of customer %s started on %s, %d days ago, and "
	                        "has no end date: %s",
	                        (long long)s->id, customer->number, day_format(s->from, from),
	                        today.n - s->from.n, s->note);
	about(finding, customer);
	json_object_set_new(finding, "suspension", json_integer(s->id));
	json_object_set_new(finding, "from", json_string(from));
	json_object_set_new(finding, "note", json_string(s->note));
}

static void check_suspensions(struct check *check, const struct customer *customer)
{
	struct day today =
	        zone_day(rules_zone(check->settings, check->zones, customer), check->now);
	for (size_t i = 0; i < customer->n_suspensions; i++)
		check_suspension(check, customer, &customer->suspensions[i], today);
}

static bool check_customer(struct check *check, const char *number, struct error *err)
{
	const struct customer *customer;
	if (!customers_load(check->store, check->arena, number, &customer, err))
		return false;
	if (customer == NULL)
		return true;
	check_suspensions(check, customer);
	if (customer_not_active(customer) == NULL) { /* others get no mail anyway */
		check_reachable(check, customer);
		check_doubles(check, customer);
		check_calendar(check, customer);
	}
	return true;
}

static bool goes_on(const struct check *check, struct error *err)
{
	return check->stop == NULL || !atomic_load(check->stop) ||
	       error_set(err, EX_TEMPFAIL, "the check was stopped");
}

static bool check_customers(struct check *check, struct error *err)
{
	struct db_query *query =
	        db_query(customers_db(check->store), "SELECT number FROM customer ORDER BY number");
	enum db_step step;
	bool ok = true;
	while (ok && (step = db_step(query, err)) == DB_ROW) {
		arena_reset(check->arena);
		ok = goes_on(check, err) &&
		     check_customer(check, db_text(query, 0, check->arena), err);
	}
	db_finish(query);
	return ok && step == DB_DONE;
}

/* ---- Zones and locales, as they stand in the database ---- */

static const struct words {
	const char *kind, *field, *sql; /* number, contact's id or NULL, the value */
} words[] = {
        {.kind = "customer",
         .field = "timezone",
         .sql = "SELECT number, NULL, timezone FROM customer WHERE timezone IS NOT NULL ORDER BY "
                "number"},
        {.kind = "customer",
         .field = "locale",
         .sql = "SELECT number, NULL, locale FROM customer WHERE locale IS NOT NULL ORDER BY "
                "number"},
        {.kind = "contact",
         .field = "locale",
         .sql = "SELECT number, contact.id, contact.locale FROM contact JOIN customer ON "
                "customer.id = contact.customer WHERE contact.locale IS NOT NULL ORDER BY number"},
};

static void check_word(struct check *check, const struct words *row, struct db_query *query)
{
	struct error why = {0};
	const char *number = db_text(query, 0, check->arena),
	           *value = db_text(query, 2, check->arena), *ignored;
	if (field_check(kind_field(kind_find(row->kind), row->field), value, strlen(value),
	                check->zones, check->arena, &ignored, &why))
		return;
	json_t *finding = found(check, row->field, "customer %s: %s", number, why.text);
	json_object_set_new(finding, "customer", json_string(number));
	if (!db_is_null(query, 1))
		json_object_set_new(finding, "contact", json_integer(db_int(query, 1)));
}

static bool check_words(struct check *check, struct error *err)
{
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		struct db_query *query = db_query(customers_db(check->store), words[i].sql);
		enum db_step step;
		while ((step = db_step(query, err)) == DB_ROW) {
			arena_reset(check->arena);
			check_word(check, &words[i], query);
		}
		if (step != DB_DONE)
			return false;
	}
	return true;
}

/* ---- Templates ---- */

static void check_fault(void *arg, const char *text)
{
	found(arg, "template", "%s", text);
}

/* A name that isn't ours may be a publisher's: then events on record had it. */
static bool publisher_provides(struct check *check, const char *name)
{
	const char *member;
	size_t len = context_data_member(name, &member);
	return len > 0 &&
	       spool_event_data_has(check->spool, arena_strndup(check->arena, member, len));
}

static void check_name(void *arg, const char *file, const char *name)
{
	if (context_provides(name) || publisher_provides(arg, name))
		return;
	json_t *finding = found(arg, "template", "%s uses {{%s}}, which doesn't exist", file, name);
	json_object_set_new(finding, "file", json_string(file));
}

static bool check_templates(struct check *check, struct error *err)
{
	int faults;
	check->spool = spool_open(check->settings->spool.path, DB_READ, err);
	if (check->spool == NULL)
		return false;
	struct templates *templates =
	        templates_load_set(check->settings, check_fault, check, &faults);
	templates_each_name(templates, check_name, check);
	templates_unref(templates);
	spool_close(check->spool);
	return true;
}

bool check_template_set(const struct settings *settings, json_t **ret, struct error *err)
{
	struct check check = {.settings = settings, .arena = arena_new()};
	check.findings = json_array();
	bool ok = check_templates(&check, err);
	arena_free(check.arena);
	if (ok)
		*ret = check.findings;
	else
		json_decref(check.findings);
	return ok;
}

/* ---- The sender ---- */

/* Receivers compare the domain of From with those that SPF and DKIM vouch for (RFC 7489, section
 * 3.1); SPF vouches for the envelope sender's. */
static void check_sender(struct check *check)
{
	const struct settings *settings = check->settings;
	bool is_bounce = *settings->bounce.address != '\0';
	const char *envelope = is_bounce ? settings->bounce.address : settings->mail.envelope_from;
	const char *key = is_bounce ? "[bounce] address" : "[mail] envelope_from";
	struct mailbox from;
	if (*envelope == '\0' || !mailbox_parse(settings->mail.from, &from, NULL) ||
	    domain_same_organization(address_domain(from.address), address_domain(envelope)))
		return;
	json_t *finding =
	        found(check, "sender",
	              "mails are from %s, but their envelope sender, %s of %s, is another "
	              "organization's: SPF doesn't count for DMARC there; see dispatchd-senders(7)",
	              address_domain(from.address), address_domain(envelope), key);
	json_object_set_new(finding, "from", json_string(from.address));
	json_object_set_new(finding, "envelope", json_string(envelope));
}

bool check_all(const struct settings *settings, struct instant now, const atomic_bool *stop,
               json_t **ret, struct error *err)
{
	struct check check = {.settings = settings, .now = now, .stop = stop};
	check.store = known_open(settings->customers.path, settings->spool.path, DB_READ, err);
	if (check.store == NULL)
		return false;
	check.zones = customers_zones(check.store);
	check.arena = arena_new();
	check.findings = json_array();
	check_sender(&check);
	bool ok = customers_begin_read(check.store, err) && check_customers(&check, err) &&
	          check_words(&check, err) && check_templates(&check, err);
	customers_end_read(check.store);
	arena_free(check.arena);
	customers_close(check.store);
	if (ok)
		*ret = check.findings;
	else
		json_decref(check.findings);
	return ok;
}
