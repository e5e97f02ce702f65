/* SPDX-License-Identifier: MIT */
/*
 * Files in a folder where others may write. Called wherever a program of ours makes or opens
 * something beside its databases, in the Maildir, or in a folder that was exported.
 *
 * A name is looked up once, by openat() with O_NOFOLLOW, and what it turned out to be is judged by
 * the descriptor: between a look at a name and its use somebody could put another file there. Steps
 * are single names, which needs no openat2(): a unit with RestrictSUIDSGID= has none. O_NONBLOCK is
 * for what isn't a regular file and would be waited for.
 */
#include "base/folder.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

enum {
	STEP = O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK,
	FOLDER = O_PATH | O_DIRECTORY |
	         O_CLOEXEC, /* who may enter one need not be allowed to list it */
};

/* -- faults ------------------------------------------------------------------------------------ */

static int code_of(int number)
{
	return number == EACCES || number == EPERM || number == EROFS ? EX_NOPERM : EX_IOERR;
}

static bool fault(const struct folder *folder, const char *name, int number, struct error *err)
{
	return error_set(err, code_of(number), "%s/%s: %s", folder->path, name, strerror(number));
}

static const char *what_is(mode_t mode)
{
	return S_ISLNK(mode)    ? "a symbolic link"
	       : S_ISDIR(mode)  ? "a folder"
	       : S_ISFIFO(mode) ? "a FIFO"
	       : S_ISSOCK(mode) ? "a socket"
	       : S_ISREG(mode)  ? "a regular file"
	                        : "a device";
}

/* -- what is ours ------------------------------------------------------------------------------ */

static bool is_ours(const struct folder *folder, const struct stat *st)
{
	return folder->anybodys || st->st_uid == geteuid() || st->st_uid == 0 ||
	       st->st_uid == folder->owner || st->st_gid == folder->group;
}

static bool judge(const struct folder *folder, const char *name, const struct stat *st, mode_t type,
                  struct error *err)
{
	if ((st->st_mode & S_IFMT) != type)
		return error_set(err, S_ISLNK(st->st_mode) ? EX_NOPERM : EX_DATAERR,
		                 "%s/%s: expected %s, found %s", folder->path, name, what_is(type),
		                 what_is(st->st_mode));
	if (S_ISREG(type) && st->st_nlink > 1)
		return error_set(err, EX_NOPERM,
		                 "%s/%s: refused: it is a hard link (it has %lu names)",
		                 folder->path, name, (unsigned long)st->st_nlink);
	if (!is_ours(folder, st))
		return error_set(err, EX_NOPERM,
		                 "%s/%s: refused: it belongs to another user (uid %ld, gid %ld)",
		                 folder->path, name, (long)st->st_uid, (long)st->st_gid);
	return true;
}

