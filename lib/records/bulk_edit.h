/* SPDX-License-Identifier: MIT */
#ifndef RECORDS_BULK_EDIT_H
#define RECORDS_BULK_EDIT_H

#include "records/records.h"

/*
 * One edit of many customers. What it would change is shown first, customer by customer, as the
 * history would have it; then it is made as one transaction, for all of them or for none.
 */
enum bulk_verb {
	BULK_SET,     /* fields of the customer, as records_set() */
	BULK_NOTIFY,  /* of all its contacts: `states` (an array), and `how` they are taken: "add",
	               * "remove", "set" */
	BULK_WEEKLY,  /* `weekdays`, `windows`, as hours_set() */
	BULK_DATES,   /* `first`, `last` (days), `windows` (null: as in the week), as
	               * hours_except() */
	BULK_SUSPEND, /* as suspend() */
	BULK_RESUME,  /* no values; as resume() of all that hold */
	BULK_VERB_COUNT
};

struct bulk_edit {
	enum bulk_verb verb;
	const json_t *values;     /* an object */
	const char *default_zone; /* as suspend() has it */
};

enum { BULK_MAX = 2000, BULK_DIGEST_SIZE = 65 };

/* "set", "notify", …; NULL for what is none. */
const char *bulk_verb_name(enum bulk_verb verb);
bool bulk_verb_find(const char *name, enum bulk_verb *ret);

/* Whether it is a field of customers that an edit of many may set: a number and a name are one's
 * own. Takes NULL. */
bool bulk_field(const struct field *field);

/* Whether the values are such as the verb takes, where they come from a program; 65. What is in
 * them is checked by the edit itself. */
bool bulk_check(const struct bulk_edit *edit, struct error *err) MUST_CHECK;

/*
 * What it would do. `customers` is an array of {number, …} as customer_list() has it, at most
 * BULK_MAX (65). Each gets `changes`, as customer_history() has them, and `fault`, the text of why
 * it can't be edited or null; nothing is changed, and others may write between one customer and the
 * next.
 */
bool bulk_preview(const struct change_context *context, const struct bulk_edit *edit,
                  json_t *customers, struct error *err) MUST_CHECK;

/* What a preview has shown, in hex: the edit, whose records it changes, and what they were. */
void bulk_digest(const struct bulk_edit *edit, const json_t *previewed, char *ret);

/*
 * Makes it for those of `previewed`, a preview of now, that have changes and no fault, if the
 * preview that a person has seen is the same (`digest`; 65 where it is another). *ret_n is how
 * many. Nothing is changed where one of them can't be edited by now.
 */
bool bulk_apply(const struct change_context *context, const struct bulk_edit *edit,
                const json_t *previewed, const char *digest, int64_t *ret_n,
                struct error *err) MUST_CHECK;

#endif
