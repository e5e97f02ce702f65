/* SPDX-License-Identifier: MIT */
/* What an import reports while it runs: bad rows, and how far it is. */
#include "records/import_private.h"

#include <glib.h>
void import_bad(struct import *import, int64_t line, int64_t column, const char *text)
{
	import->counts.bad++;
	if (import->how->bad_row)
		import->how->bad_row(import->how->arg, line, column, text);
}

void import_fell(struct import *import, const char *number)
{
	if (number && import->kind->is_customer)
		g_hash_table_add(import->fallen, g_strdup(number));
}

bool import_has_fallen(const struct import *import, const char *number)
{
	return g_hash_table_contains(import->fallen, number);
}

void import_progress(struct import *import, int64_t done)
{
	if (import->how->progress)
		import->how->progress(import->how->arg, import->counts.rows, done, import->size);
}
