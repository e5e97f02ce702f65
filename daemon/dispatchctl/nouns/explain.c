/* SPDX-License-Identifier: MIT */
/* `explain`: what would happen to an event, and why, by the code that decides. */
#include "engine/explain.h"
#include "dispatchctl/base/office.h"

#include "base/jsontext.h"
#include "dispatchctl/nouns/nouns.h"
#include "dispatchctl/nouns/spool.h"
#include "dispatchctl/nouns/view_trace.h"
#include "model/words.h"

#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static void print_due(struct ctl *ctl, const json_t *object)
{
	struct buf *out = output_text(ctl->out);
	if (*table_text(object, "due") == '\0')
		return;
	buf_adds(out, ", due ");
	buf_adds(out, table_text(object, "due"));
}

/* The verdict in a sentence. */
static const struct sentence {
	const char *status, *reason, *sentence;
} sentences[] = {
        {"queued", "ok", "A mail is sent now."},
        {"deferred", "outside_hours", "A mail is made; it waits until the customer opens."},
        {"deferred", "grouped", "A mail is made; it waits to be combined with others."},
        {"expired", "expired", "No mail: it would be too late to be useful."},
        {"rejected", "malformed", "No mail: the event is malformed and becomes a dead letter."},
        {"rejected", "unknown_customer",
         "No mail: the customer is unknown; the event becomes a dead letter."},
        {"suppressed", "duplicate", "No mail: this event was received before."},
        {"suppressed", "stale", "No mail: the job already has a newer state."},
        {"suppressed", "repeat", "No mail: the job was already in that state."},
        {"suppressed", "customer_not_active", "No mail: the customer or a parent is not active."},
        {"suppressed", "suspended", "No mail: a suspension is in force."},
        {"suppressed", "not_wanted", "No mail: no contact wants mails about this state."},
        {"suppressed", "no_address", "No mail: no contact has an address."},
        {"suppressed", "address_invalid",
         "No mail: the address was refused before and is marked invalid."},
        {"suppressed", "same_address",
         "No mail: another contact's mail about this event goes to the same address."},
        {"suppressed", "outside_hours",
         "No mail: the customer is closed, and mails about this state don't wait."},
        {"suppressed", "never_open", "No mail: the customer's service hours never open."},
};

static void print_sentence(struct ctl *ctl, const json_t *answer)
{
	for (size_t i = 0; i < sizeof sentences / sizeof *sentences; i++)
		if (strcmp(sentences[i].status, table_text(answer, "status")) == 0 &&
		    strcmp(sentences[i].reason, table_text(answer, "reason")) == 0)
			output_print(ctl->out, "%s", sentences[i].sentence);
	if (json_is_object(json_object_get(answer, "collision")))
		output_print(ctl->out, "The office is notified: a job is in progress although the "
		                       "customer is suspended.");
}

static void print_verdict(struct ctl *ctl, const json_t *answer)
{
	struct buf *out = output_text(ctl->out);
	const struct look *look = output_look(ctl->out);
	size_t i;
	const json_t *contact;
	buf_printf(out, "%s%s: %s%s", look_bold(look), table_text(answer, "status"),
	           table_text(answer, "reason"), look_plain(look));
	print_due(ctl, answer);
	buf_addc(out, '\n');
	print_sentence(ctl, answer);
	json_array_foreach(json_object_get(answer, "contacts"), i, contact)
	{
		buf_adds(out, "  ");
		if (*table_text(contact, "email") == '\0')
			buf_printf(out, "contact %lld",
			           (long long)json_integer_value(json_object_get(contact, "id")));
		table_value(out, json_object_get(contact, "email"));
		buf_printf(out, ": %s, %s", table_text(contact, "status"),
		           table_text(contact, "reason"));
		print_due(ctl, contact);
		buf_addc(out, '\n');
	}
	if (json_is_true(json_object_get(answer, "recorded")))
		output_print(
		        ctl->out,
		        "  (this event is on record; this is what today's rules and data say)");
	buf_addc(out, '\n');
	view_trace(ctl, json_object_get(answer, "trace"));
}

static bool explain_text(struct ctl *ctl, struct explain *explain, const char *text,
                         struct error *err)
{
	struct instant at = ctl->now;
	struct buf line = {0};
	if (!ctl_option_time(ctl, "at", &at, err))
		return false;
	bool ok = explain_event(explain, text, strlen(text), at, &line, err);
	if (!ok && err->code == EX_DATAERR)
		(void)error_prefix(err, "--event");
	json_t *answer = ok ? jsontext_read(line.data, line.len, err) : NULL;
	buf_free(&line);
	if (answer == NULL)
		return false;
	print_verdict(ctl, answer);
	output_document(ctl->out, answer);
	return true;
}

static bool run_event(struct ctl *ctl, struct explain *explain, struct error *err)
{
	return explain_text(ctl, explain, ctl_option(ctl, "event"), err);
}

/* An event that wasn't published; without --job it is about a new job. */
static bool run_parts(struct ctl *ctl, struct explain *explain, struct error *err)
{
	char *id = g_uuid_string_random();
	const char *job = ctl_option(ctl, "job");
	json_t *event = json_pack("{s:s, s:s, s:s, s:s}", "id", id, "type",
	                          ctl_event_type(ctl, ctl_option(ctl, "type")), "job",
	                          job != NULL ? job : id, "customer", ctl_option(ctl, "customer"));
	char *text = event ? json_dumps(event, JSON_COMPACT) : NULL;
	bool ok = text ? explain_text(ctl, explain, text, err)
	               : error_set(err, EX_DATAERR, "the text is not valid UTF-8");
	free(text);
	json_decref(event);
	g_free(id);
	return ok;
}

