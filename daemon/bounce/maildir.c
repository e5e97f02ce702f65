/* SPDX-License-Identifier: MIT */
/*
 * A Maildir as the source of mails, for whoever fetches them from elsewhere (mbsync, getmail,
 * fetchmail). Names in it are looked up by the descriptor of its folder (base/folder.h), since who
 * delivers there may be another user than we are.
 */
#include "bounce/maildir.h"

#include "base/folder.h"
#include "base/mem.h"
#include "bounce/read/mime.h"
#include "bounce/read_all.h"
#include "bounce/take.h"
#include "common/fault.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

enum { MODE = 0700, NAMES_A_PASS = 10000 };

struct maildir {
	struct folder top, new, done, unknown;
	int lock; /* of new/, which is also what is listed */
	const char *socket;
	size_t n_moved; /* in this pass */
	bool refused;   /* the daemon refused one, which stays */
};

/* ---- the folders ---- */

/* `new/` of a folder of the Maildir, with what a reader expects beside it. */
static bool enter_sub(const struct folder *top, const char *name, struct folder *ret,
                      struct error *err)
{
	struct folder sub = FOLDER_NONE, part = FOLDER_NONE;
	bool ok = folder_enter(top, name, MODE, &sub, err);
	ok = ok && folder_enter(&sub, "cur", MODE, &part, err);
	folder_close(&part);
	ok = ok && folder_enter(&sub, "tmp", MODE, &part, err);
	folder_close(&part);
	ok = ok && folder_enter(&sub, "new", MODE, ret, err);
	folder_close(&sub);
	return ok;
}

