/* SPDX-License-Identifier: MIT */
#include "mailer/maildir.h"

#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

enum { MAILDIR_PATH_MAX = 4096 };

/* Makes the directory and those above it. */
static bool make_directory(const char *path, struct error *err)
{
	char part[MAILDIR_PATH_MAX];

	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return true;
	if (errno != ENOENT || strlen(path) >= sizeof part)
		return error_set(err, EX_IOERR, "%s: %s", path, strerror(errno));
	strcpy(part, path);
	for (char *p = strchr(part + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			return error_set(err, EX_IOERR, "%s: %s", part, strerror(errno));
		*p = '/';
	}
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return error_set(err, EX_IOERR, "%s: %s", path, strerror(errno));
	return true;
}

/* The directories are looked for only when a file can't be made in them. tmp is the last one made, so that a
 * thread that finds it finds the others, too. */
static bool make_directories(const char *path, struct error *err)
{
	static const char *const parts[] = {"", "/new", "/cur", "/tmp"};
	char part[MAILDIR_PATH_MAX];

	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		snprintf(part, sizeof part, "%s%s", path, parts[i]);
		if (!make_directory(part, err))
			return false;
	}
	return true;
}

/* Unique on this host for good: time, process, a number that rises, and the mail's. The host's `/` and `:`
 * are spelt as the format wants it. */
static void unique_name(int64_t mail, char *ret, size_t size)
{
	static atomic_ulong counter;
	struct timespec t;
	char host[256] = "localhost", clean[1024];
	size_t n = 0;

	clock_gettime(CLOCK_REALTIME, &t);
	gethostname(host, sizeof host - 1);
	for (const char *p = host; *p; p++)
		n += (size_t)(*p == '/'   ? sprintf(clean + n, "\\057")
		              : *p == ':' ? sprintf(clean + n, "\\072")
		                          : sprintf(clean + n, "%c", *p));
	clean[n] = '\0';
	snprintf(ret, size, "%" PRId64 ".M%06ldP%ldQ%lu_%" PRId64 ".%s", (int64_t)t.tv_sec, t.tv_nsec / 1000,
	         (long)getpid(), atomic_fetch_add(&counter, 1), mail, clean);
}

static void render(const struct maildir_mail *mail, struct buf *ret)
{
	buf_printf(ret, "Return-Path: <%s>\nDelivered-To: %s\n", mail->from, mail->to);
	for (const char *p = mail->data, *end = p + mail->len; p < end;) {
		const char *stop = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((stop ? stop : end) - p);
		if (len > 0 && p[len - 1] == '\r')
			len--;
		buf_add(ret, p, len);
		buf_addc(ret, '\n');
		p = stop ? stop + 1 : end;
	}
}

static bool write_all(int fd, const struct buf *text)
{
	for (size_t done = 0; done < text->len;) {
		ssize_t n = write(fd, text->data + done, text->len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		done += (size_t)n;
	}
	return fsync(fd) == 0;
}

/* A new name is durable once its directory is. */
static bool sync_directory(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

static int open_new(const char *path, const char *file, struct error *err)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 && errno == ENOENT) {
		if (!make_directories(path, err))
			return -1;
		fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	}
	if (fd < 0)
		error_set(err, EX_IOERR, "%s: %s", file, strerror(errno));
	return fd;
}

/* Somebody may have taken `new` away. */
static bool move_in(const char *path, const char *tmp, const char *new)
{
	return rename(tmp, new) == 0 ||
	       (errno == ENOENT && make_directories(path, NULL) && rename(tmp, new) == 0);
}

bool maildir_write(const char *path, const struct maildir_mail *mail, struct error *err)
{
	char name[1400], tmp[MAILDIR_PATH_MAX + 1500], new[MAILDIR_PATH_MAX + 1500],
	        dir[MAILDIR_PATH_MAX + 8];
	struct buf text = {0};
	bool ok;
	int fd;

	if (strlen(path) >= MAILDIR_PATH_MAX - 8)
		return error_set(err, EX_CONFIG, "the Maildir's path is too long");
	unique_name(mail->mail, name, sizeof name);
	snprintf(tmp, sizeof tmp, "%s/tmp/%s", path, name);
	snprintf(new, sizeof new, "%s/new/%s", path, name);
	snprintf(dir, sizeof dir, "%s/new", path);
	fd = open_new(path, tmp, err);
	if (fd < 0)
		return false;
	render(mail, &text);
	ok = write_all(fd, &text);
	ok = close(fd) == 0 && ok;
	ok = ok && move_in(path, tmp, new) && sync_directory(dir);
	if (!ok) {
		error_set(err, EX_IOERR, "%s: %s", path, strerror(errno));
		unlink(tmp);
	}
	buf_free(&text);
	return ok;
}
