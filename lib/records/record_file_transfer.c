/* SPDX-License-Identifier: MIT */
/*
 * Documents and pictures in and out. Their rows go as those of any kind; their contents lie in a
 * folder beside the file, each under its hash, as in the store. What a row claims about its content
 * (type, size) is not trusted: the content is read, compared with the hash, and its type and size
 * determined from it.
 */
#include "records/record_file_transfer.h"

#include "base/folder.h"
#include "base/identity.h"
#include "records/customers_private.h"
#include "records/record_content.h"
#include "records/record_row.h"
#include "records/records.h"
#include "records/transaction.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

/* -- in ---------------------------------------------------------------------------------------- */

void contents_begin(struct contents *contents, struct customers *store, const char *files,
                    int64_t size_max, bool look_only)
{
	*contents = (struct contents){.files = files,
	                              .store = store,
	                              .size_max = size_max,
	                              .look_only = look_only,
	                              .noted = json_array()};
}

void contents_end(struct contents *contents, struct customers *store)
{
	if (!contents->look_only)
		files_sweep(store, contents->noted);
	json_decref(contents->noted);
	*contents = (struct contents){0};
}

/* Whoever runs the import has named this folder, and a content must match its name: links in it do
 * no harm. What isn't a regular file is not waited for. */
static int open_given(const char *files, const char *hash, struct arena *arena)
{
	struct stat st;
	identity_person();
	int fd = open(arena_printf(arena, "%s/%.2s/%s", files, hash, hash),
	              O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	identity_back();
	if (fd < 0 || (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)))
		return fd;
	(void)close(fd);
	return -1;
}

static FILE *open_content(const struct contents *contents, const char *hash, bool *ret_ours,
                          struct arena *arena)
{
	int fd = content_open(contents->store, hash, NULL);
	*ret_ours = fd >= 0;
	if (fd < 0 && contents->files)
		fd = open_given(contents->files, hash, arena);
	return fd >= 0 ? fdopen(fd, "r") : NULL;
}

/* A content of the store is only read; another is copied into it on the way, unless it is to be
 * looked at. */
static bool take(struct transaction *tx, FILE *in, bool ours, const char *hash,
                 struct content *content)
{
	const struct contents *contents = tx->context->contents;
	if (ours || contents->look_only)
		return content_copy(in, NULL, "", contents->size_max, content, tx->err);
	if (!content_keep(tx, in, contents->size_max, content))
		return false;
	return json_array_append_new(contents->noted, json_string(content->hash)) == 0 &&
	       (strcmp(content->hash, hash) == 0 ||
	        error_set(tx->err, EX_DATAERR,
	                  "hash: the content of that name has a different hash"));
}

static bool describe(struct transaction *tx, struct row *after, struct content *content)
{
	const char *name = row_value(after, "name");
	if (!content_recognize(content, after->kind, tx->err))
		return false;
	row_set(after, "type", arena_strdup(tx->arena, content->type));
	row_set(after, "size", arena_printf(tx->arena, "%lld", (long long)content->size));
	if (name)
		row_set(after, "name", content_name(name, tx->arena));
	return true;
}

static bool read_content(struct transaction *tx, struct row *after, const char *hash)
{
	struct content content;
	bool ours;
	FILE *in = open_content(tx->context->contents, hash, &ours, tx->arena);
	if (in == NULL)
		return error_set(
		        tx->err, EX_DATAERR,
		        "hash: no such content, neither stored nor in the folder beside the file");
	bool good = take(tx, in, ours, hash, &content) && describe(tx, after, &content);
	(void)fclose(in);
	return good;
}

bool content_arrives(struct transaction *tx, const struct row *before, struct row *after)
{
	static const char *const derived[] = {"type", "size", "hash"};
	const char *hash = row_value(after, "hash"), *was = row_value(before, "hash");
	bool differs = false;
	for (size_t i = 0; i < sizeof derived / sizeof derived[0]; i++)
		differs = differs ||
		          !value_same(row_value(before, derived[i]), row_value(after, derived[i]));
	if (!differs)
		return true;
	if (!content_hash_valid(hash) || tx->context->contents == NULL)
		return error_set(tx->err, EX_DATAERR, "hash: expected the SHA-256 of a content");
	if (was && !value_same(was, hash))
		(void)json_array_append_new(tx->context->contents->noted, json_string(was));
	return read_content(tx, after, hash);
}

/* -- out --------------------------------------------------------------------------------------- */

static mode_t unmasked(mode_t mode)
{
	mode_t mask = umask(0);
	(void)umask(mask);
	return mode & ~mask;
}

/* A new file in the export's folder, of which the person made the export the name; `*ret_there`
 * where there is one of that hash. */
static int begin_file(const char *files, const char *hash, struct folder *shelf, char *ret_name,
                      bool *ret_there, struct error *err)
{
	struct folder parent = FOLDER_NONE, folder = FOLDER_NONE;
	const char *slash = strrchr(files, '/');
	mode_t mode = unmasked(0777);
	int fd = -1;
	folder_new_name(".new-", ret_name);
	bool good = folder_open_of(&parent, files, false, err) &&
	            folder_enter(&parent, slash ? slash + 1 : files, mode, &folder, err) &&
	            content_shelf(&folder, hash, mode, shelf, err) &&
	            folder_check(shelf, hash, ret_there, err);
	if (good && !*ret_there)
		fd = folder_make(shelf, ret_name, unmasked(0666), err);
	folder_close(&folder);
	folder_close(&parent);
	return fd;
}

static bool end_file(const struct folder *shelf, const char *name, const char *hash, bool good,
                     struct error *err)
{
	good = good && folder_rename(shelf, name, shelf, hash, err);
	if (!good)
		folder_remove(shelf, name);
	return good;
}

static bool write_file(struct customers *store, const char *hash, int fd, struct error *err)
{
	FILE *out = fdopen(fd, "w");
	if (out == NULL)
		bug("fdopen: %s", strerror(errno));
	bool good = content_fetch(store, hash, out, err);
	bool kept = !good || fsync(fd) == 0;
	kept = fclose(out) == 0 && kept;
	return good &&
	       (kept || error_set(err, EX_IOERR, "can't write a content: %s", strerror(errno)));
}

/* Whole or not at all, as in the store: one that is there is not written again. What lies in the
 * store is read as the office, what is written is the person's. */
static bool put_out(struct customers *store, const char *files, const char *hash, struct error *err)
{
	struct folder shelf = FOLDER_NONE;
	char name[FOLDER_NEW_SIZE];
	bool there = false;
	if (!content_hash_valid(hash))
		return error_set(err, EX_DATAERR, "the record has no file");
	identity_person();
	int fd = begin_file(files, hash, &shelf, name, &there, err);
	identity_back();
	bool good = there || (fd >= 0 && write_file(store, hash, fd, err));
	if (fd >= 0) {
		identity_person();
		good = end_file(&shelf, name, hash, good, err);
		identity_back();
	}
	folder_close(&shelf);
	return good;
}

bool contents_export(struct customers *store, const struct kind *kind, const char *files,
                     struct error *err)
{
	struct arena *arena = arena_new();
	enum db_step step;
	bool good = true;
	struct db_query *query = db_query(store->db, row_sql(store, kind)->contents);
	while (good && (step = db_step(query, err)) == DB_ROW) {
		const char *hash = db_text(query, 0, arena);
		good = put_out(store, files, hash, err) ||
		       error_prefix(err, "%s %lld", kind->name, (long long)db_int(query, 1));
		arena_reset(arena);
	}
	if (!good)
		db_finish(query);
	arena_free(arena);
	return good && step == DB_DONE;
}
