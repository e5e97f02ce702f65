/* SPDX-License-Identifier: MIT */
#ifndef RECORDS_IMPORT_PRIVATE_H
#define RECORDS_IMPORT_PRIVATE_H

#include "base/buf.h"
#include "db/csv.h"
#include "records/records.h"

#include <glib.h>

/* What import*.c share; nobody else includes it. */

/* What a column or key is for. */
enum target_kind {
	TARGET_FIELD,
	TARGET_ID,
	TARGET_OWNER,
	TARGET_EXTRA,
	TARGET_EMPTY, /* a known column that has no place here: it has to be empty */
	TARGET_IGNORED,
};
/* What comes of a name in two columns. */
enum name_part { PART_WHOLE, PART_FIRST, PART_LAST };
struct target {
	enum target_kind kind;
	const struct field *field; /* for TARGET_FIELD */
	const char *name;          /* the field's, or the extra's key */
	const char *other; /* the field that it is for where another column is for that one; NULL:
	                      none */
	enum name_part part;
};

/* A row whose values are checked and canonical, on its way from the file to the database. */
struct staged {
	int64_t line;
	uint32_t given;                     /* a bit a field that the row mentions */
	const char *id, *owner;             /* NULL where it has none */
	const char *value[KIND_FIELDS_MAX]; /* NULL: cleared */
	const char *extras;                 /* a JSON object of what isn't a field; NULL: none */
	bool several; /* the customer has more rows, which differ in the contact */
};

struct map_entry {
	const char *foreign, *own;
	struct map_entry *next;
};

struct import_place {
	uint64_t hash; /* of the row's number or name */
	int64_t at;    /* in the staged file */
};

struct import {
	const struct change_context *context;
	const struct kind *kind;
	const struct records_import *how;
	FILE *in;
	FILE *stage;                    /* staged rows, in a file without a name */
	int64_t size, stage_size, done; /* bytes */
	struct map_entry *map;          /* the last one given first */
	struct arena *names;            /* of the map and the header */
	struct arena *arena;            /* of one row */
	struct buf buf;
	struct records_counts counts;
	/* Numbers of customers whose row was bad: their sites can't be judged, and are not reported
	 * as well. */
	GHashTable *fallen;
	struct import_place *places; /* of rows that have a number or name */
	size_t n_places, cap_places;
	GHashTable *several; /* places of rows of customers that have several */
	/* Lines of customers' rows by id, of those that are known by a former number, too; NULL: of
	 * none. */
	GHashTable *formers;
	int64_t denied; /* bad rows that are a manager's and else good */
	struct error *err;
};

/* -- import_stage.c -- */
bool stage_open(struct import *import) MUST_CHECK;
bool stage_put(struct import *import, const struct staged *row) MUST_CHECK;
/* From the place where the file stands; false at its end or on a fault (*ret_fault). Good until the
 * next call. */
bool stage_get(struct import *import, struct staged *ret, bool *ret_fault) MUST_CHECK;
bool stage_rewind(struct import *import, int64_t at) MUST_CHECK;
int64_t stage_tell(struct import *import);

/* -- import_names.c -- */
bool import_read_map(struct import *import) MUST_CHECK;
/* A fault (65) where nobody knows the name. */
bool import_find_target(const struct import *import, const char *name, struct target *ret,
                        struct error *err) MUST_CHECK;
/* Of columns that are for the same, those that can step aside do. */
void import_settle_targets(const struct import *import, struct target *targets, size_t n);
/* A fault where one of the columns before `i` is for the same. */
bool import_check_twice(const struct target *targets, size_t i, struct error *err) MUST_CHECK;
/* With the name of a field or what else it is. */
#define IMPORT_NOT_UTF8                                                                            \
	"%s: is not valid UTF-8, most likely Windows-1252; save the file as \"CSV UTF-8\", or "    \
	"convert it: "                                                                             \
	"iconv -f WINDOWS-1252 -t UTF-8"

/* -- import_read.c: the first pass, without any lock -- */
bool import_read(struct import *import) MUST_CHECK;
/* -- import_rehearse.c -- */
/* Calls `write` with a copy of the database in the place of the real one. */
bool import_rehearse(struct import *import, bool (*write)(struct import *import)) MUST_CHECK;

/* -- import_twice.c -- */
void import_note_row(struct import *import, const struct staged *row, int64_t at);
/* Reports rows for what an earlier row is for; false where the staged file is at fault. */
bool import_check_twice_there(struct import *import) MUST_CHECK;
/* Whether the row at that place is one of several of a customer, a contact each. */
bool import_is_several(const struct import *import, int64_t at);

/* -- import_report.c -- */
void import_bad(struct import *import, int64_t line, int64_t column, const char *text);
/* A row that isn't taken; `number` is its first value, NULL where that was bad. */
void import_fell(struct import *import, const char *number);
bool import_has_fallen(const struct import *import, const char *number);
void import_progress(struct import *import, int64_t done);

#endif
