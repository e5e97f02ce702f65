/* SPDX-License-Identifier: MIT */
/*
 * The table of record kinds. It says what there is; field.c says what a value of each type looks
 * like, records/records.c does with records what the table allows.
 */
#include "model/kind.h"

#include "base/nearest.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* -- customers and what the rules read --------------------------------------------------------- */

static const char *const customer_states[] = {"new", "released", "active", "inactive", NULL};
static const char *const customer_kinds[] = {"local", "fleet", NULL};

static const struct field customer_fields[] = {
        {.name = "number",
         .type = FIELD_NAME,
         .key = KEY_DIGITS,
         .needed = true,
         .manager = true,
         .max = 128,
         .by = BY_NUMBER,
         .help = "its number, shared with billing and dealer systems"},
        {.name = "name",
         .type = FIELD_LINE,
         .needed = true,
         .by = BY_NAME,
         .help = "company or location name"},
        {.name = "dba",
         .type = FIELD_LINE,
         .by = BY_DBA,
         .help = "name under which it does business"},
        {.name = "parent",
         .type = FIELD_CUSTOMER,
         .help = "number of the customer whose site it is"},
        {.name = "status",
         .type = FIELD_CHOICE,
         .needed = true,
         .choices = customer_states,
         .initial = "active",
         .help = "only active customers get mail and jobs"},
        {.name = "kind", .type = FIELD_CHOICE, .choices = customer_kinds, .help = "local or fleet"},
        {.name = "account",
         .type = FIELD_LINE,
         .manager = true,
         .key = KEY_DIGITS,
         .max = 128,
         .by = BY_ACCOUNT,
         .help = "its number in the billing system"},
        {.name = "address",
         .type = FIELD_LINE,
         .by = BY_ADDRESS,
         .help = "street and house number"},
        {.name = "city", .type = FIELD_LINE, .by = BY_CITY, .help = "city"},
        {.name = "state", .type = FIELD_LINE, .by = BY_STATE, .help = "state or province"},
        {.name = "postal_code",
         .type = FIELD_LINE,
         .key = KEY_DIGITS,
         .max = 20,
         .by = BY_ADDRESS,
         .help = "postal code"},
        {.name = "county", .type = FIELD_LINE, .by = BY_COUNTY, .help = "county"},
        {.name = "region", .type = FIELD_LINE, .help = "region of your company"},
        {.name = "country", .type = FIELD_LINE, .help = "country"},
        {.name = "phone", .type = FIELD_PHONE, .by = BY_PHONE, .help = "phone"},
        {.name = "extension",
         .type = FIELD_LINE,
         .key = KEY_DIGITS,
         .max = 20,
         .help = "extension behind the phone"},
        {.name = "fax", .type = FIELD_PHONE, .by = BY_PHONE, .help = "fax"},
        {.name = "timezone",
         .type = FIELD_ZONE,
         .help = "IANA time zone of its service hours and days"},
        {.name = "locale", .type = FIELD_LOCALE, .help = "language of its mails, as en-US"},
        {.name = "reference",
         .type = FIELD_LINE,
         .key = KEY_EXACT,
         .by = BY_REFERENCE,
         .help = "default reference or purchase order number"},
        {.name = "renewal", .type = FIELD_DAY, .help = "day on which the contract is renewed"},
        {.name = "sales_rep",
         .type = FIELD_LINE,
         .key = KEY_EXACT,
         .by = BY_REP,
         .help = "name of its first sales rep"},
        {.name = "disclaimer", .type = FIELD_DAY, .help = "day on which the disclaimer was signed"},
        {.name = "location_notes",
         .type = FIELD_TEXT,
         .help = "what a driver must know; on every job"},
};

