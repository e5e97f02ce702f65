/* SPDX-License-Identifier: MIT */
/*
 * Opening a database: the file's owner and mode, WAL, the wait for locks, migrations.
 *
 * The daemon and the office's users are different users who share a directory. A database that the
 * one made must be the other's too, and so must its -wal and -shm files, which whoever comes first
 * makes: all of them get the directory's group (and, where we may, owner) and mode 0660.
 */
#include "store/db.h"

#include "store/db_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

enum { WAIT_MS = 5000, WAIT_TELL_MS = 1000, WAIT_STEP_MAX_MS = 50, FILE_MODE = 0660 };

/* -- the file ---------------------------------------------------------------------------------- */

static bool file_fault(const char *path, int number, struct error *err)
{
	bool denied = number == EACCES || number == EPERM || number == EROFS;
	return error_set(err, denied ? EX_NOPERM : EX_IOERR, "%s: %s", path, strerror(number));
}

static char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	if (slash == NULL)
		return mem_strdup(".");
	char *directory = mem_strdup(path);
	directory[slash == path ? 1 : slash - path] = '\0';
	return directory;
}

/* Best effort: a user who isn't in the directory's group can't give the file to it; who opens it next
 * gets a clear fault where that is in the way. */
static bool adopt(int fd, const struct stat *directory)
{
	return fchown(fd, directory->st_uid, directory->st_gid) == 0 ||
	       fchown(fd, (uid_t)-1, directory->st_gid) == 0;
}

static bool create(const char *path, const struct stat *directory, struct error *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
	if (fd < 0)
		return errno == EEXIST || file_fault(path, errno, err);
	(void)adopt(fd, directory);
	bool good = fchmod(fd, FILE_MODE) == 0 || file_fault(path, errno, err);
	(void)close(fd);
	return good;
}

static bool stat_directory(const char *path, struct stat *st, struct error *err)
{
	char *directory = directory_of(path);
	bool good = stat(directory, st) == 0 || file_fault(directory, errno, err);
	free(directory);
	return good;
}

bool db_has_directory(const char *path, struct error *err)
{
	struct stat st;
	return stat_directory(path, &st, err);
}

bool db_make_file(const char *path, struct error *err)
{
	struct stat st;
	return stat_directory(path, &st, err) && create(path, &st, err);
}

/* Makes the file where it is missing and may be made; tells whether there is one. */
static bool ensure_file(const char *path, enum db_mode mode, bool *ret_there, struct error *err)
{
	struct stat st;
	bool there = stat(path, &st) == 0;
	if (there && !S_ISREG(st.st_mode))
		return error_set(err, EX_DATAERR, "%s: not a regular file", path);
	if (!there && errno != ENOENT && errno != ENOTDIR)
		return file_fault(path, errno, err);
	if (!there && mode == DB_WRITE && !db_make_file(path, err))
		return false;
	*ret_there = there || mode == DB_WRITE;
	/* SQLite opens what may not be written as read-only and says so at the first write; better now. */
	int wanted = mode == DB_WRITE ? R_OK | W_OK : R_OK;
	return !*ret_there || access(path, wanted) == 0 || file_fault(path, errno, err);
}

/* -wal and -shm that we made follow the database file. By name: SQLite's locks are POSIX ones, which
 * opening and closing the file a second time would drop. */
static void adopt_companions(const char *path)
{
	static const char *const endings[] = {"-wal", "-shm"};
	struct stat file, st;
	if (stat(path, &file) != 0)
		return;
	for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
		char *name = sqlite3_mprintf("%s%s", path, endings[i]);
		if (name && lstat(name, &st) == 0 && st.st_uid == geteuid() && st.st_gid != file.st_gid &&
		    lchown(name, (uid_t)-1, file.st_gid) != 0) {
			/* As for adopt(): nothing more can be done here. */
		}
		sqlite3_free(name);
	}
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
	if (db->waiting && db->waited_ms < WAIT_TELL_MS && db->waited_ms + step >= WAIT_TELL_MS)
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
	TRIGGER_DEPTH_MAX = 16,       /* ours run one deep, what hangs on a removed record four */
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

/* -- versions ---------------------------------------------------------------------------------- */

/* Whose file it is: ours, nobody's yet (nothing in it), or another program's. */
static bool check_owner(struct db *db, const struct db_schema *schema, int64_t *ret_version,
                        struct error *err)
{
	int64_t id, tables, version;
	if (!db_run_int(db_query(db, "PRAGMA application_id"), 0, &id, err) ||
	    !db_run_int(db_query(db, "PRAGMA user_version"), 0, &version, err) ||
	    !db_run_int(db_query(db, "SELECT count(*) FROM sqlite_schema"), 0, &tables, err))
		return false;
	bool fresh = id == 0 && version == 0 && tables == 0;
	if (!fresh && (uint32_t)id != schema->application_id)
		return error_set(err, EX_DATAERR, "%s is a database, but not dispatchd's %s", db->path,
		                 schema->name);
	if (!db_too_new(db, schema, version, err))
		return false;
	*ret_version = version;
	return true;
}

