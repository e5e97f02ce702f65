/* SPDX-License-Identifier: MIT */
/*
 * The contents of documents and pictures. A content lies under its SHA-256 in files/ beside the
 * database, once however many records point to it. It is written under a temporary name, synced,
 * and only then given its own: one of that name is always whole.
 */
#include "records/record_content.h"

#include "records/customers_private.h"
#include "records/transaction.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum { CHUNK_SIZE = 65536, FOLDER_MODE = 02770 };
_Static_assert(HASH_TEXT_SIZE == 2 * crypto_hash_sha256_BYTES + 1, "a SHA-256 in hex");

/* -- places ------------------------------------------------------------------------------------ */

bool content_hash_valid(const char *hash)
{
	return hash && strlen(hash) == HASH_TEXT_SIZE - 1 &&
	       strspn(hash, "0123456789abcdef") == HASH_TEXT_SIZE - 1;
}

static bool file_fault(const char *path, struct error *err)
{
	return error_set(err,
	                 errno == EACCES || errno == EPERM || errno == EROFS ? EX_NOPERM : EX_IOERR,
	                 "%s: %s", path, strerror(errno));
}

/* files/ beside the database; with `make`, made as the database is: its folder's group, and for it
 * to write. */
static bool open_files(struct customers *store, bool make, struct folder *ret, struct error *err)
{
	if (store->folder.fd < 0 && !folder_open_of(&store->folder, store->path, false, err))
		return false;
	store->folder.gives = true;
	return folder_enter(&store->folder, "files", make ? FOLDER_MODE : 0, ret, err);
}

/* Two hex digits a folder: a million files stay a few thousand each. */
bool content_shelf(const struct folder *files, const char *hash, mode_t mode, struct folder *ret,
                   struct error *err)
{
	const char name[] = {hash[0], hash[1], '\0'};
	return folder_enter(files, name, mode, ret, err);
}

int content_open(struct customers *store, const char *hash, struct error *err)
{
	struct folder files = FOLDER_NONE, shelf = FOLDER_NONE;
	int fd = -1;
	if (open_files(store, false, &files, err) && content_shelf(&files, hash, 0, &shelf, err))
		fd = folder_file(&shelf, hash, O_RDONLY, err);
	folder_close(&shelf);
	folder_close(&files);
	return fd;
}

/* -- what it is -------------------------------------------------------------------------------- */

/* libmagic wants a PNG's first chunk behind its signature; one that was cut off or mended is one by
 * its signature alone. */
static void recognize_png(struct content *content)
{
	static const char signature[] = "\x89PNG\r\n\x1a\n";
	size_t len = sizeof signature - 1;
	if (strcmp(content->type, "application/octet-stream") == 0 && content->head_len >= len &&
	    memcmp(content->head, signature, len) == 0)
		(void)snprintf(content->type, sizeof content->type, "image/png");
}

bool content_recognize(struct content *content, const struct kind *kind, struct error *err)
{
	static const char image[] = "image/";
	if (!file_type(content->head, content->head_len, content->type, err))
		return false;
	recognize_png(content);
	bool picture = strncmp(content->type, image, sizeof image - 1) == 0 &&
	               strcmp(content->type, "image/svg+xml") != 0;
	return picture || !kind->picture_only ||
	       error_set(err, EX_DATAERR, "this is not a picture, but %s", content->type);
}

/* -- taking it in ------------------------------------------------------------------------------ */

static void look_at(struct content *content, const unsigned char *bytes, size_t n)
{
	size_t room = sizeof content->head - content->head_len, part = n < room ? n : room;
	memcpy(content->head + content->head_len, bytes, part);
	content->head_len += part;
	content->size += (int64_t)n;
}

