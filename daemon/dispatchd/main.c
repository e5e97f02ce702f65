/* SPDX-License-Identifier: MIT */
/* dispatchd: options and exit status (sysexits.h). */
#include "base/error.h"
#include "base/identity.h"
#include "common/fault.h"
#include "common/no_core.h"
#include "dispatchd/loop/inspect.h"
#include "dispatchd/loop/start.h"
#include "model/settings.h"
#include "version.h"

#include <fcntl.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

struct options {
	const char *file;
	bool check, help, version;
};

static const char usage[] =
        "usage: dispatchd [-c FILE] [-t] [-V]\n"
        "\n"
        "Reads job events from Redis and emails customers about their jobs.\n"
        "\n"
        "  -c FILE      the configuration (else $DISPATCHD_CONF, else "
        "/etc/dispatchd/dispatchd.conf),\n"
        "               with every *.conf in conf.d/ beside it\n"
        "  -t           check configuration, templates and databases, print every fault, and exit\n"
        "  -V           print the version and exit\n"
        "  -h, --help   print this and exit\n"
        "\n"
        "It stays in the foreground and logs to standard error. $DISPATCHD_LOG is the lowest "
        "level\n"
        "that it logs: debug, info, notice, warning, error.\n"
        "\n"
        "  SIGTERM, SIGINT   no new events, mails in flight finish (20 s at most); again: at once\n"
        "  SIGHUP            rereads configuration and templates, all or nothing\n";

/* These three may be closed when we start: what is opened first must not get the log's lines. */
static void open_standard_files(void)
{
	int fd;
	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		(void)close(fd);
}

/* False on a usage fault, which is printed. */
static bool read_options(int argc, char **argv, struct options *ret)
{
	static const struct option longs[] = {{"help", no_argument, NULL, 'h'},
	                                      {"version", no_argument, NULL, 'V'},
	                                      {NULL, 0, NULL, 0}};
	int option;
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":c:tVh", longs, NULL)) != -1) {
		switch (option) {
		case 'c':
			ret->file = optarg;
			break;
		case 't':
			ret->check = true;
			break;
		case 'V':
			ret->version = true;
			break;
		case 'h':
			ret->help = true;
			break;
		default:
			fault_refused("dispatchd", argv, option);
			return false;
		}
	}
	if (optind < argc)
		fault_usage("dispatchd", "unexpected argument", argv[optind]);
	return optind == argc;
}

/*
 * Large blocks go back to the system as soon as they are free, and so does the heap's end; and
 * threads share a few heaps, for each keeps its own holes. Else a burst of large events is
 * remembered for ever.
 */
static void set_up_memory(void)
{
	(void)mallopt(M_MMAP_THRESHOLD, 128 * 1024);
	(void)mallopt(M_TRIM_THRESHOLD, 256 * 1024);
	(void)mallopt(M_ARENA_MAX, 4);
}

static int check(const char *file)
{
	char user[IDENTITY_NAME_SIZE];
	struct error err;
	bool root = geteuid() == 0;
	if (!inspect_become(file, &err)) {
		fault_line(NULL, err.text);
		return err.code;
	}
	identity_name(geteuid(), user);
	int code = inspect_all(file, fault_line, NULL);
	if (!code)
		printf("%s: no fault found; checked as user %s\n", file, user);
	else if (root && geteuid() != 0)
		fprintf(stderr, "checked as user %s, the owner of the spool's folder\n", user);
	return code;
}

int main(int argc, char **argv)
{
	struct options options = {0};
	no_core();
	set_up_memory();
	open_standard_files();
	(void)signal(SIGPIPE, SIG_IGN);
	/* A limit on files is a full disk: an error of write(), not an end. */
	(void)signal(SIGXFSZ, SIG_IGN);
	if (!read_options(argc, argv, &options)) {
		fputs(usage, stderr);
		return EX_USAGE;
	}
	if (options.help || options.version) {
		fputs(options.help ? usage : "dispatchd " DISPATCHD_VERSION "\n", stdout);
		return EX_OK;
	}
	const char *file = settings_path(options.file);
	return options.check ? check(file) : start_and_run(file);
}