static const struct field contact_fields[] = {
        {.name = "name", .type = FIELD_LINE, .by = BY_CONTACT, .help = "whole name"},
        {.name = "first_name", .type = FIELD_LINE, .by = BY_CONTACT, .help = "first name"},
        {.name = "last_name", .type = FIELD_LINE, .by = BY_CONTACT, .help = "last name"},
        {.name = "title", .type = FIELD_LINE, .help = "title or function"},
        {.name = "email", .type = FIELD_EMAIL, .by = BY_EMAIL, .help = "mail address"},
        {.name = "alt_email",
         .type = FIELD_EMAIL,
         .by = BY_EMAIL,
         .help = "mail address for when the first is refused"},
        {.name = "home_phone", .type = FIELD_PHONE, .by = BY_PHONE, .help = "phone at home"},
        {.name = "cell_phone", .type = FIELD_PHONE, .by = BY_PHONE, .help = "cell phone"},
        {.name = "work_phone", .type = FIELD_PHONE, .by = BY_PHONE, .help = "phone at work"},
        {.name = "notify",
         .type = FIELD_STATES,
         .needed = true,
         .initial = "dispatched,started,completed,failed,paused",
         .help = "job states that it is mailed for"},
        {.name = "all_sites",
         .type = FIELD_FLAG,
         .needed = true,
         .initial = "false",
         .help = "whether it is a contact of all sites of the customer, too"},
        {.name = "locale",
         .type = FIELD_LOCALE,
         .help = "language of its mails; else the customer's"},
        {.name = "email_invalid",
         .type = FIELD_INSTANT,
         .kept = true,
         .by_hand = true,
         .help = "when the address was refused, or marked by hand: nothing is sent there"},
        {.name = "email_invalid_why",
         .type = FIELD_LINE,
         .kept = true,
         .help = "the server's words then"},
        {.name = "alt_email_invalid",
         .type = FIELD_INSTANT,
         .kept = true,
         .by_hand = true,
         .help = "when the alternate address was refused, or marked by hand"},
        {.name = "alt_email_invalid_why",
         .type = FIELD_LINE,
         .kept = true,
         .help = "the server's words then"},
};

static const struct field suspension_fields[] = {
        {.name = "scopes",
         .type = FIELD_SCOPES,
         .needed = true,
         .initial = "jobs,routes,emails",
         .help = "what is suspended"},
        {.name = "from", .type = FIELD_DAY, .needed = true, .fixed = true, .help = "first day"},
        {.name = "until",
         .type = FIELD_DAY,
         .help = "first day on which it is over; indefinite by default"},
        {.name = "note",
         .type = FIELD_TEXT,
         .needed = true,
         .help = "tells the next dispatcher why"},
        {.name = "author", .type = FIELD_LINE, .kept = true, .help = "who entered it"},
        {.name = "created", .type = FIELD_INSTANT, .kept = true, .help = "when it was entered"},
        {.name = "removed",
         .type = FIELD_INSTANT,
         .kept = true,
         .help = "when it was ended by hand"},
        {.name = "removed_by", .type = FIELD_LINE, .kept = true, .help = "who ended it"},
};

static const struct field note_fields[] = {
        {.name = "text", .type = FIELD_TEXT, .needed = true, .help = "the note"},
        {.name = "urgent",
         .type = FIELD_FLAG,
         .needed = true,
         .initial = "false",
         .help = "shown first, in red"},
        {.name = "author", .type = FIELD_LINE, .kept = true, .help = "who wrote it"},
        {.name = "created", .type = FIELD_INSTANT, .kept = true, .help = "when"},
};

static const struct field comment_fields[] = {
        {.name = "job",
         .type = FIELD_LINE,
         .key = KEY_EXACT,
         .max = 128,
         .help = "the job that it is on"},
        {.name = "text", .type = FIELD_TEXT, .needed = true, .help = "the comment"},
        {.name = "author", .type = FIELD_LINE, .kept = true, .help = "who wrote it"},
        {.name = "created", .type = FIELD_INSTANT, .kept = true, .help = "when"},
};

/* -- equipment --------------------------------------------------------------------------------- */

static const struct field system_type_fields[] = {
        {.name = "name",
         .type = FIELD_NAME,
         .needed = true,
         .max = 100,
         .help = "name of the type"},
        {.name = "about", .type = FIELD_TEXT, .help = "what it is for"},
};

static const struct field system_field_fields[] = {
        {.name = "name",
         .type = FIELD_LINE,
         .key = KEY_EXACT,
         .needed = true,
         .max = 60,
         .help = "name of the field"},
        {.name = "needed",
         .type = FIELD_FLAG,
         .needed = true,
         .initial = "false",
         .help = "whether each system has to have it"},
        {.name = "secret",
         .type = FIELD_FLAG,
         .needed = true,
         .fixed = true,
         .initial = "false",
         .help = "kept encrypted, shown only with --reveal"},
        {.name = "about", .type = FIELD_LINE, .help = "what goes there"},
};

