/* SPDX-License-Identifier: MIT */
/*
 * Opening a database: the file's owner and mode, WAL, the wait for locks. Migrations are
 * db_migrate.c.
 *
 * The daemon and the office's users are different users who share a directory. A database that the
 * one made must be the other's too, and so must its -wal and -shm files, which whoever comes first
 * makes: all of them get the directory's group (and, where we may, owner) and mode 0660.
 */
#include "db/db.h"

#include "base/folder.h"
#include "base/identity.h"
#include "db/db_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

enum { WAIT_MS = 5000, WAIT_REPORT_MS = 1000, WAIT_STEP_MAX_MS = 50 };
enum { SHARED_MODE = 0660, PRIVATE_MODE = 0600 };

/* -- the file ---------------------------------------------------------------------------------- */

static bool file_fault(const char *path, int number, struct error *err)
{
	bool denied = number == EACCES || number == EPERM || number == EROFS;
	return error_set(err, denied ? EX_NOPERM : EX_IOERR, "%s: %s", path, strerror(number));
}

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/* Databases and locks are the office's and the daemon's together: whoever came first owns them. */
static bool open_folder(const char *path, struct folder *ret, struct error *err)
{
	const char *name = name_of(path);
	if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return error_set(err, EX_CONFIG, "%s: expected a file's name, found a folder's",
		                 path);
	if (!folder_open_of(ret, path, false, err))
		return false;
	ret->gives = ret->anybodys = true;
	return true;
}

bool db_has_directory(const char *path, struct error *err)
{
	struct folder folder;
	if (!open_folder(path, &folder, err))
		return false;
	folder_close(&folder);
	return true;
}

static bool may_write(const struct folder *folder, const char *path, struct error *err)
{
	char user[IDENTITY_NAME_SIZE];
	struct stat st;
	identity_name(geteuid(), user);
	if (faccessat(folder->fd, ".", W_OK | X_OK, AT_EACCESS) != 0)
		return error_set(err, EX_NOPERM, "%s: user %s can't write in its folder: %s", path,
		                 user, strerror(errno));
	if (fstatat(folder->fd, name_of(path), &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode) &&
	    faccessat(folder->fd, name_of(path), R_OK | W_OK, AT_EACCESS) != 0)
		return error_set(err, EX_NOPERM, "%s: user %s can't write this file: %s", path,
		                 user, strerror(errno));
	return true;
}

bool db_may_write(const char *path, struct error *err)
{
	struct folder folder;
	struct error fault;
	if (!folder_open_of(&folder, path, true, &fault))
		return fault.code != EX_NOPERM || error_set(err, fault.code, "%s", fault.text);
	bool good = may_write(&folder, path, err);
	folder_close(&folder);
	return good;
}

/* Another may make it at the same time. */
static bool make_file(const struct folder *folder, const char *name, mode_t mode, struct error *err)
{
	if (folder_has(folder, name))
		return true;
	int fd = folder_make(folder, name, mode, err);
	if (fd < 0)
		return folder_has(folder, name);
	(void)close(fd);
	return true;
}

int db_lock_file(const char *path, struct error *err)
{
	struct folder folder;
	if (!open_folder(path, &folder, err))
		return -1;
	bool made = make_file(&folder, name_of(path), SHARED_MODE, err);
	int fd = made ? folder_file(&folder, name_of(path), O_RDONLY, err) : -1;
	folder_close(&folder);
	return fd;
}

/* A database in WAL mode has no rollback journal. SQLite would do what one says, which may be to
 * delete files elsewhere, so it has to be ours or that of the folder's owner. */
