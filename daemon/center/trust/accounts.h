/* SPDX-License-Identifier: MIT */
#ifndef CENTER_TRUST_ACCOUNTS_H
#define CENTER_TRUST_ACCOUNTS_H

#include "base/error.h"
#include "base/instant.h"
#include "base/mem.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * center.db: accounts, their roles, and sessions. A `struct accounts` belongs to one thread;
 * several of them, in other threads and processes, share the file. Secrets (passwords, tokens, what
 * cookies and links hold) are kept as hashes only.
 *
 * Codes: 65 a bad name, role or password, one that is there already, the last admin; 66 no such
 * account; and db_open()'s.
 */
struct accounts;

/* What an account may do; each role includes those before it. */
enum role { ROLE_READER, ROLE_CLERK, ROLE_MANAGER, ROLE_ADMIN, ROLE_COUNT };
const char *role_name(enum role role);
bool role_find(const char *name, enum role *ret, struct error *err) MUST_CHECK;

struct account {
	int64_t id;
	const char *name;
	enum role role;
	bool has_password, has_token;
	const char *language; /* of its pages: "de"; "": the browser's */
};

/* Whether the file is ours or isn't there; and opening it, made where it is missing (mode 0600).
 * `customers` is the path of customers.db: where that is a cluster's standby, changes of accounts
 * and lists fail with 75 and the owner's name; logins don't. */
bool accounts_inspect(const char *path, struct error *err) MUST_CHECK;
struct accounts *accounts_open(const char *path, const char *customers,
                               struct error *err) MUST_CHECK;
struct accounts *accounts_close(struct accounts *accounts); /* takes NULL; returns NULL */

/* Secrets that are shown once: 256 random bits in base64url. */
enum { SECRET_SIZE = 44 };

/* Whether it may be an account's name. */
bool account_name_valid(const char *name);
/* NAME is 1 to 64 of `a-z 0-9 . _ -`. `password` NULL: none until a link sets one. */
bool accounts_add(struct accounts *accounts, const char *name, enum role role, const char *password,
                  struct instant now, struct error *err) MUST_CHECK;
bool accounts_find(struct accounts *accounts, const char *name, struct arena *arena,
                   struct account *ret, struct error *err) MUST_CHECK;
/* An array of objects by name: name, role, password (whether there is one), token, sessions, used.
 */
bool accounts_list(struct accounts *accounts, json_t **ret, struct error *err) MUST_CHECK;
/* Ends the sessions, as a new password does. The last admin stays one. */
bool accounts_set_role(struct accounts *accounts, const char *name, enum role role,
                       struct error *err) MUST_CHECK;
bool accounts_set_password(struct accounts *accounts, const char *name, const char *password,
                           struct error *err) MUST_CHECK;
/* A new API token, which replaces the one before; `ret` NULL revokes it. */
bool accounts_set_token(struct accounts *accounts, const char *name, char ret[SECRET_SIZE],
                        struct error *err) MUST_CHECK;
/* "" for the browser's. The caller knows which there are. */
bool accounts_set_language(struct accounts *accounts, const char *name, const char *language,
                           struct error *err) MUST_CHECK;
bool accounts_remove(struct accounts *accounts, const char *name, struct error *err) MUST_CHECK;

/* A link's secret, good once and for 24 h, to set a password; and setting it by that: *ret_name (in
 * the arena) is whose. 66 where the link is used, over or nobody's. */
bool accounts_link(struct accounts *accounts, const char *name, struct instant now,
                   char ret[SECRET_SIZE], struct error *err) MUST_CHECK;
bool accounts_link_whose(struct accounts *accounts, const char *secret, struct instant now,
                         struct arena *arena, const char **ret_name, struct error *err) MUST_CHECK;
bool accounts_link_use(struct accounts *accounts, const char *secret, const char *password,
                       struct instant now, struct error *err) MUST_CHECK;

/* Where a request comes from. */
struct client {
	const char *address; /* as text; "" over a Unix socket */
	const char *agent;   /* the User-Agent, cut */
};

/*
 * A login by password. After LOGIN_FREE wrong ones in a row for a name from a network (an IPv4 /24,
 * an IPv6 /48) it is refused for 1 s, doubling to 15 min, the right one too; it outlives a restart.
 */
enum { LOGIN_FREE = 5 };
enum login { LOGIN_FINE, LOGIN_WRONG, LOGIN_WAIT, LOGIN_FAULT };
enum login accounts_login(struct accounts *accounts, const char *name, const char *password,
                          const struct client *client, struct instant now, struct account *ret,
                          int64_t *ret_wait_s, struct arena *arena, struct error *err) MUST_CHECK;

/* Sessions end SESSION_IDLE_MS after they were used last. The secret is the cookie's. */
#define SESSION_IDLE_MS (12 * 3600 * INT64_C(1000))
bool sessions_begin(struct accounts *accounts, const struct account *account,
                    const struct client *client, struct instant now, char ret[SECRET_SIZE],
                    struct error *err) MUST_CHECK;
/* Whose session the secret is; *ret_found false where it is nobody's or over. */
bool sessions_find(struct accounts *accounts, const char *secret, struct instant now,
                   struct arena *arena, struct account *ret, bool *ret_found,
                   struct error *err) MUST_CHECK;
bool sessions_end(struct accounts *accounts, const char *secret, struct error *err) MUST_CHECK;
/* One by its id, of that account alone. */
bool sessions_end_one(struct accounts *accounts, int64_t account, int64_t id,
                      struct error *err) MUST_CHECK;
/* An array: id, created, used, address, agent, own (whether it is that of `secret`). */
bool sessions_list(struct accounts *accounts, int64_t account, const char *secret,
                   struct instant now, json_t **ret, struct error *err) MUST_CHECK;

/* Whose API token it is; *ret_found as above. */
bool accounts_by_token(struct accounts *accounts, const char *token, struct arena *arena,
                       struct account *ret, bool *ret_found, struct error *err) MUST_CHECK;

/* The token that a session's forms carry: made from the cookie's secret, of no use without it. */
void form_token(const char *secret, char ret[SECRET_SIZE]);
bool form_token_fits(const char *secret, const char *token);

/* Notes what is to be known later: who, what (login, logout, secret, export, account), about what.
 */
bool accounts_audit(struct accounts *accounts, const char *user, const char *action,
                    const char *about, const struct client *client, struct instant now,
                    struct error *err) MUST_CHECK;
/* A login with a wrong password: "login-failed". Of these only the latest are kept, since anybody
 * can make them. */
enum { REFUSALS_KEPT = 10000 };
bool accounts_audit_refusal(struct accounts *accounts, const char *user,
                            const struct client *client, struct instant now,
                            struct error *err) MUST_CHECK;

/* The latest first, at most `limit`: time, user, action, about, address. */
bool accounts_audit_list(struct accounts *accounts, int limit, json_t **ret,
                         struct error *err) MUST_CHECK;

#endif
