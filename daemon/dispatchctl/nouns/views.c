/* SPDX-License-Identifier: MIT */
/*
 * Records for people. Lists and sheets of any kind come from the kinds' table; only the customer
 * has its own page, in the order of a dispatcher's questions: may I send a truck, who is it, what
 * do I have to know, when, whom do I call.
 */
#include "dispatchctl/nouns/views.h"

#include "model/hours.h"
#include "overview/calendar.h"

#include <string.h>

const char *view_title(const char *name, struct arena *arena)
{
	char *title = arena_strdup(arena, name);
	for (char *p = title; *p != '\0'; p++)
		*p = *p == '_' ? ' ' : *p;
	if (title[0] >= 'a' && title[0] <= 'z')
		title[0] = (char)(title[0] - 'a' + 'A');
	return title;
}

static bool may_be_cut(enum field_type type)
{
	return type == FIELD_LINE || type == FIELD_TEXT || type == FIELD_STATES;
}

static bool is_right(enum field_type type)
{
	return type == FIELD_UNSIGNED || type == FIELD_AMOUNT;
}

static void add(struct view *view, struct column column)
{
	view->columns[view->n++] = column;
}

static enum column_style style_of(const struct field *field)
{
	if (field->type == FIELD_INSTANT)
		return STYLE_TIME;
	if (strcmp(field->name, "text") == 0 || strcmp(field->name, "note") == 0)
		return STYLE_URGENT;
	return strcmp(field->name, "status") == 0 || strcmp(field->name, "state") == 0
	               ? STYLE_WORD
	               : STYLE_PLAIN;
}

static struct view view_new(const struct kind *kind, struct arena *arena)
{
	return (struct view){.columns = arena_new_array(arena, kind->n_fields + 4, struct column)};
}

struct view view_of_list(const struct kind *kind, bool with_owner, struct arena *arena)
{
	struct view view = view_new(kind, arena);
	add(&view, (struct column){.key = "id", .title = "Id", .right = true});
	if (with_owner && kind->owner != NULL)
		add(&view, (struct column){.key = kind->owner_key,
		                           .title = view_title(kind->owner_key, arena)});
	for (size_t i = 0; i < kind->n_fields; i++) {
		const struct field *field = &kind->fields[i];
		bool shown =
		        strcmp(field->name, "hash") != 0 && strstr(field->name, "_why") == NULL;
		if (shown)
			add(&view, (struct column){.key = field->name,
			                           .title = view_title(field->name, arena),
			                           .right = is_right(field->type),
			                           .min = may_be_cut(field->type) ? 10 : 0,
			                           .style = style_of(field)});
	}
	return view;
}

struct view view_of_sheet(const struct kind *kind, struct arena *arena)
{
	struct view view = view_new(kind, arena);
	add(&view, (struct column){.key = "id", .title = "Id"});
	if (kind->owner != NULL)
		add(&view, (struct column){.key = kind->owner_key,
		                           .title = view_title(kind->owner_key, arena)});
	for (size_t i = 0; i < kind->n_fields; i++)
		add(&view, (struct column){.key = kind->fields[i].name,
		                           .title = view_title(kind->fields[i].name, arena),
		                           .style = style_of(&kind->fields[i])});
	return view;
}

static void heading(struct ctl *ctl, const char *title)
{
	const struct look *look = output_look(ctl->out);
	buf_printf(output_text(ctl->out), "\n%s%s%s\n", look_bold(look), title, look_plain(look));
}

/* A customer's lists, in the order in which they are shown. */
static const struct {
	const char *key, *title, *kind;
} parts[] = {
        {"contacts", "Contacts", "contact"},
        {"assets", "Assets", "asset"},
        {"systems", "Systems", "system"},
        {"third_parties", "Third parties", "third-party"},
        {"activities", "Activities", "activity"},
        {"quotes", "Quotes", "quote"},
        {"sales", "Sales", "sale"},
        {"documents", "Documents", "document"},
        {"pictures", "Pictures", "picture"},
        {"comments", "Comments", "comment"},
};

