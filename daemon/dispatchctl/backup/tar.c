/* SPDX-License-Identifier: MIT */
/*
 * A backup as a tar, by libarchive. What comes in is not trusted: only regular files are taken,
 * only under names that a backup has, and each is made in a folder of ours.
 */
#include "dispatchctl/backup/tar.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

enum { BLOCK = 256 * 1024 };

static bool tar_fault(struct archive *archive, int code, struct error *err)
{
	const char *text = archive_error_string(archive);
	return error_set(err, code, "tar: %s", text != NULL ? text : "unknown fault");
}

/* ---- out */

static bool write_content(struct archive *archive, int fd, const char *name, struct error *err)
{
	static char block[BLOCK];
	for (ssize_t n; (n = read(fd, block, sizeof block)) != 0;) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set(err, EX_IOERR, "%s: %s", name, strerror(errno));
		if (archive_write_data(archive, block, (size_t)n) != n)
			return tar_fault(archive, EX_IOERR, err);
	}
	return true;
}

static bool write_file(struct archive *archive, const struct backup_set *set, const char *name,
                       struct error *err)
{
	struct stat st;
	int fd = backup_set_file(set, name, err);
	if (fd < 0)
		return false;
	struct archive_entry *entry = archive_entry_new();
	bool good = fstat(fd, &st) == 0;
	if (good) {
		archive_entry_set_pathname_utf8(entry, name);
		archive_entry_set_size(entry, st.st_size);
		archive_entry_set_filetype(entry, AE_IFREG);
		archive_entry_set_perm(entry, 0600);
		archive_entry_set_mtime(entry, st.st_mtime, 0);
		good = archive_write_header(archive, entry) == ARCHIVE_OK
		               ? write_content(archive, fd, name, err)
		               : tar_fault(archive, EX_IOERR, err);
	} else {
		(void)error_set(err, EX_IOERR, "%s: %s", name, strerror(errno));
	}
	archive_entry_free(entry);
	(void)close(fd);
	return good;
}

bool backup_tar_write(const struct backup_set *set, int fd, struct error *err)
{
	struct archive *archive = archive_write_new();
	bool good = archive_write_set_format_pax_restricted(archive) == ARCHIVE_OK &&
	            archive_write_set_bytes_in_last_block(archive, 1) == ARCHIVE_OK &&
	            archive_write_open_fd(archive, fd) == ARCHIVE_OK;
	if (!good)
		(void)tar_fault(archive, EX_IOERR, err);
	const char *name;
	for (size_t i = 0; good && (name = backup_set_name(set, i)) != NULL; i++)
		good = write_file(archive, set, name, err);
	good = good && write_file(archive, set, BACKUP_MANIFEST, err);
	if (good && archive_write_close(archive) != ARCHIVE_OK)
		good = tar_fault(archive, EX_IOERR, err);
	(void)archive_write_free(archive);
	return good;
}

/* ---- in */

static bool take(struct archive *archive, struct archive_entry *entry, const struct backup_set *set,
                 struct error *err)
{
	const char *name = archive_entry_pathname_utf8(entry);
	if (archive_entry_filetype(entry) == AE_IFDIR)
		return true; /* made as needed */
	if (name == NULL || archive_entry_filetype(entry) != AE_IFREG ||
	    archive_entry_hardlink(entry) != NULL || !backup_name_valid(name))
		return error_set(err, EX_DATAERR, "tar: \"%s\" is no file of a backup",
		                 name != NULL ? name : "?");
	int fd = backup_set_make(set, name, err);
	if (fd < 0)
		return false;
	bool good = archive_read_data_into_fd(archive, fd) == ARCHIVE_OK;
	if (!good)
		(void)tar_fault(archive, EX_DATAERR, err);
	(void)close(fd);
	return good;
}

bool backup_tar_read(int fd, const struct backup_set *set, struct error *err)
{
	struct archive *archive = archive_read_new();
	struct archive_entry *entry;
	bool good = archive_read_support_format_tar(archive) == ARCHIVE_OK &&
	            archive_read_open_fd(archive, fd, BLOCK) == ARCHIVE_OK;
	if (!good)
		(void)tar_fault(archive, EX_DATAERR, err);
	for (int next; good && (next = archive_read_next_header(archive, &entry)) != ARCHIVE_EOF;)
		good = next == ARCHIVE_OK ? take(archive, entry, set, err)
		                          : tar_fault(archive, EX_DATAERR, err);
	(void)archive_read_free(archive);
	return good;
}
