/* SPDX-License-Identifier: MIT */
#include "overview/overview.h"

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
