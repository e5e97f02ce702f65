/* SPDX-License-Identifier: MIT */
/*
 * What a column or key of a foreign file is for:
 *
 *	--map  ─▶  a field's own name  ─▶  its name in other case and spelling
 *	       ─▶  what other programs call it
 *
 * A name that nobody knows is a fault: no column is lost in silence.
 */
#include "records/import_private.h"

#include "base/identity.h"
#include "base/utf8.h"
#include "model/key.h"

#include <errno.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* -- the map ----------------------------------------------------------------------------------- */

static char *trimmed(struct arena *arena, const char *text, size_t len)
{
	key_trim(&text, &len);
	return arena_strndup(arena, text, len);
}

static void add_mapping(struct import *import, const char *pair, const char *equals)
{
	struct map_entry *entry = arena_alloc(import->names, sizeof *entry);
	*entry =
	        (struct map_entry){.foreign = trimmed(import->names, pair, (size_t)(equals - pair)),
	                           .own = trimmed(import->names, equals + 1, strlen(equals + 1)),
	                           .next = import->map};
	import->map = entry;
}

static bool read_map_line(struct import *import, const char *path, const char *line, int number)
{
	const char *text = trimmed(import->names, line, strlen(line)), *equals = strrchr(text, '=');
	if (*text == '\0' || *text == '#')
		return true;
	if (equals == NULL)
		return error_set(import->err, EX_DATAERR, "%s:%d: must be \"their column = field\"",
		                 path, number);
	add_mapping(import, text, equals);
	return true;
}

static bool read_map_file(struct import *import, const char *path)
{
	char *line = NULL;
	size_t size = 0;
	bool good = true;
	identity_person(); /* a file that the person named is read as that person */
	FILE *file = fopen(path, "re");
	identity_back();
	if (file == NULL)
		return error_set(import->err, EX_NOINPUT, "%s: %s", path, strerror(errno));
	for (int number = 1; good && getline(&line, &size, file) > 0; number++)
		good = read_map_line(import, path,
		                     number == 1 && strncmp(line, "\xef\xbb\xbf", 3) == 0 ? line + 3
		                                                                          : line,
		                     number);
	free(line);
	(void)fclose(file);
	return good;
}

static bool is_file(const char *path)
{
	identity_person();
	bool is = eaccess(path, F_OK) == 0;
	identity_back();
	return is;
}

/* A file, or `their column=field`. A file's name may have a `=` in it. */
bool import_read_map(struct import *import)
{
	bool good = true;
	for (size_t i = 0; good && i < import->how->n_maps; i++) {
		const char *map = import->how->maps[i], *equals = strrchr(map, '=');
		if (equals != NULL && !is_file(map))
			add_mapping(import, map, equals);
		else
			good = read_map_file(import, map);
	}
	return good;
}

static bool same_but_case(const char *a, const char *b)
{
	char *x = g_utf8_casefold(a, -1), *y = g_utf8_casefold(b, -1);
	bool same = strcmp(x, y) == 0;
	g_free(x);
	g_free(y);
	return same;
}

/* NULL where the map doesn't have it. Mapped to nothing or `-`: passed over. */
static const char *mapped(const struct import *import, const char *name)
{
	for (const struct map_entry *entry = import->map; entry; entry = entry->next) {
		if (utf8_valid(entry->foreign, strlen(entry->foreign)) &&
		    same_but_case(entry->foreign, name))
			return entry->own;
	}
	return NULL;
}

/* -- what other programs call it --------------------------------------------------------------- */

/* Spellings without case, spaces and punctuation; `other` takes what `own` has already from another
 * column. */
struct alias {
	const char *kind; /* NULL: any kind that has the field */
	const char *theirs, *own, *other;
	enum name_part part;
};