/* One process at a time; a lock ends with its process. */
static bool lock_new(struct maildir *maildir, struct error *err)
{
	maildir->lock = openat(maildir->new.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	while (maildir->lock >= 0 && flock(maildir->lock, LOCK_EX) != 0)
		if (errno != EINTR)
			return error_set(err, EX_IOERR, "%s: %s", maildir->new.path,
			                 strerror(errno));
	return maildir->lock >= 0 || error_set(err, errno == EACCES ? EX_NOPERM : EX_IOERR,
	                                       "%s: %s", maildir->new.path, strerror(errno));
}

static bool maildir_open(struct maildir *maildir, const char *path, struct error *err)
{
	struct stat st;
	if (stat(path, &st) != 0 && errno == ENOENT)
		return error_set(err, EX_NOINPUT, "%s: %s", path, strerror(errno));
	return folder_open(&maildir->top, path, false, err) &&
	       folder_enter(&maildir->top, "new", 0, &maildir->new, err) &&
	       lock_new(maildir, err) && enter_sub(&maildir->top, ".done", &maildir->done, err) &&
	       enter_sub(&maildir->top, ".unknown", &maildir->unknown, err);
}

static void maildir_close(struct maildir *maildir)
{
	if (maildir->lock >= 0)
		(void)close(maildir->lock);
	folder_close(&maildir->done);
	folder_close(&maildir->unknown);
	folder_close(&maildir->new);
	folder_close(&maildir->top);
}

/* ---- moving ---- */

/* Never onto another: then under a name of its own. */
static bool move(const struct maildir *maildir, const char *name, const struct folder *to,
                 struct error *err)
{
	char other[NAME_MAX + 1], unique[FOLDER_NEW_SIZE];
	if (renameat2(maildir->new.fd, name, to->fd, name, RENAME_NOREPLACE) == 0)
		return true;
	int fault = errno;
	if (fault == ENOENT && !folder_has(&maildir->new, name)) /* somebody took it away */
		return true;
	if (fault != EEXIST && fault != EINVAL)
		return error_set(err, EX_IOERR, "%s/%s: %s", to->path, name, strerror(fault));
	/* EINVAL: the file system can't do that. */
	if (fault == EINVAL && !folder_has(to, name))
		return folder_rename(&maildir->new, name, to, name, err);
	folder_new_name("", unique);
	(void)snprintf(other, sizeof other, "%.*s.%s", NAME_MAX - FOLDER_NEW_SIZE, name, unique);
	return folder_rename(&maildir->new, name, to, other, err);
}

/* Its owner may be whoever fetches mails: the Maildir's, ours or root. */
static int open_mail(const struct maildir *maildir, const char *name, struct error *err)
{
	struct stat st;
	int fd = folder_file(&maildir->new, name, O_RDONLY, err);
	if (fd < 0 || (fstat(fd, &st) == 0 && (st.st_uid == geteuid() || st.st_uid == 0 ||
	                                       st.st_uid == maildir->top.owner)))
		return fd;
	(void)close(fd);
	(void)error_set(err, EX_NOPERM, "%s/%s: refused: it belongs to another user (uid %ld)",
	                maildir->new.path, name, (long)st.st_uid);
	return -1;
}

/* ---- a mail ---- */

static bool hand_over(const struct maildir *maildir, const struct buf *bytes,
                      const struct folder **ret_to, struct error *err)
{
	char did[SEND_ANSWER_MAX];
	struct taking *taking = taking_new(bytes);
	bool ok = taking_send(taking, maildir->socket, taking_recipient(taking), NULL, did, err);
	(void)taking_free(taking);
	bool made_something = ok && strcmp(did, "unknown") != 0;
	*ret_to = made_something ? &maildir->done : &maildir->unknown;
	return ok || err->code == EX_NOUSER;
}

/* False where no other one can be taken either: the daemon, or the disk, is at fault. */
static bool move_mail(const struct maildir *maildir, const char *name, struct error *err)
{
	struct buf bytes = {0};
	const struct folder *to = &maildir->unknown;
	int fd = open_mail(maildir, name, err);
	if (fd < 0) {
		if (!folder_has(&maildir->new, name))
			return true; /* somebody took it away */
		fault_print("dispatch-bounce", err->text);
		return move(maildir, name, to, err);
	}
	bool ok = read_all(fd, MIME_BYTES_MAX, &bytes) ||
	          error_set(err, EX_IOERR, "%s/%s: %s", maildir->new.path, name, strerror(errno));
	(void)close(fd);
	ok = ok && hand_over(maildir, &bytes, &to, err) && move(maildir, name, to, err);
	buf_free(&bytes);
	return ok;
}

/* One that the daemon refuses stays, and holds up none of those behind it. */
static bool take_mail(struct maildir *maildir, const char *name, struct error *err)
{
	bool moved = move_mail(maildir, name, err);
	if (!moved && err->code != EX_DATAERR)
		return false;
	if (!moved) {
		(void)error_prefix(err, "%s/%s", maildir->new.path, name);
		fault_print("dispatch-bounce", err->text);
		maildir->refused = true;
	}
	maildir->n_moved += moved;
	return true;
}

/* ---- all of them ---- */

struct names {
	char *list[NAMES_A_PASS];
	size_t n;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names that begin with a dot are not mails. */
static bool list_names(const struct maildir *maildir, struct names *ret, struct error *err)
{
	int fd = dup(maildir->lock);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (dir == NULL)
		return error_set(err, EX_IOERR, "%s: %s", maildir->new.path, strerror(errno));
	rewinddir(dir);
	for (struct dirent *entry; ret->n < NAMES_A_PASS && (entry = readdir(dir)) != NULL;)
		if (entry->d_name[0] != '.')
			ret->list[ret->n++] = mem_strdup(entry->d_name);
	(void)closedir(dir);
	qsort(ret->list, ret->n, sizeof ret->list[0], by_name);
	return true;
}

static bool take_pass(struct maildir *maildir, struct error *err)
{
	struct names *names = mem_alloc(sizeof *names);
	bool ok = list_names(maildir, names, err);
	maildir->n_moved = 0;
	maildir->refused = false;
	for (size_t i = 0; i < names->n; i++) {
		ok = ok && take_mail(maildir, names->list[i], err);
		free(names->list[i]);
	}
	free(names);
	return ok && folder_sync(&maildir->done, err) && folder_sync(&maildir->unknown, err);
}

int maildir_take(const char *path, const char *socket)
{
	struct maildir maildir = {.top = FOLDER_NONE,
	                          .new = FOLDER_NONE,
	                          .done = FOLDER_NONE,
	                          .unknown = FOLDER_NONE,
	                          .lock = -1,
	                          .socket = socket};
	struct error err;
	bool ok = maildir_open(&maildir, path, &err);
	do /* once more for those that came meanwhile */
		ok = ok && take_pass(&maildir, &err);
	while (ok && maildir.n_moved > 0);
	maildir_close(&maildir);
	if (ok)
		return maildir.refused ? EX_TEMPFAIL : EX_OK;
	fault_print("dispatch-bounce", err.text);
	return err.code;
}
