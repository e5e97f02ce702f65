/* SPDX-License-Identifier: MIT */
#include "bounce/show.h"

#include "base/error.h"
#include "bounce/read/mime.h"
#include "bounce/read/print.h"
#include "bounce/read_all.h"
#include "common/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static void print_file_fault(const char *name, const char *what)
{
	struct error err;
	(void)error_set(&err, EX_NOINPUT, "%s: %s", name, what);
	fault_print("dispatch-bounce", err.text);
}

static bool read_file(const char *name, struct buf *buf)
{
	bool standard = strcmp(name, "-") == 0;
	int fd = standard ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	bool ok = fd >= 0 && read_all(fd, MIME_BYTES_MAX, buf);
	if (!ok)
		print_file_fault(standard ? "standard input" : name, strerror(errno));
	if (fd >= 0 && !standard)
		(void)close(fd);
	return ok;
}

/* A mail has at least one field. */
static bool is_mail(const struct mail_report_mail *mail)
{
	return mail->excessive || mail->header[0] != '\0';
}

static int show(const struct buf *bytes, bool facts)
{
	struct arena *arena = arena_new();
	struct buf out = {0};
	struct mail_report_mail mail;
	struct mail_report report;
	int code = EX_OK;
	mime_read(buf_text(bytes), bytes->len, arena, &mail);
	if (is_mail(&mail)) {
		mail_report_read(&mail, arena, &report);
		print_report(&out, &report, facts);
		if (fputs(buf_text(&out), stdout) == EOF || fflush(stdout) == EOF)
			code = EX_IOERR;
	} else {
		fault_print("dispatch-bounce", "input: this is not a mail: it has no header");
		code = EX_DATAERR;
	}
	buf_free(&out);
	(void)arena_free(arena);
	return code;
}

int show_file(const char *file, bool facts)
{
	struct buf bytes = {0};
	int code = read_file(file, &bytes) ? show(&bytes, facts) : EX_NOINPUT;
	buf_free(&bytes);
	return code;
}
