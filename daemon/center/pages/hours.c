/* SPDX-License-Identifier: MIT */
/*
 * A customer's service hours as a week grid: a row a weekday with its windows as text and as a bar,
 * copied to the days below, tried before it is saved; and the dates that are otherwise. The form
 * carries what it showed: of two people who change different days both are right.
 */
#include "model/hours.h"

#include "base/jsontext.h"
#include "center/pages/command.h"
#include "center/pages/head.h"
#include "center/pages/hours_words.h"
#include "center/pages/page.h"
#include "center/pages/to.h"
#include "center/pages/when.h"
#include "center/pages/words.h"
#include "overview/calendar.h"
#include "records/records.h"

#include <string.h>
#include <strings.h>
#include <sysexits.h>

enum { DAYS = 7, DAY_MINUTES = 24 * 60 };

/* The week as the form has it. */
struct week {
	const char *windows[DAYS]; /* as typed; "" for a day that isn't set */
	const char *was[DAYS];     /* as it was shown */
	const char *wrong[DAYS];   /* "" where it is fine */
	bool set;                  /* some day is */
};

/* -- reading ----------------------------------------------------------------------------------- */

static void week_of_record(const json_t *hours, struct week *ret)
{
	const json_t *weekly = json_object_get(hours, "weekly");
	*ret = (struct week){.set = json_is_object(weekly)};
	for (int d = 0; d < DAYS; d++) {
		ret->windows[d] = jsontext_at(weekly, hours_weekday_name(d));
		if (ret->set && *ret->windows[d] == '\0')
			ret->windows[d] = "closed";
		ret->was[d] = ret->windows[d];
		ret->wrong[d] = "";
	}
}

static const char *typed(const struct call *call, const char *name)
{
	const char *text = request_value(&call->request->form, name);
	return text ? text : "";
}

/* Hours as the records have them, where they are closed in the language of the page. */
static const char *typed_hours(const struct call *call, const char *name)
{
	const char *text = typed(call, name);
	text += strspn(text, " ");
	return strcasecmp(text, words_fixed(call, "closed")) == 0 ? "closed" : text;
}

/* The other way around. */
static const char *shown_hours(const struct call *call, const char *windows)
{
	return strcmp(windows, "closed") == 0 ? words_fixed(call, windows) : windows;
}

/* Once a day is set the others are closed. */
static void week_of_form(const struct call *call, struct week *ret)
{
	struct arena *arena = call->request->arena;
	*ret = (struct week){.set = false};
	for (int d = 0; d < DAYS; d++) {
		ret->windows[d] = typed_hours(call, hours_weekday_name(d));
		ret->was[d] = typed(call, arena_printf(arena, "was_%s", hours_weekday_name(d)));
		ret->wrong[d] = "";
		ret->set = ret->set || *ret->windows[d] != '\0';
	}
	for (int d = 0; d < DAYS && ret->set; d++)
		if (*ret->windows[d] == '\0')
			ret->windows[d] = "closed";
}

static bool week_check(const struct call *call, struct week *week)
{
	struct hours_day day;
	struct error err;
	bool good = true;
	for (int d = 0; d < DAYS; d++) {
		if (*week->windows[d] == '\0' ||
		    hours_day_parse(week->windows[d], call->request->arena, &day, &err))
			continue;
		week->wrong[d] = arena_strdup(call->request->arena, err.text);
		good = false;
	}
	return good;
}

/* -- when it would open ------------------------------------------------------------------------ */

static void read_week(const struct call *call, const struct week *week, struct hours *ret)
{
	struct error ignored;
	ret->weekly = week->set;
	for (int d = 0; d < DAYS && week->set; d++)
		(void)!hours_day_parse(week->windows[d], call->request->arena, &ret->week[d],
		                       &ignored);
}

static const char *instant_words(const struct call *call, const struct zone *zone,
                                 struct instant at)
{
	char text[INSTANT_TEXT_MAX];
	return when_words(call, instant_format(at, zone_offset_s(zone, at), text));
}

/* "it is open now, until today 17:00", "it opens tomorrow 7:00", "it never opens". */
static const char *opens(struct call *call, const struct week *week)
{
	struct hours hours = {0};
	struct overview view;
	struct calendar_trial trial;
	struct error ignored;
	read_week(call, week, &hours);
	if (!call_overview(call, &view, &ignored) ||
	    !calendar_try(&view, call->names[0], &hours, &trial, &ignored))
		return "";
	if (!trial.opens)
		return words(call, "hours.try.never");
	return words_fill(call, trial.open ? "hours.try.now" : "hours.try.opens",
	                  json_pack("{s:s}", "when", instant_words(call, trial.zone, trial.until)));
}

/* -- as commands ------------------------------------------------------------------------------- */

/* "mon,tue": the days that have the same windows as the day `first`. */
static const char *days_like(const struct call *call, const struct week *week, int first)
{
	const char *days = "";
	for (int d = first; d < DAYS; d++)
		if (strcmp(week->windows[d], week->windows[first]) == 0)
			days = arena_printf(call->request->arena, "%s%s%s", days, *days ? "," : "",
			                    hours_weekday_name(d));
	return days;
}

