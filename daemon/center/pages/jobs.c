/* SPDX-License-Identifier: MIT */
/* All customers' jobs under way and scheduled, by route and time; one job's page is in job.c. */
#include "base/jsontext.h"
#include "center/pages/choice.h"
#include "center/pages/command.h"
#include "center/pages/labels.h"
#include "center/pages/mail_words.h"
#include "center/pages/page.h"
#include "center/pages/words.h"
#include "model/job_state.h"
#include "overview/current_jobs.h"

#include <string.h>

static const char *asked(const struct call *call, const char *name)
{
	const char *text = request_value(&call->request->query, name);
	return text && *text ? text : NULL;
}

static const char *stage_word(const struct call *call, const char *stage)
{
	return strcmp(stage, "scheduled") == 0 ? words(call, "jobs.scheduled")
	                                       : label_word(call, stage);
}

static json_t *stages_of(const struct call *call, const char *chosen)
{
	json_t *choices = json_array();
	choice_add(choices, "held", stage_word(call, "held"), chosen);
	choice_add(choices, "scheduled", stage_word(call, "scheduled"), chosen);
	for (int s = 0; s < JOB_STATE_COUNT; s++) {
		const char *name = job_state_name((enum job_state)s);
		if (!job_state_row((enum job_state)s)->is_end)
			choice_add(choices, name, stage_word(call, name), chosen);
	}
	return choices;
}

/* One that is chosen stays in the list, though its last job has ended. */
static json_t *routes_of(const json_t *names, const char *chosen)
{
	json_t *choices = json_array(), *name;
	bool found = chosen == NULL;
	size_t i;
	json_array_foreach(names, i, name)
	{
		const char *text = json_string_value(name);
		choice_add(choices, text, text, chosen);
		found = found || strcmp(text, chosen) == 0;
	}
	if (!found)
		choice_add(choices, chosen, chosen, chosen);
	return choices;
}

static const struct {
	const char *name, *label;
	enum current_day day;
} days[] = {{"today", "jobs.today", CURRENT_TODAY},
            {"tomorrow", "jobs.tomorrow", CURRENT_TOMORROW}};
enum { N_DAYS = sizeof days / sizeof *days };

static json_t *days_of(const struct call *call, const char *chosen)
{
	json_t *choices = json_array();
	for (size_t i = 0; i < N_DAYS; i++)
		choice_add(choices, days[i].name, words(call, days[i].label), chosen);
	return choices;
}

static bool is_stage(const char *name)
{
	enum job_state state = job_state_find(name);
	return strcmp(name, "held") == 0 || strcmp(name, "scheduled") == 0 ||
	       (state != JOB_NONE && !job_state_row(state)->is_end);
}

static bool no_such(struct call *call, const char *key, const char *asked)
{
	page_fail_status(call, 400, words_fill(call, key, json_pack("{s:s}", "asked", asked)));
	return false;
}

/* False with the answer made, for a state or a day that the form doesn't have. */
static bool read_filter(struct call *call, struct current_filter *ret)
{
	const char *day = asked(call, "day"), *stage = asked(call, "state");
	size_t i = 0;
	*ret = (struct current_filter){.route = asked(call, "route"), .stage = stage};
	if (stage && !is_stage(stage))
		return no_such(call, "jobs.no_state", stage);
	while (day && i < N_DAYS && strcmp(day, days[i].name) != 0)
		i++;
	if (i == N_DAYS)
		return no_such(call, "jobs.no_day", day);
	if (day)
		ret->day = days[i].day;
	return true;
}

static void add_words(const struct call *call, json_t *row)
{
	const char *stage = jsontext_at(row, "stage");
	json_object_set_new(row, "stage_word", json_string(stage_word(call, stage)));
	json_object_set_new(row, "planned", json_string(mail_words_listed(call, row, "scheduled")));
	json_object_set_new(row, "since", json_string(mail_words_listed(call, row, "changed")));
	json_object_set_new(row, "expected", json_string(mail_words_listed(call, row, "eta")));
}

/* The list for one who writes commands; it has no routes. */
static const char *command_for(const struct call *call, const char *stage)
{
	if (stage && job_state_find(stage) != JOB_NONE)
		return command_text(call, "job", "list", "--state", stage, NULL);
	return command_text(call, "job", "list", NULL);
}

static void jobs(struct call *call)
{
	struct overview overview;
	struct error err;
	json_t *found, *row;
	size_t i;
	struct current_filter filter;
	if (!read_filter(call, &filter))
		return;
	struct spool *spool = stores_spool(call->stores, &err);
	call_spool_overview(call, &overview);
	if (spool == NULL || !current_jobs(&overview, spool, &filter, &found, &err)) {
		page_fail(call, &err);
		return;
	}
	json_t *rows = json_object_get(found, "jobs");
	json_array_foreach(rows, i, row) add_words(call, row);
	json_t *data = json_pack(
	        "{s:s, s:O, s:b, s:O, s:O, s:o, s:o, s:o, s:b, s:[s]}", "topics", "jobs", "rows",
	        rows, "has_rows", json_array_size(rows) > 0, "more", json_object_get(found, "more"),
	        "cut", json_object_get(found, "cut"), "routes",
	        routes_of(json_object_get(found, "routes"), filter.route), "stages",
	        stages_of(call, filter.stage), "days", days_of(call, asked(call, "day")),
	        "filtered", filter.route || filter.stage || filter.day != CURRENT_ALL, "commands",
	        command_for(call, filter.stage));
	json_decref(found);
	page_answer(call, 200, "jobs", words(call, "jobs.title"), data);
}

const struct route jobs_page_routes[] = {
        {ROUTE("GET", "/jobs", ACCESS_READER, jobs), .query = "route state day"},
        {0},
};
