/* SPDX-License-Identifier: MIT */
/*
 * Whether the -wal beside a database is another file's: a backup was put in its place, and what
 * SQLite would read is a mixture of both, or the old data alone. Who looks has seen the two before
 * (struct db_stamp), and in doubt there is no finding:
 *
 *   - Another file, but the same -wal as then.
 *   - The same file, written since, and later than the -wal. If that was a checkpoint, then there
 * is a page in it that the -wal has, too: a -wal is only begun again by a write of its own, which
 * is later.
 */
#include "db/db_private.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	WAL_HEADER = 32,
	FRAME_HEADER = 24,
	PAGE_MAX = 65536,
	LOOK_AGAIN_MS = 100,
	LEAF_OF_TABLE = 13,
	LEAF_OF_INDEX = 10
};

/* A file, by what no other has at the same place: numbers alone are used again. Times in ns; 0:
 * there is none. */
struct mark {
	uint64_t inode, born, written, changed, size;
};

static uint64_t ns(const struct statx_timestamp *t)
{
	return (uint64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

static struct mark mark_of(const char *path, const char *ending)
{
	struct statx st;
	struct mark mark = {0};
	char *name = sqlite3_mprintf("%s%s", path, ending);
	if (name &&
	    statx(AT_FDCWD, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, &st) == 0)
		mark = (struct mark){.inode = st.stx_ino,
		                     .born = st.stx_mask & STATX_BTIME ? ns(&st.stx_btime) : 0,
		                     .written = ns(&st.stx_mtime),
		                     .changed = ns(&st.stx_ctime),
		                     .size = st.stx_size};
	sqlite3_free(name);
	return mark;
}

void db_stamp(const char *path, char ret[DB_STAMP_SIZE])
{
	struct mark file = mark_of(path, ""), wal = mark_of(path, "-wal");
	(void)snprintf(ret, DB_STAMP_SIZE,
	               "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64,
	               file.inode, file.born, file.written, file.size, wal.inode, wal.born);
}

static bool read_stamp(const char *stamp, struct mark *file, struct mark *wal)
{
	uint64_t *numbers[] = {&file->inode, &file->born, &file->written,
	                       &file->size,  &wal->inode, &wal->born};
	char *end = (char *)(uintptr_t)stamp;
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		const char *at = end;
		*numbers[i] = strtoull(at, &end, 10);
		if (end == at)
			return false;
	}
	return true;
}

static uint32_t number_at(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* A page of the tree without a row: one that is filled and emptied in each transaction is the same
 * before and after it, and so shows nothing. */
static bool has_no_row(const unsigned char *page)
{
	return (page[0] == LEAF_OF_TABLE || page[0] == LEAF_OF_INDEX) && page[3] == 0 &&
	       page[4] == 0;
}

/* Whether any frame of the -wal is as its page in the file; true, too, where there is none or it
 * can't be told. */
static bool shares_a_page(sqlite3_file *file, int wal, unsigned char *page, unsigned char *frame)
{
	unsigned char header[WAL_HEADER];
	bool committed = false, shared = false;
	if (pread(wal, header, sizeof header, 0) != (ssize_t)sizeof header ||
	    (number_at(header) | 1) != 0x377f0683 || number_at(header + 8) < 512 ||
	    number_at(header + 8) > PAGE_MAX)
		return true;
	size_t size = number_at(header + 8);
	for (off_t at = WAL_HEADER; !shared; at += (off_t)(FRAME_HEADER + size)) {
		if (pread(wal, frame, FRAME_HEADER + size, at) != (ssize_t)(FRAME_HEADER + size) ||
		    memcmp(frame + 8, header + 16, 8) != 0 || number_at(frame) == 0)
			break;
		sqlite3_int64 offset = (sqlite3_int64)(number_at(frame) - 1) * (sqlite3_int64)size;
		committed |= number_at(frame + 4) != 0;
		shared = file->pMethods->xRead(file, page, (int)size, offset) == SQLITE_OK &&
		         memcmp(page, frame + FRAME_HEADER, size) == 0 && !has_no_row(page);
	}
	return shared || !committed;
}

/* By a handle of its own, which reads nothing: closing a plain descriptor would drop this process's
 * locks. */
static bool look_at_pages(const char *path)
{
	sqlite3 *handle = NULL;
	sqlite3_file *file = NULL;
	char *name = sqlite3_mprintf("%s-wal", path);
	int wal = name ? open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1;
	bool shared = true;
	if (wal >= 0 &&
	    sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) ==
	            SQLITE_OK &&
	    sqlite3_file_control(handle, "main", SQLITE_FCNTL_FILE_POINTER, (void *)&file) ==
	            SQLITE_OK &&
	    file != NULL && file->pMethods != NULL) {
		unsigned char *pages = mem_alloc(2 * PAGE_MAX + FRAME_HEADER);
		shared = shares_a_page(file, wal, pages, pages + PAGE_MAX);
		free(pages);
	}
	(void)sqlite3_close(handle);
	sqlite3_free(name);
	if (wal >= 0)
		(void)close(wal);
	return shared;
}

static bool strays(const char *path, const struct mark *file_then, const struct mark *wal_then)
{
	struct mark file = mark_of(path, ""), wal = mark_of(path, "-wal");
	if (file.size == 0 || wal.size == 0 || file.changed <= wal.written)
		return false;
	if (file.inode != file_then->inode || file.born != file_then->born)
		return wal.born != 0 && wal.inode == wal_then->inode && wal.born == wal_then->born;
	return (file.written != file_then->written || file.size != file_then->size) &&
	       file.written > wal.written && !look_at_pages(path);
}

void db_leave_wal(struct db *db)
{
	(void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
}

bool db_wal_may_stray(const char *path)
{
	struct mark file = mark_of(path, ""), wal = mark_of(path, "-wal");
	return wal.size > 0 && file.changed > wal.written;
}

bool db_wal_strays(const char *path, const char *stamp)
{
	struct mark file, wal;
	if (!read_stamp(stamp, &file, &wal) || !strays(path, &file, &wal))
		return false;
	(void)sqlite3_sleep(LOOK_AGAIN_MS); /* a checkpoint may have been under way */
	return strays(path, &file, &wal);
}