static void add_set(const struct call *call, json_t *commands, const char *number, const char *days,
                    const char *windows)
{
	command_add(call, commands,
	            json_pack("[s, s, s, s, s]", "hours", "set", number, days, windows), NULL);
}

static json_t *week_fold(const struct call *call, const char *number, const struct week *week)
{
	json_t *commands = json_array();
	for (int d = 0; d < DAYS && week->set; d++) {
		int before = 0;
		while (strcmp(week->windows[before], week->windows[d]) != 0)
			before++;
		if (before == d)
			add_set(call, commands, number, days_like(call, week, d), week->windows[d]);
	}
	if (!week->set)
		add_set(call, commands, number, "WEEKDAYS", "WINDOWS");
	return json_pack("{s:s, s:o}", "fold_id", "week", "commands", commands);
}

static void add_date(const struct call *call, json_t *commands, const char *number, const char *day,
                     const char *windows)
{
	command_add(call, commands,
	            json_pack("[s, s, s, s, s]", "hours", "except", number, day, windows), NULL);
}

/* Adding dates, removing each that there is, and clearing all hours where there are any. */
static json_t *dates_fold(const struct call *call, const char *number, const json_t *dates,
                          bool has_own)
{
	json_t *commands = json_array(), *date;
	size_t i;
	add_date(call, commands, number, "FIRST..LAST", "closed");
	json_array_foreach((json_t *)(uintptr_t)dates, i, date)
	        add_date(call, commands, number, jsontext_at(date, "date"), "normal");
	if (has_own)
		command_add(call, commands, json_pack("[s, s, s]", "hours", "clear", number), NULL);
	return json_pack("{s:s, s:o}", "fold_id", "except", "commands", commands);
}

/* -- the page ---------------------------------------------------------------------------------- */

/* Rectangles on a line of 1440 minutes. */
static json_t *bars_of(const struct call *call, const char *windows)
{
	json_t *bars = json_array();
	struct hours_day day;
	struct error ignored;
	if (*windows == '\0' || !hours_day_parse(windows, call->request->arena, &day, &ignored))
		return bars;
	for (size_t i = 0; i < day.n; i++) {
		int open = day.windows[i].open, close = day.windows[i].close;
		int end = close < DAY_MINUTES ? close : DAY_MINUTES;
		json_array_append_new(bars,
		                      json_pack("{s:i, s:i}", "x", open, "width", end - open));
	}
	return bars;
}

static json_t *day_rows(const struct call *call, const struct week *week)
{
	json_t *rows = json_array();
	for (int d = 0; d < DAYS; d++)
		json_array_append_new(
		        rows, json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:b}", "name",
		                        hours_weekday_name(d), "day",
		                        words_find(call, "weekday", hours_weekday_name(d)),
		                        "windows", shown_hours(call, week->windows[d]), "was",
		                        week->was[d], "wrong", week->wrong[d], "bars",
		                        bars_of(call, week->windows[d]), "copies", d + 1 < DAYS));
	return rows;
}

static json_t *date_rows(const struct call *call, const json_t *dates)
{
	json_t *rows = json_array(), *windows;
	const char *day;
	json_object_foreach((json_t *)(uintptr_t)dates, day, windows)
	{
		json_array_append_new(rows, json_pack("{s:s, s:s, s:O}", "date", day, "shown",
		                                      when_day(call, day), "windows", windows));
	}
	return rows;
}

/* `week` NULL: as it is on record. */
static void show(struct call *call, int status, const struct week *week, const char *fault,
                 const char *tried)
{
	json_t *head, *customer;
	struct week own;
	if (!head_read(call, call->names[0], "hours", &head, &customer))
		return;
	const json_t *hours = json_object_get(customer, "hours");
	week_of_record(hours, &own);
	week = week ? week : &own;
	json_t *dates = date_rows(call, json_object_get(hours, "dates"));
	json_t *data =
	        json_pack("{s:o, s:O, s:o, s:s, s:s, s:b, s:b}", "head", head, "number",
	                  json_object_get(customer, "number"), "days", day_rows(call, week),
	                  "fault", fault, "tried", tried, "has_dates", json_array_size(dates) > 0,
	                  "has_own", own.set || json_array_size(dates) > 0);
	const char *number = jsontext_at(head, "number");
	json_object_set_new(data, "week_fold", week_fold(call, number, week));
	json_object_set_new(data, "dates_fold",
	                    dates_fold(call, number, dates, own.set || json_array_size(dates) > 0));
	json_object_set_new(data, "dates", dates);
	if (week == &own || *tried != '\0')
		json_object_set_new(data, "opens", json_string(opens(call, week)));
	json_decref(customer);
	page_answer(call, status, "hours", words(call, "hours.title"), data);
}

static void hours(struct call *call)
{
	show(call, 200, NULL, "", "");
}

/* -- saving ------------------------------------------------------------------------------------ */

