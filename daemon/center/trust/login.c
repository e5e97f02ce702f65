/* SPDX-License-Identifier: MIT */
/*
 * Logins by password, and the delay after wrong ones. What is counted is kept in center.db, by the
 * name as it was typed (whether or not there is such an account) and the network it came from, so
 * that nobody is locked out by somebody elsewhere.
 */
#include "center/trust/accounts_private.h"
#include "center/trust/network.h"
#include "center/trust/password.h"

#include <string.h>
#include <sysexits.h>

enum { WAIT_MAX_S = 15 * 60, NAME_KEPT = 64 };
#define FORGET_MS (24 * 3600 * INT64_C(1000))

/* The name as it is counted: cut, so that nobody fills the disk by long ones. */
static void bind_who(struct db_query *query, const char *name, const char *network)
{
	db_bind_text_n(query, 1, name, strnlen(name, NAME_KEPT));
	db_bind_text(query, 2, network);
}

/* How long after the last wrong one the next try is taken, in seconds. */
static int64_t wait_after(int64_t failures)
{
	int64_t wait = 1;
	if (failures < LOGIN_FREE)
		return 0;
	for (int64_t i = LOGIN_FREE; i < failures && wait < WAIT_MAX_S; i++)
		wait *= 2;
	return wait < WAIT_MAX_S ? wait : WAIT_MAX_S;
}

static bool waits(struct accounts *accounts, const char *name, const char *network,
                  struct instant now, int64_t *ret_wait_s, struct error *err)
{
	struct db_query *query = db_query(
	        accounts->db, "SELECT n, last FROM failure WHERE name = ?1 AND network = ?2");
	bind_who(query, name, network);
	enum db_step step = db_step(query, err);
	*ret_wait_s = 0;
	if (step == DB_ROW) {
		int64_t until = db_int(query, 1) + wait_after(db_int(query, 0)) * 1000;
		*ret_wait_s = until > now.ms ? (until - now.ms + 999) / 1000 : 0;
		/* A clock that was set back must not lock anybody out for longer. */
		*ret_wait_s = *ret_wait_s < WAIT_MAX_S ? *ret_wait_s : WAIT_MAX_S;
	}
	db_finish(query);
	return step != DB_FAULT;
}

static bool count_failure(struct accounts *accounts, const char *name, const char *network,
                          struct instant now, struct error *err)
{
	struct db_query *query = db_query(
	        accounts->db, "INSERT INTO failure (name, network, n, last) VALUES (?1,"
	                      " ?2, 1, ?3) ON CONFLICT DO UPDATE SET n = n + 1, last = ?3");
	bind_who(query, name, network);
	db_bind_instant(query, 3, now);
	if (!db_run(query, err))
		return false;
	query = db_query(accounts->db, "DELETE FROM failure WHERE last < ?1");
	db_bind_instant(query, 1, instant_add(now, -FORGET_MS));
	return db_run(query, err);
}

static bool forget_failures(struct accounts *accounts, const char *name, const char *network,
                            struct error *err)
{
	struct db_query *query =
	        db_query(accounts->db, "DELETE FROM failure WHERE name = ?1 AND network = ?2");
	bind_who(query, name, network);
	return db_run(query, err);
}

/* The account of that name and its hash, NULL where there is none. */
static bool look_up(struct accounts *accounts, const char *name, struct arena *arena,
                    struct account *ret, const char **ret_hash, struct error *err)
{
	struct db_query *query = db_query(accounts->db, "SELECT " ACCOUNT_COLUMNS
	                                                ", password FROM account WHERE name = ?1");
	db_bind_text(query, 1, name);
	enum db_step step = db_step(query, err);
	*ret_hash = NULL;
	if (step == DB_ROW) {
		account_read(query, arena, ret);
		*ret_hash = db_text_or_null(query, ACCOUNT_N, arena);
	}
	db_finish(query);
	return step != DB_FAULT;
}

enum login accounts_login(struct accounts *accounts, const char *name, const char *password,
                          const struct client *client, struct instant now, struct account *ret,
                          int64_t *ret_wait_s, struct arena *arena, struct error *err)
{
	char text[NETWORK_TEXT_MAX];
	const char *network = network_of(client->address, text), *hash;
	if (!waits(accounts, name, network, now, ret_wait_s, err))
		return LOGIN_FAULT;
	if (*ret_wait_s > 0) {
		(void)error_set(err, EX_TEMPFAIL, "too many wrong passwords; wait %lld s",
		                (long long)*ret_wait_s);
		return LOGIN_WAIT;
	}
	if (!look_up(accounts, name, arena, ret, &hash, err))
		return LOGIN_FAULT;
	if (password_matches(hash, strlen(password) <= PASSWORD_MAX ? password : ""))
		return forget_failures(accounts, name, network, err) ? LOGIN_FINE : LOGIN_FAULT;
	if (!count_failure(accounts, name, network, now, err))
		return LOGIN_FAULT;
	(void)error_set(err, EX_NOPERM, "name or password is wrong");
	return LOGIN_WRONG;
}
