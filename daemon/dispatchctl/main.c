/* SPDX-License-Identifier: MIT */
/*
 * dispatchctl: reads the command line and the settings that the command uses, runs it and prints
 * its answer. Commands report what went wrong through `struct error`; only this file turns that
 * into a line on standard error and an exit status.
 */
#include "dispatchctl/base/ctl.h"

#include "common/no_core.h"
#include "dispatchctl/base/office.h"
#include "dispatchctl/complete.h"
#include "dispatchctl/help.h"
#include "dispatchctl/options.h"
#include "model/settings.h"
#include "records/customers.h"
#include "version.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

static struct instant now(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (struct instant){(int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000};
}

static void print_fault(void *arg, const char *text)
{
	(void)arg;
	output_fault("%s", text);
}

static bool load_settings(struct ctl *ctl, int *ret_status)
{
	if (ctl->command->uses == NULL)
		return true;
	const char *const *sections = ctl_words(ctl->arena, ctl->command->uses);
	ctl->settings =
	        settings_load(settings_path(ctl->config), sections, print_fault, NULL, ret_status);
	if (ctl->settings == NULL && *ret_status == EX_NOINPUT && ctl->config == NULL)
		output_fault("name the configuration with -c FILE or in DISPATCHD_CONF");
	return ctl->settings != NULL;
}

static int fail(const struct error *err)
{
	(void)fflush(stdout);
	print_fault(NULL, err->text);
	return err->code;
}

static int main_run(struct ctl *ctl)
{
	struct error err = {0};
	int status = EX_SOFTWARE;
	if (!load_settings(ctl, &status))
		return status;
	if (ctl->settings && !office_become(ctl->settings, ctl->command->uses, &err))
		return fail(&err);
	if (!ctl->command->run(ctl, &err) || !output_end(ctl->out, &err))
		return fail(&err);
	return ctl->status;
}

/* --help and --version. */
static int answer_about(struct ctl *ctl)
{
	struct error err = {0};
	if (ctl->version)
		output_print(ctl->out, "dispatchctl %s", DISPATCHD_VERSION);
	else
		help_print(ctl);
	return output_end(ctl->out, &err) ? EX_OK : fail(&err);
}

/* `--list-commands`, `--manual` and `--complete` are for the build, the checks and the shell, not
 * for people. */
static bool answer_hidden(struct ctl *ctl, int argc, char **argv, int *ret_status)
{
	struct error err = {0};
	if (argc < 2 || strncmp(argv[1], "--", 2) != 0)
		return false;
	ctl->out = output_new(false, zone_host(ctl->zones));
	if (strcmp(argv[1], "--list-commands") == 0)
		help_list_commands(ctl);
	else if (strcmp(argv[1], "--manual") == 0)
		help_print_manual(ctl);
	else if (strcmp(argv[1], "--complete") == 0)
		complete(ctl, argc - 2, argv + 2);
	else {
		ctl->out = output_free(ctl->out);
		return false;
	}
	*ret_status = output_end(ctl->out, &err) ? EX_OK : fail(&err);
	return true;
}

static int main_answer(struct ctl *ctl, int argc, char **argv)
{
	struct error err = {0};
	bool read = options_read(ctl, argc, argv, &err);
	bool about = ctl->help || ctl->version;
	ctl->out = output_new(ctl->json && !about, zone_host(ctl->zones));
	if (about)
		return answer_about(ctl);
	return read ? main_run(ctl) : fail(&err);
}

int main(int argc, char **argv)
{
	struct ctl ctl = {.arena = arena_new(), .now = now(), .zones = zones_new()};
	int status = EX_OK;
	no_core();
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ,
	             SIG_IGN); /* a file size limit is an error of write(), like a full disk */
	if (!answer_hidden(&ctl, argc, argv, &status))
		status = main_answer(&ctl, argc, argv);
	ctl.out = output_free(ctl.out);
	ctl.store = customers_close(ctl.store);
	ctl.settings = settings_free(ctl.settings);
	ctl.zones = zones_free(ctl.zones);
	ctl.arena = arena_free(ctl.arena);
	return status;
}