static const struct alias aliases[] = {
        {.theirs = "customer#", .own = "number"},
        {.theirs = "customernumber", .own = "number"},
        {.theirs = "customerno", .own = "number"},
        {.theirs = "customernum", .own = "number"},
        {.theirs = "customerid", .own = "number"},
        {.theirs = "customercode", .own = "number"},
        {.theirs = "cust#", .own = "number"},
        {.theirs = "custno", .own = "number"},
        {.theirs = "custnum", .own = "number"},
        {.theirs = "custid", .own = "number"},
        {.theirs = "client#", .own = "number"},
        {.theirs = "clientnumber", .own = "number"},
        {.theirs = "clientno", .own = "number"},
        {.theirs = "clientid", .own = "number"},
        {.kind = "customer", .theirs = "customer", .own = "name"},
        {.kind = "customer", .theirs = "customername", .own = "name"},
        {.kind = "customer", .theirs = "customerfullname", .own = "name"},
        {.kind = "customer", .theirs = "client", .own = "name"},
        {.kind = "customer", .theirs = "clientname", .own = "name"},
        {.theirs = "displayname", .own = "name"},
        {.theirs = "displaynameas", .own = "name"},
        {.theirs = "fullname", .own = "name"},
        {.kind = "contact", .theirs = "contact", .own = "name"},
        {.kind = "contact", .theirs = "contactname", .own = "name"},
        {.kind = "customer", .theirs = "company", .own = "name", .other = "dba"},
        {.kind = "customer", .theirs = "companyname", .own = "name", .other = "dba"},
        {.kind = "customer", .theirs = "business", .own = "name", .other = "dba"},
        {.kind = "customer", .theirs = "businessname", .own = "name", .other = "dba"},
        {.kind = "customer", .theirs = "organization", .own = "name", .other = "dba"},
        {.kind = "customer", .theirs = "organizationname", .own = "name", .other = "dba"},
        {.kind = "customer", .theirs = "organization1name", .own = "name", .other = "dba"},
        {.theirs = "doingbusinessas", .own = "dba"},
        {.theirs = "tradename", .own = "dba"},
        {.theirs = "parentcustomer", .own = "parent"},
        {.theirs = "account#", .own = "account"},
        {.theirs = "accountno", .own = "account"},
        {.theirs = "accountnumber", .own = "account"},
        {.theirs = "acct#", .own = "account"},
        {.theirs = "acctno", .own = "account"},
        {.theirs = "street", .own = "address"},
        {.theirs = "streetaddress", .own = "address"},
        {.theirs = "address1", .own = "address"},
        {.theirs = "addressline1", .own = "address"},
        {.theirs = "address1street", .own = "address"},
        {.theirs = "billingaddress", .own = "address"},
        {.theirs = "billingstreet", .own = "address"},
        {.theirs = "billaddress", .own = "address"},
        {.theirs = "town", .own = "city"},
        {.theirs = "address1city", .own = "city"},
        {.theirs = "billingcity", .own = "city"},
        {.theirs = "province", .own = "state"},
        {.theirs = "stateprovince", .own = "state"},
        {.theirs = "address1region", .own = "state"},
        {.theirs = "billingstate", .own = "state"},
        {.theirs = "zip", .own = "postal_code"},
        {.theirs = "zipcode", .own = "postal_code"},
        {.theirs = "postcode", .own = "postal_code"},
        {.theirs = "zippostalcode", .own = "postal_code"},
        {.theirs = "address1postalcode", .own = "postal_code"},
        {.theirs = "billingzip", .own = "postal_code"},
        {.theirs = "billingzipcode", .own = "postal_code"},
        {.theirs = "billingpostalcode", .own = "postal_code"},
        {.theirs = "address1country", .own = "country"},
        {.theirs = "billingcountry", .own = "country"},
        {.theirs = "telephone", .own = "phone"},
        {.theirs = "tel", .own = "phone"},
        {.theirs = "phone#", .own = "phone"},
        {.theirs = "phonenumber", .own = "phone"},
        {.theirs = "phonenumbers", .own = "phone"},
        {.theirs = "mainphone", .own = "phone"},
        {.theirs = "businessphone", .own = "phone"},
        {.theirs = "workphone", .own = "phone"},
        {.theirs = "phone1value", .own = "phone"},
        {.theirs = "faxnumber", .own = "fax"},
        {.theirs = "businessfax", .own = "fax"},
        {.theirs = "language", .own = "locale"},
        {.theirs = "ponumber", .own = "reference"},
        {.theirs = "po#", .own = "reference"},
        {.theirs = "pono", .own = "reference"},
        {.theirs = "purchaseordernumber", .own = "reference"},
        {.theirs = "rep", .own = "sales_rep"},
        {.theirs = "salesperson", .own = "sales_rep"},
        {.theirs = "salesrepresentative", .own = "sales_rep"},
        {.theirs = "emailaddress", .own = "email"},
        {.theirs = "emailaddresses", .own = "email"},
        {.theirs = "mainemail", .own = "email"},
        {.theirs = "primaryemail", .own = "email"},
        {.theirs = "email1", .own = "email"},
        {.theirs = "email1value", .own = "email"},
        {.theirs = "mail", .own = "email"},
        {.kind = "customer", .theirs = "contactname", .own = "contact"},
        {.kind = "customer", .theirs = "contactperson", .own = "contact"},
        {.kind = "customer", .theirs = "primarycontact", .own = "contact"},
        {.kind = "customer", .theirs = "maincontact", .own = "contact"},
        {.kind = "customer", .theirs = "firstname", .own = "contact", .part = PART_FIRST},
        {.kind = "customer", .theirs = "givenname", .own = "contact", .part = PART_FIRST},
        {.kind = "customer", .theirs = "lastname", .own = "contact", .part = PART_LAST},
        {.kind = "customer", .theirs = "familyname", .own = "contact", .part = PART_LAST},
        {.theirs = "givenname", .own = "first_name"},
        {.theirs = "familyname", .own = "last_name"},
        {.theirs = "surname", .own = "last_name"},
        {.theirs = "jobtitle", .own = "title"},
        {.theirs = "organizationtitle", .own = "title"},
        {.theirs = "organization1title", .own = "title"},
        {.theirs = "email2", .own = "alt_email"},
        {.theirs = "email2value", .own = "alt_email"},
        {.theirs = "email2address", .own = "alt_email"},
        {.theirs = "alternateemail", .own = "alt_email"},
        {.theirs = "secondaryemail", .own = "alt_email"},
        {.theirs = "ccemail", .own = "alt_email"},
        {.theirs = "mobile", .own = "cell_phone"},
        {.theirs = "mobilephone", .own = "cell_phone"},
        {.theirs = "cell", .own = "cell_phone"},
        {.kind = "contact", .theirs = "phone", .own = "work_phone"},
        {.kind = "contact", .theirs = "telephone", .own = "work_phone"},
        {.kind = "contact", .theirs = "phonenumber", .own = "work_phone"},
        {.kind = "contact", .theirs = "mainphone", .own = "work_phone"},
        {.kind = "contact", .theirs = "businessphone", .own = "work_phone"},
        {.kind = "contact", .theirs = "phone1value", .own = "work_phone"},
};

