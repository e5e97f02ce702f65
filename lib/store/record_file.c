/* SPDX-License-Identifier: MIT */
/*
 * Documents and pictures. A file's content lies under its SHA-256 in files/ beside the database, once
 * however many records point to it; what came with it (name, ending) is recorded and trusted for
 * nothing. Content is written under a temporary name, synced, and only then given its own: one of
 * that name is always whole.
 */
#include "store/record_private.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

enum { CHUNK_SIZE = 65536 };
_Static_assert(HASH_TEXT_SIZE == 2 * crypto_hash_sha256_BYTES + 1, "a SHA-256 in hex");

/* -- places ------------------------------------------------------------------------------------ */

const char *content_folder(struct customers *store, struct arena *arena)
{
	const char *slash = strrchr(store->path, '/');
	return slash ? arena_printf(arena, "%.*s/files", (int)(slash - store->path), store->path) : "files";
}

/* Two hex digits a directory: a million files stay a few thousand each. */
const char *content_path(const char *folder, const char *hash, struct arena *arena)
{
	return arena_printf(arena, "%s/%.2s/%s", folder, hash, hash);
}

static const char *file_path(struct customers *store, const char *hash, struct arena *arena)
{
	return content_path(content_folder(store, arena), hash, arena);
}

bool content_hash_valid(const char *hash)
{
	return hash && strlen(hash) == HASH_TEXT_SIZE - 1 &&
	       strspn(hash, "0123456789abcdef") == HASH_TEXT_SIZE - 1;
}

static bool file_fault(const char *path, struct error *err)
{
	return error_set(err, errno == EACCES || errno == EPERM || errno == EROFS ? EX_NOPERM : EX_IOERR,
	                 "%s: %s", path, strerror(errno));
}

/* As the database: the group of the directory that it lies in, and for the group to write. */
static bool make_directory(const char *path, const char *parent, struct error *err)
{
	struct stat st;
	if (mkdir(path, 0770) != 0)
		return errno == EEXIST || file_fault(path, err);
	if (stat(parent, &st) == 0 && lchown(path, (uid_t)-1, st.st_gid) != 0) {
		/* Not a member of that group: the directory stays with ours. */
	}
	return chmod(path, 02770) == 0 || file_fault(path, err);
}

/* -- what it is -------------------------------------------------------------------------------- */

static const struct {
	const char *type;
	bool picture;
	size_t at;
	const char *magic;
	size_t len;
} magics[] = {
        {.type = "image/png", .picture = true, .magic = "\x89PNG\r\n\x1a\n", .len = 8},
        {.type = "image/jpeg", .picture = true, .magic = "\xff\xd8\xff", .len = 3},
        {.type = "image/gif", .picture = true, .magic = "GIF8", .len = 4},
        {.type = "image/webp", .picture = true, .at = 8, .magic = "WEBP", .len = 4},
        {.type = "image/heic", .picture = true, .at = 4, .magic = "ftyphei", .len = 7},
        {.type = "image/tiff", .picture = true, .magic = "II*\0", .len = 4},
        {.type = "image/tiff", .picture = true, .magic = "MM\0*", .len = 4},
        {.type = "application/pdf", .magic = "%PDF-", .len = 5},
        {.type = "application/zip", .magic = "PK\x03\x04", .len = 4}, /* and what office programs write */
        {.type = "application/gzip", .magic = "\x1f\x8b", .len = 2},
        {.type = "application/msword", .magic = "\xd0\xcf\x11\xe0", .len = 4},
};

static const char *type_of(const struct content *content, bool *ret_picture)
{
	*ret_picture = false;
	for (size_t i = 0; i < sizeof magics / sizeof magics[0]; i++) {
		size_t end = magics[i].at + magics[i].len;
		if (content->head_len < end ||
		    memcmp(content->head + magics[i].at, magics[i].magic, magics[i].len) != 0)
			continue;
		*ret_picture = magics[i].picture;
		return magics[i].type;
	}
	return content->text ? "text/plain" : "application/octet-stream";
}

bool content_type(const struct content *content, const struct kind *kind, const char **ret, struct error *err)
{
	bool picture;
	*ret = type_of(content, &picture);
	return picture || strcmp(kind->name, "picture") != 0 ||
	       error_set(err, EX_DATAERR, "this is no picture, but %s", *ret);
}

/* -- taking it in ------------------------------------------------------------------------------ */