static const struct field system_fields[] = {
        {.name = "type",
         .type = FIELD_LINE,
         .key = KEY_EXACT,
         .needed = true,
         .fixed = true,
         .max = 100,
         .by = BY_EQUIPMENT,
         .help = "one of the types that the administrator has set up"},
        {.name = "label", .type = FIELD_LINE, .by = BY_EQUIPMENT, .help = "what people call it"},
        {.name = "location", .type = FIELD_LINE, .help = "where on the site it is"},
};

static const struct field asset_fields[] = {
        {.name = "kind",
         .type = FIELD_LINE,
         .needed = true,
         .by = BY_EQUIPMENT,
         .help = "container, compactor, …"},
        {.name = "serial",
         .type = FIELD_LINE,
         .key = KEY_EXACT,
         .by = BY_EQUIPMENT,
         .help = "serial number"},
        {.name = "size", .type = FIELD_LINE, .help = "size"},
        {.name = "position", .type = FIELD_LINE, .help = "where on the site it is, in words"},
        {.name = "latitude", .type = FIELD_DEGREES, .help = "degrees north"},
        {.name = "longitude", .type = FIELD_DEGREES, .help = "degrees east"},
        {.name = "since", .type = FIELD_DAY, .help = "day since which it has been there"},
        {.name = "job",
         .type = FIELD_LINE,
         .key = KEY_EXACT,
         .max = 128,
         .help = "job that set it there"},
};

/* -- people and business ----------------------------------------------------------------------- */

static const struct field third_party_fields[] = {
        {.name = "name", .type = FIELD_LINE, .needed = true, .help = "name"},
        {.name = "role",
         .type = FIELD_LINE,
         .needed = true,
         .help = "what it does for the customer"},
        {.name = "contract",
         .type = FIELD_LINE,
         .key = KEY_EXACT,
         .help = "number of the contract"},
        {.name = "from", .type = FIELD_DAY, .help = "first day of the contract"},
        {.name = "until", .type = FIELD_DAY, .help = "day on which it is over"},
        {.name = "items", .type = FIELD_TEXT, .help = "items that it uses"},
        {.name = "notes", .type = FIELD_TEXT, .help = "notes"},
};

static const struct field rep_fields[] = {
        {.name = "name", .type = FIELD_NAME, .needed = true, .max = 100, .help = "name"},
        {.name = "email", .type = FIELD_EMAIL, .help = "mail address"},
        {.name = "phone", .type = FIELD_PHONE, .help = "phone"},
        {.name = "title", .type = FIELD_LINE, .help = "title or function"},
};

static const char *const activity_kinds[] = {"activity", "case",      "visit",
                                             "call",     "cold-call", NULL};
static const char *const activity_states[] = {"open", "done", NULL};

static const struct field activity_fields[] = {
        {.name = "kind",
         .type = FIELD_CHOICE,
         .needed = true,
         .choices = activity_kinds,
         .initial = "activity",
         .help = "what it is"},
        {.name = "due", .type = FIELD_DAY, .help = "day on which it is due"},
        {.name = "text",
         .type = FIELD_TEXT,
         .needed = true,
         .help = "what is to be done, or was said"},
        {.name = "who", .type = FIELD_LINE, .help = "who is to do it"},
        {.name = "phone",
         .type = FIELD_PHONE,
         .help = "number to call; a cold call takes the customer's"},
        {.name = "contact",
         .type = FIELD_LINE,
         .help = "whom to ask for; a cold call takes the first contact"},
        {.name = "state",
         .type = FIELD_CHOICE,
         .needed = true,
         .choices = activity_states,
         .initial = "open",
         .help = "open or done"},
        {.name = "author", .type = FIELD_LINE, .kept = true, .help = "who entered it"},
        {.name = "created", .type = FIELD_INSTANT, .kept = true, .help = "when"},
};

static const char *const quote_states[] = {"draft", "sent", "won", "lost", NULL};

