/* SPDX-License-Identifier: MIT */
#ifndef CENTER_TRUST_ACCOUNTS_PRIVATE_H
#define CENTER_TRUST_ACCOUNTS_PRIVATE_H

#include "center/trust/accounts.h"
#include "db/db.h"

/* What the files on center.db share; nobody else includes it. */
struct accounts {
	struct db *db;
	char *customers; /* path of customers.db, which knows whether this is a standby */
};

/* Accounts and lists are the office's data: a standby refuses changes (75, with the owner's name).
 * To be asked before each. */
bool accounts_may_change(const struct accounts *accounts, struct error *err) MUST_CHECK;

/* How a secret is kept. */
enum { KEY_SIZE = 32 };
void secret_new(char ret[SECRET_SIZE]);
void secret_bind(struct db_query *query, int i, const char *secret);

/* An account is the first ACCOUNT_N columns of a row. */
#define ACCOUNT_COLUMNS                                                                            \
	"account.id, account.name, account.role, account.password IS NOT NULL,"                    \
	" account.token IS NOT NULL, account.language"
enum { ACCOUNT_N = 6 };
void account_read(struct db_query *query, struct arena *arena, struct account *ret);

#endif
