/* SPDX-License-Identifier: MIT */
/* Accounts by hand: add, list, role, password, token, remove. */
#include "center/user_command.h"

#include "base/identity.h"
#include "center/owner.h"
#include "center/trust/accounts.h"
#include "common/clock.h"
#include "common/fault.h"

#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { PASSWORD_LINE_MAX = 4096 };

struct user_run {
	const struct settings *settings;
	struct accounts *accounts;
	const char *name, *word; /* the arguments: NAME and what may follow it */
	const char *role, *password_file;
	bool revoke;
};

static int fail(const struct error *err)
{
	fault_print("dispatch-center", err->text);
	return err->code;
}

static bool open_accounts(struct user_run *run, struct error *err)
{
	if (!owner_become(run->settings, err))
		return false;
	run->accounts =
	        accounts_open(run->settings->center.path, run->settings->customers.path, err);
	return run->accounts != NULL;
}

/* -- passwords --------------------------------------------------------------------------------- */

/* The first line of a file, opened as the person; `-` is standard input. */
static bool read_password(const char *path, char ret[PASSWORD_LINE_MAX], struct error *err)
{
	FILE *in = stdin;
	if (strcmp(path, "-") != 0) {
		identity_person();
		in = fopen(path, "re");
		identity_back();
	}
	if (in == NULL)
		return error_set(err, EX_NOINPUT, "%s: can't be read", path);
	bool read = fgets(ret, PASSWORD_LINE_MAX, in) != NULL;
	if (in != stdin)
		(void)fclose(in);
	if (!read)
		return error_set(err, EX_DATAERR, "%s: there is no password in it", path);
	ret[strcspn(ret, "\r\n")] = '\0';
	return true;
}

/* A link to set one: where the pages are reached, as far as the configuration knows. */
static bool print_link(struct user_run *run, struct error *err)
{
	char secret[SECRET_SIZE];
	const char *url = run->settings->center.url, *listen = run->settings->center.listen;
	if (!accounts_link(run->accounts, run->name, clock_now(), secret, err))
		return false;
	bool known = *url != '\0', local = strncmp(listen, "unix:", 5) == 0;
	size_t len = known ? strlen(url) : 0;
	while (len > 0 && url[len - 1] == '/')
		len--;
	printf("%.*s%s%s/password/%s\n", (int)len, url, known || local ? "" : "http://",
	       known || local ? "" : listen, secret);
	return true;
}

/* Sets the password of the option; without one prints a link. */
static bool set_password(struct user_run *run, struct error *err)
{
	char password[PASSWORD_LINE_MAX];
	if (run->password_file == NULL)
		return print_link(run, err);
	bool good = read_password(run->password_file, password, err) &&
	            accounts_set_password(run->accounts, run->name, password, err);
	sodium_memzero(password, sizeof password);
	return good;
}

/* -- the verbs --------------------------------------------------------------------------------- */

static bool add(struct user_run *run, struct error *err)
{
	char password[PASSWORD_LINE_MAX];
	enum role role;
	if (run->role == NULL)
		return error_set(err, EX_USAGE,
		                 "--role is missing: reader, clerk, manager or admin");
	bool file = run->password_file != NULL;
	bool good = role_find(run->role, &role, err) &&
	            (!file || read_password(run->password_file, password, err)) &&
	            accounts_add(run->accounts, run->name, role, file ? password : NULL,
	                         clock_now(), err) &&
	            (file || print_link(run, err));
	sodium_memzero(password, sizeof password);
	return good;
}

static bool list(struct user_run *run, struct error *err)
{
	json_t *rows, *row;
	size_t i;
	if (!accounts_list(run->accounts, &rows, err))
		return false;
	json_array_foreach(rows, i, row)
	{
		const char *used = json_string_value(json_object_get(row, "used"));
		printf("%-24s %-8s %s%s%s\n", json_string_value(json_object_get(row, "name")),
		       json_string_value(json_object_get(row, "role")),
		       json_is_true(json_object_get(row, "password")) ? "" : "no password yet  ",
		       json_is_true(json_object_get(row, "token")) ? "token  " : "",
		       used ? used : "");
	}
	json_decref(rows);
	return true;
}

static bool role(struct user_run *run, struct error *err)
{
	enum role role;
	return role_find(run->word, &role, err) &&
	       accounts_set_role(run->accounts, run->name, role, err);
}

static bool token(struct user_run *run, struct error *err)
{
	char secret[SECRET_SIZE] = "";
	if (!accounts_set_token(run->accounts, run->name, run->revoke ? NULL : secret, err))
		return false;
	if (!run->revoke)
		printf("%s\n", secret);
	return true;
}

static bool remove_account(struct user_run *run, struct error *err)
{
	return accounts_remove(run->accounts, run->name, err);
}

static const struct {
	const char *verb;
	int args; /* NAME and what follows */
	const char *options;
	bool (*run)(struct user_run *run, struct error *err);
	const char *usage;
} verbs[] = {
        {"add", 1, "rp", add,
         "add NAME --role reader|clerk|manager|admin [--password-file FILE|-]"},
        {"list", 0, "", list, "list"},
        {"role", 2, "", role, "role NAME reader|clerk|manager|admin"},
        {"password", 1, "p", set_password, "password NAME [--password-file FILE|-]"},
        {"token", 1, "k", token, "token NAME [--revoke]"},
        {"remove", 1, "", remove_account, "remove NAME"},
};
enum { N_VERBS = sizeof verbs / sizeof *verbs };

static int usage(void)
{
	for (size_t i = 0; i < N_VERBS; i++)
		fprintf(stderr, "%s dispatch-center user %s\n",
		        i ? "      " : "usage:", verbs[i].usage);
	return EX_USAGE;
}

/* False on a usage fault. */
static bool read_options(struct user_run *run, const char *allowed, int argc, char **argv)
{
	static const struct option longs[] = {{"role", required_argument, NULL, 'r'},
	                                      {"password-file", required_argument, NULL, 'p'},
	                                      {"revoke", no_argument, NULL, 'k'},
	                                      {NULL, 0, NULL, 0}};
	int option;
	optind = 0;
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":", longs, NULL)) != -1) {
		if (option == '?' || option == ':')
			fault_refused("dispatch-center", argv, option);
		if (strchr(allowed, option) == NULL)
			return false;
		if (option == 'r')
			run->role = optarg;
		else if (option == 'p')
			run->password_file = optarg;
		else
			run->revoke = true;
	}
	return true;
}

int user_command(const struct settings *settings, int argc, char **argv)
{
	struct user_run run = {.settings = settings};
	struct error err = {0};
	size_t i = 0;
	while (i < N_VERBS && (argc < 1 || strcmp(verbs[i].verb, argv[0]) != 0))
		i++;
	if (i == N_VERBS || !read_options(&run, verbs[i].options, argc, argv) ||
	    argc - optind != verbs[i].args)
		return usage();
	run.name = verbs[i].args > 0 ? argv[optind] : NULL;
	run.word = verbs[i].args > 1 ? argv[optind + 1] : NULL;
	bool good = open_accounts(&run, &err) && verbs[i].run(&run, &err);
	run.accounts = accounts_close(run.accounts);
	if (good && fflush(stdout) != 0)
		good = error_set(&err, EX_IOERR, "the answer can't be written");
	return good ? EX_OK : fail(&err);
}
