/* SPDX-License-Identifier: MIT */
/* `suspension add`, `set`, `end` and `list`; `suspend`, `resume` and `suspensions` are short for
 * three of them. */
#include "dispatchctl/base/store.h"
#include "dispatchctl/nouns/fields.h"
#include "dispatchctl/nouns/nouns.h"
#include "dispatchctl/nouns/record.h"
#include "dispatchctl/nouns/record_nouns.h"
#include "overview/calendar.h"

#include <string.h>
#include <sysexits.h>

static bool take_day(const struct ctl *ctl, const char *name, const struct zone *zone,
                     json_t *values, struct error *err)
{
	struct day day;
	char text[DAY_TEXT_MAX];
	if (ctl_option(ctl, name) == NULL || *ctl_option(ctl, name) == '\0')
		return true;
	if (!ctl_option_day(ctl, name, zone, &day, err))
		return false;
	json_object_set_new(values, name, json_string(day_format(day, text)));
	return true;
}

/* --scope is the option, scopes the record's field: both are accepted. */
static bool take_scopes(const struct ctl *ctl, json_t *values, struct error *err)
{
	const char *scope = ctl_option(ctl, "scope"), *scopes = ctl_option(ctl, "scopes");
	if (scope && scopes)
		return error_set(err, EX_USAGE, "--scope and --scopes are the same; give only one");
	if (scope || scopes)
		json_object_set_new(values, "scopes", json_string(scope ? scope : scopes));
	return true;
}

static bool gather(const struct ctl *ctl, json_t *values, struct error *err)
{
	const char *note = ctl_option(ctl, "note");
	if (note == NULL || *note == '\0')
		return error_set(err, EX_USAGE, "%s%s needs --note: tell the next dispatcher why",
		                 ctl->noun->name, ctl->command->verb ? " add" : "");
	json_object_set_new(values, "note", json_string(note));
	return take_scopes(ctl, values, err);
}

/* Today and tomorrow are in the customer's time zone. */
static bool gather_days(struct ctl *ctl, json_t *values, struct error *err)
{
	const struct zone *zone;
	return calendar_zone(store_overview(ctl), ctl_arg(ctl, 0), &zone, err) &&
	       take_day(ctl, "from", zone, values, err) &&
	       take_day(ctl, "until", zone, values, err);
}

static bool suspension_run_add(struct ctl *ctl, struct error *err)
{
	const char *number = ctl_arg(ctl, 0);
	struct change_context context;
	int64_t id;
	json_t *values = json_object(), *row = NULL;
	bool ok = gather(ctl, values, err) && store_open(ctl, DB_WRITE, &context, err) &&
	          gather_days(ctl, values, err) &&
	          suspend(&context, number, store_default_zone(ctl), values, &id, err) &&
	          records_show(context.store, kind_find("suspension"),
	                       arena_printf(ctl->arena, "%lld", (long long)id), &row, err);
	json_decref(values);
	if (!ok)
		return false;
	struct buf scopes = {0};
	table_value(&scopes, json_object_get(row, "scopes"));
	const char *until = json_string_value(json_object_get(row, "until"));
	output_print(ctl->out, "customer %s suspended (%lld): %s from %s%s%s", number,
	             (long long)id, buf_text(&scopes),
	             json_string_value(json_object_get(row, "from")),
	             until ? " until " : ", indefinitely", until ? until : "");
	buf_free(&scopes);
	output_document(ctl->out, row);
	return true;
}

