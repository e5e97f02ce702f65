/* SPDX-License-Identifier: MIT */
/* `hours …`: when a customer accepts mails and trucks. */
#include "dispatchctl/base/store.h"
#include "dispatchctl/nouns/nouns.h"
#include "dispatchctl/nouns/views.h"
#include "overview/calendar.h"

#include <string.h>
#include <sysexits.h>

/* Whose hours: the customer of the first argument, or with --all those for all customers (NULL).
 * *ret_at is the next argument; at least `least` have to follow. */
static bool whose(const struct ctl *ctl, size_t least, const char **ret_number, size_t *ret_at,
                  struct error *err)
{
	bool all = ctl_option(ctl, "all") != NULL;
	*ret_at = all ? 0 : 1;
	*ret_number = all ? NULL : ctl_arg(ctl, 0);
	if (ctl->n_args < *ret_at + least)
		return error_set(
		        err, EX_USAGE, "hours %s needs %s; see dispatchctl hours %s --help",
		        ctl->command->verb,
		        all ? "DAY and WINDOWS after --all" : "the NUMBER of a customer, or --all",
		        ctl->command->verb);
	if (least == 0 && ctl->n_args > *ret_at)
		return error_set(err, EX_USAGE,
		                 "hours %s takes either the NUMBER of a customer or --all",
		                 ctl->command->verb);
	return true;
}

/* `09:00 - 17:00` without quotes comes as three words. */
static const char *words_from(const struct ctl *ctl, size_t at)
{
	const char *text = ctl_arg(ctl, at);
	while (++at < ctl->n_args)
		text = arena_printf(ctl->arena, "%s %s", text, ctl_arg(ctl, at));
	return text;
}

/* Prints the hours as they are now, after a sentence about what was done (NULL: none). */
static bool print_hours(struct ctl *ctl, const struct change_context *context, const char *number,
                        const char *done, struct error *err)
{
	json_t *hours;
	if (!hours_show(context->store, number, &hours, err))
		return false;
	if (number != NULL && !calendar_add(store_overview(ctl), number, hours, err)) {
		json_decref(hours);
		return false;
	}
	if (done != NULL)
		output_print(ctl->out, "%s%s %s", number ? "hours of " : "dates for all customers",
		             number ? number : "", done);
	else if (number == NULL && json_object_size(json_object_get(hours, "dates")) == 0)
		output_print(ctl->out, "no dates for all customers");
	else if (number != NULL && !json_is_object(json_object_get(hours, "weekly")))
		output_print(ctl->out, "no weekly hours of its own%s",
		             json_is_object(
		                     json_object_get(json_object_get(hours, "inherited"), "weekly"))
		                     ? ""
		                     : ": open all day, every day, except on dates listed here");
	view_hours(ctl, hours);
	output_document(ctl->out, hours);
	return true;
}

static bool hours_run_show(struct ctl *ctl, struct error *err)
{
	struct change_context context;
	const char *number;
	size_t at;
	return whose(ctl, 0, &number, &at, err) && store_open(ctl, DB_READ, &context, err) &&
	       print_hours(ctl, &context, number, NULL, err);
}

static bool hours_run_set(struct ctl *ctl, struct error *err)
{
	struct change_context context;
	const char *number = ctl_arg(ctl, 0);
	return store_open(ctl, DB_WRITE, &context, err) &&
	       hours_set(&context, number, ctl_arg(ctl, 1), words_from(ctl, 2), err) &&
	       print_hours(ctl, &context, number, "set", err);
}

/* DAY or DAY..DAY; today is the customer's, or with --all the office's. */
static bool read_span(struct ctl *ctl, const char *number, const char *text, struct day *ret_first,
                      struct day *ret_last, struct error *err)
{
	const char *dots = strstr(text, ".."), *default_zone = store_default_zone(ctl);
	const struct zone *zone = default_zone ? zone_find(ctl->zones, default_zone) : NULL;
	zone = zone ? zone : zone_host(ctl->zones);
	if (number != NULL && !calendar_zone(store_overview(ctl), number, &zone, err))
		return false;
	const char *first = dots ? arena_strndup(ctl->arena, text, (size_t)(dots - text)) : text;
	return day_read(first, ctl->now, zone, ret_first, err) &&
	       day_read(dots ? dots + 2 : text, ctl->now, zone, ret_last, err);
}

