/* SPDX-License-Identifier: MIT */
/* Sessions, by a cookie's secret, and the token that their forms carry. */
#include "center/trust/accounts_private.h"

#include <sodium.h>
#include <string.h>

enum { AGENT_MAX = 200, USED_STEP_MS = 60 * 1000 };

static struct instant idle_since(struct instant now)
{
	return instant_add(now, -SESSION_IDLE_MS);
}

static bool forget_old(struct accounts *accounts, struct instant now, struct error *err)
{
	struct db_query *query = db_query(accounts->db, "DELETE FROM session WHERE used <= ?1");
	db_bind_instant(query, 1, idle_since(now));
	return db_run(query, err);
}

bool sessions_begin(struct accounts *accounts, const struct account *account,
                    const struct client *client, struct instant now, char ret[SECRET_SIZE],
                    struct error *err)
{
	if (!forget_old(accounts, now, err))
		return false;
	struct db_query *query = db_query(
	        accounts->db, "INSERT INTO session (account, key, created, used, address, agent)"
	                      " VALUES (?1, ?2, ?3, ?3, ?4, ?5)");
	secret_new(ret);
	db_bind_int(query, 1, account->id);
	secret_bind(query, 2, ret);
	db_bind_instant(query, 3, now);
	db_bind_text(query, 4, client->address);
	db_bind_text_n(query, 5, client->agent, strnlen(client->agent, AGENT_MAX));
	return db_run(query, err);
}

/* Written once a minute, not with every page. */
static bool note_use(struct accounts *accounts, const char *secret, struct instant now,
                     struct error *err)
{
	struct db_query *query =
	        db_query(accounts->db, "UPDATE session SET used = ?2 WHERE key = ?1 AND used < ?2");
	secret_bind(query, 1, secret);
	db_bind_instant(query, 2, now);
	return db_run(query, err);
}

bool sessions_find(struct accounts *accounts, const char *secret, struct instant now,
                   struct arena *arena, struct account *ret, bool *ret_found, struct error *err)
{
	struct db_query *query =
	        db_query(accounts->db, "SELECT " ACCOUNT_COLUMNS ", session.used FROM session JOIN"
	                               " account ON account.id = session.account"
	                               " WHERE session.key = ?1 AND session.used > ?2");
	secret_bind(query, 1, secret);
	db_bind_instant(query, 2, idle_since(now));
	enum db_step step = db_step(query, err);
	*ret_found = step == DB_ROW;
	bool stale = false;
	if (*ret_found) {
		account_read(query, arena, ret);
		stale = db_int(query, ACCOUNT_N) + USED_STEP_MS < now.ms;
	}
	db_finish(query);
	return step != DB_FAULT && (!stale || note_use(accounts, secret, now, err));
}

bool sessions_end(struct accounts *accounts, const char *secret, struct error *err)
{
	struct db_query *query = db_query(accounts->db, "DELETE FROM session WHERE key = ?1");
	secret_bind(query, 1, secret);
	return db_run(query, err);
}

bool sessions_end_one(struct accounts *accounts, int64_t account, int64_t id, struct error *err)
{
	struct db_query *query =
	        db_query(accounts->db, "DELETE FROM session WHERE account = ?1 AND id = ?2");
	db_bind_int(query, 1, account);
	db_bind_int(query, 2, id);
	return db_run(query, err);
}

bool sessions_list(struct accounts *accounts, int64_t account, const char *secret,
                   struct instant now, json_t **ret, struct error *err)
{
	char created[INSTANT_TEXT_MAX], used[INSTANT_TEXT_MAX];
	struct arena *arena = arena_new();
	json_t *rows = json_array();
	struct db_query *query = db_query(
	        accounts->db, "SELECT id, created, used, address, agent, key = ?2 FROM session"
	                      " WHERE account = ?1 AND used > ?3 ORDER BY used DESC, id DESC");
	db_bind_int(query, 1, account);
	secret_bind(query, 2, secret);
	db_bind_instant(query, 3, idle_since(now));
	enum db_step step;
	while ((step = db_step(query, err)) == DB_ROW)
		json_array_append_new(
		        rows, json_pack("{s:I, s:s, s:s, s:s, s:s, s:b}", "id",
		                        (json_int_t)db_int(query, 0), "created",
		                        instant_format(db_instant(query, 1), 0, created), "used",
		                        instant_format(db_instant(query, 2), 0, used), "address",
		                        db_text(query, 3, arena), "agent", db_text(query, 4, arena),
		                        "own", db_int(query, 5) != 0));
	(void)arena_free(arena);
	if (step == DB_DONE)
		*ret = rows;
	else
		json_decref(rows);
	return step == DB_DONE;
}

void form_token(const char *secret, char ret[SECRET_SIZE])
{
	static const unsigned char purpose[] = "form";
	unsigned char hash[32];
	(void)crypto_generichash(hash, sizeof hash, purpose, sizeof purpose - 1,
	                         (const unsigned char *)secret, strnlen(secret, SECRET_SIZE));
	(void)sodium_bin2base64(ret, SECRET_SIZE, hash, sizeof hash,
	                        sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

bool form_token_fits(const char *secret, const char *token)
{
	char own[SECRET_SIZE];
	form_token(secret, own);
	return strlen(token) == SECRET_SIZE - 1 && sodium_memcmp(own, token, SECRET_SIZE - 1) == 0;
}
