/* SPDX-License-Identifier: MIT */
/* dispatch-bounce: options, where the daemon is, and exit status (sysexits.h). */
#include "base/error.h"
#include "base/mem.h"
#include "bounce/lmtp.h"
#include "bounce/maildir.h"
#include "bounce/read/mime.h"
#include "bounce/read_all.h"
#include "bounce/show.h"
#include "bounce/take.h"
#include "common/fault.h"
#include "common/no_core.h"
#include "common/socket_path.h"
#include "model/settings.h"
#include "version.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define DEFAULT_SOCKET "/var/lib/dispatchd/" REPORT_SOCKET

static const char usage[] =
        "usage: dispatch-bounce [-f SENDER] RECIPIENT <MAIL\n"
        "       dispatch-bounce --lmtp\n"
        "       dispatch-bounce --maildir DIR\n"
        "       dispatch-bounce --parse <MAIL\n"
        "       dispatch-bounce --dump FILE|-\n"
        "\n"
        "Hands mails that came back to dispatchd, or prints what one says, as JSON.\n"
        "\n"
        "  -f SENDER      the envelope sender; \"\" for the null sender\n"
        "  --lmtp         speak LMTP on standard input and output\n"
        "  --maildir DIR  take what is in DIR/new, move it to DIR/.done or DIR/.unknown\n"
        "  --socket PATH  the daemon's socket (else report.sock beside [spool] path)\n"
        "  -c FILE        the configuration (else $DISPATCHD_CONF, else\n"
        "                 /etc/dispatchd/dispatchd.conf, which need not be readable)\n"
        "  --parse        read standard input; print kind, recipients and verdicts\n"
        "  --dump FILE    read FILE (- is standard input); print also what led to them\n"
        "  -V             print the version and exit\n"
        "  -h, --help     print this and exit\n";

struct options {
	const char *dump, *maildir, *socket, *config, *sender, *recipient;
	bool parse, lmtp, help, version;
};

enum { PARSE = 1000, DUMP, LMTP, MAILDIR, SOCKET };

static void set_option(struct options *options, int option)
{
	switch (option) {
	case PARSE:
		options->parse = true;
		break;
	case DUMP:
		options->dump = optarg;
		break;
	case LMTP:
		options->lmtp = true;
		break;
	case MAILDIR:
		options->maildir = optarg;
		break;
	case SOCKET:
		options->socket = optarg;
		break;
	case 'c':
		options->config = optarg;
		break;
	case 'f':
		options->sender = optarg;
		break;
	case 'V':
		options->version = true;
		break;
	default:
		options->help = true;
	}
}

/* One thing to do, and nothing that another one would need. */
static bool check_options(const struct options *options)
{
	const char *recipient = options->recipient;
	int modes = options->parse + (options->dump != NULL) + options->lmtp +
	            (options->maildir != NULL) + (recipient != NULL);
	if (options->help || options->version)
		return true;
	if (recipient && strchr(recipient, '@') == NULL) {
		fault_usage("dispatch-bounce", "expected an address, not", recipient);
		return false;
	}
	return modes == 1 && (recipient || !options->sender);
}

static bool read_options(int argc, char **argv, struct options *ret)
{
	static const struct option longs[] = {{"parse", no_argument, NULL, PARSE},
	                                      {"dump", required_argument, NULL, DUMP},
	                                      {"lmtp", no_argument, NULL, LMTP},
	                                      {"maildir", required_argument, NULL, MAILDIR},
	                                      {"socket", required_argument, NULL, SOCKET},
	                                      {"help", no_argument, NULL, 'h'},
	                                      {"version", no_argument, NULL, 'V'},
	                                      {NULL, 0, NULL, 0}};
	int option;
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":c:f:Vh", longs, NULL)) != -1) {
		if (option == '?' || option == ':') {
			fault_refused("dispatch-bounce", argv, option);
			return false;
		}
		set_option(ret, option);
	}
	if (optind < argc)
		ret->recipient = argv[optind++];
	const char *left = optind < argc               ? argv[optind]
	                   : ret->version || ret->help ? ret->recipient
	                                               : NULL;
	if (left != NULL)
		fault_usage("dispatch-bounce", "unexpected argument", left);
	return left == NULL && check_options(ret);
}

/* ---- where the daemon is ---- */

static void no_fault(void *arg, const char *text)
{
	(void)arg;
	(void)text;
}

static char *beside(const char *spool_path)
{
	struct socket_path place;
	struct error err;
	if (!socket_path_set(&place, spool_path, REPORT_SOCKET, &err))
		return mem_strdup(DEFAULT_SOCKET);
	char *path = mem_strdup(place.path);
	socket_path_clear(&place);
	return path;
}

/*
 * The configuration may hold passwords, and this program's user need not be allowed to read it:
 * only where somebody has named one is it a fault that it can't be used. The caller's; NULL on a
 * fault.
 */
static char *find_socket(const struct options *options)
{
	static const char *const wanted[] = {"spool.path", NULL};
	bool named = options->config || getenv("DISPATCHD_CONF");
	int code;
	if (options->socket)
		return mem_strdup(options->socket);
	struct settings *settings = settings_load(settings_path(options->config), wanted,
	                                          named ? fault_line : no_fault, NULL, &code);
	if (settings == NULL)
		return named ? NULL : mem_strdup(DEFAULT_SOCKET);
	char *path = beside(settings->spool.path);
	settings_free(settings);
	return path;
}

/* ---- what there is to do ---- */

/* Standard input, for one recipient. */
static int take_input(const struct options *options, const char *socket)
{
	struct buf bytes = {0};
	struct error err;
	char did[SEND_ANSWER_MAX];
	bool ok = read_all(STDIN_FILENO, MIME_BYTES_MAX, &bytes) ||
	          error_set(&err, EX_TEMPFAIL, "standard input: %s", strerror(errno));
	struct taking *taking = ok ? taking_new(&bytes) : NULL;
	ok = ok && taking_send(taking, socket, options->recipient, options->sender, did, &err);
	(void)taking_free(taking);
	buf_free(&bytes);
	if (ok)
		return EX_OK;
	fault_print("dispatch-bounce", err.text);
	return err.code == EX_NOUSER ? EX_NOUSER : EX_TEMPFAIL;
}

/* A mail server keeps the mail only at 75. After any other fault it would drop the report, and
 * there is no sender whom it could tell. */
static int take(const struct options *options)
{
	char *socket = find_socket(options);
	if (socket == NULL)
		return EX_TEMPFAIL;
	int code = options->lmtp      ? lmtp_serve(socket)
	           : options->maildir ? maildir_take(options->maildir, socket)
	                              : take_input(options, socket);
	free(socket);
	return code;
}

static int run(const struct options *options)
{
	bool prints = options->parse || options->dump;
	if (sodium_init() < 0) {
		fault_print("dispatch-bounce", "libsodium can't be started");
		return prints ? EX_SOFTWARE : EX_TEMPFAIL;
	}
	mime_start();
	if (prints)
		return show_file(options->dump ? options->dump : "-", options->dump != NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	return take(options);
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
