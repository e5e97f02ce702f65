/* SPDX-License-Identifier: MIT */
/*
 * Checked rows on their way to the database, in a file without a name. The input is read once (it
 * may be a pipe) and checked before the lock is taken; what is left to do under the lock is little.
 * A million rows are some 200 MB: too much for memory, nothing for a disk.
 *
 *	row  = u32 length │ i64 line │ u32 given │ id │ owner │ extras │ a text per bit of `given`
 *	text = u32 length (all ones: NULL) │ bytes │ NUL
 */
#include "records/import_private.h"

#include "base/buf.h"
#include "records/customers_private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

enum { ROW_MAX = 256 * 1024 * 1024 };

static bool stage_fault(struct import *import)
{
	return error_set(import->err, EX_IOERR, "the temporary file: %s", strerror(errno));
}

/* Beside the database, where there is room for its data; /tmp is memory on many machines. */
bool stage_open(struct import *import)
{
	const char *slash = strrchr(import->context->store->path, '/');
	char *directory = slash ? arena_strndup(import->arena, import->context->store->path,
	                                        (size_t)(slash - import->context->store->path) + 1)
	                        : arena_strdup(import->arena, ".");
	int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		import->stage = tmpfile();
	else
		import->stage = fdopen(fd, "w+");
	return import->stage || stage_fault(import);
}

static void put_number(struct buf *buf, const void *number, size_t size)
{
	buf_add(buf, number, size);
}

static void put_text(struct buf *buf, const char *text)
{
	uint32_t len = text ? (uint32_t)strlen(text) : UINT32_MAX;
	put_number(buf, &len, sizeof len);
	if (text)
		buf_add(buf, text, (size_t)len + 1);
}

bool stage_put(struct import *import, const struct staged *row)
{
	struct buf *buf = &import->buf;
	buf_reset(buf);
	put_number(buf, &row->line, sizeof row->line);
	put_number(buf, &row->given, sizeof row->given);
	put_text(buf, row->id);
	put_text(buf, row->owner);
	put_text(buf, row->extras);
	for (size_t i = 0; i < import->kind->n_fields; i++) {
		if (row->given & 1u << i)
			put_text(buf, row->value[i]);
	}
	uint32_t len = (uint32_t)buf->len;
	import->stage_size += (int64_t)(sizeof len + buf->len);
	return (fwrite(&len, sizeof len, 1, import->stage) == 1 &&
	        fwrite(buf->data, 1, buf->len, import->stage) == buf->len) ||
	       stage_fault(import);
}

static const char *get_text(const char **at)
{
	uint32_t len;
	memcpy(&len, *at, sizeof len);
	*at += sizeof len;
	if (len == UINT32_MAX)
		return NULL;
	const char *text = *at;
	*at += (size_t)len + 1;
	return text;
}

static void parse(const struct import *import, struct staged *ret)
{
	const char *at = import->buf.data;
	*ret = (struct staged){0};
	memcpy(&ret->line, at, sizeof ret->line);
	at += sizeof ret->line;
	memcpy(&ret->given, at, sizeof ret->given);
	at += sizeof ret->given;
	ret->id = get_text(&at);
	ret->owner = get_text(&at);
	ret->extras = get_text(&at);
	for (size_t i = 0; i < import->kind->n_fields; i++) {
		if (ret->given & 1u << i)
			ret->value[i] = get_text(&at);
	}
}

bool stage_get(struct import *import, struct staged *ret, bool *ret_fault)
{
	uint32_t len;
	*ret_fault = false;
	if (fread(&len, sizeof len, 1, import->stage) != 1) {
		*ret_fault = ferror(import->stage) && !stage_fault(import);
		return false;
	}
	if (len > ROW_MAX)
		bug("a staged row of %u bytes", len);
	buf_reset(&import->buf);
	/* Room for the row; its content comes from the file. */
	while (import->buf.cap <= len)
		buf_add(&import->buf, (char[4096]){0}, 4096);
	buf_reset(&import->buf);
	if (fread(import->buf.data, 1, len, import->stage) != len) {
		*ret_fault = !stage_fault(import);
		return false;
	}
	parse(import, ret);
	return true;
}

bool stage_rewind(struct import *import, int64_t at)
{
	return fseeko(import->stage, (off_t)at, SEEK_SET) == 0 || stage_fault(import);
}

int64_t stage_tell(struct import *import)
{
	return (int64_t)ftello(import->stage);
}
