/* SPDX-License-Identifier: MIT */
/* Accounts, their roles, passwords, tokens and links. Sessions and logins are in sessions.c and
 * login.c. */
#include "center/trust/accounts.h"

#include "center/trust/accounts_private.h"
#include "center/trust/password.h"
#include "db/db_private.h"
#include "records/customers_changes.h"

#include <sodium.h>
#include <string.h>
#include <sysexits.h>

enum { NAME_MAX_CHARS = 64 };
#define LINK_MS (24 * 3600 * INT64_C(1000))

static const char center_1[] =
#include "center_1.sql.h"
        ;
static const char center_2[] =
#include "center_2.sql.h"
        ;
static const char center_3[] =
#include "center_3.sql.h"
        ;
static const char center_4[] =
#include "center_4.sql.h"
        ;
static const char *const migrations[] = {center_1, center_2, center_3, center_4};

static const struct db_schema schema = {
        .name = "center.db",
        .application_id = DB_ID_CENTER,
        .digest = "139351ab91cd734a6304e8cdadb75a9aa50774fc4be6e66ee22bdb3402b073c0",
        .private = true,
        .remedy = "stop dispatch-center, move the file with its -wal and -shm aside, and put a "
                  "backup in its place, or add the accounts again; see dispatch-center(8)",
        .migrations = migrations,
        .n_migrations = sizeof migrations / sizeof migrations[0],
};

bool accounts_inspect(const char *path, struct error *err)
{
	return db_inspect(path, &schema, err);
}

struct accounts *accounts_open(const char *path, const char *customers, struct error *err)
{
	struct db *db = db_open(path, &schema, DB_WRITE, err);
	if (db == NULL)
		return NULL;
	struct accounts *accounts = mem_alloc(sizeof *accounts);
	accounts->db = db;
	accounts->customers = mem_strdup(customers);
	return accounts;
}

/* A customers.db that can't be read says nothing of a cluster. */
bool accounts_may_change(const struct accounts *accounts, struct error *err)
{
	struct error unheard;
	struct customers *customers = customers_open(accounts->customers, DB_READ, &unheard);
	bool good = customers == NULL || customers_may_change(customers, err);
	customers_close(customers);
	return good;
}

struct accounts *accounts_close(struct accounts *accounts)
{
	if (accounts == NULL)
		return NULL;
	(void)db_close(accounts->db);
	free(accounts->customers);
	free(accounts);
	return NULL;
}

/* -- words ------------------------------------------------------------------------------------- */

static const char *const roles[ROLE_COUNT] = {"reader", "clerk", "manager", "admin"};

const char *role_name(enum role role)
{
	return roles[role];
}

bool role_find(const char *name, enum role *ret, struct error *err)
{
	for (int i = 0; i < ROLE_COUNT; i++) {
		if (strcmp(roles[i], name) == 0) {
			*ret = (enum role)i;
			return true;
		}
	}
	return error_set(err, EX_DATAERR,
	                 "role: expected reader, clerk, manager or admin (got %.40s)", name);
}

bool account_name_valid(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-");
	return len > 0 && len <= NAME_MAX_CHARS && name[len] == '\0';
}

static bool name_check(const char *name, struct error *err)
{
	if (!account_name_valid(name))
		return error_set(
		        err, EX_DATAERR,
		        "name: expected 1 to %d characters of a-z 0-9 . _ - (got \"%.80s\")",
		        NAME_MAX_CHARS, name);
	return true;
}

/* -- secrets ----------------------------------------------------------------------------------- */

