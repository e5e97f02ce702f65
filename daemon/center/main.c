/* SPDX-License-Identifier: MIT */
/* dispatch-center: options and exit status (sysexits.h). */
#include "center/owner.h"
#include "center/serve.h"
#include "center/user_command.h"
#include "common/fault.h"
#include "common/no_core.h"
#include "model/settings.h"
#include "version.h"

#include <getopt.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static const char usage[] =
        "usage: dispatch-center [-c FILE] [-t] [-V]\n"
        "       dispatch-center [-c FILE] user add|list|role|password|token|remove ...\n"
        "\n"
        "Serves the customer center: the office's pages in the browser, and their API.\n"
        "\n"
        "  -c FILE      the configuration (else $DISPATCHD_CONF, else "
        "/etc/dispatchd/dispatchd.conf)\n"
        "  -t           check the configuration and the databases, and exit\n"
        "  -V           print the version and exit\n"
        "  -h, --help   print this and exit\n"
        "\n"
        "Accounts are added by `dispatch-center user add NAME --role ROLE`.\n";

struct options {
	const char *file;
	bool check, help, version;
};

/* Options before a command; false on a usage fault. */
static bool read_options(int argc, char **argv, struct options *ret)
{
	static const struct option longs[] = {{"help", no_argument, NULL, 'h'},
	                                      {"version", no_argument, NULL, 'V'},
	                                      {NULL, 0, NULL, 0}};
	int option;
	opterr = 0;
	while ((option = getopt_long(argc, argv, "+:c:tVh", longs, NULL)) != -1) {
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
			fault_refused("dispatch-center", argv, option);
			return false;
		}
	}
	if (optind == argc || strcmp(argv[optind], "user") == 0)
		return true;
	fault_usage("dispatch-center", "unexpected argument", argv[optind]);
	return false;
}

static int check(const struct settings *settings)
{
	struct error err;
	if (owner_become(settings, &err))
		return serve_check(settings);
	fault_line(NULL, err.text);
	return err.code;
}

/* No passwords of relays or Redis: what isn't named isn't read. */
static struct settings *read_settings(const struct options *options, bool user, int *ret_code)
{
	static const char *const serving[] = {
	        "center",       "customers", "spool",  "office",
	        "rules",        "gate",      "notify", "redis.max_event_size",
	        "mail.max_age", NULL};
	static const char *const users[] = {"center", "customers.path", NULL};
	return settings_load(settings_path(options->file), user ? users : serving, fault_line, NULL,
	                     ret_code);
}

static struct settings *reread(void *arg)
{
	int ignored;
	return read_settings(arg, false, &ignored);
}

/* Until it is to end; again with each configuration that a reload brings. */
static int serve_on(struct options *options, struct settings *settings)
{
	int code;
	do {
		struct settings *next;
		code = serve(settings, reread, options, &next);
		(void)settings_free(settings);
		settings = next;
	} while (settings);
	return code;
}

static int center_main(struct options *options, int argc, char **argv)
{
	bool user = optind < argc;
	int code = EX_SOFTWARE;
	struct settings *settings = read_settings(options, user, &code);
	if (settings == NULL)
		return code;
	if (!user && !options->check)
		return serve_on(options, settings);
	code = user ? user_command(settings, argc - optind - 1, argv + optind + 1)
	            : check(settings);
	(void)settings_free(settings);
	return code;
}

int main(int argc, char **argv)
{
	struct options options = {0};
	no_core();
	(void)signal(SIGPIPE, SIG_IGN);
	if (!read_options(argc, argv, &options)) {
		(void)fputs(usage, stderr);
		return EX_USAGE;
	}
	if (options.version) {
		printf("dispatch-center %s\n", DISPATCHD_VERSION);
		return EX_OK;
	}
	if (options.help) {
		(void)fputs(usage, stdout);
		return EX_OK;
	}
	if (sodium_init() < 0) {
		fault_print("dispatch-center", "libsodium can't start");
		return EX_OSERR;
	}
	return center_main(&options, argc, argv);
}
