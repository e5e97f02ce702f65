/* SPDX-License-Identifier: MIT */
/*
 * A dry run of an import, and what is looked at of one that is bad already. What a row would do is
 * only known by doing it (parents that come in the same file, names that are taken), and whoever
 * writes holds the lock: so it is done to a copy of the database, whose files have no name anymore
 * by the time it is written to. Nobody waits, and nothing is left behind.
 */
#include "records/import_private.h"

#include "db/db_copy.h"
#include "records/customers_changes.h"
#include "records/customers_private.h"
#include "records/records.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* Beside the database, where there is room for its data, else where temporary files go. */
static char *make_directory(struct import *import)
{
	const char *path = import->context->store->path, *slash = strrchr(path, '/');
	const char *temporary = getenv("TMPDIR");
	const char *parents[] = {
	        slash ? arena_strndup(import->arena, path, (size_t)(slash - path) + 1) : ".",
	        temporary ? temporary : "/tmp"};
	for (size_t i = 0; i < sizeof parents / sizeof parents[0]; i++) {
		char *name = arena_printf(import->arena, "%s/.dry-run-XXXXXX", parents[i]);
		if (mkdtemp(name))
			return name;
	}
	(void)error_set(import->err, EX_IOERR, "no room for a copy of the database: %s",
	                strerror(errno));
	return NULL;
}

static void forget_names(struct import *import, const char *directory, const char *path)
{
	static const char *const endings[] = {"", "-wal", "-shm", "-journal"};
	for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
		(void)unlink(arena_printf(import->arena, "%s%s", path, endings[i]));
	(void)rmdir(directory);
}

bool import_rehearse(struct import *import, bool (*write)(struct import *import))
{
	const struct change_context *real = import->context;
	const char *directory = make_directory(import);
	if (directory == NULL)
		return false;
	const char *path = arena_printf(import->arena, "%s/customers.db", directory);
	struct customers *copy = db_copy(real->store->db, path, import->err)
	                                 ? customers_open(path, DB_WRITE, import->err)
	                                 : NULL;
	forget_names(import, directory, path);
	if (copy == NULL)
		return false;
	if (!customers_set_role(copy, CLUSTER_NONE, NULL, import->err)) {
		(void)customers_close(copy);
		return false;
	}
	if (real->store->key_file)
		records_set_key_file(copy, real->store->key_file, real->store->key_from);
	struct change_context context = *real;
	context.store = copy;
	import->context = &context;
	bool good = write(import);
	import->context = real;
	(void)customers_close(copy);
	return good;
}
