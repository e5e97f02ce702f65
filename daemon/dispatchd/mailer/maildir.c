/* SPDX-License-Identifier: MIT */
/*
 * The Maildir transport: each mail becomes a file in new/ of the folder, written in tmp/ and on
 * disk before it is moved there, so that a reader never sees half of one and a crash loses none
 * that was reported; on a thread aside, since disks block. The three directories are made where
 * they are missing. Return-Path and Delivered-To are put before the message, its line ends become
 * LF, as a delivery agent does it.
 */
#include "base/buf.h"
#include "base/folder.h"
#include "base/mem.h"
#include "base/write_all.h"
#include "dispatchd/mailer/coroutine.h"
#include "dispatchd/mailer/transport.h"
#include "dispatchd/sys/lease_clock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

enum { MAILDIR_PATH_MAX = 4096 };

/* Makes the directory and those above it. */
static bool maildir_make_directory(const char *path, struct error *err)
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

static bool open_top(const char *path, struct folder *ret, struct error *err)
{
	struct stat st;

	if (stat(path, &st) != 0 && errno == ENOENT && !maildir_make_directory(path, err))
		return false;
	return folder_open(ret, path, true, err);
}

/* Somebody may have taken a part away: what is missing is made. */
static bool open_parts(const char *path, struct folder *tmp, struct folder *new, struct error *err)
{
	struct folder top = FOLDER_NONE, cur = FOLDER_NONE;
	bool ok = open_top(path, &top, err) && folder_enter(&top, "new", 0700, new, err) &&
	          folder_enter(&top, "cur", 0700, &cur, err) &&
	          folder_enter(&top, "tmp", 0700, tmp, err);
	folder_close(&cur);
	folder_close(&top);
	return ok;
}

/* Unique on this host for good: time, process, a number that rises, and the mail's. The host's `/`
 * and `:` are spelt as the format wants it. */
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
	snprintf(ret, size, "%" PRId64 ".M%06ldP%ldQ%lu_%" PRId64 ".%s", (int64_t)t.tv_sec,
	         t.tv_nsec / 1000, (long)getpid(), atomic_fetch_add(&counter, 1), mail, clean);
}

static void maildir_text(const struct transport_mail *mail, struct buf *ret)
{
	buf_printf(ret, "Return-Path: <%s>\nDelivered-To: %s\n", mail->from, mail->to);
	for (const char *p = mail->message.data, *end = p + mail->message.len; p < end;) {
		const char *stop = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((stop ? stop : end) - p);
		if (len > 0 && p[len - 1] == '\r')
			len--;
		buf_add(ret, p, len);
		buf_addc(ret, '\n');
		p = stop ? stop + 1 : end;
	}
}

static bool maildir_write_file(int fd, const struct transport_mail *mail)
{
	struct buf text = {0};

	maildir_text(mail, &text);
	bool ok = write_all(fd, text.data, text.len) && fsync(fd) == 0;
	ok = close(fd) == 0 && ok;
	buf_free(&text);
	return ok;
}

/* A new name is durable once its folder is. */
static bool maildir_deliver(const struct folder *tmp, const struct folder *new,
                            const struct transport_mail *mail, struct error *err)
{
	char name[1400];

	unique_name(mail->id, name, sizeof name);
	int fd = folder_make(tmp, name, 0600, err);
	if (fd < 0)
		return false;
	bool ok = maildir_write_file(fd, mail) ||
	          error_set(err, EX_IOERR, "%s: %s", tmp->path, strerror(errno));
	/* With that name it is delivered. */
	ok = ok &&
	     (lease_clock_allows() || error_set(err, EX_TEMPFAIL, "the cluster's lease ends"));
	ok = ok && folder_rename(tmp, name, new, name, err);
	if (!ok)
		folder_remove(tmp, name);
	return ok && folder_sync(new, err);
}

static bool maildir_write(const char *path, const struct transport_mail *mail, struct error *err)
{
	struct folder tmp = FOLDER_NONE, new = FOLDER_NONE;

	if (strlen(path) >= MAILDIR_PATH_MAX - 8)
		return error_set(err, EX_CONFIG, "the Maildir's path is too long");
	bool ok = open_parts(path, &tmp, &new, err) && maildir_deliver(&tmp, &new, mail, err);
	folder_close(&tmp);
	folder_close(&new);
	return ok;
}

/* ---- the transport ---- */

static bool maildir_targets(const struct settings *settings, struct transport_targets *ret,
                            struct error *err)
{
	if (settings->mail.maildir[0] == '\0')
		return error_set(err, EX_CONFIG,
		                 "[mail] maildir is needed with transport = maildir");
	size_t size = strlen(settings->mail.maildir) + 1;
	struct transport_target *target = mem_alloc(sizeof *target + size);
	memcpy(target + 1, settings->mail.maildir, size);
	*target = (struct transport_target){.name = (const char *)(target + 1),
	                                    .address = (const char *)(target + 1)};
	ret->own = target;
	ret->list = target;
	ret->n = 1;
	return true;
}

static void maildir_clear(struct transport_targets *targets)
{
	free(targets->own);
	*targets = (struct transport_targets){0};
}

/* A mail on its way to the disk, which is waited for aside. */
struct writing {
	const char *path;
	const struct transport_mail *mail;
	bool ok;
	struct error err;
};

static void maildir_write_aside(void *arg)
{
	struct writing *writing = arg;

	writing->ok = maildir_write(writing->path, writing->mail, &writing->err);
}

/* A directory that can't be written is the relay's fault: no mail is to blame. */
static void maildir_run(const struct transport_targets *targets, size_t target,
                        const struct mailer_limits *limits, struct watch *watch,
                        const struct transport_feed *feed)
{
	struct transport_mail mail = {0};

	(void)limits, (void)watch;
	while (feed->next(feed->arg, &mail)) {
		struct smtp_report report = {.stage = SMTP_CONNECT};
		struct writing writing = {.path = targets->list[target].name, .mail = &mail};
		coroutine_aside(maildir_write_aside, &writing);
		if (writing.ok)
			report = (struct smtp_report){
			        .stage = SMTP_BODY, .code = 250, .body_begun = true};
		feed->done(feed->arg, mail.caller, &report,
		           writing.ok ? "written" : writing.err.text);
		buf_free(&mail.message);
	}
}

/* One that isn't there is made by the first mail. */
static bool maildir_check(const struct settings *settings, struct error *err)
{
	struct folder folder;
	struct error fault;

	if (settings->mail.maildir[0] == '\0')
		return true;
	if (!folder_open(&folder, settings->mail.maildir, true, &fault))
		return fault.code != EX_NOPERM ||
		       error_set(err, fault.code, "[mail] maildir: %s", fault.text);
	bool ok = faccessat(folder.fd, ".", W_OK | X_OK, AT_EACCESS) == 0 ||
	          error_set(err, EX_NOPERM, "[mail] maildir: %s: %s", folder.path, strerror(errno));
	folder_close(&folder);
	return ok;
}

const struct transport_row transport_maildir = {
        .name = "maildir",
        .targets = maildir_targets,
        .clear = maildir_clear,
        .run = maildir_run,
        .check = maildir_check,
};
