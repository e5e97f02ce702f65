/* SPDX-License-Identifier: MIT */
/*
 * Whether a customer is open now, by the functions that decide when a mail may go, so that a
 * dispatcher reads what the daemon does.
 */
#include "overview/calendar.h"

#include "model/hours.h"
#include "rules/rules.h"

#include <string.h>
#include <sysexits.h>

static json_t *time_json(const struct zone *zone, struct instant at)
{
	char text[INSTANT_TEXT_MAX];
	return json_string(instant_format(at, zone_offset_s(zone, at), text));
}

bool calendar_zone(const struct overview *view, const char *number, const struct zone **ret,
                   struct error *err)
{
	const struct customer *customer;
	if (!customers_load(view->customers, view->arena, number, &customer, err))
		return false;
	*ret = customer ? rules_zone(view->settings, view->zones, customer)
	                : zone_host(view->zones);
	return true;
}

static void add_dates(const struct overview *view, json_t *inherited, json_t *own,
                      const struct hours_date *dates, size_t n, const char *from)
{
	for (size_t i = 0; i < n; i++) {
		char day[DAY_TEXT_MAX];
		(void)day_format(dates[i].day, day);
		if (json_object_get(own, day) || json_object_get(inherited, day))
			continue;
		json_object_set_new(inherited, day,
		                    json_pack("{s:s, s:s}", "windows",
		                              hours_day_format(&dates[i].hours, view->arena),
		                              "from", from));
	}
}

static json_t *week_json(const struct overview *view, const struct customer *customer)
{
	json_t *week = json_object();
	for (int day = 0; day < 7; day++)
		json_object_set_new(
		        week, hours_weekday_name(day),
		        json_string(hours_day_format(&customer->hours.week[day], view->arena)));
	return json_pack("{s:o, s:s}", "windows", week, "from", customer->number);
}

/* Inherited hours and whose they are: those of the nearest parent, then the dates for all. */
static json_t *inherited_json(const struct overview *view, const struct customer *customer,
                              const json_t *hours)
{
	const struct customer *chain[CUSTOMER_DEPTH_MAX];
	size_t n = customer_chain(customer, chain);
	bool weekly = customer->hours.weekly;
	json_t *inherited = json_object(), *own = json_object_get(hours, "dates");
	json_object_set_new(inherited, "weekly", json_null());
	json_t *dates = json_object();
	for (size_t i = 1; i < n; i++) {
		if (!weekly && chain[i]->hours.weekly) {
			json_object_set_new(inherited, "weekly", week_json(view, chain[i]));
			weekly = true;
		}
		add_dates(view, dates, own, chain[i]->hours.dates, chain[i]->hours.n_dates,
		          chain[i]->number);
	}
	add_dates(view, dates, own, customer->office_dates, customer->n_office_dates,
	          CALENDAR_OFFICE);
	json_object_set_new(inherited, "dates", dates);
	return inherited;
}

bool calendar_add(const struct overview *view, const char *number, json_t *hours, struct error *err)
{
	const struct customer *customer;
	struct hours_span span;
	struct instant next;
	if (!customers_load(view->customers, view->arena, number, &customer, err))
		return false;
	if (customer == NULL)
		return true;
	const struct hours *all = customer_hours(customer, view->arena);
	const struct zone *zone = rules_zone(view->settings, view->zones, customer);
	bool open = hours_open_at(all, zone, view->now, &span);
	bool opens = hours_next_open(all, zone, view->now, &next);
	json_object_set_new(hours, "inherited", inherited_json(view, customer, hours));
	json_object_set_new(hours, "open", json_boolean(open));
	json_object_set_new(hours, "next_open",
	                    opens && !open ? time_json(zone, next) : json_null());
	json_object_set_new(hours, "never_open", json_boolean(!opens));
	return true;
}

/* Code 66 where there is no such customer. */
bool calendar_try(const struct overview *view, const char *number, const struct hours *week,
                  struct calendar_trial *ret, struct error *err)
{
	const struct customer *customer;
	struct hours_span span;
	if (!customers_load(view->customers, view->arena, number, &customer, err))
		return false;
	if (customer == NULL)
		return error_set(err, EX_NOINPUT, "there is no customer %s", number);
	struct customer tried = *customer;
	tried.hours.weekly = week->weekly;
	memcpy(tried.hours.week, week->week, sizeof tried.hours.week);
	const struct hours *all = customer_hours(&tried, view->arena);
	ret->zone = rules_zone(view->settings, view->zones, customer);
	ret->open = hours_open_at(all, ret->zone, view->now, &span);
	ret->opens = hours_next_open(all, ret->zone, view->now, &ret->until);
	if (ret->open)
		ret->until = span.close;
	return true;
}
