/* SPDX-License-Identifier: MIT */
/*
 * The folder of a backup. A backup is worth what can be read back of it, so each file is read once
 * more from the file system as soon as it is written, and all of them before anything is restored.
 */
#include "dispatchctl/backup/set.h"

#include "base/buf.h"
#include "base/jsontext.h"
#include "base/mem.h"
#include "base/write_all.h"
#include "version.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

enum { DIGEST_SIZE = 32, MANIFEST_MAX = 512 * 1024 * 1024 };

static bool set_fault(const struct backup_set *set, const char *name, struct error *err)
{
	return error_set(err, errno == EACCES || errno == EPERM ? EX_NOPERM : EX_IOERR, "%s/%s: %s",
	                 set->folder.path, name, strerror(errno));
}

/* ---- names */

static bool step_valid(const char *step, size_t len)
{
	if (len == 0 || len > 255 || *step == '.')
		return false;
	for (size_t i = 0; i < len; i++)
		if (iscntrl((unsigned char)step[i]))
			return false;
	return true;
}

static bool top_valid(const char *name)
{
	static const char *const files[] = {BACKUP_MANIFEST, "spool.db", "customers.db",
	                                    "center.db"};
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		if (strcmp(name, files[i]) == 0)
			return true;
	return strncmp(name, "files/", 6) == 0 || strncmp(name, "config/", 7) == 0;
}

bool backup_name_valid(const char *name)
{
	if (!top_valid(name) || strlen(name) > BACKUP_NAME_MAX)
		return false;
	for (const char *step = name;; step++) {
		size_t len = strcspn(step, "/");
		if (!step_valid(step, len))
			return false;
		step += len;
		if (*step == '\0')
			return true;
	}
}

/* The folder in which the last step of `name` lies; with `mode` made where it is missing. */
static bool enter(const struct backup_set *set, const char *name, mode_t mode, struct folder *ret,
                  const char **ret_last, struct error *err)
{
	char step[256];
	struct folder at = FOLDER_NONE;
	const struct folder *from = &set->folder;
	if (!backup_name_valid(name))
		return error_set(err, EX_DATAERR, "%s: \"%s\" is no file of a backup",
		                 set->folder.path, name);
	for (const char *slash; (slash = strchr(name, '/')) != NULL; name = slash + 1) {
		struct folder next;
		(void)snprintf(step, sizeof step, "%.*s", (int)(slash - name), name);
		bool entered = folder_enter(from, step, mode, &next, err);
		folder_close(&at);
		if (!entered)
			return false;
		at = next;
		from = &at;
	}
	*ret = at;
	*ret_last = name;
	return true;
}

/* ---- digests */

static bool digest_of(int fd, int64_t *ret_bytes, char ret_hex[2 * DIGEST_SIZE + 1])
{
	static unsigned char block[256 * 1024];
	unsigned char digest[DIGEST_SIZE];
	crypto_generichash_state state;
	(void)crypto_generichash_init(&state, NULL, 0, sizeof digest);
	*ret_bytes = 0;
	for (ssize_t n; (n = read(fd, block, sizeof block)) != 0;) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		(void)crypto_generichash_update(&state, block, (unsigned long long)n);
		*ret_bytes += n;
	}
	(void)crypto_generichash_final(&state, digest, sizeof digest);
	(void)sodium_bin2hex(ret_hex, 2 * DIGEST_SIZE + 1, digest, sizeof digest);
	return true;
}

/* ---- making one */

static bool is_empty(const char *path, bool *ret)
{
	DIR *dir = opendir(path);
	if (dir == NULL)
		return false;
	size_t n = 0;
	for (const struct dirent *entry; (entry = readdir(dir)) != NULL;)
		n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	(void)closedir(dir);
	*ret = n == 0;
	return true;
}

static bool make_folder(const char *path, struct error *err)
{
	bool empty = true;
	if (mkdir(path, 0700) == 0)
		return true;
	if (errno == EEXIST && is_empty(path, &empty) && empty && chmod(path, 0700) == 0)
		return true;
	if (!empty)
		return error_set(err, EX_DATAERR, "%s isn't empty: name a new folder", path);
	return error_set(err, errno == EACCES || errno == EPERM ? EX_NOPERM : EX_IOERR, "%s: %s",
	                 path, strerror(errno));
}

bool backup_set_create(struct backup_set *ret, const char *path, struct error *err)
{
	*ret = BACKUP_SET_NONE;
	if (!make_folder(path, err) || !folder_open(&ret->folder, path, false, err))
		return false;
	ret->manifest = json_pack("{s:i, s:s, s:[]}", "format", BACKUP_FORMAT, "program",
	                          DISPATCHD_VERSION, "files");
	return true;
}

int backup_set_make(const struct backup_set *set, const char *name, struct error *err)
{
	struct folder folder;
	const char *last;
	if (!enter(set, name, 0700, &folder, &last, err))
		return -1;
	int fd = folder_make(folder.fd >= 0 ? &folder : &set->folder, last, 0600, err);
	folder_close(&folder);
	return fd;
}