/* Days that somebody else has changed meanwhile, to something else. */
static bool find_conflicts(const struct call *call, const struct week *stored, struct week *week)
{
	bool any = false;
	for (int d = 0; d < DAYS; d++) {
		bool ours = strcmp(week->windows[d], week->was[d]) != 0;
		bool theirs = strcmp(stored->windows[d], week->was[d]) != 0 &&
		              strcmp(stored->windows[d], week->windows[d]) != 0;
		if (!ours || !theirs)
			continue;
		week->wrong[d] = words_fill(
		        call, "hours.theirs",
		        json_pack("{s:s}", "windows", shown_hours(call, stored->windows[d])));
		week->was[d] = stored->windows[d];
		any = true;
	}
	return any;
}

/* As it is on record, with the days that were changed; the dates stay. */
static json_t *merged(const json_t *own, const struct week *stored, const struct week *week)
{
	json_t *weekly = json_object();
	for (int d = 0; d < DAYS; d++) {
		bool ours = strcmp(week->windows[d], week->was[d]) != 0;
		const char *windows = ours ? week->windows[d] : stored->windows[d];
		if (*windows != '\0')
			json_object_set_new(weekly, hours_weekday_name(d), json_string(windows));
	}
	return json_pack("{s:o, s:O}", "weekly", weekly, "dates", json_object_get(own, "dates"));
}

static bool save_week(struct call *call, json_t *values, int64_t version, struct error *err)
{
	struct expected expected = {.version = version};
	struct change_context context;
	bool good = call_context(call, &context, err);
	context.expected = &expected;
	good = good && hours_replace(&context, call->names[0], values, err);
	json_decref(expected.conflicts);
	json_decref(values);
	return good;
}

static void save(struct call *call, struct week *week)
{
	struct week stored;
	struct error err;
	json_t *own;
	int64_t version;
	struct customers *store = stores_customers(call->stores, &err);
	if (!week->set) {
		show(call, 422, week, words(call, "hours.none"), "");
		return;
	}
	if (store == NULL || !hours_version(store, call->names[0], &version, &err) ||
	    !hours_show(store, call->names[0], &own, &err)) {
		page_fail(call, &err);
		return;
	}
	week_of_record(own, &stored);
	if (find_conflicts(call, &stored, week))
		show(call, 409, week, words(call, "hours.conflict"), "");
	else if (save_week(call, merged(own, &stored, week), version, &err))
		to_customer(call, call->names[0], "hours");
	else
		page_fail(call, &err);
	json_decref(own);
}

static void copy_down(struct week *week, const char *from)
{
	int source = DAYS;
	for (int d = 0; d < DAYS; d++) {
		if (d > source)
			week->windows[d] = week->windows[source];
		if (strcmp(hours_weekday_name(d), from) == 0)
			source = d;
	}
}

/* What one button of the form does: copies a day to those below, tries it, or saves it. */
static void page_hours_change(struct call *call)
{
	const char *copied = request_value(&call->request->form, "copy");
	struct week week;
	week_of_form(call, &week);
	if (copied)
		copy_down(&week, copied);
	if (!week_check(call, &week))
		show(call, 422, &week, words(call, "hours.wrong"), "");
	else if (copied || request_value(&call->request->form, "try"))
		show(call, 200, &week, "", "yes");
	else
		save(call, &week);
}

static bool put_dates(struct call *call, struct error *err)
{
	struct change_context context;
	const char *first = typed(call, "first"), *last = typed(call, "last");
	const char *windows = typed_hours(call, "windows");
	struct day from, to;
	bool removes = request_value(&call->request->form, "remove") != NULL;
	if (!day_parse(first, &from) || !day_parse(*last != '\0' ? last : first, &to))
		return error_set(err, EX_DATAERR, "%s", words(call, "hours.dates.wrong"));
	if (!removes && *windows == '\0')
		windows = "closed";
	return call_context(call, &context, err) &&
	       hours_except(&context, call->names[0], from, to, removes ? NULL : windows, err);
}

static void change_dates(struct call *call)
{
	struct error err;
	if (put_dates(call, &err))
		to_customer(call, call->names[0], "hours");
	else if (response_status_of(&err) == 422)
		show(call, 422, NULL, err.text, "");
	else
		page_fail(call, &err);
}

static void clear(struct call *call)
{
	struct change_context context;
	struct error err;
	if (call_context(call, &context, &err) && hours_clear(&context, call->names[0], &err))
		to_customer(call, call->names[0], "hours");
	else
		page_fail(call, &err);
}

const struct route hours_page_routes[] = {
        {ROUTE("GET", "/customers/:number/hours", ACCESS_READER, hours)},
        {ROUTE("POST", "/customers/:number/hours", ACCESS_CLERK, page_hours_change)},
        {ROUTE("POST", "/customers/:number/hours/dates", ACCESS_CLERK, change_dates)},
        {ROUTE("POST", "/customers/:number/hours/clear", ACCESS_CLERK, clear)},
        {0},
};
