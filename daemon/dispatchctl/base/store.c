/* SPDX-License-Identifier: MIT */
/*
 * Opens the office's database for a command. This file finds out who is at the keyboard: the login
 * name of the real uid, so that sudo doesn't hide it, and whether that person owns the records.
 * records/actor.h then decides who acts, and whether as a manager; the record functions know what
 * only a manager may do.
 */
#include "dispatchctl/base/store.h"

#include "engine/known.h"
#include "model/settings.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

enum { PATIENCE_MS = 120 * 1000 }; /* a large import holds its lock for about a minute */

static void waiting(void *arg)
{
	(void)arg;
	output_fault("customer data is being changed by somebody else (an import?); waiting");
}

/* A file that doesn't exist yet will belong to the owner of the folder. */
static bool owns_records(const struct ctl *ctl)
{
	const char *path = ctl->settings->customers.path, *slash = strrchr(path, '/');
	const char *folder = slash == NULL ? "."
	                     : slash == path
	                             ? "/"
	                             : arena_strndup(ctl->arena, path, (size_t)(slash - path));
	struct stat st;
	return (lstat(path, &st) == 0 || (errno == ENOENT && stat(folder, &st) == 0)) &&
	       st.st_uid == getuid();
}

bool actor_find(const struct ctl *ctl, struct actor *ret, struct error *err)
{
	const struct passwd *entry = getpwuid(getuid());
	const char *login = entry ? arena_strdup(ctl->arena, entry->pw_name)
	                          : arena_printf(ctl->arena, "uid %ld", (long)getuid());
	const struct identity identity = {.login = login,
	                                  .as = ctl->as,
	                                  .owner = getuid() == 0 || owns_records(ctl),
	                                  .managers = ctl->settings->office.managers};
	return actor_decide(&identity, ret, err);
}

/* From the configuration, else as systemd passes it to a unit that runs dispatchctl. */
static void find_key(const struct ctl *ctl, struct customers *store)
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");
	const char *path = ctl->settings->customers.key_file;
	if (*path != '\0')
		records_set_key_file(store, path, "[customers] key_file");
	else if (directory != NULL)
		records_set_key_file(
		        store, arena_printf(ctl->arena, "%s/customers-key", directory),
		        "[customers] key_file is empty, and the systemd credential customers-key");
}

bool store_open(struct ctl *ctl, enum db_mode mode, struct change_context *ret, struct error *err)
{
	struct change_context context = {.when = ctl->now};
	if (!actor_find(ctl, &context.actor, err))
		return false;
	context.store = ctl->store =
	        known_open(ctl->settings->customers.path, ctl->settings->spool.path, mode, err);
	if (context.store == NULL)
		return false;
	find_key(ctl, context.store);
	db_set_wait(customers_db(context.store), PATIENCE_MS, waiting, NULL);
	*ret = context;
	return true;
}

const char *store_default_zone(const struct ctl *ctl)
{
	const char *zone = ctl->settings->rules.timezone;
	return *zone != '\0' ? zone : NULL;
}

const struct overview *store_overview(struct ctl *ctl)
{
	struct overview *view = arena_alloc(ctl->arena, sizeof *view);
	struct change_context context;
	struct error ignored = {0};
	if (ctl->store == NULL && !store_open(ctl, DB_READ, &context, &ignored))
		ctl->store = NULL;
	*view = (struct overview){.arena = ctl->arena,
	                          .settings = ctl->settings,
	                          .zones = ctl->zones,
	                          .customers = ctl->store,
	                          .now = ctl->now};
	return view;
}
