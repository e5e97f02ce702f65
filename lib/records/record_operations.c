/* SPDX-License-Identifier: MIT */
/* What each kind of record does besides the table of fields: one row a kind that does anything. */
#include "records/record_private.h"

#include <string.h>

static const char *const customer_extra[] = {"email", "contact", "hours", "contacts", "reps", NULL};
static const char *const any_extra[] = {"*", NULL};
static const char *const quote_extra[] = {"items", NULL};
static const char *const sale_extra[] = {"payments", NULL};

static const struct hook hooks[] = {
        {.kind = "customer",
         .extra = customer_extra,
         .check = customer_check,
         .written = customer_written,
         .removing = customer_removing},
        {.kind = "contact", .check = contact_check},
        {.kind = "suspension", .check = suspension_check},
        {.kind = "note", .check = authored_check},
        {.kind = "comment", .check = authored_check},
        {.kind = "asset", .check = asset_check},
        {.kind = "activity", .check = activity_check},
        {.kind = "rep", .check = rep_check, .show = rep_show},
        {.kind = "system",
         .extra = any_extra,
         .check = system_check,
         .written = system_written,
         .show = system_show},
        {.kind = "system-type", .show = system_type_show},
        {.kind = "quote", .extra = quote_extra, .written = quote_written, .show = quote_show},
        {.kind = "sale",
         .extra = sale_extra,
         .check = sale_check,
         .written = sale_written,
         .show = sale_show},
        {.kind = "document", .check = file_check, .removing = file_removing},
        {.kind = "picture", .check = file_check, .removing = file_removing},
};

static const struct hook no_hook;

const struct hook *hook_find(const struct kind *kind)
{
	for (size_t i = 0; i < sizeof hooks / sizeof hooks[0]; i++) {
		if (strcmp(hooks[i].kind, kind->name) == 0)
			return &hooks[i];
	}
	return &no_hook;
}

bool is_extra(const struct hook *hook, const char *key)
{
	for (size_t i = 0; hook->extra && hook->extra[i]; i++) {
		if (strcmp(hook->extra[i], key) == 0 || strcmp(hook->extra[i], "*") == 0)
			return true;
	}
	return false;
}
