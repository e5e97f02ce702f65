/* SPDX-License-Identifier: MIT */
/* spool.db as a next version may have it: in the place of lib/spool/spool_schema.c. */
#define spool_schema spool_schema_now
#include "../../lib/spool/spool_schema.c"
#undef spool_schema

#include "next.h"

const struct db_schema *spool_schema(void);

bool schemas_are_next = true;

enum { N_NOW = sizeof migrations / sizeof migrations[0] };
static const char next_sql[] =
        "CREATE TABLE next (id INTEGER PRIMARY KEY, mails INTEGER NOT NULL) STRICT;"
        "INSERT INTO next (id, mails) SELECT job, count(*) FROM mail WHERE job IS NOT NULL GROUP "
        "BY job;"
        "ALTER TABLE mail ADD COLUMN next INTEGER;"
        "UPDATE mail SET next = id;"
        "CREATE TRIGGER next_mail AFTER INSERT ON mail BEGIN UPDATE mail SET next = 2 * new.id "
        "WHERE id = new.id; END;";
static const char *with_next[N_NOW + 1];
static struct db_schema next;

__attribute__((constructor)) static void set_up(void)
{
	for (size_t i = 0; i < N_NOW; i++)
		with_next[i] = migrations[i];
	with_next[N_NOW] = next_sql;
	next = schema;
	next.migrations = with_next;
	next.n_migrations = N_NOW + 1;
	next.digest = NULL;
}

const struct db_schema *spool_schema(void)
{
	return schemas_are_next ? &next : spool_schema_now();
}