/* Today and tomorrow are in the time zone of the record's customer. */
static bool suspension_run_set(struct ctl *ctl, struct error *err)
{
	const struct kind *kind = kind_find("suspension");
	const char *id = ctl_arg(ctl, 0), *until = ctl_option(ctl, "until");
	struct change_context context;
	const struct zone *zone;
	json_t *row = NULL, *values = fields_given(ctl, err);
	bool ok = values != NULL && take_scopes(ctl, values, err);
	if (ok && json_object_size(values) == 0)
		ok = error_set(err, EX_USAGE, "suspension set needs --until, --scope or --note");
	ok = ok && store_open(ctl, DB_WRITE, &context, err) &&
	     records_show(context.store, kind, id, &row, err);
	if (ok && until && *until)
		ok = calendar_zone(store_overview(ctl),
		                   json_string_value(json_object_get(row, "customer")), &zone,
		                   err) &&
		     take_day(ctl, "until", zone, values, err);
	ok = ok && records_set(&context, kind, id, values, err);
	json_decref(values);
	json_decref(row);
	return ok && record_done(ctl, context.store, id, "changed", err);
}

/* Suspensions still in force, including the parents', so that nobody sends the truck. */
static void print_still(struct ctl *ctl, const json_t *row)
{
	const char *number = ctl_arg(ctl, 0),
	           *whose = json_string_value(json_object_get(row, "customer"));
	const char *until = json_string_value(json_object_get(row, "until"));
	struct buf *out = output_text(ctl->out);
	buf_printf(out, "customer %s is still suspended (", number);
	table_value(out, json_object_get(row, "scopes"));
	buf_printf(out, ", %s%s) by suspension %lld of ", until ? "until " : "indefinitely",
	           until ? until : "", (long long)json_integer_value(json_object_get(row, "id")));
	buf_printf(out, "%s%s: ", strcmp(whose, number) == 0 ? "its own" : "customer ",
	           strcmp(whose, number) == 0 ? "" : whose);
	table_value(out, json_object_get(row, "note"));
	buf_addc(out, '\n');
}

static bool add_still(struct ctl *ctl, const struct change_context *context, json_t *answer,
                      struct error *err)
{
	const char *number = ctl_arg(ctl, 0);
	json_t *rows, *row, *still = json_array();
	size_t i;
	if (!suspensions_list(context->store, number, store_default_zone(ctl), ctl->now, false,
	                      &rows, err)) {
		json_decref(still);
		return false;
	}
	json_array_foreach(rows, i, row)
	{
		if (!json_is_true(json_object_get(row, "holds")))
			continue;
		json_array_append(still, row);
		print_still(ctl, row);
	}
	json_decref(rows);
	json_object_set_new(answer, "still", still);
	return true;
}

static bool suspension_run_end(struct ctl *ctl, struct error *err)
{
	struct change_context context;
	int64_t id = 0, n = 0;
	if ((ctl->n_args > 1 && !ctl_arg_id(ctl, 1, &id, err)) ||
	    !store_open(ctl, DB_WRITE, &context, err) ||
	    !resume(&context, ctl_arg(ctl, 0), store_default_zone(ctl), id, &n, err))
		return false;
	if (n == 0)
		output_print(ctl->out, "customer %s has no suspension of its own in force",
		             ctl_arg(ctl, 0));
	else
		output_print(ctl->out, "customer %s resumed: %lld suspension%s ended",
		             ctl_arg(ctl, 0), (long long)n, n == 1 ? "" : "s");
	json_t *answer =
	        json_pack("{s:s, s:I}", "customer", ctl_arg(ctl, 0), "ended", (json_int_t)n);
	if (!add_still(ctl, &context, answer, err)) {
		json_decref(answer);
		return false;
	}
	output_document(ctl->out, answer);
	return true;
}

static bool suspension_run_list(struct ctl *ctl, struct error *err)
{
	struct change_context context;
	json_t *rows;
	bool history = ctl_option(ctl, "history") != NULL;
	if (!store_open(ctl, DB_READ, &context, err) ||
	    !suspensions_list(context.store, ctl_arg(ctl, 0), store_default_zone(ctl), ctl->now,
	                      history, &rows, err))
		return false;
	output_rows(ctl->out, rows,
	            COLUMNS({.key = "id", .title = "Id", .right = true},
	                    {.key = "customer", .title = "Customer"},
	                    {.key = "holds", .title = "Now"}, {.key = "scopes", .title = "Scopes"},
	                    {.key = "from", .title = "From"}, {.key = "until", .title = "Until"},
	                    {.key = "note", .title = "Note", .min = 20},
	                    {.key = "author", .title = "Author"},
	                    {.key = "removed", .title = "Removed", .style = STYLE_TIME},
	                    {.key = "removed_by", .title = "By"}),
	            "no suspensions");
	return true;
}

