/* SPDX-License-Identifier: MIT */
#include "overview/overview.h"

#include "base/jsontext.h"
#include "records/records.h"

const char *overview_number(const struct overview *view, const char *number)
{
	struct error ignored;
	const char *current;
	int64_t id;
	bool former;
	return number && view->customers &&
	                       customer_named(view->customers, number, view->arena, &id, &current,
	                                      &former, &ignored)
	               ? current
	               : number;
}

const char *overview_name(const struct overview *view, const char *number)
{
	struct error ignored;
	const char *name = "";
	if (view->customers == NULL || *number == '\0')
		return name;
	struct db_query *q = db_query(customers_db(view->customers),
	                              "SELECT name FROM customer WHERE number = ?1");
	db_bind_text(q, 1, number);
	if (db_step(q, &ignored) == DB_ROW)
		name = db_text(q, 0, view->arena);
	db_finish(q);
	return name;
}

void overview_add_names(const struct overview *view, json_t *rows)
{
	size_t i;
	json_t *row;
	json_array_foreach(rows, i, row)
	{
		const char *name = overview_name(view, jsontext_at(row, "customer"));
		if (*name != '\0')
			json_object_set_new(row, "name", json_string(name));
	}
}
