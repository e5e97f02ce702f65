/* SPDX-License-Identifier: MIT */
/* What spool.db is: its migrations, in order. */
#include "spool/spool_schema.h"

#include "db/db_private.h"

static const char spool_1[] =
#include "spool_1.sql.h"
        ;
static const char spool_2[] =
#include "spool_2.sql.h"
        ;
static const char spool_3[] =
#include "spool_3.sql.h"
        ;
static const char spool_4[] =
#include "spool_4.sql.h"
        ;
static const char spool_5[] =
#include "spool_5.sql.h"
        ;

static const char spool_6[] =
#include "spool_6.sql.h"
        ;
static const char spool_7[] =
#include "spool_7.sql.h"
        ;

static const char spool_8[] =
#include "spool_8.sql.h"
        ;
static const char spool_9[] =
#include "spool_9.sql.h"
        ;
static const char spool_10[] =
#include "spool_10.sql.h"
        ;
static const char spool_11[] =
#include "spool_11.sql.h"
        ;
static const char spool_12[] =
#include "spool_12.sql.h"
        ;
static const char spool_13[] =
#include "spool_13.sql.h"
        ;
static const char spool_14[] =
#include "spool_14.sql.h"
        ;
static const char spool_15[] =
#include "spool_15.sql.h"
        ;
static const char spool_16[] =
#include "spool_16.sql.h"
        ;
static const char spool_17[] =
#include "spool_17.sql.h"
        ;
static const char spool_18[] =
#include "spool_18.sql.h"
        ;
static const char spool_19[] =
#include "spool_19.sql.h"
        ;
static const char spool_20[] =
#include "spool_20.sql.h"
        ;
static const char spool_21[] =
#include "spool_21.sql.h"
        ;

static const char *const migrations[] = {spool_1,  spool_2,  spool_3,  spool_4,  spool_5,  spool_6,
                                         spool_7,  spool_8,  spool_9,  spool_10, spool_11, spool_12,
                                         spool_13, spool_14, spool_15, spool_16, spool_17, spool_18,
                                         spool_19, spool_20, spool_21};

enum { PAGE_BYTES = 8192 }; /* half of the writes of small pages; a mail's rows are long */

static const struct db_schema schema = {
        .name = "spool.db",
        .application_id = DB_ID_SPOOL,
        .migrations = migrations,
        .n_migrations = sizeof migrations / sizeof migrations[0],
        .page_bytes = PAGE_BYTES,
        .digest = "2482f66d4ec392cdde05c240eadc6c984545b0f78a7ff05ae9b2f3b66001382f",
        .in_cluster = "SELECT EXISTS (SELECT 1 FROM journal_position)",
        .cluster_version = 21,
        .remedy = "stop dispatchd, move the file with its -wal and -shm aside, and put a backup in "
                  "its place, or none: then mails and held jobs in it are lost; see RECOVERY in "
                  "dispatchd(8)",
};

const struct db_schema *spool_schema(void)
{
	return &schema;
}
