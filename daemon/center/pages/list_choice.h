/* SPDX-License-Identifier: MIT */
#ifndef CENTER_PAGES_LIST_CHOICE_H
#define CENTER_PAGES_LIST_CHOICE_H

#include "center/entry/call.h"
#include "model/kind.h"
#include "records/records.h"

#include <jansson.h>

/* What a list of customers is: whom it shows, and which of their fields, in the kind's order. Read
 * from a query or a form: `q` (a search), `status`, `rep`, `parent`, `city`, `suspended` (any
 * value), `sort` (of customer_sorts[]), and `column` once for each field. */
#define LIST_QUERY "q status rep parent city suspended sort column"

struct list_choice {
	struct customer_filter filter;
	const struct field *columns[KIND_FIELDS_MAX];
	size_t n_columns;
};

/* Names of no field are passed over; where none is given, the columns are those that most want. */
void list_choice_read(const struct call *call, const struct request_pairs *pairs,
                      struct list_choice *ret);
/* The same as the query of an address: "status=active&column=name&". In the request's arena. */
const char *list_choice_query(const struct call *call, const struct list_choice *choice);
/* And as hidden fields of a form [{name, value}]; the caller's. */
json_t *list_choice_hidden(const struct list_choice *choice);

#endif