bool backup_set_add(struct backup_set *set, const char *name, struct error *err)
{
	char hex[2 * DIGEST_SIZE + 1];
	int64_t bytes;
	int fd = backup_set_file(set, name, err);
	if (fd < 0)
		return false;
	/* What is read back comes from the disk as far as the system lets us have it so. */
	bool good = fsync(fd) == 0 && posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0 &&
	            digest_of(fd, &bytes, hex);
	if (!good)
		(void)set_fault(set, name, err);
	(void)close(fd);
	if (good)
		json_array_append_new(json_object_get(set->manifest, "files"),
		                      json_pack("{s:s, s:I, s:s}", "name", name, "bytes",
		                                (json_int_t)bytes, "digest", hex));
	return good;
}

bool backup_set_finish(struct backup_set *set, struct error *err)
{
	int fd = backup_set_make(set, BACKUP_MANIFEST, err);
	if (fd < 0)
		return false;
	char *text = json_dumps(set->manifest, JSON_INDENT(1));
	bool good = text != NULL && write_all(fd, text, strlen(text)) && write_all(fd, "\n", 1) &&
	            fsync(fd) == 0;
	if (!good)
		(void)set_fault(set, BACKUP_MANIFEST, err);
	free(text);
	(void)close(fd);
	return good && folder_sync(&set->folder, err);
}

/* ---- reading one */

int backup_set_file(const struct backup_set *set, const char *name, struct error *err)
{
	struct folder folder;
	const char *last;
	if (!enter(set, name, 0, &folder, &last, err))
		return -1;
	int fd = folder_file(folder.fd >= 0 ? &folder : &set->folder, last, O_RDONLY, err);
	folder_close(&folder);
	return fd;
}

static bool read_text(int fd, struct buf *ret)
{
	static char block[64 * 1024];
	for (ssize_t n; (n = read(fd, block, sizeof block)) != 0;) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || ret->len > MANIFEST_MAX)
			return false;
		buf_add(ret, block, (size_t)n);
	}
	return true;
}

static bool not_a_backup(const struct backup_set *set, struct error *err)
{
	return error_set(err, EX_DATAERR, "%s/%s: not the manifest of a backup", set->folder.path,
	                 BACKUP_MANIFEST);
}

static bool read_manifest(struct backup_set *set, struct error *err)
{
	if (!folder_has(&set->folder, BACKUP_MANIFEST))
		return error_set(err, EX_NOINPUT,
		                 "%s: not a backup, or one that wasn't finished: it has no %s",
		                 set->folder.path, BACKUP_MANIFEST);
	int fd = backup_set_file(set, BACKUP_MANIFEST, err);
	if (fd < 0)
		return false;
	struct buf text = {0};
	bool read = read_text(fd, &text) || set_fault(set, BACKUP_MANIFEST, err);
	if (read)
		set->manifest = jsontext_read(buf_text(&text), text.len, NULL);
	buf_free(&text);
	(void)close(fd);
	if (!read)
		return false;
	json_int_t format = json_integer_value(json_object_get(set->manifest, "format"));
	if (format > BACKUP_FORMAT)
		return error_set(err, EX_CONFIG, "%s: the backup was made by a later version (%s)",
		                 set->folder.path,
		                 json_string_value(json_object_get(set->manifest, "program")));
	return (format == BACKUP_FORMAT &&
	        json_is_array(json_object_get(set->manifest, "files"))) ||
	       not_a_backup(set, err);
}

static bool check_file(const struct backup_set *set, const json_t *row, struct error *err)
{
	const char *name = json_string_value(json_object_get(row, "name"));
	const char *digest = json_string_value(json_object_get(row, "digest"));
	char hex[2 * DIGEST_SIZE + 1] = "";
	int64_t bytes;
	if (name == NULL || digest == NULL || !backup_name_valid(name))
		return not_a_backup(set, err);
	int fd = backup_set_file(set, name, err);
	if (fd < 0)
		return false;
	bool read = digest_of(fd, &bytes, hex) || set_fault(set, name, err);
	(void)close(fd);
	return read && (strcmp(hex, digest) == 0 ||
	                error_set(err, EX_DATAERR, "%s/%s: isn't what was backed up",
	                          set->folder.path, name));
}

bool backup_set_open(struct backup_set *ret, const char *path, struct error *err)
{
	size_t i;
	const json_t *row;
	*ret = BACKUP_SET_NONE;
	if (access(path, F_OK) != 0 && errno == ENOENT)
		return error_set(err, EX_NOINPUT, "there is no folder %s", path);
	if (!folder_open(&ret->folder, path, false, err) || !read_manifest(ret, err))
		return false;
	json_array_foreach(json_object_get(ret->manifest, "files"), i, row)
	{
		if (!check_file(ret, row, err))
			return false;
	}
	return true;
}

const char *backup_set_name(const struct backup_set *set, size_t i)
{
	const json_t *row = json_array_get(json_object_get(set->manifest, "files"), i);
	return json_string_value(json_object_get(row, "name"));
}

bool backup_set_has(const struct backup_set *set, const char *name)
{
	const char *found;
	for (size_t i = 0; (found = backup_set_name(set, i)) != NULL; i++)
		if (strcmp(found, name) == 0)
			return true;
	return false;
}

void backup_set_close(struct backup_set *set)
{
	folder_close(&set->folder);
	json_decref(set->manifest);
	*set = BACKUP_SET_NONE;
}
