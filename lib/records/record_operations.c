/* SPDX-License-Identifier: MIT */
/* What each kind of record does besides the table of fields: one row a kind that does anything. */
#include "records/record_operations.h"

#include "records/record_checks.h"
#include "records/record_customer.h"
#include "records/record_parts.h"
#include "records/record_rep.h"
#include "records/record_system.h"

#include <string.h>

static const struct kind_operations all_operations[] = {
        {.kind = "customer",
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
        {.kind = "system", .check = system_check, .written = system_written, .show = system_show},
        {.kind = "system-type", .show = system_type_show},
        {.kind = "quote", .written = parts_written, .show = quote_show},
        {.kind = "sale", .check = sale_check, .written = parts_written, .show = sale_show},
        {.kind = "document", .check = file_check, .removing = file_removing},
        {.kind = "picture", .check = picture_check, .removing = file_removing},
};

static const struct kind_operations no_operations;

const struct kind_operations *operations_find(const struct kind *kind)
{
	for (size_t i = 0; i < sizeof all_operations / sizeof all_operations[0]; i++) {
		if (strcmp(all_operations[i].kind, kind->name) == 0)
			return &all_operations[i];
	}
	return &no_operations;
}