static void view_part(struct ctl *ctl, const json_t *rows, const char *title,
                      const struct view *view)
{
	if (json_array_size(rows) == 0)
		return;
	heading(ctl, title);
	table_print(output_text(ctl->out), rows, view->columns, view->n, output_look(ctl->out));
}

static void view_notes(struct ctl *ctl, const json_t *notes)
{
	size_t i;
	const json_t *note;
	const struct look *look = output_look(ctl->out);
	if (json_array_size(notes) > 0)
		heading(ctl, "Notes");
	json_array_foreach(notes, i, note)
	{
		bool urgent = json_is_true(json_object_get(note, "urgent"));
		struct buf *out = output_text(ctl->out);
		buf_adds(out, urgent ? look_red(look) : "");
		buf_adds(out, urgent ? "URGENT  " : "");
		table_value(out, json_object_get(note, "text"));
		buf_printf(out, "%s%s  (", urgent ? look_plain(look) : "", look_faint(look));
		table_value(out, json_object_get(note, "author"));
		buf_adds(out, ", ");
		look_time(out, json_string_value(json_object_get(note, "created")), look);
		buf_printf(out, ")%s\n", look_plain(look));
	}
}

static void view_week(struct ctl *ctl, const json_t *weekly, const char *whose)
{
	for (int day = 0; json_is_object(weekly) && day < 7; day++) {
		const char *name = hours_weekday_name(day);
		const char *windows = json_string_value(json_object_get(weekly, name));
		output_print(ctl->out, "%s         %s%s", name, windows ? windows : "closed",
		             whose);
	}
}

/* "  (of customer 1000)", after hours that aren't the customer's own. */
static const char *whose_text(struct ctl *ctl, const json_t *inherited)
{
	const char *from = json_string_value(json_object_get(inherited, "from"));
	if (from == NULL)
		return "";
	if (strcmp(from, CALENDAR_OFFICE) == 0)
		return "  (for all customers)";
	return arena_printf(ctl->arena, "  (of customer %s)", from);
}

static void view_dates(struct ctl *ctl, json_t *dates)
{
	struct buf *out = output_text(ctl->out);
	const char *day;
	json_t *value;
	json_object_foreach(dates, day, value)
	{
		buf_printf(out, "%s  ", day);
		table_value(out, json_is_object(value) ? json_object_get(value, "windows") : value);
		buf_printf(out, "%s\n", whose_text(ctl, value));
	}
}

void view_hours(struct ctl *ctl, const json_t *hours)
{
	const json_t *inherited = json_object_get(hours, "inherited");
	const json_t *weekly = json_object_get(inherited, "weekly");
	view_week(ctl, json_object_get(hours, "weekly"), "");
	view_week(ctl, json_object_get(weekly, "windows"), whose_text(ctl, weekly));
	view_dates(ctl, json_object_get(hours, "dates"));
	view_dates(ctl, json_object_get(inherited, "dates"));
	if (json_is_true(json_object_get(hours, "never_open")))
		output_print(ctl->out,
		             "%sThese hours never open: mails that wait for them can't go out.%s",
		             look_red(output_look(ctl->out)), look_plain(output_look(ctl->out)));
	else if (json_is_string(json_object_get(hours, "next_open")))
		output_print(ctl->out, "Closed now; opens %s.",
		             json_string_value(json_object_get(hours, "next_open")));
}

static bool has_hours(const json_t *hours)
{
	return json_is_object(json_object_get(hours, "weekly")) ||
	       json_is_true(json_object_get(hours, "never_open")) ||
	       json_object_size(json_object_get(hours, "dates")) > 0 ||
	       json_is_object(json_object_get(json_object_get(hours, "inherited"), "weekly")) ||
	       json_object_size(json_object_get(json_object_get(hours, "inherited"), "dates")) > 0;
}

