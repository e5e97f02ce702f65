/* SPDX-License-Identifier: MIT */
#ifndef BASE_FOLDER_H
#define BASE_FOLDER_H

#include "base/error.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

/*
 * Files in a folder where others may write, too: the daemon shares its folder with the office,
 * whose members can put anything in the place of any name. So a folder is opened once and
 * everything below it by its descriptor, a step at a time: no link is followed, no FIFO waited for,
 * owner and mode are changed on descriptors, and what isn't ours is refused: what is not a regular
 * file (or folder), a file that has a second name (a hard link), and what belongs neither to us,
 * root, the folder's owner nor its group.
 *
 * Names are one step each, without `/`. Faults: 65 something else than a file or a folder, 77 not
 * permitted or not ours, 74 else.
 */
struct folder {
	int fd;
	uid_t owner; /* of the topmost folder, as `group` */
	gid_t group;
	bool gives;    /* what is made there gets the folder's owner and group, where we may */
	bool anybodys; /* files of any owner are opened: set by who only shares a lock or a database
	                  there */
	char *path;    /* for messages */
};

/* What a folder that isn't open looks like. */
#define FOLDER_NONE ((struct folder){.fd = -1})

/*
 * The topmost one, as the configuration or a person names it: links in `path` are followed. With
 * `trusted`, for a daemon, it must belong to us or to root; root uses anybody's.
 */
bool folder_open(struct folder *ret, const char *path, bool trusted, struct error *err) MUST_CHECK;

/* The folder that the file `path` lies in. */
bool folder_open_of(struct folder *ret, const char *path, bool trusted,
                    struct error *err) MUST_CHECK;

/* One below it. With `mode` it is made where it is missing, with that mode. */
bool folder_enter(const struct folder *folder, const char *name, mode_t mode, struct folder *ret,
                  struct error *err) MUST_CHECK;
void folder_close(struct folder *folder);

/* A file that is there, for `flags` of open(2); its descriptor, or -1. */
int folder_file(const struct folder *folder, const char *name, int flags,
                struct error *err) MUST_CHECK;

/* A new file to write, with that mode; its descriptor, or -1. */
int folder_make(const struct folder *folder, const char *name, mode_t mode,
                struct error *err) MUST_CHECK;

/* Whether there is anything of that name. */
bool folder_has(const struct folder *folder, const char *name) MUST_CHECK;

/* What `name` is, is ours and a regular file, or isn't there (*ret_there). */
bool folder_check(const struct folder *folder, const char *name, bool *ret_there,
                  struct error *err) MUST_CHECK;

bool folder_rename(const struct folder *from, const char *name, const struct folder *to,
                   const char *to_name, struct error *err) MUST_CHECK;
void folder_remove(const struct folder *folder, const char *name);
bool folder_sync(const struct folder *folder, struct error *err) MUST_CHECK;

/*
 * Gives the folder's group to a socket or a file in it that we own (by lstat's `type`, S_IFSOCK or
 * S_IFREG), and the mode where that isn't 0. By a descriptor that neither opens nor locks it. False
 * with errno.
 */
bool folder_share(const struct folder *folder, const char *name, mode_t type,
                  mode_t mode) MUST_CHECK;

/* The same for one at a path that we trust, and for any group. */
bool folder_share_path(const char *path, gid_t group, mode_t type, mode_t mode) MUST_CHECK;

/* A name for a new file that nobody can guess: PREFIX and 16 letters. `ret` has FOLDER_NEW_SIZE
 * bytes. */
enum { FOLDER_NEW_SIZE = 64 };
void folder_new_name(const char *prefix, char *ret);

#endif