/* Columns of Google's and QuickBooks' exports that have no place here: they may be there, and be
 * empty. */
static const char *const homeless[] = {
        "middlename",
        "additionalname",
        "phoneticfirstname",
        "phoneticmiddlename",
        "phoneticlastname",
        "yominame",
        "givennameyomi",
        "additionalnameyomi",
        "familynameyomi",
        "nameprefix",
        "namesuffix",
        "initials",
        "nickname",
        "shortname",
        "maidenname",
        "fileas",
        "birthday",
        "gender",
        "location",
        "billinginformation",
        "directoryserver",
        "mileage",
        "occupation",
        "hobby",
        "sensitivity",
        "priority",
        "subject",
        "notes",
        "language",
        "photo",
        "organizationname",
        "organizationdepartment",
        "organization1name",
        "organization1yominame",
        "organization1department",
        "organization1symbol",
        "organization1location",
        "organization1jobdescription",
        "phone2value",
        "phone3value",
        "email3value",
        "address1formatted",
        "address1street",
        "address1city",
        "address1pobox",
        "address1region",
        "address1postalcode",
        "address1country",
        "address1extendedaddress",
        "website1value",
        "event1value",
        "relation1value",
        "customfield1value",
        "altphone",
        "mi",
        "mrms",
        "secondarycontact",
        "website",
        "resalenumber",
        "resalenum",
        "terms",
        "creditlimit",
        "address2",
        "addressline2",
        "attachments",
};