static const struct field quote_fields[] = {
        {.name = "number",
         .type = FIELD_LINE,
         .key = KEY_EXACT,
         .needed = true,
         .max = 100,
         .help = "number of the quote"},
        {.name = "state",
         .type = FIELD_CHOICE,
         .needed = true,
         .choices = quote_states,
         .initial = "draft",
         .help = "draft, sent, won or lost"},
        {.name = "date", .type = FIELD_DAY, .help = "day of the quote"},
        {.name = "until", .type = FIELD_DAY, .help = "last day on which it may be taken"},
        {.name = "currency",
         .type = FIELD_LINE,
         .key = KEY_EXACT,
         .max = 3,
         .help = "currency, as USD"},
        {.name = "notes", .type = FIELD_TEXT, .help = "notes"},
};

static const struct field quote_item_fields[] = {
        {.name = "text", .type = FIELD_LINE, .needed = true, .help = "what is offered"},
        {.name = "quantity",
         .type = FIELD_AMOUNT,
         .needed = true,
         .initial = "1",
         .help = "how many"},
        {.name = "price", .type = FIELD_AMOUNT, .needed = true, .help = "price of one"},
};

static const struct field sale_fields[] = {
        {.name = "job",
         .type = FIELD_LINE,
         .key = KEY_EXACT,
         .max = 128,
         .help = "job that it belongs to"},
        {.name = "result", .type = FIELD_LINE, .help = "sold, not home, no sale, …"},
        {.name = "product", .type = FIELD_LINE, .help = "product"},
        {.name = "units", .type = FIELD_AMOUNT, .help = "units offered"},
        {.name = "units_sold", .type = FIELD_AMOUNT, .help = "units sold"},
        {.name = "amount", .type = FIELD_AMOUNT, .help = "amount of the sale"},
        {.name = "contract_amount", .type = FIELD_AMOUNT, .help = "amount of the contract"},
        {.name = "balance",
         .type = FIELD_AMOUNT,
         .reckoned = true,
         .help = "what is still to be paid; reckoned where there is a contract_amount"},
        {.name = "method", .type = FIELD_LINE, .help = "method of payment"},
        {.name = "commission", .type = FIELD_AMOUNT, .help = "commission"},
        {.name = "commission_paid",
         .type = FIELD_AMOUNT,
         .help = "what of the commission was paid"},
        {.name = "status", .type = FIELD_LINE, .help = "where the sale stands: open, paid, …"},
        {.name = "account_notes", .type = FIELD_TEXT, .help = "notes of accounts"},
        {.name = "appointment",
         .type = FIELD_MOMENT,
         .help = "day, or day and time, of the appointment"},
        {.name = "sale", .type = FIELD_DAY, .help = "day of the sale"},
        {.name = "ordered", .type = FIELD_DAY, .help = "day on which it was ordered"},
        {.name = "received", .type = FIELD_DAY, .help = "day on which it was received"},
        {.name = "rto", .type = FIELD_DAY, .help = "day on which it was returned to the office"},
        {.name = "rereceived", .type = FIELD_DAY, .help = "day on which it was received again"},
        {.name = "scheduled", .type = FIELD_DAY, .help = "day for which it is scheduled"},
        {.name = "completed", .type = FIELD_DAY, .help = "day on which it was completed"},
};

static const struct field payment_fields[] = {
        {.name = "amount", .type = FIELD_AMOUNT, .needed = true, .help = "amount"},
        {.name = "day", .type = FIELD_DAY, .needed = true, .help = "day on which it came"},
        {.name = "method", .type = FIELD_LINE, .help = "how it was paid"},
};

/* -- files ------------------------------------------------------------------------------------- */

static const struct field file_fields[] = {
        {.name = "description",
         .type = FIELD_LINE,
         .needed = true,
         .help = "what it shows or says"},
        {.name = "job",
         .type = FIELD_LINE,
         .key = KEY_EXACT,
         .max = 128,
         .help = "job that it belongs to"},
        {.name = "name", .type = FIELD_LINE, .kept = true, .help = "name of the file as it came"},
        {.name = "type",
         .type = FIELD_LINE,
         .kept = true,
         .help = "type, recognized by its content"},
        {.name = "size", .type = FIELD_WHOLE, .kept = true, .help = "size in bytes"},
        {.name = "hash",
         .type = FIELD_LINE,
         .kept = true,
         .help = "SHA-256 of its content, its place on disk"},
        {.name = "author", .type = FIELD_LINE, .kept = true, .help = "who added it"},
        {.name = "created", .type = FIELD_INSTANT, .kept = true, .help = "when"},
};