static const struct option suspend_options[] = {
        {.name = "note", .value = "TEXT", .help = "why, for the next dispatcher (required)"},
        {.name = "from", .value = "DAY", .help = "first day; today by default"},
        {.name = "until",
         .value = "DAY",
         .help = "first day after the suspension; indefinite by default"},
        {.name = "scope",
         .value = "jobs,routes,emails",
         .help = "what to suspend: new jobs, stops on routes, mails; all by default"},
        {.name = "scopes", .value = "jobs,routes,emails", .help = "the same as --scope"},
        {0},
};

static const struct option set_options[] = {
        {.name = "scope", .value = "jobs,routes,emails", .help = "the same as --scopes"},
        {0},
};

static const struct option list_options[] = {
        {.name = "history", .help = "include suspensions that have ended"},
        {0},
};

/* `show`, `history`, `import` and `export` are those of any record (record_nouns.c). */
const struct command suspension_verbs[] = {
        {.verb = "add",
         .args = "NUMBER",
         .options = suspend_options,
         .uses = USES_STORE,
         .help = "Suspends a customer and its sites: no new jobs, no stops, no mails",
         .examples =
                 "suspension add 1001 --until +14d --note \"Shop is being rebuilt\"\n"
                 "suspension add 1001 --scope emails --note \"No mails until the audit is over\"",
         .run = suspension_run_add},
        {.verb = "set",
         .args = "ID",
         .options = set_options,
         .kind = "suspension",
         .fields = true,
         .uses = USES_STORE,
         .help = "Changes the end, the scopes or the note of a suspension",
         .more = "An empty --until makes it indefinite. A suspension that was ended can't be "
                 "changed.",
         .examples = "suspension set 12 --until +7d\nsuspension set 12 --scope emails",
         .run = suspension_run_set},
        {.verb = "end",
         .args = "NUMBER [ID]",
         .uses = USES_STORE,
         .help = "Ends one suspension of a customer, or all that are in force",
         .examples = "suspension end 1001\nsuspension end 1001 12",
         .run = suspension_run_end},
        {.verb = "list",
         .args = "[NUMBER]",
         .options = list_options,
         .uses = USES_STORE,
         .help = "Lists the suspensions of a customer and its parents, or of all customers",
         .examples = "suspension list\nsuspension list 1001 --history",
         .run = suspension_run_list},
};
const size_t suspension_verbs_n = sizeof suspension_verbs / sizeof *suspension_verbs;

/* Short forms of three of these. */
static const struct command suspend_command[] = {
        {.args = "NUMBER",
         .options = suspend_options,
         .uses = USES_STORE,
         .help = "Suspends a customer; short for suspension add",
         .examples = "suspend 1001 --until +14d --note \"Shop is being rebuilt\"",
         .run = suspension_run_add},
};
static const struct command resume_command[] = {
        {.args = "NUMBER [ID]",
         .uses = USES_STORE,
         .help = "Ends suspensions of a customer; short for suspension end",
         .examples = "resume 1001\nresume 1001 12",
         .run = suspension_run_end},
};
static const struct command suspensions_command[] = {
        {.args = "[NUMBER]",
         .options = list_options,
         .uses = USES_STORE,
         .help = "Lists suspensions; short for suspension list",
         .examples = "suspensions\nsuspensions 1001 --history",
         .run = suspension_run_list},
};

const struct noun noun_suspend = {
        .name = "suspend", .help = "short for suspension add", COMMANDS(suspend_command)};
const struct noun noun_resume = {
        .name = "resume", .help = "short for suspension end", COMMANDS(resume_command)};
const struct noun noun_suspensions = {
        .name = "suspensions", .help = "short for suspension list", COMMANDS(suspensions_command)};
