/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_BACKUP_SET_H
#define DISPATCHCTL_BACKUP_SET_H

#include "base/error.h"
#include "base/folder.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * A backup: a folder with files and a manifest that names each of them.
 *
 *	manifest.json              what is in it, each file with length and BLAKE2b digest
 *	spool.db customers.db center.db
 *	files/ab/ab12…             contents of documents and pictures, by their hash
 *	config/…                   the configuration and the templates, to be read
 *
 * Whoever calls these does so as the person (base/identity.h): the folder is theirs.
 */
struct backup_set {
	struct folder folder;
	json_t *manifest;
};
#define BACKUP_SET_NONE ((struct backup_set){.folder = FOLDER_NONE})

enum { BACKUP_FORMAT = 1, BACKUP_NAME_MAX = 512 };
#define BACKUP_MANIFEST "manifest.json"

/* A new backup in `path`: a folder that isn't there or is empty, made 0700. Codes 65, 74, 77. */
bool backup_set_create(struct backup_set *ret, const char *path, struct error *err) MUST_CHECK;
/* A new file of that name (`a/b/c`), folders made as needed: its descriptor, or -1. */
int backup_set_make(const struct backup_set *set, const char *name, struct error *err) MUST_CHECK;
/* The file of that name is whole: it is brought to disk, read back, and noted. */
bool backup_set_add(struct backup_set *set, const char *name, struct error *err) MUST_CHECK;
/* Writes the manifest and brings it to disk: now it is a backup. */
bool backup_set_finish(struct backup_set *set, struct error *err) MUST_CHECK;

/* A backup that is there: the manifest is read, and every file compared with it. Codes 65, 66, 74,
 * 77, 78 for a later version's. */
bool backup_set_open(struct backup_set *ret, const char *path, struct error *err) MUST_CHECK;
/* The files of the manifest, in its order; NULL behind the last. */
const char *backup_set_name(const struct backup_set *set, size_t i);
bool backup_set_has(const struct backup_set *set, const char *name);
int backup_set_file(const struct backup_set *set, const char *name, struct error *err) MUST_CHECK;

void backup_set_close(struct backup_set *set);

/* Whether a name may be in a backup: one of the above, without steps up or hidden parts. */
bool backup_name_valid(const char *name);

#endif
