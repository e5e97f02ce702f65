/* SPDX-License-Identifier: MIT */
/* What customers.db is: its migrations, in order. */
#include "records/customers_schema.h"

#include "db/db_private.h"
#include "records/customers_private.h"
#include "records/customers_write.h"
#include "records/search_fold.h"

static const char customers_1[] =
#include "customers_1.sql.h"
        ;
static const char customers_2[] =
#include "customers_2.sql.h"
        ;
static const char customers_3[] =
#include "customers_3.sql.h"
        ;
static const char customers_4[] =
#include "customers_4.sql.h"
        ;
static const char customers_5[] =
#include "customers_5.sql.h"
        ;
static const char customers_6[] =
#include "customers_6.sql.h"
        ;
static const char customers_7[] =
#include "customers_7.sql.h"
        ;
static const char customers_8[] =
#include "customers_8.sql.h"
        ;

static const char customers_9[] =
#include "customers_9.sql.h"
        ;

static const char customers_10[] =
#include "customers_10.sql.h"
        ;

static const char customers_11[] =
#include "customers_11.sql.h"
        ;

static const char *const migrations[] = {
        customers_1, customers_2, customers_3, customers_4,  customers_5,  customers_6,
        customers_7, customers_8, customers_9, customers_10, customers_11,
};

enum { CLUSTER_VERSION = 11 };

/* The search that version 7 brings; and what a cluster's file keeps of its own past. */
static bool migrated(struct db *db, size_t version, bool latest, struct error *err)
{
	struct customers store = {.db = db};
	if (version == 7)
		return search_refresh(&store, err);
	return version <= CLUSTER_VERSION || cluster_migrated(&store, latest, err);
}

static const struct db_schema schema = {
        .name = "customers.db",
        .application_id = DB_ID_CUSTOMERS,
        .remedy = "stop dispatchd, move the file with its -wal and -shm aside, and put a backup in "
                  "its place; see RECOVERY in dispatchd(8)",
        .migrations = migrations,
        .n_migrations = sizeof migrations / sizeof migrations[0],
        .digest = "e70aab98f90d1950b7ae1f49fc3d9797627b54726eae9e1eee0b3c9b698f8eb9",
        .migrated = migrated,
        .in_cluster = "SELECT EXISTS (SELECT 1 FROM cluster WHERE role <> 'none')",
        .cluster_version = CLUSTER_VERSION,
};

const struct db_schema *customers_schema(void)
{
	return &schema;
}
