/* SPDX-License-Identifier: MIT */
#include "dispatchctl/backup/zip.h"

#include <archive.h>
#include <archive_entry.h>
#include <sysexits.h>

static bool zip_fault(struct archive *archive, struct error *err)
{
	const char *text = archive_error_string(archive);
	return error_set(err, EX_IOERR, "zip: %s", text != NULL ? text : "unknown fault");
}

struct archive *zip_begin(int fd, struct error *err)
{
	struct archive *archive = archive_write_new();
	if (archive_write_set_format_zip(archive) == ARCHIVE_OK &&
	    archive_write_set_bytes_in_last_block(archive, 1) == ARCHIVE_OK &&
	    archive_write_open_fd(archive, fd) == ARCHIVE_OK)
		return archive;
	(void)zip_fault(archive, err);
	(void)archive_write_free(archive);
	return NULL;
}

bool zip_add(struct archive *archive, const char *name, const void *bytes, size_t len,
             struct instant when, struct error *err)
{
	struct archive_entry *entry = archive_entry_new();
	archive_entry_set_pathname_utf8(entry, name);
	archive_entry_set_size(entry, (int64_t)len);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0600);
	archive_entry_set_mtime(entry, when.ms / 1000, 0);
	bool good = archive_write_header(archive, entry) == ARCHIVE_OK &&
	            archive_write_data(archive, bytes, len) == (la_ssize_t)len;
	archive_entry_free(entry);
	return good || zip_fault(archive, err);
}

bool zip_end(struct archive *archive, bool good, struct error *err)
{
	if (!good)
		(void)archive_write_fail(archive);
	else if (archive_write_close(archive) != ARCHIVE_OK)
		good = zip_fault(archive, err);
	(void)archive_write_free(archive);
	return good;
}
