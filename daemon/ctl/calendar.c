/* SPDX-License-Identifier: MIT */
/*
 * Whether a customer is open now, by the very functions that decide when a mail may go, so that what a
 * dispatcher reads is what the daemon does.
 */
#include "ctl/calendar.h"

#include "model/hours.h"
#include "rules/rules.h"

static json_t *time_json(const struct zone *zone, struct instant at)
{
	char text[INSTANT_TEXT_MAX];
	return json_string(instant_format(at, zone_offset_s(zone, at), text));
}

bool calendar_zone(struct ctl *ctl, struct customers *store, const char *number, const struct zone **ret,
                   struct error *err)
{
	const struct customer *customer;
	if (!customers_load(store, ctl->arena, number, &customer, err))
		return false;
	*ret = customer ? rules_zone(ctl->settings, ctl->zones, customer) : zone_host(ctl->zones);
	return true;
}

bool calendar_add(struct ctl *ctl, struct customers *store, const char *number, json_t *hours,
                  struct error *err)
{
	const struct customer *customer;
	struct hours_span span;
	struct instant next;
	if (!customers_load(store, ctl->arena, number, &customer, err))
		return false;
	if (customer == NULL)
		return true;
	const struct hours *all = customer_hours(customer, ctl->arena);
	const struct zone *zone = rules_zone(ctl->settings, ctl->zones, customer);
	bool open = hours_open_at(all, zone, ctl->now, &span);
	bool opens = hours_next_open(all, zone, ctl->now, &next);
	json_object_set_new(hours, "open", json_boolean(open));
	json_object_set_new(hours, "next_open", opens && !open ? time_json(zone, next) : json_null());
	json_object_set_new(hours, "never_open", json_boolean(!opens));
	return true;
}
