/* SPDX-License-Identifier: MIT */
/*
 * Compares a customers.db with the one that the spool knows by its identity, for the engine and for
 * dispatchctl. The office may put another file in its place at any time.
 */
#include "engine/known.h"

#include "spool/spool.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

bool known_is_there(const char *path, struct error *err)
{
	struct stat st;
	bool there = lstat(path, &st) == 0;
	/* What is not a file, or can't be reached, is reported when it is opened. */
	if (there ? !S_ISREG(st.st_mode) || st.st_size > 0 : errno != ENOENT)
		return true;
	return error_set(err, EX_NOINPUT,
	                 "%s is %s: events wait until the one that the spool knows, or a copy of "
	                 "it, is back; see RECOVERY in dispatchd(8)",
	                 path, there ? "empty" : "missing");
}

bool known_is_this(const char *path, const char *known, const char *identity, struct error *err)
{
	if (*known == '\0' || strcmp(known, identity) == 0)
		return true;
	return error_set(err, EX_DATAERR,
	                 "%s is not the database that the spool knows: it is not used, and events "
	                 "wait, until that one or a copy of it is back, or until "
	                 "\"dispatchctl customer adopt\" accepts this one; "
	                 "see RECOVERY in dispatchd(8)",
	                 path);
}

bool known_wal_fault(const char *path, struct error *err)
{
	return error_set(
	        err, EX_DATAERR,
	        "%s was replaced, but its -wal is still the old one's, so it is not used and "
	        "events wait: stop dispatchd, move %s-wal and %s-shm aside, start it again",
	        path, path, path);
}

bool known_has_own_wal(const char *path, const char *stamp, struct error *err)
{
	return !db_wal_strays(path, stamp) || known_wal_fault(path, err);
}

/* "" where there is no spool. */
static bool ask_spool(const char *path, struct spool_known *ret, struct error *err)
{
	struct stat st;
	*ret = (struct spool_known){0};
	if (stat(path, &st) != 0)
		return true;
	struct spool *spool = spool_open(path, DB_READ, err);
	if (spool == NULL)
		return false;
	spool_known(spool, ret);
	spool_close(spool);
	return true;
}

/* Whether one may be made here. */
static bool none_is_known(const char *path, const char *spool_path, struct error *err)
{
	struct spool_known known;
	struct error none;
	if (known_is_there(path, &none))
		return true;
	if (!ask_spool(spool_path, &known, err))
		return false;
	if (known.identity[0] != '\0' && err != NULL)
		*err = none;
	return known.identity[0] == '\0';
}

bool known_may_open(const char *path, const char *spool_path, struct error *err)
{
	struct spool_known known;
	return !db_wal_may_stray(path) || !ask_spool(spool_path, &known, NULL) ||
	       known_has_own_wal(path, known.stamp, err);
}

bool known_compare(struct customers *customers, const char *spool_path, struct error *err)
{
	const char *path = db_path(customers_db(customers));
	char identity[IDENTITY_SIZE];
	struct spool_known known;
	if (!ask_spool(spool_path, &known, NULL))
		return true;
	return customers_identity(customers, identity, err) &&
	       known_is_this(path, known.identity, identity, err);
}

struct customers *known_open(const char *path, const char *spool_path, enum db_mode mode,
                             struct error *err)
{
	if (!none_is_known(path, spool_path, err) || !known_may_open(path, spool_path, err))
		return NULL;
	struct customers *customers = customers_open(path, mode, err);
	if (customers != NULL && mode == DB_WRITE && !known_compare(customers, spool_path, err))
		return customers_close(customers);
	return customers;
}
