/* SPDX-License-Identifier: MIT */
/*
 * The data that templates see: the engine makes it, this file completes it, and lists its names for
 * the check of templates.
 */
#include "mail/context.h"

#include "model/kind.h"
#include "model/words.h"

#include <stdio.h>
#include <string.h>

#define JOB_DATA                                                                                   \
	" reference service scheduled eta route stop driver vehicle asset reason note photos "     \
	"amount "

/* Members of each object, between spaces: what the contract lists and what context_complete() adds;
 * the kind whose fields it has besides, and whether it has one for each state of a job. */
static const struct object {
	const char *name, *members, *kind;
	bool has_states;
} objects[] = {
        {.name = "event", .members = " id source type time job customer data " JOB_DATA},
        {.name = "event.data", .members = JOB_DATA},
        {.name = "job",
         .members = " id state time grouped history customer window " JOB_DATA,
         .has_states = true},
        {.name = "jobs", .members = " id state time customer window " JOB_DATA, .has_states = true},
        {.name = "jobs.window", .members = " arrive_by leave_by all_day "},
        {.name = "job.window", .members = " arrive_by leave_by all_day "},
        {.name = "customer", .members = " ", .kind = "customer"},
        {.name = "contact", .members = " id ", .kind = "contact"},
        {.name = "window", .members = " arrive_by leave_by all_day "},
        {.name = "timeline", .members = " event state type time " JOB_DATA, .has_states = true},
        {.name = "company", .members = " name phone email website "},
        {.name = "opt_out", .members = " "},
        {.name = "replies", .members = " "},
        {.name = "choice", .members = " all ", .has_states = true},
        {.name = "suspension", .members = " id customer note from until author scopes "},
        {.name = "report", .members = " address words time hour day "},
        {.name = "reports", .members = " address words time "},
        {.name = "breaker", .members = " made held limit "},
        {.name = "shares", .members = " customer job state source "},
        {.name = "shares.customer", .members = " what mails "},
        {.name = "shares.job", .members = " what mails "},
        {.name = "shares.state", .members = " what mails "},
        {.name = "shares.source", .members = " what mails "},
};

static bool has_word(const char *words, const char *word, size_t len)
{
	for (const char *p = words; (p = memmem(p, strlen(p), word, len)) != NULL; p++)
		if (p > words && p[-1] == ' ' && p[len] == ' ')
			return true;
	return false;
}

static bool kind_provides(const char *name, const char *field)
{
	const struct kind *kind = kind_find(name);
	for (size_t i = 0; i < kind->n_fields; i++)
		if (!kind->fields[i].not_in_mail && strcmp(kind->fields[i].name, field) == 0)
			return true;
	return false;
}

static bool object_provides(const struct object *object, const char *member)
{
	return has_word(object->members, member, strlen(member)) ||
	       (object->kind != NULL && kind_provides(object->kind, member)) ||
	       (object->has_states && job_state_find(member) != JOB_NONE);
}

/* A customer is in jobs too, with its parents up the chain: "job.customer.parent.parent.name". */
static const char *customer_member(const char *name)
{
	static const char *const places[] = {"customer.", "job.customer.", "jobs.customer."};
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		size_t len = strlen(places[i]);
		if (strncmp(name, places[i], len) != 0)
			continue;
		for (name += len; strncmp(name, "parent.", 7) == 0;)
			name += 7;
		return name;
	}
	return NULL;
}

bool context_provides(const char *name)
{
	const char *member = customer_member(name);
	if (member != NULL)
		return kind_provides("customer", member);
	const char *dot = strrchr(name, '.');
	for (size_t i = 0; i < sizeof objects / sizeof *objects; i++) {
		const struct object *object = &objects[i];
		if (strcmp(object->name, name) == 0)
			return true;
		if (dot != NULL && strlen(object->name) == (size_t)(dot - name) &&
		    strncmp(object->name, name, (size_t)(dot - name)) == 0)
			return object_provides(object, dot + 1);
	}
	return false;
}

size_t context_data_member(const char *name, const char **ret)
{
	static const char *const places[] = {"event.data.", "event.", "job.", "jobs.", "timeline."};
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		size_t len = strlen(places[i]);
		if (strncmp(name, places[i], len) == 0) {
			*ret = name + len;
			return strcspn(*ret, ".");
		}
	}
	return 0;
}

struct each {
	void (*fn)(void *arg, const char *name);
	void *arg;
	const char *object;
};

static void each_member(const struct each *each, const char *member, size_t len)
{
	char full[80];
	(void)snprintf(full, sizeof full, "%s.%.*s", each->object, (int)len, member);
	each->fn(each->arg, full);
}

static void each_field(const struct each *each, const struct kind *kind)
{
	for (size_t i = 0; i < kind->n_fields; i++)
		if (!kind->fields[i].not_in_mail)
			each_member(each, kind->fields[i].name, strlen(kind->fields[i].name));
}

static void each_state(const struct each *each)
{
	for (int i = 0; i < JOB_STATE_COUNT; i++) {
		const char *state = job_state_name((enum job_state)i);
		each_member(each, state, strlen(state));
	}
}

void context_each_name(void (*fn)(void *arg, const char *name), void *arg)
{
	for (size_t i = 0; i < sizeof objects / sizeof *objects; i++) {
		const struct each each = {fn, arg, objects[i].name};
		fn(arg, objects[i].name);
		for (const char *p = objects[i].members + 1; *p != '\0'; p += strspn(p, " ")) {
			size_t len = strcspn(p, " ");
			each_member(&each, p, len);
			p += len;
		}
		if (objects[i].kind != NULL)
			each_field(&each, kind_find(objects[i].kind));
		if (objects[i].has_states)
			each_state(&each);
	}
}

/* {"state": "completed"} gets "completed": true. */
static void mark_state(json_t *entry)
{
	const char *state = json_string_value(json_object_get(entry, "state"));
	if (state != NULL && job_state_find(state) != JOB_NONE &&
	    json_object_get(entry, state) == NULL)
		json_object_set_new(entry, state, json_true());
}

static void mark_states(json_t *list)
{
	size_t i;
	json_t *entry;
	json_array_foreach(list, i, entry) mark_state(entry);
}

void context_complete(json_t *context)
{
	json_t *timeline = json_object_get(context, "timeline");
	json_t *job = json_object_get(context, "job");
	mark_states(timeline);
	mark_state(job);
	json_t *jobs = json_object_get(context, "jobs");
	mark_states(jobs);
	if (json_is_object(job) && json_array_size(timeline) > 1)
		json_object_set_new(job, "history", json_true());
	if (json_is_object(job) && json_array_size(jobs) > 1)
		json_object_set_new(job, "grouped", json_true());
}
