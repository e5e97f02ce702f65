/* SPDX-License-Identifier: MIT */
/* Which of the sales reps look after a customer. The first of them is its `sales_rep`. */
#include "records/record_private.h"

#include <string.h>

struct link {
	struct row customer;
	int64_t rep;
};

static bool find_link(struct work *work, const char *number, const char *rep, struct link *ret)
{
	int64_t id;
	return record_find(work->store, kind_find("customer"), number, &id, work->err) &&
	       row_get(work->store, work->arena, kind_find("customer"), id, &ret->customer, work->err) &&
	       record_find(work->store, kind_find("rep"), rep, &ret->rep, work->err);
}

static bool set_first(struct work *work, const struct link *link, const char *name)
{
	json_t *values = json_object();
	(void)json_object_set_new(values, "sales_rep", name ? json_string(name) : json_null());
	bool good = record_put(work, &link->customer, values, NULL, NULL);
	json_decref(values);
	return good;
}

bool rep_link(const struct act *act, const char *number, const char *rep, bool first, struct error *err)
{
	struct work work;
	struct link link;
	bool linked;
	if (!work_begin(&work, act, err))
		return false;
	return work_end(&work, find_link(&work, number, rep, &link) &&
	                               rep_put_link(&work, link.customer.id, link.rep, rep, &linked) &&
	                               (!first || set_first(&work, &link, rep)));
}

bool rep_unlink(const struct act *act, const char *number, const char *rep, struct error *err)
{
	struct work work;
	struct link link;
	if (!work_begin(&work, act, err))
		return false;
	if (!find_link(&work, number, rep, &link))
		return work_end(&work, false);
	const char *first = row_value(&link.customer, "sales_rep");
	return work_end(&work,
	                rep_take_link(&work, link.customer.id, link.rep, rep) &&
	                        (first == NULL || strcmp(first, rep) != 0 || set_first(&work, &link, NULL)));
}