/* Words about words: "E-mail 1 - Label", "Phone 1 - Type". */
static bool is_label(const char *plain)
{
	static const char *const about[] = {"email",       "phone",        "address",
	                                    "website",     "event",        "relation",
	                                    "customfield", "organization", "im"};
	size_t len = strlen(plain);
	if (strcmp(plain, "labels") == 0 || strcmp(plain, "groupmembership") == 0)
		return true;
	for (size_t i = 0; i < sizeof about / sizeof about[0]; i++) {
		size_t n = strlen(about[i]);
		if (strncmp(plain, about[i], n) == 0 && plain[n] >= '0' && plain[n] <= '9' &&
		    len > n + 5 &&
		    (strcmp(plain + len - 5, "label") == 0 || strcmp(plain + len - 4, "type") == 0))
			return true;
	}
	return false;
}

static bool is_homeless(const char *plain)
{
	for (size_t i = 0; i < sizeof homeless / sizeof homeless[0]; i++) {
		if (strcmp(homeless[i], plain) == 0)
			return true;
	}
	return false;
}

/* -- finding ----------------------------------------------------------------------------------- */

/* What an export or `show --json` adds and an import works out for itself. */
static bool is_computed(const char *name)
{
	static const char *const names[] = {"total", "paid", "customers", "sites", "holds", ""};
	for (size_t i = 0; *names[i]; i++) {
		if (strcmp(names[i], name) == 0)
			return true;
	}
	return false;
}

/* By the very names that an export writes. */
static bool find_own(const struct import *import, const char *name, struct target *ret)
{
	const struct kind *kind = import->kind;
	bool hangs = kind->owner != NULL;
	*ret = (struct target){.kind = TARGET_FIELD, .field = kind_field(kind, name), .name = name};
	if (*name == '\0' || strcmp(name, "-") == 0)
		ret->kind = TARGET_IGNORED;
	else if (ret->field)
		ret->name = ret->field->name;
	else if (strcmp(name, "id") == 0)
		ret->kind = hangs ? TARGET_ID : TARGET_IGNORED;
	else if (hangs && kind_find(name) == kind_find(kind->owner))
		ret->kind = TARGET_OWNER;
	else if (is_computed(name))
		ret->kind = TARGET_IGNORED;
	else if (kind_has_extra(kind, name))
		ret->kind = TARGET_EXTRA;
	else
		return false;
	return true;
}

/* Letters without case, digits and `#`. */
static char *plain_name(struct arena *arena, const char *name)
{
	char *folded = g_utf8_casefold(name, -1), *plain = arena_strdup(arena, folded),
	     *out = plain;
	for (const char *p = folded; *p; p++) {
		if ((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') || *p == '#' ||
		    (unsigned char)*p >= 0x80)
			*out++ = *p;
	}
	*out = '\0';
	g_free(folded);
	return plain;
}

/* The own name that is spelt so but for case and punctuation; NULL where there is none. */
static const char *own_spelt(const struct import *import, const char *plain)
{
	const struct kind *kind = import->kind;
	for (size_t i = 0; i < kind->n_fields; i++) {
		if (strcmp(plain_name(import->arena, kind->fields[i].name), plain) == 0)
			return kind->fields[i].name;
	}
	for (size_t i = 0; !kind->any_key && kind->extra && kind->extra[i]; i++) {
		if (strcmp(kind->extra[i], plain) == 0)
			return kind->extra[i];
	}
	if (strcmp(plain, "id") == 0)
		return "id";
	return kind->owner && strcmp(plain_name(import->arena, kind->owner), plain) == 0
	               ? kind->owner
	               : NULL;
}

/* A customer's number is the owner's name where a record hangs on one. */
static bool find_alias(const struct import *import, const char *plain, struct target *ret)
{
	const struct kind *kind = import->kind;
	bool hangs = kind_is_of_customer(kind);
	for (int special = 1; special >= 0; special--) {
		for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++) {
			const struct alias *alias = &aliases[i];
			if (special != (alias->kind != NULL) || strcmp(alias->theirs, plain) != 0 ||
			    (alias->kind && strcmp(alias->kind, kind->name) != 0))
				continue;
			const char *own = hangs && !alias->kind && strcmp(alias->own, "number") == 0
			                          ? kind->owner
			                          : alias->own;
			if (find_own(import, own, ret)) {
				ret->other = alias->other;
				ret->part = alias->part;
				return true;
			}
		}
	}
	return false;
}

