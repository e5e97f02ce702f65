/* SPDX-License-Identifier: MIT */
/* `hours …`: when a customer may be mailed and expects the truck. */
#include "ctl/calendar.h"
#include "ctl/nouns.h"
#include "ctl/store.h"
#include "ctl/views.h"

#include <string.h>

/* The hours as they are now, after a sentence on what was done (NULL: nothing). */
static bool give(struct ctl *ctl, const struct act *act, const char *done, struct error *err)
{
	const char *number = ctl_arg(ctl, 0);
	json_t *hours;
	if (!hours_show(act->store, number, &hours, err))
		return false;
	if (!calendar_add(ctl, act->store, number, hours, err)) {
		json_decref(hours);
		return false;
	}
	if (done != NULL)
		output_say(ctl->out, "hours of %s %s", number, done);
	else if (!json_is_object(json_object_get(hours, "weekly")))
		output_say(ctl->out,
		           "no weekly hours of its own: open all day, every day, but for dates and what its "
		           "parent says");
	view_hours(ctl, hours);
	output_document(ctl->out, hours);
	return true;
}

static bool show(struct ctl *ctl, struct error *err)
{
	struct act act;
	return store_open(ctl, DB_READ, &act, err) && give(ctl, &act, NULL, err);
}

static bool set(struct ctl *ctl, struct error *err)
{
	struct act act;
	return store_open(ctl, DB_WRITE, &act, err) &&
	       hours_set(&act, ctl_arg(ctl, 0), ctl_arg(ctl, 1), ctl_arg(ctl, 2), err) &&
	       give(ctl, &act, "set", err);
}

static bool except(struct ctl *ctl, struct error *err)
{
	struct act act;
	struct day day;
	const char *windows = ctl_arg(ctl, 2);
	bool as_always = strcmp(windows, "normal") == 0;
	const struct zone *zone;
	return store_open(ctl, DB_WRITE, &act, err) &&
	       calendar_zone(ctl, act.store, ctl_arg(ctl, 0), &zone, err) &&
	       day_read(ctl_arg(ctl, 1), ctl->now, zone, &day, err) &&
	       hours_except(&act, ctl_arg(ctl, 0), day, as_always ? NULL : windows, err) &&
	       give(ctl, &act, "set", err);
}

static bool clear(struct ctl *ctl, struct error *err)
{
	struct act act;
	return store_open(ctl, DB_WRITE, &act, err) && hours_clear(&act, ctl_arg(ctl, 0), err) &&
	       give(ctl, &act, "cleared", err);
}

static const struct command commands[] = {
        {.verb = "show",
         .args = "NUMBER",
         .uses = USES_STORE,
         .help = "Shows a customer's own weekly hours and dates",
         .examples = "hours show 1001",
         .run = show},
        {.verb = "set",
         .args = "NUMBER WEEKDAYS WINDOWS",
         .uses = USES_STORE,
         .help = "Sets the windows of weekdays; days never set are closed as soon as one is",
         .more = "WEEKDAYS: mon, mon-fri, sat,sun, all. WINDOWS: 07:00-12:00,13:00-17:00, 22:00-06:00 (over "
                 "midnight), 08:00-24:00, closed. Wall-clock time in the customer's zone.",
         .examples = "hours set 1001 mon-fri 07:00-12:00,13:00-17:00\nhours set 1001 sat closed",
         .run = set},
        {.verb = "except",
         .args = "NUMBER DAY WINDOWS",
         .uses = USES_STORE,
         .help = "Sets the windows of one date, in place of its weekday's",
         .more = "WINDOWS as for hours set; \"normal\" takes the exception away.",
         .examples = "hours except 1001 2026-12-25 closed\nhours except 1001 tomorrow 09:00-12:00",
         .run = except},
        {.verb = "clear",
         .args = "NUMBER",
         .uses = USES_STORE,
         .help = "Takes all hours and dates away: the parent's hold, else it is always open",
         .examples = "hours clear 1001",
         .run = clear},
};

const struct noun noun_hours = {
        .name = "hours", .help = "service hours: when mails and trucks may come", COMMANDS(commands)};
