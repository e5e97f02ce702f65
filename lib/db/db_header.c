/* SPDX-License-Identifier: MIT */
/*
 * Whose file it is, before SQLite does anything with it. A path may be mistyped, and as soon as
 * SQLite takes a lock it makes files beside another program's database, and a change of the journal
 * mode writes into it. So the first page is read here as bytes, through SQLite's own descriptor
 * (closing a second one would drop this process's locks), and the newest copy of that page that is
 * committed in the -wal counts, since a new database has its owner there at first.
 *
 *   file header: "SQLite format 3", 16 page size, 60 user_version, 68 application_id; 100 the tree
 * of the schema -wal: header of 32 bytes (16 salts), then frames: page number, size after a commit,
 * salts, …, page
 */
#include "db/db_private.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

enum {
	HEADER_SIZE = 108,
	WAL_HEADER_SIZE = 32,
	FRAME_HEADER_SIZE = 24,
	LEAF_OF_TABLE = 13,
	PAGE_SIZE_MAX = 65536,
	MAKING_TRIES = 50,
	MAKING_STEP_MS = 10,
};

static const char magic[16] = "SQLite format 3";

static uint32_t number_at(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* The size from elsewhere: SQLite takes a file of one byte for an empty one. */
static bool read_file(struct db *db, unsigned char *ret, off_t *ret_size, struct error *err)
{
	struct stat st;
	sqlite3_file *file = NULL;
	int rc = sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_FILE_POINTER, (void *)&file);
	if (rc == SQLITE_OK && (file == NULL || file->pMethods == NULL))
		rc = SQLITE_CANTOPEN;
	if (rc == SQLITE_OK && stat(db->path, &st) != 0)
		rc = SQLITE_CANTOPEN;
	if (rc == SQLITE_OK) {
		*ret_size = st.st_size;
		rc = file->pMethods->xRead(file, ret, HEADER_SIZE, 0);
	}
	return rc == SQLITE_OK || rc == SQLITE_IOERR_SHORT_READ || db_fault(db, rc, err);
}

static int open_beside(const char *path, const char *ending)
{
	char *name = sqlite3_mprintf("%s%s", path, ending);
	int fd = name ? open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1;
	sqlite3_free(name);
	return fd;
}

/* Puts the newest committed first page in place of the file's. */
static void read_wal(const char *path, unsigned char *header)
{
	unsigned char wal[WAL_HEADER_SIZE], frame[FRAME_HEADER_SIZE], page[HEADER_SIZE];
	bool pending = false;
	int fd = open_beside(path, "-wal");
	if (fd < 0)
		return;
	bool good = pread(fd, wal, sizeof wal, 0) == (ssize_t)sizeof wal &&
	            (number_at(wal) | 1) == 0x377f0683 && number_at(wal + 8) >= 512 &&
	            number_at(wal + 8) <= PAGE_SIZE_MAX;
	off_t size = good ? (off_t)number_at(wal + 8) + FRAME_HEADER_SIZE : 0;
	for (off_t at = WAL_HEADER_SIZE; good; at += size) {
		good = pread(fd, frame, sizeof frame, at) == (ssize_t)sizeof frame &&
		       memcmp(frame + 8, wal + 16, 8) == 0;
		if (good && number_at(frame) == 1)
			pending = pread(fd, page, sizeof page, at + FRAME_HEADER_SIZE) ==
			          (ssize_t)sizeof page;
		if (good && number_at(frame + 4) != 0 && pending) {
			memcpy(header, page, sizeof page);
			pending = false;
		}
	}
	(void)close(fd);
}

/* A transaction of another program that crashed may be all that there is. */
static bool has_journal(const char *path)
{
	struct stat st;
	int fd = open_beside(path, "-journal");
	bool has = fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0;
	if (fd >= 0)
		(void)close(fd);
	return has;
}

static const char *name_of(uint32_t application_id)
{
	switch (application_id) {
	case DB_ID_CUSTOMERS:
		return "customers.db";
	case DB_ID_SPOOL:
		return "spool.db";
	case DB_ID_CENTER:
		return "center.db";
	default:
		return NULL;
	}
}

static bool another(const struct db *db, const struct db_schema *schema, uint32_t id,
                    struct error *err)
{
	const char *name = name_of(id);
	if (name != NULL)
		return error_set(err, EX_DATAERR, "%s is dispatchd's %s; expected its %s", db->path,
		                 name, schema->name);
	return error_set(err, EX_DATAERR, "%s is a database, but not dispatchd's %s", db->path,
	                 schema->name);
}

bool db_too_new(const struct db *db, const struct db_schema *schema, int64_t version,
                struct error *err)
{
	if (version >= 0 && (uint64_t)version <= schema->n_migrations)
		return true;
	return error_set(
	        err, EX_CONFIG,
	        "%s was written by a newer dispatchd: its schema is %lld, this one knows %zu",
	        db->path, (long long)version, schema->n_migrations);
}

static bool is_empty(const unsigned char *header)
{
	return number_at(header + 60) == 0 && number_at(header + 68) == 0 &&
	       header[100] == LEAF_OF_TABLE && header[103] == 0 && header[104] == 0;
}

/* A journal beside nothing is, for a moment, that of one who is making the database. */
static bool read_header(struct db *db, unsigned char *header, off_t *ret_size, bool *ret_empty,
                        struct error *err)
{
	for (int tries = 0;; tries++) {
		memset(header, 0, HEADER_SIZE);
		if (!read_file(db, header, ret_size, err))
			return false;
		if (*ret_size > 0)
			read_wal(db->path, header);
		*ret_empty = is_empty(header);
		bool journal = *ret_empty && has_journal(db->path);
		*ret_empty = *ret_empty && !journal;
		if (!journal || tries == MAKING_TRIES)
			return true;
		(void)sqlite3_sleep(MAKING_STEP_MS);
	}
}

bool db_header_check(struct db *db, const struct db_schema *schema, bool *ret_empty,
                     struct error *err)
{
	unsigned char header[HEADER_SIZE];
	off_t size = 0;
	if (!read_header(db, header, &size, ret_empty, err))
		return false;
	if (size == 0) {
		*ret_empty = true;
		return true;
	}
	if (memcmp(header, magic, sizeof magic) != 0)
		return error_set(err, EX_DATAERR, "%s is not a database; expected dispatchd's %s",
		                 db->path, schema->name);
	uint32_t version = number_at(header + 60), id = number_at(header + 68);
	if (!*ret_empty && id != schema->application_id)
		return another(db, schema, id, err);
	return db_too_new(db, schema, (int32_t)version, err);
}