static bool find_foreign(const struct import *import, const char *name, struct target *ret)
{
	const char *plain = plain_name(import->arena, name), *own = own_spelt(import, plain);
	if (kind_has_extra(import->kind,
	                   "*")) /* any name is a field there, by its exact spelling */
		return false;
	if (own != NULL)
		return find_own(import, own, ret);
	if (*plain != '\0' && find_alias(import, plain, ret))
		return true;
	*ret = (struct target){.name = name};
	ret->kind = is_label(plain) ? TARGET_IGNORED : TARGET_EMPTY;
	return is_label(plain) || is_homeless(plain);
}

static bool unknown_name(const struct import *import, const char *name, struct error *err)
{
	const struct kind *kind = import->kind;
	const char *nearest = kind_nearest(kind, name);
	if (nearest)
		return error_set(err, EX_DATAERR, "%s: a %s has no such field (did you mean %s?)",
		                 name, kind->name, nearest);
	return error_set(err, EX_DATAERR,
	                 "%s: a %s has no such field (--map \"%s=\" leaves it out)", name,
	                 kind->name, name);
}

bool import_find_target(const struct import *import, const char *name, struct target *ret,
                        struct error *err)
{
	unsigned c;
	size_t len = strlen(name);
	*ret = (struct target){.kind = TARGET_IGNORED, .name = name}; /* a fault is reported once */
	if (!utf8_valid(name, len))
		return error_set(err, EX_DATAERR, IMPORT_NOT_UTF8, "the column's name");
	if (key_invisible(name, len, &c))
		return error_set(err, EX_DATAERR, "%s: contains an invisible character U+%04X",
		                 name, c);
	const char *own = mapped(import, name);
	if (own != NULL)
		name = own;
	if (find_own(import, name, ret) || find_foreign(import, name, ret))
		return true;
	*ret = (struct target){.kind = TARGET_IGNORED, .name = name};
	return unknown_name(import, name, err);
}

/* -- columns together -------------------------------------------------------------------------- */

static bool same_target(const struct target *a, const struct target *b)
{
	return a->kind == b->kind && a->kind != TARGET_IGNORED && a->kind != TARGET_EMPTY &&
	       a->part == b->part && strcmp(a->name, b->name) == 0;
}

static bool taken(const struct target *targets, size_t n, size_t i, enum name_part part)
{
	struct target wanted = targets[i];
	wanted.part = part;
	for (size_t k = 0; k < n; k++) {
		if (k != i && same_target(&targets[k], &wanted))
			return true;
	}
	return false;
}

void import_settle_targets(const struct import *import, struct target *targets, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct target *target = &targets[i], other;
		if (target->other && taken(targets, n, i, target->part) &&
		    find_own(import, target->other, &other))
			*target = other;
		else if (target->part != PART_WHOLE && taken(targets, n, i, PART_WHOLE))
			target->kind = TARGET_IGNORED; /* the whole name is there, too */
	}
}

bool import_check_twice(const struct target *targets, size_t i, struct error *err)
{
	for (size_t k = 0; k < i; k++) {
		if (same_target(&targets[k], &targets[i]))
			return error_set(err, EX_DATAERR,
			                 "%s: appears twice, in columns %zu and %zu",
			                 targets[i].name, k + 1, i + 1);
	}
	return true;
}