#define FIELDS(array) .fields = (array), .n_fields = COUNT(array)
#define OF_CUSTOMER   .owner = "customer", .owner_column = "customer", .owner_key = "customer"

static const char *const customer_extra[] = {"email", "contact", "hours", "contacts", "reps", NULL};
static const char *const system_extra[] = {"fields", NULL};
static const char *const quote_extra[] = {"items", NULL};
static const char *const sale_extra[] = {"payments", NULL};

const struct kind kinds[] = {
        {.name = "customer",
         .many = "customers",
         .table = "customer",
         FIELDS(customer_fields),
         .is_customer = true,
         .searched = true,
         .extra = customer_extra,
         .order = "number",
         .help = "A customer, or a site of one."},
        {.name = "contact",
         .many = "contacts",
         .table = "contact",
         OF_CUSTOMER,
         FIELDS(contact_fields),
         .searched = true,
         .known_by_address = true,
         .order = "id",
         .help = "A person at the customer's, and what that person gets mail about."},
        {.name = "suspension",
         .many = "suspensions",
         .table = "suspension",
         OF_CUSTOMER,
         FIELDS(suspension_fields),
         .kept_when_removed = true,
         .order = "\"from\", id",
         .help = "A time in which no jobs are created, no stops dispatched or no mails sent."},
        {.name = "note",
         .many = "notes",
         .table = "note",
         OF_CUSTOMER,
         FIELDS(note_fields),
         .added_only = true,
         .order = "urgent DESC, created DESC, id DESC",
         .help = "A note; never changed, removed only by a manager."},
        {.name = "comment",
         .many = "comments",
         .table = "comment",
         OF_CUSTOMER,
         FIELDS(comment_fields),
         .added_only = true,
         .order = "created, id",
         .help = "A comment on the customer or one of its jobs."},
        {.name = "system-type",
         .many = "system types",
         .table = "system_type",
         FIELDS(system_type_fields),
         .parts = "fields",
         .part_kind = "system-field",
         .order = "name",
         .help = "A type of equipment, with fields of its own."},
        {.name = "system-field",
         .many = "fields",
         .table = "system_field",
         .owner = "system-type",
         .owner_column = "system_type",
         .owner_key = "system_type",
         FIELDS(system_field_fields),
         .order = "id",
         .help = "A field that systems of a type have."},
        {.name = "system",
         .many = "systems",
         .table = "system",
         OF_CUSTOMER,
         FIELDS(system_fields),
         .searched = true,
         .secrets = true,
         .any_key = true,
         .extra = system_extra,
         .order = "type, label, id",
         .help = "Equipment on site."},
        {.name = "asset",
         .many = "assets",
         .table = "asset",
         OF_CUSTOMER,
         FIELDS(asset_fields),
         .searched = true,
         .order = "kind, serial, id",
         .help = "Equipment of yours at the customer's site."},
        {.name = "third-party",
         .many = "third parties",
         .table = "third_party",
         OF_CUSTOMER,
         FIELDS(third_party_fields),
         .order = "name, id",
         .help = "Another firm that has to do with the customer."},
        {.name = "rep",
         .many = "sales reps",
         .table = "rep",
         FIELDS(rep_fields),
         .linked = true,
         .order = "name",
         .help = "A sales rep of your company."},
        {.name = "activity",
         .many = "activities",
         .table = "activity",
         OF_CUSTOMER,
         FIELDS(activity_fields),
         .order = "state DESC, due IS NULL, due, id",
         .help = "Something to do, or a call."},
        {.name = "quote",
         .many = "quotes",
         .table = "quote",
         OF_CUSTOMER,
         FIELDS(quote_fields),
         .extra = quote_extra,
         .parts = "items",
         .part_kind = "quote-item",
         .order = "id",
         .help = "A quote with its items."},
        {.name = "quote-item",
         .many = "items",
         .table = "quote_item",
         .owner = "quote",
         .owner_column = "quote",
         .owner_key = "quote",
         .customer_of = "SELECT customer FROM quote WHERE id = ?1",
         FIELDS(quote_item_fields),
         .order = "id",
         .help = "A line of a quote."},
        {.name = "sale",
         .many = "sales",
         .table = "sale",
         OF_CUSTOMER,
         FIELDS(sale_fields),
         .extra = sale_extra,
         .parts = "payments",
         .part_kind = "payment",
         .order = "id",
         .help = "A sale with its amounts, dates and payments."},
        {.name = "payment",
         .many = "payments",
         .table = "payment",
         .owner = "sale",
         .owner_column = "sale_id",
         .owner_key = "sale",
         .customer_of = "SELECT customer FROM sale WHERE id = ?1",
         FIELDS(payment_fields),
         .order = "day, id",
         .help = "A payment on a sale."},
        {.name = "document",
         .many = "documents",
         .table = "document",
         OF_CUSTOMER,
         FIELDS(file_fields),
         .file = true,
         .order = "id",
         .help = "A document of the customer, at hand for every job."},
        {.name = "picture",
         .many = "pictures",
         .table = "picture",
         OF_CUSTOMER,
         FIELDS(file_fields),
         .file = true,
         .picture_only = true,
         .order = "id",
         .help = "A picture; PNG, JPEG, GIF, WebP, HEIC or TIFF."},
};
const size_t n_kinds = COUNT(kinds);

