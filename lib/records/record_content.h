/* SPDX-License-Identifier: MIT */
#ifndef RECORDS_RECORD_CONTENT_H
#define RECORDS_RECORD_CONTENT_H

#include "base/folder.h"
#include "model/kind.h"
#include "records/file_type.h"
#include "records/transaction.h"

#include <stdio.h>

enum { HASH_TEXT_SIZE = 65 };
struct content {
	unsigned char head[FILE_TYPE_HEAD_SIZE];
	size_t head_len;
	int64_t size;
	char hash[HASH_TEXT_SIZE];
	char type[FILE_TYPE_SIZE]; /* once content_recognize() was called */
};
bool content_hash_valid(const char *hash);
/* A content of the store; its descriptor, or -1. */
int content_open(struct customers *store, const char *hash, struct error *err) MUST_CHECK;
/* The folder that it lies in, below the store's or an export's; with `mode` made where it is
 * missing. */
bool content_shelf(const struct folder *files, const char *hash, mode_t mode, struct folder *ret,
                   struct error *err) MUST_CHECK;
/* The whole of `in` to `out` (NULL: nowhere), and what it is. `size_max` 0: of any size. */
bool content_copy(FILE *in, FILE *out, const char *out_name, int64_t size_max,
                  struct content *content, struct error *err) MUST_CHECK;
/* Sets its type, by its first bytes. Where `kind` is that of pictures, it has to be one; an SVG,
 * which may hold scripts, is none. Codes 65, 72. */
bool content_recognize(struct content *content, const struct kind *kind,
                       struct error *err) MUST_CHECK;
/* A content on its way into files/, under a name of its own. */
struct incoming {
	struct folder files;
	char name[FOLDER_NEW_SIZE]; /* "": there is none (anymore) */
};
/* Copies a stream of at most `size_max` bytes there. incoming_end() is called in any case. */
bool content_take_in(struct customers *store, FILE *in, int64_t size_max, struct incoming *ret,
                     struct content *content, struct error *err) MUST_CHECK;
/* Gives it its own name. Within the transaction that adds the record, so that files_sweep() can't
 * come between. */
bool content_put_in_place(struct transaction *tx, struct incoming *incoming,
                          const char *hash) MUST_CHECK;
void incoming_end(struct incoming *incoming);
/* Takes a stream into the store, under its hash: both in one. */
bool content_keep(struct transaction *tx, FILE *in, int64_t size_max,
                  struct content *content) MUST_CHECK;
/* Writes a content of the store to `out`, held against its hash. */
bool content_fetch(struct customers *store, const char *hash, FILE *out,
                   struct error *err) MUST_CHECK;
/* The last part of a name, without what could hurt a terminal. */
const char *content_name(const char *name, struct arena *arena);
/* Deletes those of the files (hashes) that no record has anymore; a transaction of its own for
 * each. */
void files_sweep(struct customers *store, const json_t *hashes);

#endif