static bool hours_run_except(struct ctl *ctl, struct error *err)
{
	struct change_context context;
	struct day first, last;
	const char *number;
	size_t at;
	if (!whose(ctl, 2, &number, &at, err) || !store_open(ctl, DB_WRITE, &context, err))
		return false;
	const char *windows = words_from(ctl, at + 1);
	bool as_always = strcmp(windows, "normal") == 0;
	return read_span(ctl, number, ctl_arg(ctl, at), &first, &last, err) &&
	       hours_except(&context, number, first, last, as_always ? NULL : windows, err) &&
	       print_hours(ctl, &context, number, "set", err);
}

static bool hours_run_clear(struct ctl *ctl, struct error *err)
{
	struct change_context context;
	const char *number;
	size_t at;
	return whose(ctl, 0, &number, &at, err) && store_open(ctl, DB_WRITE, &context, err) &&
	       hours_clear(&context, number, err) &&
	       print_hours(ctl, &context, number, "cleared", err);
}

static bool hours_run_history(struct ctl *ctl, struct error *err)
{
	struct change_context context;
	const char *number;
	size_t at;
	json_t *rows;
	if (!whose(ctl, 0, &number, &at, err) || !store_open(ctl, DB_READ, &context, err) ||
	    !hours_history(context.store, number, &rows, err))
		return false;
	view_changes(ctl, rows);
	return true;
}

static const struct option all_options[] = {
        {.name = "all",
         .help = "dates for all customers, except those that set the date themselves"},
        {0},
};

static const struct command commands[] = {
        {.verb = "show",
         .args = "[NUMBER]",
         .options = all_options,
         .uses = USES_STORE,
         .help = "Shows a customer's weekly hours and dates, its own and inherited ones",
         .examples = "hours show 1001\nhours show --all",
         .run = hours_run_show},
        {.verb = "set",
         .args = "NUMBER WEEKDAYS WINDOWS...",
         .uses = USES_STORE,
         .help = "Sets the windows of weekdays; once one is set, the others are closed until set",
         .more = "WEEKDAYS: mon, mon-fri, sat,sun, all. WINDOWS: 07:00-12:00,13:00-17:00, "
                 "22:00-06:00 (past midnight), 08:00-24:00, closed; Mon-Fri and 9:00 - 17:00 work "
                 "too. Times are in the customer's time zone.",
         .examples = "hours set 1001 mon-fri 07:00-12:00,13:00-17:00\nhours set 1001 sat closed",
         .run = hours_run_set},
        {.verb = "except",
         .args = "[NUMBER] DAY[..DAY] WINDOWS...",
         .options = all_options,
         .uses = USES_STORE,
         .help = "Sets the windows of a date or a range of dates, instead of the weekday's",
         .more = "WINDOWS as for hours set; \"normal\" removes the exception. With --all it is a "
                 "date for every customer unless the customer or a parent sets that date.",
         .examples = "hours except 1001 2026-12-25 closed\nhours except 1001 tomorrow 09:00-12:00\n"
                     "hours except --all 2026-12-24..2026-12-26 closed",
         .run = hours_run_except},
        {.verb = "clear",
         .args = "[NUMBER]",
         .options = all_options,
         .uses = USES_STORE,
         .help = "Removes a customer's hours and dates; its parent's apply, or else it is always "
                 "open except on dates for all customers",
         .more = "With --all it removes only the dates for all customers.",
         .examples = "hours clear 1001",
         .run = hours_run_clear},
        {.verb = "history",
         .args = "[NUMBER]",
         .options = all_options,
         .uses = USES_STORE,
         .help = "Lists every change to the hours: who, when, before and after",
         .examples = "hours history 1001\nhours history --all",
         .run = hours_run_history},
};

const struct noun noun_hours = {.name = "hours",
                                .help = "service hours: when mails and trucks may come",
                                COMMANDS(commands)};
