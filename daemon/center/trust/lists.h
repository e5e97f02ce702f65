/* SPDX-License-Identifier: MIT */
#ifndef CENTER_TRUST_LISTS_H
#define CENTER_TRUST_LISTS_H

#include "center/trust/accounts.h"

#include <jansson.h>

/*
 * Saved lists: a name for what is chosen on /lists, of one account, which alone changes it. Where
 * it is shared, all accounts see it. They go with their account.
 *
 * Codes: 65 a bad name, too long a query, too many lists; 66 no list that this account may see (or,
 * to remove it, has); and db_open()'s.
 */
enum { LISTS_MAX = 200, LIST_NAME_MAX = 80, LIST_QUERY_MAX = 4000 };

/* Saves `query` under a name of 1 to LIST_NAME_MAX characters; the list that has this name already
 * is replaced and keeps its id. */
bool lists_save(struct accounts *accounts, int64_t account, const char *name, bool shared,
                const char *query, int64_t *ret_id, struct error *err) MUST_CHECK;
bool lists_remove(struct accounts *accounts, int64_t account, int64_t id,
                  struct error *err) MUST_CHECK;
/* Those that the account sees, its own first, by name: {id, name, shared, query, own, whose}. One,
 * or an array of all; the caller's. */
bool lists_find(struct accounts *accounts, int64_t account, int64_t id, json_t **ret,
                struct error *err) MUST_CHECK;
bool lists_all(struct accounts *accounts, int64_t account, json_t **ret,
               struct error *err) MUST_CHECK;

#endif
