/* SPDX-License-Identifier: MIT */
/* The spool keeps UTC; a dispatcher on the phone with a customer needs the customer's local time.
 */
#include "overview/local_times.h"

#include "rules/rules.h"

#include <string.h>

/* The keys of times in rows of the spool. */
static const char *const keys[] = {"time",    "received", "changed",   "due",   "made",
                                   "expires", "look",     "scheduled", "until", "eta"};

/* NULL if there is no such customer. */
static const struct zone *zone_of(const struct overview *view, const char *number)
{
	struct error ignored = {0};
	const struct customer *customer = NULL;
	if (number == NULL || view->customers == NULL ||
	    !customers_load(view->customers, view->arena, number, &customer, &ignored) || !customer)
		return NULL;
	return rules_zone(view->settings, view->zones, customer);
}

static void add_time(json_t *local, const char *key, const json_t *value, const struct zone *zone)
{
	struct instant at;
	char text[INSTANT_TEXT_MAX];
	if (json_is_string(value) && instant_parse(json_string_value(value), &at))
		json_object_set_new(local, key,
		                    json_string(instant_format(at, zone_offset_s(zone, at), text)));
}

static void add(json_t *object, const struct zone *zone)
{
	json_t *local = json_object();
	if (zone == NULL || !json_is_object(object)) {
		json_decref(local);
		return;
	}
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		add_time(local, keys[i], json_object_get(object, keys[i]), zone);
	const json_t *data = json_object_get(object, "data");
	if (json_object_get(local, "scheduled") == NULL)
		add_time(local, "scheduled", json_object_get(data, "scheduled"), zone);
	json_object_set_new(object, "timezone", json_string(zone_name(zone)));
	json_object_set_new(object, "local", local);
}

void local_object(const struct overview *view, json_t *object, const char *customer)
{
	add(object, zone_of(view, customer));
}

void local_members(const struct overview *view, json_t *rows, const char *customer)
{
	const struct zone *zone = zone_of(view, customer);
	size_t i;
	json_t *row;
	json_array_foreach(rows, i, row) add(row, zone);
}

void local_rows(const struct overview *view, json_t *rows)
{
	size_t i;
	json_t *row, *known = json_object(); /* a customer's zone by its number, by name */
	json_array_foreach(rows, i, row)
	{
		const char *number = json_string_value(json_object_get(row, "customer"));
		const json_t *name = number ? json_object_get(known, number) : NULL;
		const struct zone *zone = json_is_string(name)
		                                  ? zone_find(view->zones, json_string_value(name))
		                                  : NULL;
		if (number != NULL && zone == NULL && !json_is_null(name)) {
			zone = zone_of(view, number);
			json_object_set_new(known, number,
			                    zone ? json_string(zone_name(zone)) : json_null());
		}
		add(row, zone);
	}
	json_decref(known);
}