/* -- finding ----------------------------------------------------------------------------------- */

/* People type `third_party` and `--postal-code`: the two signs are one here. */
static bool same_name(const char *a, const char *b)
{
	for (;; a++, b++) {
		if ((*a == '_' ? '-' : *a) != (*b == '_' ? '-' : *b))
			return false;
		if (*a == '\0')
			return true;
	}
}

const struct kind *kind_find(const char *name)
{
	for (size_t i = 0; i < n_kinds; i++) {
		if (same_name(kinds[i].name, name))
			return &kinds[i];
	}
	return NULL;
}

const struct field *kind_field(const struct kind *kind, const char *name)
{
	for (size_t i = 0; i < kind->n_fields; i++) {
		if (same_name(kind->fields[i].name, name))
			return &kind->fields[i];
	}
	return NULL;
}

bool kind_has_extra(const struct kind *kind, const char *key)
{
	for (const char *const *extra = kind->extra; extra && *extra; extra++) {
		if (strcmp(*extra, key) == 0)
			return true;
	}
	return kind->any_key;
}

bool kind_is_of_customer(const struct kind *kind)
{
	return kind->owner && kind_find(kind->owner)->is_customer;
}

size_t kind_field_index(const struct kind *kind, const struct field *field)
{
	return (size_t)(field - kind->fields);
}

const char *kind_nearest(const struct kind *kind, const char *name)
{
	struct nearest nearest = {.typed = name};
	for (size_t i = 0; i < kind->n_fields; i++)
		nearest_try(&nearest, kind->fields[i].name);
	return nearest.name;
}

static const char *const by_names[BY_COUNT + 1] = {
        [BY_NONE] = "",
        [BY_NAME] = "name",
        [BY_DBA] = "dba",
        [BY_NUMBER] = "number",
        [BY_ACCOUNT] = "account",
        [BY_ADDRESS] = "address",
        [BY_CITY] = "city",
        [BY_STATE] = "state",
        [BY_PHONE] = "phone",
        [BY_EMAIL] = "email",
        [BY_EQUIPMENT] = "equipment",
        [BY_CONTACT] = "contact",
        [BY_REFERENCE] = "reference",
        [BY_COUNTY] = "county",
        [BY_REP] = "rep",
        [BY_ALL] = "all",
};

const char *search_by_name(enum search_by by)
{
	return by_names[by];
}

bool search_by_find(const char *name, enum search_by *ret)
{
	for (int by = BY_NAME; by <= BY_ALL; by++) {
		if (strcmp(by_names[by], name) == 0) {
			*ret = (enum search_by)by;
			return true;
		}
	}
	return false;
}