bool content_copy(FILE *in, FILE *out, const char *out_name, int64_t size_max,
                  struct content *content, struct error *err)
{
	static const unsigned char none[1];
	unsigned char bytes[CHUNK_SIZE], hash[crypto_hash_sha256_BYTES];
	crypto_hash_sha256_state state;
	size_t n;
	*content = (struct content){0};
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

void incoming_end(struct incoming *incoming)
{
	if (incoming->name[0] != '\0')
		folder_remove(&incoming->files, incoming->name);
	folder_close(&incoming->files);
}

bool content_take_in(struct customers *store, FILE *in, int64_t size_max, struct incoming *ret,
                     struct content *content, struct error *err)
{
	*ret = (struct incoming){.files = FOLDER_NONE};
	if (!open_files(store, true, &ret->files, err))
		return false;
	folder_new_name(".new-", ret->name);
	int fd = folder_make(&ret->files, ret->name, 0660, err);
	if (fd < 0) {
		ret->name[0] = '\0';
		return false;
	}
	FILE *out = fdopen(fd, "w");
	if (out == NULL)
		bug("fdopen: %s", strerror(errno));
	bool good = content_copy(in, out, ret->files.path, size_max, content, err);
	good = good && (fsync(fd) == 0 || file_fault(ret->files.path, err));
	if (fclose(out) != 0 && good)
		good = file_fault(ret->files.path, err);
	return good;
}

/* An existing one stays; the new copy is then removed at the end. */
static bool put_on_shelf(struct incoming *incoming, const struct folder *shelf, const char *hash,
                         struct error *err)
{
	bool there;
	if (!folder_check(shelf, hash, &there, err))
		return false;
	if (there)
		return true;
	if (!folder_rename(&incoming->files, incoming->name, shelf, hash, err))
		return false;
	incoming->name[0] = '\0';
	return folder_sync(shelf, err);
}

bool content_put_in_place(struct transaction *tx, struct incoming *incoming, const char *hash)
{
	struct folder shelf;
	if (tx->store->together.open)
		json_array_append_new(tx->store->together.files, json_string(hash));
	if (!content_shelf(&incoming->files, hash, FOLDER_MODE, &shelf, tx->err))
		return false;
	bool good = put_on_shelf(incoming, &shelf, hash, tx->err);
	folder_close(&shelf);
	return good;
}

bool content_keep(struct transaction *tx, FILE *in, int64_t size_max, struct content *content)
{
	struct incoming incoming;
	bool good = content_take_in(tx->store, in, size_max, &incoming, content, tx->err) &&
	            content_put_in_place(tx, &incoming, content->hash);
	incoming_end(&incoming);
	return good;
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

/* -- giving it out ----------------------------------------------------------------------------- */

bool content_fetch(struct customers *store, const char *hash, FILE *out, struct error *err)
{
	struct content content;
	if (!content_hash_valid(hash))
		return error_set(err, EX_DATAERR, "the record has no file");
	int fd = content_open(store, hash, err);
	FILE *in = fd >= 0 ? fdopen(fd, "r") : NULL;
	if (in == NULL)
		return false;
	bool good = content_copy(in, out, "output", 0, &content, err);
	(void)fclose(in);
	return good && (strcmp(content.hash, hash) == 0 ||
	                error_set(err, EX_IOERR,
	                          "%s/files/%.2s/%s: is not what was stored (its content has a "
	                          "different hash)",
	                          store->folder.path, hash, hash));
}

/* -- away with it ------------------------------------------------------------------------------ */

/* Under the write lock: nobody adds a record of that file in between. */
static void sweep(struct customers *store, const char *hash)
{
	struct db_query *query =
	        db_query(store->db, "SELECT (SELECT count(*) FROM document WHERE hash = ?1) +"
	                            " (SELECT count(*) FROM picture WHERE hash = ?1)");
	int64_t n;
	db_bind_text(query, 1, hash);
	if (!db_run_int(query, 0, &n, NULL) || n != 0)
		return;
	struct folder files = FOLDER_NONE, shelf = FOLDER_NONE;
	if (open_files(store, false, &files, NULL) && content_shelf(&files, hash, 0, &shelf, NULL))
		folder_remove(&shelf, hash);
	folder_close(&shelf);
	folder_close(&files);
}

void files_sweep(struct customers *store, const json_t *hashes)
{
	size_t i;
	json_t *hash;
	if (store->together.open) {
		json_array_extend(store->together.files, (json_t *)(uintptr_t)hashes);
		return;
	}
	if (json_array_size(hashes) > 0 && db_begin(store->db, NULL)) {
		json_array_foreach(hashes, i, hash)
		{
			if (content_hash_valid(json_string_value(hash)))
				sweep(store, json_string_value(hash));
		}
		db_rollback(store->db);
	}
}
