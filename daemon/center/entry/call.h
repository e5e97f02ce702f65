/* SPDX-License-Identifier: MIT */
#ifndef CENTER_ENTRY_CALL_H
#define CENTER_ENTRY_CALL_H

#include "base/instant.h"
#include "center/entry/stores.h"
#include "center/http/request.h"
#include "center/http/response.h"
#include "center/trust/accounts.h"
#include "overview/overview.h"

/* One request on its way through the center: what came, from whom, and the answer. */
enum { CALL_NAMES_MAX = 4 };

struct language;
struct live;

struct call {
	struct request *request;
	struct response *response;
	struct stores *stores;
	struct live *live; /* what pages hear of changes */
	const char *since; /* live_position() before anything was read */
	struct instant now;
	const struct route *const *tables; /* all rows, of pages and API; each table ends with a row
	                                      without a path, the list with NULL */
	const struct route *route;
	const char *names[CALL_NAMES_MAX]; /* the values of `:name` in the route's path */

	bool known;             /* somebody is logged in */
	struct account account; /* who */
	const char *session;    /* the cookie's secret; NULL for a token or nobody */
	struct client client;
	const struct language *language; /* of pages (pages/words.h); NULL: not chosen yet */
};

/* Says that something failed, as a problem (RFC 9457). */
void call_fail(struct call *call, const struct error *err);
/* What the fault says; where somebody else writes to customers.db, who. In the arena. */
const char *call_fault_text(struct call *call, const struct error *err);
bool call_is_api(const struct call *call);
/* What the record functions need; false where customers.db can't be opened (503). */
bool call_context(struct call *call, struct change_context *ret, struct error *err) MUST_CHECK;
/* What lib/overview wants to know; likewise. */
bool call_overview(struct call *call, struct overview *ret, struct error *err) MUST_CHECK;
/* The same for what is the spool's: where customers.db can't be opened it is shown all the same,
 * without names and local times. */
void call_spool_overview(struct call *call, struct overview *ret);

#endif
