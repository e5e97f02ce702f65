/* SPDX-License-Identifier: MIT */
#ifndef RECORDS_CUSTOMERS_PRIVATE_H
#define RECORDS_CUSTOMERS_PRIVATE_H

#include "base/buf.h"
#include "base/folder.h"
#include "db/db_record.h"
#include "model/kind.h"
#include "records/customers.h"

#include <jansson.h>
#include <stdbool.h>

/* What the files behind customers.h and records.h share; nobody else includes it. */

/* The statements of a kind, put together from its row of the table once a connection. */
struct kind_sql {
	char *insert; /* ?1 owner's id (NULL where it has none), ?2… the fields in order */
	char *update; /* ?1 id, ?2… the fields in order */
	char *get;    /* ?1 id: id, owner's id, the fields in order */
	char *list;   /* ?1 id of the owner (of nobody for kinds that hang on none): as get */
	char *list_all;
	char *remove;       /* ?1 id */
	char *remove_owned; /* ?1 id of the owner; NULL for kinds that belong to none */
	char *name;         /* ?1 id: its first field, which names it where that is a FIELD_NAME */
	char *find;         /* ?1 that name: id */
	char *complete;     /* ?1 a beginning, ?2 how many: names */
	char *contents;     /* of kinds that come with a file: each hash with the latest id */
};

/* The statements that a customer is loaded by, put together likewise (customers_load.c). */
struct load_sql {
	const struct kind *customer, *contact;
	char *by_number, *by_former; /* ?1 number: id, parent's id, the fields in order */
	char *by_id;                 /* ?1 id: the same */
	char *contacts;              /* ?1 customer's id: id, it, the fields in order, link */
};
void customers_load_free(struct load_sql *sql);

/* Changes that are one; see changes_begin(). */
struct together {
	bool open, failed;
	json_t *files; /* hashes of contents that came or may have gone */
};

/* Of a transaction on the owner's machine of a cluster (customers_write.c). */
struct recording {
	struct db_record *record; /* NULL: it isn't recorded */
	char *sequences;          /* as they were when it began, as JSON */
	struct buf folded;        /* ids of customers, with commas */
};

struct customers {
	struct db *db;
	struct zones *zones;
	char *path;
	struct folder folder; /* of the file; opened when first used */
	char *key_file;       /* NULL: none was set */
	char *key_from;       /* what names it, for faults */
	bool revealing;       /* secrets are shown in clear */
	struct kind_sql *sql; /* by the kind's place in the table; made when first used */
	struct load_sql load; /* likewise */
	struct together together;
	struct recording recording;
	bool follows; /* see customers_open_follower() */
};

#endif