/* One answer per line, each written at once. */
static bool run_lines(struct ctl *ctl, struct explain *explain, FILE *in, const char *path,
                      struct error *err)
{
	static char room[1 << 16];
	char *line = NULL;
	size_t size = 0, number = 0;
	(void)setvbuf(stdout, room, _IOFBF, sizeof room);
	ssize_t len;
	struct buf answer = {0};
	bool ok = true;
	while (ok && (len = getline(&line, &size, in)) >= 0) {
		number++;
		if (line[strspn(line, " \t\r\n")] == '\0')
			continue;
		buf_reset(&answer);
		ok = explain_line(explain, line, (size_t)len, ctl->now, &answer, err);
		if (!ok)
			error_prefix(err, "%s:%zu", path, number);
		ok = ok && output_line(ctl->out, answer.data, answer.len, err);
	}
	if (ok && ferror(in))
		ok = error_set(err, EX_IOERR, "can't read %s: %s", path, strerror(errno));
	free(line);
	buf_free(&answer);
	return ok;
}

static bool run_batch(struct ctl *ctl, struct explain *explain, struct error *err)
{
	const char *path = ctl_option(ctl, "batch");
	FILE *in = strcmp(path, "-") == 0 ? stdin : office_open_given(path, "re");
	if (in == NULL)
		return error_set(err, EX_NOINPUT, "can't read %s: %s", path, strerror(errno));
	bool ok = run_lines(ctl, explain, in, path, err);
	if (in != stdin)
		(void)fclose(in);
	return ok;
}

typedef bool run_fn(struct ctl *ctl, struct explain *explain, struct error *err);

/* Whether the options make an event; what is missing is a usage fault. */
static bool check_parts(const struct ctl *ctl, struct error *err)
{
	const char *type = ctl_option(ctl, "type");
	if (ctl_option(ctl, "customer") == NULL || type == NULL)
		return error_set(err, EX_USAGE,
		                 "explain needs --%s as well: --customer NUMBER --type completed",
		                 type == NULL ? "type" : "customer");
	const char *state = strrchr(type, '.') ? strrchr(type, '.') + 1 : type;
	if (job_state_find(state) != JOB_NONE)
		return true;
	char states[JOB_STATES_TEXT_MAX];
	return error_set(err, EX_USAGE, "--type must be %s (got \"%s\")",
	                 job_states_join("", ", ", " or ", states), type);
}

/* Which of the three ways to name an event was chosen; NULL on a fault. */
static run_fn *way_of(const struct ctl *ctl, struct error *err)
{
	bool event = ctl_option(ctl, "event") != NULL, batch = ctl_option(ctl, "batch") != NULL;
	bool parts =
	        ctl_option(ctl, "customer") || ctl_option(ctl, "type") || ctl_option(ctl, "job");
	if (event + batch + parts != 1)
		error_set(err, EX_USAGE,
		          "explain needs --customer NUMBER and --type STATE, or --event JSON, or "
		          "--batch FILE");
	else if (batch && ctl_option(ctl, "at") != NULL)
		error_set(err, EX_USAGE,
		          "--at can't be used with --batch; each line has its own time: {\"at\": "
		          "TIME, \"event\": {…}}");
	else if (!parts || check_parts(ctl, err))
		return event ? run_event : batch ? run_batch : run_parts;
	return NULL;
}

static bool explain_run(struct ctl *ctl, struct error *err)
{
	run_fn *way = way_of(ctl, err);
	if (way == NULL)
		return false;
	struct explain *explain = explain_open(ctl->settings, err);
	bool ok = explain != NULL && way(ctl, explain, err);
	explain_close(explain);
	return ok;
}

static const struct option options[] = {
        {.name = "customer", .value = "NUMBER", .help = "whose job it is"},
        {.name = "type",
         .value = OPTION_JOB_STATE,
         .help = "the new state of the job, with or without \"job.\""},
        {.name = "job", .value = "JOB", .help = "a job on record; a new one by default"},
        {.name = "event",
         .value = "JSON",
         .help = "the event, as dispatch software would publish it"},
        {.name = "at", .value = "TIME", .help = "when the event arrives; now by default"},
        {.name = "batch",
         .value = "FILE",
         .help = "JSON Lines, each {\"at\": TIME, \"event\": {...}}; - is standard input"},
        {0},
};

static const struct command commands[] = {
        {.options = options,
         .uses = USES_RULES,
         .help = "Shows what would happen to an event and why, rule by rule; changes and sends "
                 "nothing",
         .more = "Uses today's records, for any time. A batch prints one JSON object per line.",
         .examples = "explain --customer 1001 --type completed\n"
                     "explain --customer 1001 --type failed --job 4711 --at tomorrow\n"
                     "explain --event '{\"id\": 1, \"type\": \"job.completed\", \"job\": 4711, "
                     "\"customer\": 1001}'\n"
                     "explain --at 2026-12-25T03:00:00-07:00 --event '{\"id\": 1, \"type\": "
                     "\"job.started\", \"job\": 4711, \"customer\": 1001}'\n"
                     "explain --batch cases.jsonl",
         .run = explain_run},
};

const struct noun noun_explain = {.name = "explain",
                                  .help = "show what would happen to an event, and why",
                                  COMMANDS(commands)};
