/* SPDX-License-Identifier: MIT */
#ifndef MODEL_KIND_H
#define MODEL_KIND_H

#include "base/error.h"
#include "base/mem.h"
#include "base/zone.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The kinds of record that the office keeps, and their fields: one table (kind.c) from which the
 * checks, the SQL of records/, dispatchctl's options and help, and CSV and JSON in and out
 * come. Adding a field is adding a row there and a column in a migration.
 */
enum field_type {
	FIELD_LINE,     /* one line of text */
	FIELD_TEXT,     /* may have line breaks */
	FIELD_CHOICE,   /* one of `choices` */
	FIELD_DAY,      /* YYYY-MM-DD */
	FIELD_INSTANT,  /* RFC 3339; milliseconds in the database */
	FIELD_MOMENT,   /* a day, or one with a time (local, or with an offset); kept as text */
	FIELD_FLAG,     /* true or false; 1 or 0 in the database */
	FIELD_UNSIGNED, /* an integer, 0 or more */
	FIELD_AMOUNT,   /* decimal: up to 12 digits, four behind the point; kept as text, exact */
	FIELD_DEGREES,  /* a decimal number between -180 and 180 */
	FIELD_SHARE,    /* a decimal number between 0 and 1 */
	FIELD_EMAIL,    /* base/address.h */
	FIELD_PHONE,    /* digits and what people put between them */
	FIELD_ZONE,     /* an IANA time zone that the system has */
	FIELD_LOCALE,   /* BCP 47, known to ICU; kept in its canonical spelling */
	FIELD_STATES,   /* a set of job states */
	FIELD_SCOPES,   /* a set of a suspension's scopes */
	FIELD_CUSTOMER, /* the number of another customer; its id in the database */
	FIELD_NAME,     /* a name by which others call the record: unique in its kind */
};

/* What search finds a field by (`--by`); 0 is not searched. */
enum search_by {
	BY_NONE,
	BY_NAME,
	BY_DBA,
	BY_NUMBER,
	BY_ACCOUNT,
	BY_ADDRESS,
	BY_CITY,
	BY_STATE,
	BY_PHONE,
	BY_EMAIL,
	BY_EQUIPMENT,
	BY_CONTACT,
	BY_REFERENCE,
	BY_COUNTY,
	BY_REP,
	BY_COUNT,
	BY_ALL = BY_COUNT,
};
const char *search_by_name(enum search_by by);              /* "name"; "all" for BY_ALL */
bool search_by_find(const char *name, enum search_by *ret); /* "name" … "contact", "all" */

/* Whether a text is compared with others: then two that look alike have to be alike. */
enum field_key {
	KEY_NONE,
	KEY_EXACT,
	KEY_DIGITS, /* and most often digits, so that a spreadsheet takes it for a number */
};

struct field {
	const char *name; /* column of the table, JSON key, column of CSV; option (`-` for `_`) */
	enum field_type type;
	bool required;
	bool manager; /* only a manager may change it (it may be given when the record is added) */
	bool fixed;   /* given when the record is added, then never changed */
	bool read_only; /* set by the program: shown, never given (author, time, …) */
	bool by_hand;   /* a read-only time that a person may set (`yes`: now) and clear (`no`) */
	bool secret;    /* encrypted in the database, shown only when revealed */
	enum field_key key; /* of FIELD_LINE; all others but FIELD_TEXT are keys (key.h) */
	int max;            /* characters; 0: as the type has it */
	bool computed;      /* where it has no value, it is computed from others when it is shown */
	const char *const *choices; /* NULL-terminated, for FIELD_CHOICE */
	const char *initial;        /* what it is where left out; NULL: nothing */
	enum search_by by;
	bool inherited;   /* a site takes its parent's where it has none itself (customers) */
	bool not_in_mail; /* templates don't get it (customers and contacts) */
	size_t member;    /* its offset in the struct of customer.h; 0: in `texts` alone */
	const char *help; /* half a sentence */
};

struct kind {
	const char *name;  /* "third-party": the noun of dispatchctl */
	const char *many;  /* "third parties" */
	const char *table; /* "third_party" */
	const char *owner; /* the kind that it belongs to, by name; NULL: to none */
	const char *owner_column;
	const char *owner_key;   /* the owner's name as a JSON key and as a column of CSV */
	const char *customer_of; /* SQL: the customer of an owner (id ?1) that isn't one itself */
	const struct field *fields;
	size_t n_fields;
	bool added_only;        /* never changed, removed by a manager alone (notes, comments) */
	bool kept_when_removed; /* removing marks it (suspensions) */
	bool file;              /* comes with a file's content (document, picture) */
	bool picture_only;      /* and that has to be a picture */
	bool is_customer;       /* the customers themselves: named by a former number, too */
	bool searched;          /* its fields are in the search index of its customer */
	bool linked;            /* linked with customers besides (sales reps) */
	bool secrets;           /* may have values that are revealed to managers only */
	bool known_by_address;  /* an import recognizes one by its address and name */
	bool any_key; /* its values may have any further key: fields that the office defined */
	/* Keys of its values that aren't fields, NULL-terminated; columns of an export, too. Of a
	 * customer the first KIND_EXTRA_CONTACT are its first contact's. */
	const char *const *extra;
	const char *parts, *part_kind; /* the key and the kind of the records that are part of it */
	const char *order;             /* SQL: in which order a list is shown */
	const char *help;              /* a sentence */
};

enum { KIND_FIELDS_MAX = 32, KIND_EXTRA_CONTACT = 2 };

extern const struct kind kinds[];
extern const size_t n_kinds;
const struct kind *kind_find(const char *name); /* NULL where there is none; `_` counts as `-` */
const struct field *kind_field(const struct kind *kind,
                               const char *name); /* `-` counts as `_`; NULL */
bool kind_has_extra(const struct kind *kind, const char *key);
bool kind_is_of_customer(const struct kind *kind); /* belongs to a customer directly */
size_t kind_field_index(const struct kind *kind, const struct field *field);
/* The name of the field that `name` is most likely a misspelling of; NULL where none is near. */
const char *kind_nearest(const struct kind *kind, const char *name);

/*
 * Checks a value and gives its canonical text (in the arena; NULL where the value is empty, which
 * clears the field). On a fault `err` names the field and what was expected (code 65). `required`
 * is the caller's to ask: it depends on what the record has already.
 */
bool field_check(const struct field *field, const char *text, size_t len, struct zones *zones,
                 struct arena *arena, const char **ret, struct error *err) MUST_CHECK;

/* What a field of a record that is there becomes when it is emptied; NULL and a fault (65) where it
 * may not be: what it is where left out counts for a record that is added. */
bool field_emptied(const struct field *field, bool adding, const char **ret,
                   struct error *err) MUST_CHECK;

/* "a day (YYYY-MM-DD)", "one of new, released, active, inactive": for help and messages. In the
 * arena. */
const char *field_expected(const struct field *field, struct arena *arena);

#endif
