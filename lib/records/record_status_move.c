/* SPDX-License-Identifier: MIT */
/* `release`, `approve`, `decline`, `deactivate`: a customer's status by verb. */
#include "records/record_private.h"

#include <string.h>
#include <sysexits.h>

static bool known_verb(const char *verb, bool *ret_anybody)
{
	for (size_t i = 0; i < n_customer_moves; i++) {
		if (strcmp(customer_moves[i].verb, verb) != 0)
			continue;
		*ret_anybody = customer_moves[i].anybody;
		return true;
	}
	return false;
}

static bool move_to(struct work *work, const struct row *row, const char *verb)
{
	const char *status = row_value(row, "status");
	for (size_t i = 0; i < n_customer_moves; i++) {
		if (strcmp(customer_moves[i].verb, verb) != 0 || strcmp(customer_moves[i].from, status) != 0)
			continue;
		json_t *values = json_pack("{s:s}", "status", customer_moves[i].to);
		bool good = record_put(work, row, values, NULL, NULL);
		json_decref(values);
		return good;
	}
	return error_set(work->err, EX_DATAERR, "%s: customer %s is %s", verb, row_value(row, "number"),
	                 status);
}

bool customer_move(const struct act *act, const char *number, const char *verb, struct error *err)
{
	const struct kind *kind = kind_find("customer");
	struct work work;
	struct row row;
	int64_t id;
	bool anybody;
	if (!known_verb(verb, &anybody))
		return error_set(err, EX_USAGE, "%s: release, approve, decline or deactivate was meant",
		                 verb);
	return work_begin(&work, act, err) &&
	       work_end(&work, (anybody || work_needs_manager(&work, verb)) &&
	                               record_find(work.store, kind, number, &id, err) &&
	                               row_get(work.store, work.arena, kind, id, &row, err) &&
	                               move_to(&work, &row, verb));
}