static bool check_journal(const struct folder *folder, const char *name, struct error *err)
{
	struct stat st;
	if (fstatat(folder->fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || st.st_uid == geteuid() ||
	    st.st_uid == 0 || st.st_uid == folder->owner)
		return true;
	return error_set(err, EX_NOPERM,
	                 "%s/%s: refused: it belongs to another user (uid %ld); dispatchd "
	                 "leaves no such file, so it can be removed",
	                 folder->path, name, (long)st.st_uid);
}

static const char *const companions[] = {"-wal", "-shm", "-journal"};
enum { N_COMPANIONS = sizeof companions / sizeof companions[0] };

static bool check_companions(const struct folder *folder, const char *name, struct error *err)
{
	bool good = true, there;
	for (size_t i = 0; i < N_COMPANIONS && good; i++) {
		char *beside = sqlite3_mprintf("%s%s", name, companions[i]);
		good = folder_check(folder, beside, &there, err) &&
		       (i + 1 < N_COMPANIONS || check_journal(folder, beside, err));
		sqlite3_free(beside);
	}
	return good;
}

/* SQLite opens what may not be written as read-only and fails at the first write; better now. */
static bool check_access(const struct folder *folder, const char *path, enum db_mode mode,
                         struct error *err)
{
	int wanted = mode != DB_READ ? R_OK | W_OK : R_OK;
	return faccessat(folder->fd, name_of(path), wanted, AT_EACCESS) == 0 ||
	       file_fault(path, errno, err);
}

/* What is its owner's alone must be ours: in a folder that others may write to, one of theirs could
 * have been put there first. */
static bool check_private(const struct folder *folder, const char *path, struct error *err)
{
	struct stat st;
	if (fstatat(folder->fd, name_of(path), &st, AT_SYMLINK_NOFOLLOW) != 0)
		return file_fault(path, errno, err);
	if (st.st_uid != geteuid())
		return error_set(err, EX_NOPERM,
		                 "%s: refused: it belongs to another user (uid %ld)", path,
		                 (long)st.st_uid);
	return (st.st_mode & 077) == 0 ||
	       error_set(err, EX_NOPERM,
	                 "%s: others may use this file (mode %03o); run chmod 600 on it", path,
	                 (unsigned)st.st_mode & 0777);
}

static bool ensure_in(const struct folder *folder, const char *path, bool private,
                      enum db_mode mode, bool *ret_there, struct error *err)
{
	const char *name = name_of(path);
	bool there;
	if ((mode != DB_READ &&
	     !make_file(folder, name, private ? PRIVATE_MODE : SHARED_MODE, err)) ||
	    !folder_check(folder, name, &there, err))
		return false;
	*ret_there = there;
	return !there ||
	       ((!private || check_private(folder, path, err)) &&
	        check_companions(folder, name, err) && check_access(folder, path, mode, err));
}

/* Makes the file where it is missing and may be made; returns whether there is one. */
static bool ensure_file(const char *path, bool private, enum db_mode mode, bool *ret_there,
                        struct error *err)
{
	struct folder folder;
	struct stat st;
	*ret_there = false;
	if (mode == DB_READ && lstat(path, &st) != 0 && (errno == ENOENT || errno == ENOTDIR))
		return true;
	if (!open_folder(path, &folder, err))
		return false;
	folder.gives = !private;
	bool good = ensure_in(&folder, path, private, mode, ret_there, err);
	folder_close(&folder);
	return good;
}

/* -wal and -shm that we made follow the database file. Best effort, as for the file itself. */
static void adopt_companions(const char *path)
{
	struct folder folder;
	struct stat file;
	if (!open_folder(path, &folder, NULL))
		return;
	if (fstatat(folder.fd, name_of(path), &file, AT_SYMLINK_NOFOLLOW) == 0) {
		folder.group = file.st_gid;
		for (size_t i = 0; i + 1 < N_COMPANIONS; i++) {
			char *beside = sqlite3_mprintf("%s%s", name_of(path), companions[i]);
			if (folder_has(&folder, beside) &&
			    !folder_share(&folder, beside, S_IFREG, 0)) {
				/* Another's, who has given it away already, or nothing can be
				 * done. */
			}
			sqlite3_free(beside);
		}
	}
	folder_close(&folder);
}

/* -- locks ------------------------------------------------------------------------------------- */

/* SQLite asks before each new try. Sleeps add up to the timeout; lib/ has no clock. */
static int on_busy(void *arg, int count)
{
	struct db *db = arg;
	if (count == 0)
		db->waited_ms = 0;
	if (db->waited_ms >= db->timeout_ms)
		return 0;
	int step = count < 10 ? 1 + count : WAIT_STEP_MAX_MS;
	(void)sqlite3_sleep(step);
	if (db->waiting && db->waited_ms < WAIT_REPORT_MS && db->waited_ms + step >= WAIT_REPORT_MS)
		db->waiting(db->waiting_arg);
	db->waited_ms += step;
	return 1;
}

void db_set_wait(struct db *db, int timeout_ms, db_waiting *waiting, void *arg)
{
	db->timeout_ms = timeout_ms;
	db->waiting = waiting;
	db->waiting_arg = arg;
}

/* -- statements without end -------------------------------------------------------------------- */

/* Imports and searches in a million customers stay far below. */
#define OPS_MAX 100000000000

enum {
	OPS_A_CALL = 1000,
	VALUE_MAX = 64 * 1024 * 1024, /* bytes of a value or a row */
	TRIGGER_DEPTH_MAX = 16,       /* ours run two deep, what hangs on a removed record five */
};

/* SQLite asks every so many steps; what isn't 0 ends the statement. */
static int on_progress(void *arg)
{
	struct db *db = arg;
	int64_t *ops = db->stepped ? &db->stepped->ops : &db->ops;
	*ops += OPS_A_CALL;
	db->over = *ops > db->ops_max;
	return db->over || (db->stop && atomic_load(db->stop));
}

void db_set_limit(struct db *db, int64_t steps, const atomic_bool *stop)
{
	db->ops_max = steps;
	db->stop = stop;
}

/* What may be in a file that others can write to. */
static void set_bounds(struct db *db)
{
	db->ops_max = OPS_MAX;
	sqlite3_progress_handler(db->handle, OPS_A_CALL, on_progress, db);
	(void)sqlite3_limit(db->handle, SQLITE_LIMIT_LENGTH, VALUE_MAX);
	(void)sqlite3_limit(db->handle, SQLITE_LIMIT_TRIGGER_DEPTH, TRIGGER_DEPTH_MAX);
	(void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
}

/* -- opening ----------------------------------------------------------------------------------- */

/* Two who open a new file at once both want to switch it to WAL; SQLite gives up at once there. */
static bool use_wal(struct db *db, struct error *err)
{
	for (int tries = 0;; tries++) {
		if (db_run(db_query(db, "PRAGMA journal_mode = WAL"), err))
			return true;
		if (db->answer != DB_BUSY || tries == 200)
			return false;
		(void)sqlite3_sleep(10);
	}
}

/* Does nothing to a file that has pages already. */
static bool set_page_bytes(struct db *db, int bytes, struct error *err)
{
	char sql[48];
	(void)snprintf(sql, sizeof sql, "PRAGMA page_size = %d", bytes);
	return db_exec(db, sql, err);
}

static bool configure(struct db *db, const struct db_schema *schema, bool there, struct error *err)
{
	(void)sqlite3_extended_result_codes(db->handle, 1);
	(void)sqlite3_busy_handler(db->handle, on_busy, db);
	set_bounds(db);
	if (schema->connect && !schema->connect(db->handle))
		return error_set(err, EX_SOFTWARE, "%s: the connection can't be set up", db->path);
	if (schema->page_bytes != 0 && !set_page_bytes(db, schema->page_bytes, err))
		return false;
	return db_exec(db,
	               "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete "
	               "= FAST;PRAGMA temp_store = MEMORY; PRAGMA cache_size = -4096;PRAGMA "
	               "journal_size_limit = 67108864",
	               err) &&
	       (!there || use_wal(db, err));
}

/* SQLite counts each allocation under a lock of the whole process unless told not to; nobody reads
 * the count. */
__attribute__((constructor)) static void set_up_library(void)
{
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

/* Links are for the way to the folder alone: SQLite, which goes by names, follows none of what this
 * gives. */
static char *resolved(const char *path)
{
	const char *name = name_of(path);
	char *directory = name == path ? mem_strdup(".") : mem_strdup(path);
	if (name != path)
		directory[name - path] = '\0';
	char *real = realpath(directory, NULL);
	size_t size = strlen(real ? real : directory) + strlen(name) + 2;
	char *ret = mem_alloc(size);
	(void)snprintf(ret, size, "%s/%s", real ? real : directory, name);
	free(real);
	free(directory);
	return ret;
}

static bool open_handle(struct db *db, bool there, struct error *err)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
	            (there ? SQLITE_OPEN_NOFOLLOW : SQLITE_OPEN_CREATE);
	char *name = there ? resolved(db->path) : mem_strdup(":memory:");
	int rc = sqlite3_open_v2(name, &db->handle, flags, NULL);
	free(name);
	return rc == SQLITE_OK || db_fault(db, rc, err);
}

/* Opens what is ours and nothing else. An empty file that is only read is left as it is. */
static bool open_ours(struct db *db, const struct db_schema *schema, enum db_mode mode, bool *there,
                      struct error *err)
{
	bool empty;
	if (!open_handle(db, *there, err))
		return false;
	if (!*there)
		return true;
	if (!db_header_check(db, schema, &empty, err))
		return false;
	if (mode != DB_READ || !empty)
		return true;
	(void)sqlite3_close(db->handle);
	db->handle = NULL;
	*there = false;
	return open_handle(db, false, err);
}

bool db_inspect(const char *path, const struct db_schema *schema, struct error *err)
{
	struct stat st;
	struct db *db = mem_alloc(sizeof *db);
	db->path = mem_strdup(path);
	bool there = stat(path, &st) == 0, empty;
	bool good =
	        !there || (ensure_file(path, schema->private, DB_READ, &there, err) &&
	                   open_handle(db, true, err) && db_header_check(db, schema, &empty, err));
	(void)db_close(db);
	return good;
}

struct db *db_open(const char *path, const struct db_schema *schema, enum db_mode mode,
                   struct error *err)
{
	struct db *db = mem_alloc(sizeof *db);
	db->path = mem_strdup(path);
	db->timeout_ms = WAIT_MS;
	db->remedy = schema->remedy;
	bool there;
	if (!ensure_file(path, schema->private, mode, &there, err) ||
	    !open_ours(db, schema, mode, &there, err) || !configure(db, schema, there, err) ||
	    !db_bring_forward(db, schema, mode, err) ||
	    (mode == DB_READ && !db_exec(db, "PRAGMA query_only = ON", err)))
		return db_close(db);
	if (there)
		adopt_companions(path);
	return db;
}

bool db_in_memory(const struct db *db)
{
	const char *name = sqlite3_db_filename(db->handle, "main");
	return name == NULL || *name == '\0';
}

bool db_gone(struct db *db)
{
	struct stat st;
	return stat(db->path, &st) != 0 && errno == ENOENT;
}

bool db_replaced(struct db *db, bool *ret_clean)
{
	struct stat st;
	int moved = 0;
	if (sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_HAS_MOVED, &moved) != SQLITE_OK ||
	    !moved || stat(db->path, &st) != 0)
		return false;
	char *wal = sqlite3_mprintf("%s-wal", db->path);
	*ret_clean = wal != NULL && (stat(wal, &st) != 0 || st.st_size == 0);
	sqlite3_free(wal);
	return true;
}

struct db *db_close(struct db *db)
{
	if (db == NULL)
		return NULL;
	while (db->once)
		db_finish(db->once);
	for (size_t i = 0; i < DB_SLOTS; i++) {
		while (db->slots[i]) {
			struct db_query *query = db->slots[i];
			db->slots[i] = query->next;
			db_query_free(query);
		}
	}
	if (db->handle && sqlite3_close(db->handle) != SQLITE_OK)
		bug("a statement of %s is still open", db->path);
	free(db->path);
	free(db);
	return NULL;
}
