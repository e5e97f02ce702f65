/* SPDX-License-Identifier: MIT */
#ifndef OVERVIEW_OVERVIEW_H
#define OVERVIEW_OVERVIEW_H

#include "base/instant.h"
#include "base/mem.h"
#include "base/zone.h"
#include "model/settings.h"
#include "records/customers.h"

#include <jansson.h>

/*
 * What a person is shown of the office's records and the spool together, which know nothing of each
 * other: for dispatchctl and the customer center alike. All of it is JSON that the caller
 * json_decref()s.
 */
struct overview {
	struct arena *arena; /* for what a customer needs while it is looked at */
	const struct settings *settings;
	struct zones *zones;
	struct customers *customers; /* NULL: can't be read; everything about zones is left out */
	struct instant now;
};

/* The number that a customer has now, by any that it ever had, since the spool knows it by that
 * alone; `number` itself where nobody has it. Takes NULL. */
const char *overview_number(const struct overview *view, const char *number);

/* A customer's name, in the arena; "" where there is no such customer, or none can be read. */
const char *overview_name(const struct overview *view, const char *number);
/* Adds `name` to each row that has a `customer` of that number. */
void overview_add_names(const struct overview *view, json_t *rows);

#endif
