/* SPDX-License-Identifier: MIT */
/* dispatch-bounce: options and exit status (sysexits.h). So far it reads and prints. */
#include "base/error.h"
#include "bounce/read/mime.h"
#include "bounce/read/print.h"
#include "common/fault.h"
#include "common/no_core.h"
#include "version.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static const char usage[] =
        "usage: dispatch-bounce --parse <MAIL\n"
        "       dispatch-bounce --dump FILE|-\n"
        "       dispatch-bounce -V\n"
        "\n"
        "Reads a mail that came back and prints what it says, as JSON. Changes nothing.\n"
        "\n"
        "  --parse      read standard input; print kind, recipients and verdicts\n"
        "  --dump FILE  read FILE (- is standard input); print also what led to them\n"
        "  -V           print the version and exit\n"
        "  -h, --help   print this and exit\n";

struct options {
	const char *dump;
	bool parse, help, version;
};

static bool read_options(int argc, char **argv, struct options *ret)
{
	enum { PARSE = 1000, DUMP };
	static const struct option longs[] = {{"parse", no_argument, NULL, PARSE},
	                                      {"dump", required_argument, NULL, DUMP},
	                                      {"help", no_argument, NULL, 'h'},
	                                      {"version", no_argument, NULL, 'V'},
	                                      {NULL, 0, NULL, 0}};
	int option;
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":Vh", longs, NULL)) != -1) {
		switch (option) {
		case PARSE:
			ret->parse = true;
			break;
		case DUMP:
			ret->dump = optarg;
			break;
		case 'V':
			ret->version = true;
			break;
		case 'h':
			ret->help = true;
			break;
		default:
			fault_refused("dispatch-bounce", argv, option);
			return false;
		}
	}
	if (optind < argc)
		fault_usage("dispatch-bounce", "unexpected argument", argv[optind]);
	return optind == argc &&
	       (ret->parse + (ret->dump != NULL) == 1 || ret->help || ret->version);
}

/* One byte more than is looked at, so that the reader sees that there is more; the rest is read
 * and dropped, so that nobody's pipe breaks. */
static bool read_all(int fd, struct buf *buf)
{
	static char block[64 * 1024];
	for (ssize_t n; (n = read(fd, block, sizeof block)) != 0;) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		if (buf->len <= MIME_BYTES_MAX)
			buf_add(buf, block, (size_t)n);
	}
	return true;
}

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
	bool ok = fd >= 0 && read_all(fd, buf);
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

static int run(const struct options *options)
{
	struct buf bytes = {0};
	int code = EX_NOINPUT;
	mime_start();
	if (read_file(options->dump ? options->dump : "-", &bytes))
		code = show(&bytes, options->dump != NULL);
	buf_free(&bytes);
	return code;
}

int main(int argc, char **argv)
{
	struct options options = {0};
	no_core();
	if (!read_options(argc, argv, &options)) {
		(void)fputs(usage, stderr);
		return EX_USAGE;
	}
	if (options.version) {
		printf("dispatch-bounce %s\n", DISPATCHD_VERSION);
		return EX_OK;
	}
	if (options.help) {
		(void)fputs(usage, stdout);
		return EX_OK;
	}
	return run(&options);
}