static void view_suspensions(struct ctl *ctl, const json_t *rows)
{
	size_t i;
	const json_t *row;
	const struct look *look = output_look(ctl->out);
	struct buf *out = output_text(ctl->out);
	json_array_foreach(rows, i, row)
	{
		bool holds = json_is_true(json_object_get(row, "holds"));
		const char *until = json_string_value(json_object_get(row, "until"));
		if (!json_is_null(json_object_get(row, "removed")))
			continue;
		buf_printf(out, "%s%s ", holds ? look_red(look) : "",
		           holds ? "SUSPENDED" : "Suspension");
		table_value(out, json_object_get(row, "id"));
		buf_adds(out, ": ");
		table_value(out, json_object_get(row, "scopes"));
		buf_adds(out, " from ");
		table_value(out, json_object_get(row, "from"));
		buf_printf(out, " %s%s: ", until ? "until " : "on, ", until ? until : "indefinite");
		table_value(out, json_object_get(row, "note"));
		buf_printf(out, "%s\n", holds ? look_plain(look) : "");
	}
}

/* What customer_jobs() gives, for a person. */
static void views_customer_jobs(struct ctl *ctl, const json_t *jobs)
{
	static const struct column columns[] = {
	        {.key = "job", .title = "Job"},
	        {.key = "state", .title = "State", .style = STYLE_WORD},
	        {.key = "scheduled", .title = "Scheduled", .style = STYLE_TIME},
	        {.key = "local.scheduled", .title = "There", .min = 10},
	        {.key = "changed", .title = "Changed", .style = STYLE_TIME},
	        {.key = "local.changed", .title = "There", .min = 10},
	        {.key = "service", .title = "Service", .min = 8},
	        {.key = "reference", .title = "Reference", .min = 8},
	};
	enum { COLUMNS = sizeof columns / sizeof *columns };
	output_section(ctl->out, json_object_get(jobs, "scheduled"), "Scheduled jobs", columns,
	               COLUMNS);
	static const struct column held[] = {
	        {.key = "id", .title = "Id", .right = true},
	        {.key = "job", .title = "Job"},
	        {.key = "reason", .title = "Reason"},
	        {.key = "received", .title = "Since", .style = STYLE_TIME},
	        {.key = "data.scheduled", .title = "Scheduled", .style = STYLE_TIME},
	        {.key = "local.scheduled", .title = "There", .min = 10},
	        {.key = "data.route", .title = "Route"},
	};
	output_section(ctl->out, json_object_get(jobs, "held"), "Held jobs", held,
	               sizeof held / sizeof *held);
	output_section(ctl->out, json_object_get(jobs, "last"), "Last jobs", columns, COLUMNS);
}

void view_customer(struct ctl *ctl, json_t *customer)
{
	const struct kind *kind = kind_find("customer");
	struct view sheet = view_of_sheet(kind, ctl->arena);
	sheet.columns[sheet.n++] = (struct column){.key = "sites", .title = "Sites"};
	sheet.columns[sheet.n++] = (struct column){.key = "reps", .title = "Sales reps"};
	view_suspensions(ctl, json_object_get(customer, "suspensions"));
	output_sheet(ctl->out, json_incref(customer), sheet.columns + 1,
	             sheet.n - 1); /* the id is internal */
	view_notes(ctl, json_object_get(customer, "notes"));
	if (has_hours(json_object_get(customer, "hours"))) {
		heading(ctl, "Service hours");
		view_hours(ctl, json_object_get(customer, "hours"));
	}
	views_customer_jobs(ctl, json_object_get(customer, "jobs"));
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		struct view view = view_of_list(kind_find(parts[i].kind), false, ctl->arena);
		view_part(ctl, json_object_get(customer, parts[i].key), parts[i].title, &view);
	}
	json_decref(customer);
}
