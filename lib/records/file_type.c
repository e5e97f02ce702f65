/* SPDX-License-Identifier: MIT */
#include "records/file_type.h"

#include <errno.h>
#include <fcntl.h>
#include <magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

/* Named, since libmagic would else follow $MAGIC and look into the home of whoever calls. */
static const char path[] = "/usr/share/misc/magic.mgc";

struct database {
	void *bytes;
	size_t size;
};

static bool fault(const char *why, struct error *err)
{
	return error_set(err, EX_OSFILE, "%s: file types can't be recognized: %s", path, why);
}

static bool map(int fd, struct database *ret, struct error *err)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return fault(strerror(errno), err);
	ret->size = (size_t)st.st_size;
	/* All at once: the memory that it takes doesn't depend on what a file's bytes are. */
	ret->bytes = mmap(NULL, ret->size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
	return ret->bytes != MAP_FAILED || fault(strerror(errno), err);
}

static bool database_open(struct database *ret, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fault(strerror(errno), err);
	bool good = map(fd, ret, err);
	(void)close(fd);
	return good;
}

/* NULL only where there is no memory; a database of another version is a fault of the loading. */
static magic_t open_magic(struct database *database, struct error *err)
{
	magic_t magic = magic_open(MAGIC_MIME_TYPE | MAGIC_ERROR | MAGIC_NO_CHECK_COMPRESS);
	if (magic == NULL) {
		(void)fault(strerror(errno), err);
	} else if (magic_load_buffers(magic, &database->bytes, &database->size, 1) != 0) {
		(void)fault(magic_error(magic), err);
		magic_close(magic);
		magic = NULL;
	}
	return magic;
}

bool file_type(const void *head, size_t len, char ret[FILE_TYPE_SIZE], struct error *err)
{
	struct database database;
	if (!database_open(&database, err))
		return false;
	magic_t magic = open_magic(&database, err);
	if (magic) {
		const char *type = magic_buffer(magic, head, len);
		(void)snprintf(ret, FILE_TYPE_SIZE, "%s", type ? type : "application/octet-stream");
		magic_close(magic);
	}
	(void)munmap(database.bytes, database.size);
	return magic != NULL;
}

bool file_type_check(struct error *err)
{
	char type[FILE_TYPE_SIZE];
	return file_type("", 0, type, err);
}