void secret_new(char ret[SECRET_SIZE])
{
	unsigned char bytes[32];
	randombytes_buf(bytes, sizeof bytes);
	(void)sodium_bin2base64(ret, SECRET_SIZE, bytes, sizeof bytes,
	                        sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	sodium_memzero(bytes, sizeof bytes);
}

void secret_bind(struct db_query *query, int i, const char *secret)
{
	unsigned char key[KEY_SIZE];
	(void)crypto_generichash(key, sizeof key, (const unsigned char *)secret, strlen(secret),
	                         NULL, 0);
	db_bind_blob(query, i, key, sizeof key);
}

/* -- accounts ---------------------------------------------------------------------------------- */

void account_read(struct db_query *query, struct arena *arena, struct account *ret)
{
	enum role role = ROLE_READER;
	struct error ignored;
	if (!role_find(db_text(query, 2, arena), &role, &ignored))
		role = ROLE_READER; /* the least */
	*ret = (struct account){.id = db_int(query, 0),
	                        .name = db_text(query, 1, arena),
	                        .role = role,
	                        .has_password = db_int(query, 3) != 0,
	                        .has_token = db_int(query, 4) != 0,
	                        .language = db_text(query, 5, arena)};
}

bool accounts_find(struct accounts *accounts, const char *name, struct arena *arena,
                   struct account *ret, struct error *err)
{
	struct db_query *query =
	        db_query(accounts->db, "SELECT " ACCOUNT_COLUMNS " FROM account WHERE name = ?1");
	db_bind_text(query, 1, name);
	enum db_step step = db_step(query, err);
	if (step == DB_ROW)
		account_read(query, arena, ret);
	db_finish(query);
	if (step == DB_DONE)
		return error_set(err, EX_NOINPUT, "there is no account \"%.80s\"", name);
	return step == DB_ROW;
}

/* Ends a statement on the account of that name. */
static bool run_on(struct accounts *accounts, struct db_query *query, const char *name,
                   struct error *err)
{
	if (!db_run(query, err))
		return false;
	return db_changes(accounts->db) > 0 ||
	       error_set(err, EX_NOINPUT, "there is no account \"%.80s\"", name);
}

bool accounts_add(struct accounts *accounts, const char *name, enum role role, const char *password,
                  struct instant now, struct error *err)
{
	char hash[PASSWORD_HASH_SIZE];
	if (!accounts_may_change(accounts, err) || !name_check(name, err) ||
	    (password && (!password_check(password, err) || !password_hash(password, hash, err))))
		return false;
	struct db_query *query =
	        db_query(accounts->db, "INSERT INTO account (name, role, password, created)"
	                               " VALUES (?1, ?2, ?3, ?4) ON CONFLICT (name) DO NOTHING");
	db_bind_text(query, 1, name);
	db_bind_text(query, 2, role_name(role));
	db_bind_text(query, 3, password ? hash : NULL);
	db_bind_instant(query, 4, now);
	if (!db_run(query, err))
		return false;
	return db_changes(accounts->db) > 0 ||
	       error_set(err, EX_DATAERR, "there is an account \"%s\" already", name);
}

static json_t *account_row(struct db_query *query, struct arena *arena)
{
	struct account account;
	char text[INSTANT_TEXT_MAX];
	account_read(query, arena, &account);
	const char *used = instant_format(db_instant(query, ACCOUNT_N + 1), 0, text);
	return json_pack("{s:s, s:s, s:b, s:b, s:I, s:s?}", "name", account.name, "role",
	                 role_name(account.role), "password", account.has_password, "token",
	                 account.has_token, "sessions", (json_int_t)db_int(query, ACCOUNT_N),
	                 "used", *used ? used : NULL);
}

bool accounts_list(struct accounts *accounts, json_t **ret, struct error *err)
{
	struct arena *arena = arena_new();
	json_t *rows = json_array();
	struct db_query *query = db_query(
	        accounts->db,
	        "SELECT " ACCOUNT_COLUMNS ", count(session.id), max(session.used) FROM account"
	        " LEFT JOIN session ON session.account = account.id GROUP BY account.id"
	        " ORDER BY account.name");
	enum db_step step;
	while ((step = db_step(query, err)) == DB_ROW)
		json_array_append_new(rows, account_row(query, arena));
	(void)arena_free(arena);
	if (step == DB_DONE)
		*ret = rows;
	else
		json_decref(rows);
	return step == DB_DONE;
}

/* -- changes ----------------------------------------------------------------------------------- */

/* False (65) where nobody but `name` is an admin. */
static bool other_admin(struct accounts *accounts, const char *name, struct error *err)
{
	int64_t n;
	struct db_query *query =
	        db_query(accounts->db, "SELECT count(*) FROM account WHERE role = 'admin' AND name"
	                               " != ?1 AND EXISTS (SELECT 1 FROM account WHERE name = ?1"
	                               " AND role = 'admin')"
	                               " OR NOT EXISTS (SELECT 1 FROM account WHERE name = ?1 AND"
	                               " role = 'admin')");
	db_bind_text(query, 1, name);
	if (!db_run_int(query, 0, &n, err))
		return false;
	return n > 0 || error_set(err, EX_DATAERR, "\"%.80s\" is the last admin", name);
}

static bool end_sessions(struct accounts *accounts, const char *name, struct error *err)
{
	struct db_query *query = db_query(
	        accounts->db,
	        "DELETE FROM session WHERE account = (SELECT id FROM account WHERE name = ?1)");
	db_bind_text(query, 1, name);
	return db_run(query, err);
}

static bool commit(struct accounts *accounts, bool good, struct error *err)
{
	if (good)
		return db_commit(accounts->db, err);
	db_rollback(accounts->db);
	return false;
}

bool accounts_set_role(struct accounts *accounts, const char *name, enum role role,
                       struct error *err)
{
	if (!accounts_may_change(accounts, err) || !db_begin(accounts->db, err))
		return false;
	struct db_query *query =
	        db_query(accounts->db, "UPDATE account SET role = ?2 WHERE name = ?1");
	db_bind_text(query, 1, name);
	db_bind_text(query, 2, role_name(role));
	bool good = (role == ROLE_ADMIN || other_admin(accounts, name, err)) &&
	            run_on(accounts, query, name, err) && end_sessions(accounts, name, err);
	return commit(accounts, good, err);
}

bool accounts_set_password(struct accounts *accounts, const char *name, const char *password,
                           struct error *err)
{
	char hash[PASSWORD_HASH_SIZE];
	if (!accounts_may_change(accounts, err) || !password_check(password, err) ||
	    !password_hash(password, hash, err) || !db_begin(accounts->db, err))
		return false;
	struct db_query *query =
	        db_query(accounts->db, "UPDATE account SET password = ?2 WHERE name = ?1");
	db_bind_text(query, 1, name);
	db_bind_text(query, 2, hash);
	bool good = run_on(accounts, query, name, err) && end_sessions(accounts, name, err);
	query = db_query(accounts->db, "DELETE FROM link WHERE account = (SELECT id FROM account"
	                               " WHERE name = ?1)");
	db_bind_text(query, 1, name);
	return commit(accounts, good && db_run(query, err), err);
}

bool accounts_set_token(struct accounts *accounts, const char *name, char ret[SECRET_SIZE],
                        struct error *err)
{
	if (!accounts_may_change(accounts, err))
		return false;
	struct db_query *query =
	        db_query(accounts->db, "UPDATE account SET token = ?2 WHERE name = ?1");
	db_bind_text(query, 1, name);
	if (ret) {
		secret_new(ret);
		secret_bind(query, 2, ret);
	}
	return run_on(accounts, query, name, err);
}

bool accounts_set_language(struct accounts *accounts, const char *name, const char *language,
                           struct error *err)
{
	if (!accounts_may_change(accounts, err))
		return false;
	struct db_query *query =
	        db_query(accounts->db, "UPDATE account SET language = ?2 WHERE name = ?1");
	db_bind_text(query, 1, name);
	db_bind_text(query, 2, language);
	return run_on(accounts, query, name, err);
}

bool accounts_remove(struct accounts *accounts, const char *name, struct error *err)
{
	if (!accounts_may_change(accounts, err) || !db_begin(accounts->db, err))
		return false;
	struct db_query *query = db_query(accounts->db, "DELETE FROM account WHERE name = ?1");
	db_bind_text(query, 1, name);
	return commit(accounts,
	              other_admin(accounts, name, err) && run_on(accounts, query, name, err), err);
}

bool accounts_by_token(struct accounts *accounts, const char *token, struct arena *arena,
                       struct account *ret, bool *ret_found, struct error *err)
{
	struct db_query *query =
	        db_query(accounts->db, "SELECT " ACCOUNT_COLUMNS " FROM account WHERE token = ?1");
	secret_bind(query, 1, token);
	enum db_step step = db_step(query, err);
	*ret_found = step == DB_ROW;
	if (*ret_found)
		account_read(query, arena, ret);
	db_finish(query);
	return step != DB_FAULT;
}

/* -- links ------------------------------------------------------------------------------------- */

bool accounts_link(struct accounts *accounts, const char *name, struct instant now,
                   char ret[SECRET_SIZE], struct error *err)
{
	if (!accounts_may_change(accounts, err))
		return false;
	struct db_query *query =
	        db_query(accounts->db, "INSERT INTO link (key, account, until) SELECT ?2, id, ?3 "
	                               "FROM account WHERE name = ?1");
	secret_new(ret);
	db_bind_text(query, 1, name);
	secret_bind(query, 2, ret);
	db_bind_instant(query, 3, instant_add(now, LINK_MS));
	return run_on(accounts, query, name, err);
}

bool accounts_link_whose(struct accounts *accounts, const char *secret, struct instant now,
                         struct arena *arena, const char **ret_name, struct error *err)
{
	struct db_query *query =
	        db_query(accounts->db, "SELECT account.name FROM link JOIN account ON account.id ="
	                               " link.account WHERE link.key = ?1 AND link.until > ?2");
	secret_bind(query, 1, secret);
	db_bind_instant(query, 2, now);
	enum db_step step = db_step(query, err);
	if (step == DB_ROW)
		*ret_name = db_text(query, 0, arena);
	db_finish(query);
	if (step == DB_DONE)
		return error_set(err, EX_NOINPUT, "this link was used already, or is too old");
	return step == DB_ROW;
}

bool accounts_link_use(struct accounts *accounts, const char *secret, const char *password,
                       struct instant now, struct error *err)
{
	struct arena *arena = arena_new();
	const char *name;
	bool good = accounts_link_whose(accounts, secret, now, arena, &name, err) &&
	            accounts_set_password(accounts, name, password, err);
	(void)arena_free(arena);
	return good;
}

/* -- what is to be known later ----------------------------------------------------------------- */

static bool forget_old(struct accounts *accounts, const char *action, int most, struct error *err)
{
	struct db_query *query =
	        db_query(accounts->db, "DELETE FROM audit WHERE action = ?1 AND id <= (SELECT id "
	                               "FROM audit WHERE action = ?1"
	                               " ORDER BY id DESC LIMIT 1 OFFSET ?2)");
	db_bind_text(query, 1, action);
	db_bind_int(query, 2, most);
	return db_run(query, err);
}

bool accounts_audit_refusal(struct accounts *accounts, const char *user,
                            const struct client *client, struct instant now, struct error *err)
{
	static const char action[] = "login-failed";
	return accounts_audit(accounts, user, action, "", client, now, err) &&
	       forget_old(accounts, action, REFUSALS_KEPT, err);
}

bool accounts_audit(struct accounts *accounts, const char *user, const char *action,
                    const char *about, const struct client *client, struct instant now,
                    struct error *err)
{
	struct db_query *query =
	        db_query(accounts->db, "INSERT INTO audit (time, user, action, about, address)"
	                               " VALUES (?1, ?2, ?3, ?4, ?5)");
	db_bind_instant(query, 1, now);
	db_bind_text(query, 2, user);
	db_bind_text(query, 3, action);
	db_bind_text(query, 4, about);
	db_bind_text(query, 5, client->address);
	return db_run(query, err);
}

bool accounts_audit_list(struct accounts *accounts, int limit, json_t **ret, struct error *err)
{
	char time[INSTANT_TEXT_MAX];
	struct arena *arena = arena_new();
	json_t *rows = json_array();
	struct db_query *query =
	        db_query(accounts->db, "SELECT time, user, action, about, address FROM audit ORDER "
	                               "BY id DESC LIMIT ?1");
	enum db_step step;
	db_bind_int(query, 1, limit);
	while ((step = db_step(query, err)) == DB_ROW)
		json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:s, s:s}", "time",
		                                      instant_format(db_instant(query, 0), 0, time),
		                                      "user", db_text(query, 1, arena), "action",
		                                      db_text(query, 2, arena), "about",
		                                      db_text(query, 3, arena), "address",
		                                      db_text(query, 4, arena)));
	(void)arena_free(arena);
	if (step == DB_DONE)
		*ret = rows;
	else
		json_decref(rows);
	return step == DB_DONE;
}
