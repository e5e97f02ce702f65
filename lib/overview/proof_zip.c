/* SPDX-License-Identifier: MIT */
#include "overview/proof_zip.h"

#include <archive.h>
#include <archive_entry.h>
#include <sysexits.h>

static bool zip_fault(struct archive *archive, struct error *err)
{
	const char *text = archive_error_string(archive);
	return error_set(err, EX_IOERR, "zip: %s", text != NULL ? text : "unknown fault");
}

/* What libarchive has made goes into the buffer. */
static la_ssize_t take(struct archive *archive, void *arg, const void *bytes, size_t len)
{
	(void)archive;
	buf_add(arg, bytes, len);
	return (la_ssize_t)len;
}

static bool add(struct archive *archive, const struct proof_file *file, struct instant when)
{
	struct archive_entry *entry = archive_entry_new();
	archive_entry_set_pathname_utf8(entry, file->name);
	archive_entry_set_size(entry, (int64_t)file->len);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0600);
	archive_entry_set_mtime(entry, when.ms / 1000, 0);
	bool good = archive_write_header(archive, entry) == ARCHIVE_OK &&
	            archive_write_data(archive, file->bytes, file->len) == (la_ssize_t)file->len;
	archive_entry_free(entry);
	return good;
}

bool proof_zip_add(const struct job_proof *proof, struct instant when, struct buf *ret,
                   struct error *err)
{
	struct archive *archive = archive_write_new();
	bool good = archive_write_set_format_zip(archive) == ARCHIVE_OK &&
	            archive_write_set_bytes_in_last_block(archive, 1) == ARCHIVE_OK &&
	            archive_write_open(archive, ret, NULL, take, NULL) == ARCHIVE_OK;
	for (size_t i = 0; good && i < proof->n; i++)
		good = add(archive, &proof->files[i], when);
	good = good && archive_write_close(archive) == ARCHIVE_OK;
	if (!good)
		(void)zip_fault(archive, err);
	(void)archive_write_free(archive);
	return good;
}
