/* SPDX-License-Identifier: MIT */
/* A thread's connections to the three databases. */
#include "center/entry/stores.h"

#include "base/mem.h"
#include "engine/known.h"

#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sysexits.h>

enum { PATIENCE_MS = 2000 }; /* somebody sits before the page, and others wait for the thread */

struct stores {
	const struct settings *settings;
	struct accounts *accounts;
	struct customers *customers;
	struct spool *spool;
	struct zones *zones;
	int shm; /* of customers.db, for stores_writer(); -1 */
};

struct stores *stores_new(const struct settings *settings)
{
	struct stores *stores = mem_alloc(sizeof *stores);
	stores->settings = settings;
	stores->zones = zones_new();
	stores->shm = -1;
	return stores;
}

struct stores *stores_free(struct stores *stores)
{
	if (stores == NULL)
		return NULL;
	(void)accounts_close(stores->accounts);
	(void)customers_close(stores->customers);
	(void)spool_close(stores->spool);
	(void)zones_free(stores->zones);
	free(stores);
	return NULL;
}

const struct settings *stores_settings(const struct stores *stores)
{
	return stores->settings;
}

/* A database that is missing, damaged or not ours to read isn't what the caller asked for amiss:
 * it is 503, and not "no such job". */
static void is_away(struct error *err)
{
	if (err->code != EX_TEMPFAIL)
		err->code = EX_UNAVAILABLE;
}

struct accounts *stores_accounts(struct stores *stores, struct error *err)
{
	if (stores->accounts == NULL)
		stores->accounts = accounts_open(stores->settings->center.path,
		                                 stores->settings->customers.path, err);
	if (stores->accounts == NULL)
		is_away(err);
	return stores->accounts;
}

/* A backup may have been put in the place of the file that is open. */
static void drop_replaced(struct stores *stores)
{
	bool clean;
	if (stores->customers && (db_replaced(customers_db(stores->customers), &clean) ||
	                          db_gone(customers_db(stores->customers))))
		stores->customers = customers_close(stores->customers);
}

struct customers *stores_customers(struct stores *stores, struct error *err)
{
	const struct settings *settings = stores->settings;
	drop_replaced(stores);
	if (stores->customers)
		return stores->customers;
	stores->customers =
	        known_open(settings->customers.path, settings->spool.path, DB_WRITE, err);
	if (stores->customers == NULL) {
		is_away(err);
		return NULL;
	}
	db_set_wait(customers_db(stores->customers), PATIENCE_MS, NULL, NULL);
	if (*settings->customers.key_file != '\0')
		records_set_key_file(stores->customers, settings->customers.key_file,
		                     "[customers] key_file");
	return stores->customers;
}

/* Opened for each request: the engine may replace or migrate it, and it costs little. */
struct spool *stores_spool(struct stores *stores, struct error *err)
{
	stores->spool = spool_close(stores->spool);
	stores->spool = spool_open(stores->settings->spool.path, DB_READ, err);
	if (stores->spool == NULL)
		is_away(err);
	return stores->spool;
}

bool stores_overview(struct stores *stores, struct arena *arena, struct instant now,
                     struct overview *ret, struct error *err)
{
	struct customers *store = stores_customers(stores, err);
	if (store == NULL)
		return false;
	*ret = (struct overview){.arena = arena,
	                         .settings = stores->settings,
	                         .zones = customers_zones(store),
	                         .customers = store,
	                         .now = now};
	return true;
}

const char *stores_default_zone(const struct stores *stores)
{
	const char *zone = stores->settings->rules.timezone;
	return *zone != '\0' ? zone : NULL;
}

struct zones *stores_zones(struct stores *stores)
{
	return stores->zones;
}

/* -- who writes -------------------------------------------------------------------------------- */

enum {
	WAL_WRITE_LOCK = 120
}; /* the byte of the -shm file that a writer locks (SQLite's WAL format) */

/* Never closed, not even at the end: closing any descriptor of the file would drop the locks that
 * SQLite holds in this process (POSIX). */
static int open_shm(struct stores *stores, struct arena *arena)
{
	if (stores->shm < 0)
		stores->shm = open(arena_printf(arena, "%s-shm", stores->settings->customers.path),
		                   O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return stores->shm;
}

static const char *program_of(pid_t pid, struct arena *arena)
{
	char name[64] = "";
	FILE *in = fopen(arena_printf(arena, "/proc/%d/comm", (int)pid), "re");
	if (in == NULL)
		return NULL;
	if (fgets(name, sizeof name, in))
		name[strcspn(name, "\n")] = '\0';
	(void)fclose(in);
	return *name != '\0' ? arena_strdup(arena, name) : NULL;
}

static const char *user_of(pid_t pid, struct arena *arena)
{
	struct stat st;
	struct passwd entry, *found = NULL;
	char room[4096];
	if (stat(arena_printf(arena, "/proc/%d", (int)pid), &st) != 0 ||
	    getpwuid_r(st.st_uid, &entry, room, sizeof room, &found) != 0 || found == NULL)
		return NULL;
	return arena_strdup(arena, found->pw_name);
}

const char *stores_writer(struct stores *stores, struct arena *arena)
{
	struct flock lock = {.l_type = F_WRLCK, .l_start = WAL_WRITE_LOCK, .l_len = 1};
	int fd = open_shm(stores, arena);
	if (fd < 0 || fcntl(fd, F_GETLK, &lock) != 0 || lock.l_type == F_UNLCK || lock.l_pid <= 0)
		return NULL;
	const char *program = program_of(lock.l_pid, arena), *user = user_of(lock.l_pid, arena);
	if (program == NULL || user == NULL)
		return "another program";
	return arena_printf(arena, "%s (user %s)", program, user);
}
