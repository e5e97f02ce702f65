/* SPDX-License-Identifier: MIT */
/*
 * Documents and pictures in and out. Their rows go as those of any kind; their contents lie in a folder
 * beside the file, each under its hash, as in the store. What a row says of its content (type, size) is not
 * believed: the content is read, held against the hash, and told anew.
 */
#include "store/record_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

/* -- in ---------------------------------------------------------------------------------------- */

void contents_begin(struct contents *contents, struct customers *store, const char *files, int64_t size_max,
                    bool look_only)
{
	struct arena *arena = arena_new();
	*contents = (struct contents){.files = files,
	                              .store = mem_strdup(content_folder(store, arena)),
	                              .size_max = size_max,
	                              .look_only = look_only,
	                              .noted = json_array()};
	arena_free(arena);
}

void contents_end(struct contents *contents, struct customers *store)
{
	if (!contents->look_only)
		files_sweep(store, contents->noted);
	json_decref(contents->noted);
	free(contents->store);
	*contents = (struct contents){0};
}

static FILE *open_content(const struct contents *contents, const char *hash, bool *ret_ours,
                          struct arena *arena)
{
	const char *path = content_path(contents->store, hash, arena);
	*ret_ours = access(path, F_OK) == 0;
	if (!*ret_ours && contents->files)
		path = content_path(contents->files, hash, arena);
	return fopen(path, "re");
}

/* A content of the store is only read; another is copied into it on the way, unless it is to be looked at. */
static bool take(struct work *work, FILE *in, bool ours, const char *hash, struct content *content)
{
	const struct contents *contents = work->act->contents;
	if (ours || contents->look_only)
		return content_copy(in, NULL, "", contents->size_max, content, work->err);
	if (!content_keep(work, in, contents->size_max, content))
		return false;
	return json_array_append_new(contents->noted, json_string(content->hash)) == 0 &&
	       (strcmp(content->hash, hash) == 0 ||
	        error_set(work->err, EX_DATAERR, "hash: the content that is named so has another"));
}

static bool describe(struct work *work, struct row *after, const struct content *content)
{
	const char *type, *name = row_value(after, "name");
	if (!content_type(content, after->kind, &type, work->err))
		return false;
	row_set(after, "type", type);
	row_set(after, "size", arena_printf(work->arena, "%lld", (long long)content->size));
	if (name)
		row_set(after, "name", content_name(name, work->arena));
	return true;
}

static bool read_content(struct work *work, struct row *after, const char *hash)
{
	struct content content;
	bool ours;
	FILE *in = open_content(work->act->contents, hash, &ours, work->arena);
	if (in == NULL)
		return error_set(work->err, EX_DATAERR,
		                 "hash: its content is neither here nor in the folder beside the file");
	bool good = take(work, in, ours, hash, &content) && describe(work, after, &content);
	(void)fclose(in);
	return good;
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

bool content_arrives(struct work *work, const struct row *before, struct row *after)
{
	static const char *const told[] = {"type", "size", "hash"};
	const char *hash = row_value(after, "hash"), *was = row_value(before, "hash");
	bool differs = false;
	for (size_t i = 0; i < sizeof told / sizeof told[0]; i++)
		differs = differs || !same(row_value(before, told[i]), row_value(after, told[i]));
	if (!differs)
		return true;
	if (!content_hash_valid(hash) || work->act->contents == NULL)
		return error_set(work->err, EX_DATAERR, "hash: the SHA-256 of a content was meant");
	if (was && !same(was, hash))
		(void)json_array_append_new(work->act->contents->noted, json_string(was));
	return read_content(work, after, hash);
}

/* -- out --------------------------------------------------------------------------------------- */

static bool fault(const char *path, struct error *err)
{
	return error_set(err, EX_IOERR, "can't write %s: %s", path, strerror(errno));
}

/* Whole or not at all, as in the store: one that is there is not written again. */
static bool put_out(struct customers *store, const char *files, const char *hash, struct arena *arena,
                    struct error *err)
{
	const char *path = content_path(files, hash, arena);
	const char *shelf = arena_printf(arena, "%s/%.2s", files, hash);
	const char *beside = arena_printf(arena, "%s.new", path);
	if (!content_hash_valid(hash))
		return error_set(err, EX_DATAERR, "the record has no file");
	if (access(path, F_OK) == 0)
		return true;
	if ((mkdir(files, 0777) != 0 && errno != EEXIST) || (mkdir(shelf, 0777) != 0 && errno != EEXIST))
		return fault(shelf, err);
	FILE *out = fopen(beside, "we");
	if (out == NULL)
		return fault(beside, err);
	bool good = content_fetch(store, hash, out, arena, err);
	good = good && (fsync(fileno(out)) == 0 || fault(beside, err));
	if (fclose(out) != 0 && good)
		good = fault(beside, err);
	good = good && (rename(beside, path) == 0 || fault(path, err));
	if (!good)
		(void)unlink(beside);
	return good;
}

bool contents_export(struct customers *store, const struct kind *kind, const char *files, struct error *err)
{
	struct arena *arena = arena_new();
	enum db_step step;
	bool good = true;
	struct db_query *query =
	        db_query(store->db,
	                 strcmp(kind->name, "picture") == 0
	                         ? "SELECT hash, max(id) FROM picture WHERE hash IS NOT NULL GROUP BY hash"
	                         : "SELECT hash, max(id) FROM document WHERE hash IS NOT NULL GROUP BY hash");
	while (good && (step = db_step(query, err)) == DB_ROW) {
		const char *hash = db_text(query, 0, arena);
		good = put_out(store, files, hash, arena, err) ||
		       error_prefix(err, "%s %lld", kind->name, (long long)db_int(query, 1));
		arena_reset(arena);
	}
	if (!good)
		db_finish(query);
	arena_free(arena);
	return good && step == DB_DONE;
}