static void look_at(struct content *content, const unsigned char *bytes, size_t n)
{
	for (size_t i = 0; i < n && content->head_len < CONTENT_HEAD_SIZE; i++)
		content->head[content->head_len++] = bytes[i];
	if (memchr(bytes, '\0', n))
		content->text = false;
	content->size += (int64_t)n;
}

bool content_copy(FILE *in, FILE *out, const char *out_name, int64_t size_max, struct content *content,
                  struct error *err)
{
	static const unsigned char none[1];
	unsigned char bytes[CHUNK_SIZE], hash[crypto_hash_sha256_BYTES];
	crypto_hash_sha256_state state;
	size_t n;
	*content = (struct content){.text = true};
	(void)crypto_hash_sha256_init(&state);
	(void)crypto_hash_sha256_update(&state, none, 0);
	while ((n = fread(bytes, 1, sizeof bytes, in)) > 0) {
		look_at(content, bytes, n);
		if (size_max > 0 && content->size > size_max)
			return error_set(err, EX_DATAERR, "the file is larger than %lld bytes",
			                 (long long)size_max);
		(void)crypto_hash_sha256_update(&state, bytes, n);
		if (out && fwrite(bytes, 1, n, out) != n)
			return file_fault(out_name, err);
	}
	if (ferror(in))
		return error_set(err, EX_IOERR, "the file can't be read: %s", strerror(errno));
	(void)crypto_hash_sha256_final(&state, hash);
	(void)sodium_bin2hex(content->hash, sizeof content->hash, hash, sizeof hash);
	return out == NULL || fflush(out) == 0 || file_fault(out_name, err);
}

/* The content under a temporary name in files/; *ret_name is to be renamed or unlinked. */
static bool take_in(struct customers *store, FILE *in, int64_t size_max, struct arena *arena,
                    const char **ret_name, struct content *content, struct error *err)
{
	const char *directory = content_folder(store, arena);
	const char *slash = strrchr(directory, '/');
	const char *parent = slash ? arena_strndup(arena, directory, (size_t)(slash - directory)) : ".";
	if (!make_directory(directory, parent, err))
		return false;
	char *name = arena_printf(arena, "%s/.new-XXXXXX", directory);
	int fd = mkostemp(name, O_CLOEXEC);
	if (fd < 0)
		return file_fault(name, err);
	*ret_name = name;
	FILE *out = fdopen(fd, "w");
	if (out == NULL)
		bug("fdopen: %s", strerror(errno));
	bool good = content_copy(in, out, name, size_max, content, err);
	good = good && ((fchmod(fd, 0660) == 0 && fsync(fd) == 0) || file_fault(name, err));
	if (fclose(out) != 0 && good)
		good = file_fault(name, err);
	return good;
}

static bool sync_directory(const char *path, struct error *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return file_fault(path, err);
	bool good = fsync(fd) == 0 || file_fault(path, err);
	(void)close(fd);
	return good;
}

/* Gives it its own name. Within the transaction that adds the record, so that files_sweep() can't come
 * between. */
static bool put_in_place(struct work *work, const char *temporary, const char *hash)
{
	const char *directory = content_folder(work->store, work->arena);
	const char *shelf = arena_printf(work->arena, "%s/%.2s", directory, hash);
	const char *path = file_path(work->store, hash, work->arena);
	if (!make_directory(shelf, directory, work->err))
		return false;
	if (access(path, F_OK) == 0)
		return unlink(temporary) == 0 || file_fault(temporary, work->err);
	return (rename(temporary, path) == 0 || file_fault(path, work->err)) &&
	       sync_directory(shelf, work->err);
}

bool content_keep(struct work *work, FILE *in, int64_t size_max, struct content *content)
{
	const char *temporary = "";
	bool good = take_in(work->store, in, size_max, work->arena, &temporary, content, work->err) &&
	            put_in_place(work, temporary, content->hash);
	if (!good && *temporary)
		(void)unlink(temporary);
	return good;
}

bool file_check(struct work *work, const struct row *before, struct row *after, const json_t *values)
{
	if (before->id == 0 && row_value(after, "hash") == NULL)
		return error_set(work->err, EX_DATAERR, "a %s comes with a file", after->kind->name);
	if (work->import && !content_arrives(work, before, after))
		return false;
	return authored_check(work, before, after, values);
}