/* One step, in one transaction with its number: a crash leaves the old version whole. Another may be
 * migrating at the same time, so what is left to do is asked again under the lock. */
static bool migrate_one(struct db *db, const struct db_schema *schema, int64_t *version, struct error *err)
{
	char numbers[96];
	if (!db_begin(db, err))
		return false;
	bool good = check_owner(db, schema, version, err) && db_schema_check(db, schema, *version, err);
	if (good && (size_t)*version < schema->n_migrations) {
		(void)sqlite3_snprintf(sizeof numbers, numbers,
		                       "PRAGMA application_id = %u; PRAGMA user_version = %u",
		                       schema->application_id, (unsigned)*version + 1);
		good = db_exec(db, schema->migrations[*version], err) && db_exec(db, numbers, err);
		*version += good;
	}
	if (good)
		return db_commit(db, err);
	db_rollback(db);
	return false;
}

/* In one view: another who is just making it must not show half of it. */
static bool look_at_owner(struct db *db, const struct db_schema *schema, int64_t *ret_version,
                          struct error *err)
{
	if (!db_begin_read(db, err))
		return false;
	bool good =
	        check_owner(db, schema, ret_version, err) && (*ret_version == (int64_t)schema->n_migrations ||
	                                                      db_schema_check(db, schema, *ret_version, err));
	db_end_read(db);
	return good;
}

static bool migrate(struct db *db, const struct db_schema *schema, struct error *err)
{
	int64_t version;
	if (!look_at_owner(db, schema, &version, err))
		return false;
	while ((size_t)version < schema->n_migrations) {
		if (!migrate_one(db, schema, &version, err))
			return false;
	}
	return db_schema_trust(db, schema, err);
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

static bool configure(struct db *db, const struct db_schema *schema, bool there, struct error *err)
{
	(void)sqlite3_extended_result_codes(db->handle, 1);
	(void)sqlite3_busy_handler(db->handle, on_busy, db);
	set_bounds(db);
	if (schema->connect && !schema->connect(db->handle))
		return error_set(err, EX_SOFTWARE, "%s: the connection can't be set up", db->path);
	return db_exec(db,
	               "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = FAST;"
	               "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16384;"
	               "PRAGMA journal_size_limit = 67108864",
	               err) &&
	       (!there || use_wal(db, err));
}

/* SQLite counts each allocation under a lock of the whole process unless told not to; nobody reads the count.
 */
__attribute__((constructor)) static void set_up_library(void)
{
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static bool open_handle(struct db *db, bool there, struct error *err)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (there ? 0 : SQLITE_OPEN_CREATE);
	int rc = sqlite3_open_v2(there ? db->path : ":memory:", &db->handle, flags, NULL);
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
	if (mode == DB_WRITE || !empty)
		return true;
	(void)sqlite3_close(db->handle);
	db->handle = NULL;
	*there = false;
	return open_handle(db, false, err);
}

bool db_look(const char *path, const struct db_schema *schema, struct error *err)
{
	struct stat st;
	struct db *db = mem_alloc(sizeof *db);
	db->path = mem_strdup(path);
	bool there = stat(path, &st) == 0, empty;
	bool good = !there || (ensure_file(path, DB_READ, &there, err) && open_handle(db, true, err) &&
	                       db_header_check(db, schema, &empty, err));
	(void)db_close(db);
	return good;
}

struct db *db_open(const char *path, const struct db_schema *schema, enum db_mode mode, struct error *err)
{
	struct db *db = mem_alloc(sizeof *db);
	db->path = mem_strdup(path);
	db->timeout_ms = WAIT_MS;
	db->remedy = schema->remedy;
	bool there;
	if (!ensure_file(path, mode, &there, err) || !open_ours(db, schema, mode, &there, err) ||
	    !configure(db, schema, there, err) || !migrate(db, schema, err) ||
	    (mode == DB_READ && !db_exec(db, "PRAGMA query_only = ON", err)))
		return db_close(db);
	if (there)
		adopt_companions(path);
	return db;
}

bool db_replaced(struct db *db, bool *ret_clean)
{
	struct stat st;
	int moved = 0;
	if (sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_HAS_MOVED, &moved) != SQLITE_OK || !moved ||
	    stat(db->path, &st) != 0)
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