/* Why a name couldn't be opened: what it is explains more than errno does. */
static bool explain(const struct folder *folder, const char *name, mode_t type, struct error *err)
{
	int number = errno;
	struct stat st;
	if ((number == ELOOP || number == ENOTDIR || number == ENXIO || number == EISDIR) &&
	    fstatat(folder->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    !judge(folder, name, &st, type, err))
		return false;
	return fault(folder, name, number, err);
}

/* Closes what is refused. */
static int keep_if_ours(const struct folder *folder, const char *name, int fd, mode_t type,
                        struct error *err)
{
	struct stat st;
	if (fstat(fd, &st) == 0 ? judge(folder, name, &st, type, err)
	                        : fault(folder, name, errno, err))
		return fd;
	(void)close(fd);
	return -1;
}

static void check_name(const char *name)
{
	if (*name == '\0' || strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		bug("\"%s\" is not one step below a folder", name);
}

/* -- folders ----------------------------------------------------------------------------------- */

bool folder_open(struct folder *ret, const char *path, bool trusted, struct error *err)
{
	struct stat st;
	int fd = open(path, FOLDER);
	if (fd < 0 || fstat(fd, &st) != 0) {
		int number = errno;
		if (fd >= 0)
			(void)close(fd);
		return error_set(err, code_of(number), "%s: %s", path, strerror(number));
	}
	if (trusted && geteuid() != 0 && st.st_uid != geteuid() && st.st_uid != 0) {
		(void)close(fd);
		return error_set(err, EX_NOPERM,
		                 "%s: must belong to root or to the user that this runs as (uid "
		                 "%ld), but belongs to uid %ld",
		                 path, (long)geteuid(), (long)st.st_uid);
	}
	*ret = (struct folder){
	        .fd = fd, .owner = st.st_uid, .group = st.st_gid, .path = mem_strdup(path)};
	return true;
}

bool folder_open_of(struct folder *ret, const char *path, bool trusted, struct error *err)
{
	const char *slash = strrchr(path, '/');
	char *directory = mem_strdup(slash ? path : ".");
	if (slash)
		directory[slash == path ? 1 : slash - path] = '\0';
	bool good = folder_open(ret, directory, trusted, err);
	free(directory);
	return good;
}

/* Owner and group are best effort: who isn't in that group can't give it away, and it stays with
 * ours. */
static bool hand_over(const struct folder *folder, int fd, mode_t mode)
{
	if (folder->gives && fchown(fd, folder->owner, folder->group) != 0 &&
	    fchown(fd, (uid_t)-1, folder->group) != 0 && errno != EPERM)
		return false;
	return fchmod(fd, mode) == 0;
}

static bool hand_over_folder(const struct folder *folder, int path_fd, mode_t mode)
{
	int fd = openat(path_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool good = fd >= 0 && hand_over(folder, fd, mode);
	int number = errno;
	if (fd >= 0)
		(void)close(fd);
	errno = number;
	return good;
}

bool folder_enter(const struct folder *folder, const char *name, mode_t mode, struct folder *ret,
                  struct error *err)
{
	check_name(name);
	bool made = mode != 0 && mkdirat(folder->fd, name, 0700) == 0;
	if (mode != 0 && !made && errno != EEXIST)
		return fault(folder, name, errno, err);
	int fd = openat(folder->fd, name, FOLDER | O_NOFOLLOW);
	if (fd < 0)
		return explain(folder, name, S_IFDIR, err);
	fd = keep_if_ours(folder, name, fd, S_IFDIR, err);
	if (fd < 0)
		return false;
	if (made && !hand_over_folder(folder, fd, mode)) {
		(void)fault(folder, name, errno, err);
		(void)close(fd);
		return false;
	}
	size_t size = strlen(folder->path) + strlen(name) + 2;
	*ret = *folder;
	ret->fd = fd;
	ret->path = mem_alloc(size);
	(void)snprintf(ret->path, size, "%s/%s", folder->path, name);
	return true;
}

void folder_close(struct folder *folder)
{
	if (folder->fd >= 0)
		(void)close(folder->fd);
	free(folder->path);
	*folder = FOLDER_NONE;
}

bool folder_sync(const struct folder *folder, struct error *err)
{
	int fd = openat(folder->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool good = fd >= 0 && fsync(fd) == 0;
	if (!good)
		error_set(err, code_of(errno), "%s: %s", folder->path, strerror(errno));
	if (fd >= 0)
		(void)close(fd);
	return good;
}

/* -- files ------------------------------------------------------------------------------------- */

int folder_file(const struct folder *folder, const char *name, int flags, struct error *err)
{
	check_name(name);
	int fd = openat(folder->fd, name, (flags & ~O_CREAT) | STEP);
	if (fd >= 0)
		return keep_if_ours(folder, name, fd, S_IFREG, err);
	(void)explain(folder, name, S_IFREG, err);
	return -1;
}

int folder_make(const struct folder *folder, const char *name, mode_t mode, struct error *err)
{
	check_name(name);
	int fd = openat(folder->fd, name, O_RDWR | O_CREAT | O_EXCL | STEP, 0600);
	if (fd < 0) {
		(void)fault(folder, name, errno, err);
		return -1;
	}
	if (hand_over(folder, fd, mode))
		return fd;
	(void)fault(folder, name, errno, err);
	(void)unlinkat(folder->fd, name, 0);
	(void)close(fd);
	return -1;
}

bool folder_has(const struct folder *folder, const char *name)
{
	struct stat st;
	check_name(name);
	return fstatat(folder->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

bool folder_check(const struct folder *folder, const char *name, bool *ret_there, struct error *err)
{
	struct stat st;
	check_name(name);
	*ret_there = fstatat(folder->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
	if (*ret_there)
		return judge(folder, name, &st, S_IFREG, err);
	return errno == ENOENT || fault(folder, name, errno, err);
}

bool folder_rename(const struct folder *from, const char *name, const struct folder *to,
                   const char *to_name, struct error *err)
{
	check_name(name);
	check_name(to_name);
	return renameat(from->fd, name, to->fd, to_name) == 0 || fault(to, to_name, errno, err);
}

void folder_remove(const struct folder *folder, const char *name)
{
	check_name(name);
	(void)unlinkat(folder->fd, name, 0);
}

static bool share(int fd, gid_t group, mode_t type, mode_t mode)
{
	char itself[64];
	struct stat st;
	if (fstat(fd, &st) != 0)
		return false;
	errno = EPERM; /* another's, or something else */
	if ((st.st_mode & S_IFMT) != type || st.st_uid != geteuid() ||
	    (S_ISREG(type) && st.st_nlink > 1))
		return false;
	if (st.st_gid != group && fchownat(fd, "", (uid_t)-1, group, AT_EMPTY_PATH) != 0)
		return false;
	(void)snprintf(itself, sizeof itself, "/proc/self/fd/%d", fd); /* fchmod() refuses O_PATH */
	return mode == 0 || chmod(itself, mode) == 0;
}

/* SQLite's locks are POSIX ones, which closing any other descriptor of the file would drop. */
static bool share_at(int directory, const char *name, gid_t group, mode_t type, mode_t mode)
{
	int fd = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	bool good = fd >= 0 && share(fd, group, type, mode);
	int number = errno;
	if (fd >= 0)
		(void)close(fd);
	errno = number;
	return good;
}

bool folder_share(const struct folder *folder, const char *name, mode_t type, mode_t mode)
{
	check_name(name);
	return share_at(folder->fd, name, folder->group, type, mode);
}

bool folder_share_path(const char *path, gid_t group, mode_t type, mode_t mode)
{
	return share_at(AT_FDCWD, path, group, type, mode);
}

void folder_new_name(const char *prefix, char *ret)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
	unsigned char bytes[16];
	char tail[sizeof bytes + 1] = "";
	if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
		bug("getrandom: %s", strerror(errno));
	for (size_t i = 0; i < sizeof bytes; i++)
		tail[i] = letters[bytes[i] % 32];
	(void)snprintf(ret, FOLDER_NEW_SIZE, "%.40s%s", prefix, tail);
}