const char *content_name(const char *name, struct arena *arena)
{
	const char *slash = strrchr(name, '/');
	char *plain = arena_strdup(arena, slash ? slash + 1 : name);
	for (char *p = plain; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	}
	return plain;
}

static json_t *plain_name(const char *name, struct arena *arena)
{
	json_t *json = json_string(content_name(name, arena));
	return json ? json : json_null();
}

static bool add_row(struct work *work, const struct kind *kind, const char *number, const json_t *values,
                    const struct content *content, const char *type, const char *name, int64_t *ret_id)
{
	struct row row;
	int64_t customer;
	if (!record_find(work->store, kind_find("customer"), number, &customer, work->err) ||
	    !row_new(work, kind, customer, &row))
		return false;
	json_t *complete = json_pack("{s:o, s:s, s:I, s:s}", "name", plain_name(name, work->arena), "type",
	                             type, "size", (json_int_t)content->size, "hash", content->hash);
	json_t *given = json_copy((json_t *)(uintptr_t)values);
	(void)json_object_update_missing(given, complete);
	json_decref(complete);
	work->stored = true;
	bool good = record_put(work, &row, given, ret_id, NULL);
	json_decref(given);
	return good;
}

bool file_add(const struct act *act, const struct kind *kind, const char *number, const char *name, FILE *in,
              int64_t size_max, const json_t *values, int64_t *ret_id, struct error *err)
{
	struct work work;
	struct content content;
	const char *temporary = NULL;
	const char *type;
	bool good = false;
	struct arena *arena = arena_new();
	if (!take_in(act->store, in, size_max, arena, &temporary, &content, err) ||
	    !content_type(&content, kind, &type, err))
		goto done;
	if (work_begin(&work, act, err))
		good = work_end(&work, add_row(&work, kind, number, values, &content, type, name, ret_id) &&
		                               put_in_place(&work, temporary, content.hash));
done:
	if (!good && temporary)
		(void)unlink(temporary);
	arena_free(arena);
	return good;
}

/* -- giving it out ----------------------------------------------------------------------------- */

bool content_fetch(struct customers *store, const char *hash, FILE *out, struct arena *arena,
                   struct error *err)
{
	struct content content;
	if (!content_hash_valid(hash))
		return error_set(err, EX_DATAERR, "the record has no file");
	const char *path = file_path(store, hash, arena);
	FILE *in = fopen(path, "re");
	if (in == NULL)
		return file_fault(path, err);
	bool good = content_copy(in, out, "output", 0, &content, err);
	(void)fclose(in);
	return good &&
	       (strcmp(content.hash, hash) == 0 ||
	        error_set(err, EX_IOERR, "%s: is not what was stored (its content has another hash)", path));
}

bool file_fetch(struct customers *store, const struct kind *kind, const char *id, FILE *out,
                struct error *err)
{
	struct row row;
	int64_t found;
	struct arena *arena = arena_new();
	bool good = record_find(store, kind, id, &found, err) &&
	            row_get(store, arena, kind, found, &row, err) &&
	            content_fetch(store, row_value(&row, "hash"), out, arena, err);
	arena_free(arena);
	return good;
}

/* -- away with it ------------------------------------------------------------------------------ */

bool file_removing(struct work *work, const struct row *row)
{
	const char *hash = row_value(row, "hash");
	if (hash && work->unused_files)
		(void)json_array_append_new(work->unused_files, json_string(hash));
	return true;
}

/* Under the write lock: nobody adds a record of that file in between. */
static void sweep(struct customers *store, const char *hash, struct arena *arena)
{
	struct db_query *query =
	        db_query(store->db, "SELECT (SELECT count(*) FROM document WHERE hash = ?1) +"
	                            " (SELECT count(*) FROM picture WHERE hash = ?1)");
	int64_t n;
	db_bind_text(query, 1, hash);
	if (db_run_int(query, 0, &n, NULL) && n == 0)
		(void)unlink(file_path(store, hash, arena));
}

void files_sweep(struct customers *store, const json_t *hashes)
{
	struct arena *arena = arena_new();
	size_t i;
	json_t *hash;
	if (json_array_size(hashes) > 0 && db_begin(store->db, NULL)) {
		json_array_foreach(hashes, i, hash)
		{
			if (content_hash_valid(json_string_value(hash)))
				sweep(store, json_string_value(hash), arena);
		}
		db_rollback(store->db);
	}
	arena_free(arena);
}
