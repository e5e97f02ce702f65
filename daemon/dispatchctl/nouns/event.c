/* SPDX-License-Identifier: MIT */
/* `event send`: publishes a job event as dispatch software would; the daemon's reader checks it. */
#include "dispatchctl/base/ctl.h"
#include "dispatchctl/nouns/nouns.h"

#include "common/sync.h"
#include "model/event.h"
#include "model/settings.h"
#include "model/words.h"

#include <glib.h>
#include <string.h>
#include <sysexits.h>

enum { FIELDS_MAX = 128, PATIENCE_MS = 10000 };

/* The entry's fields as they will be in the stream. */
struct fields {
	struct entry_field list[FIELDS_MAX];
	size_t n;
};

static void add_field(struct fields *fields, const char *name, const char *value)
{
	if (fields->n < FIELDS_MAX)
		fields->list[fields->n++] =
		        (struct entry_field){name, strlen(name), value, strlen(value)};
}

static bool has_field(const struct fields *fields, const char *name)
{
	for (size_t i = 0; i < fields->n; i++)
		if (strcmp(fields->list[i].name, name) == 0)
			return true;
	return false;
}

static bool add_pair(struct ctl *ctl, struct fields *fields, const char *pair, struct error *err)
{
	const char *equals = strchr(pair, '=');
	if (equals == NULL || equals == pair)
		return error_set(err, EX_USAGE,
		                 "expected KEY=VALUE, such as driver=Sam (got \"%s\")", pair);
	const char *key = arena_strndup(ctl->arena, pair, (size_t)(equals - pair));
	if (has_field(fields, key))
		return error_set(err, EX_USAGE, "%s was given twice", key);
	add_field(fields, key, equals + 1);
	return true;
}

static void add_option(const struct ctl *ctl, struct fields *fields, const char *name)
{
	const char *value = ctl_option(ctl, name);
	if (value != NULL)
		add_field(fields, name, value);
}

static bool add_time(struct ctl *ctl, struct fields *fields, struct error *err)
{
	struct instant at = INSTANT_NONE;
	char text[INSTANT_TEXT_MAX];
	if (!ctl_option_time(ctl, "time", &at, err))
		return false;
	if (!instant_is_none(at))
		add_field(fields, "time",
		          arena_strdup(ctl->arena,
		                       instant_format(at, zone_offset_s(zone_host(ctl->zones), at),
		                                      text)));
	return true;
}

static bool gather(struct ctl *ctl, struct fields *fields, struct error *err)
{
	add_field(fields, "type", ctl_event_type(ctl, ctl_arg(ctl, 0)));
	static const char *const options[] = {"id", "source", "job", "customer", "data"};
	for (size_t i = 0; i < sizeof options / sizeof *options; i++)
		add_option(ctl, fields, options[i]);
	if (!add_time(ctl, fields, err))
		return false;
	for (size_t i = 1; i < ctl->n_args; i++)
		if (!add_pair(ctl, fields, ctl->args[i], err))
			return false;
	if (!has_field(fields, "job") && !has_field(fields, "subject"))
		return error_set(err, EX_USAGE, "event send needs --job");
	if (!has_field(fields, "customer"))
		return error_set(err, EX_USAGE, "event send needs --customer");
	if (!has_field(fields, "id")) {
		char *uuid = g_uuid_string_random();
		add_field(fields, "id", arena_strdup(ctl->arena, uuid));
		g_free(uuid);
	}
	return true;
}

/* What the daemon would reject isn't sent: the person who typed it can still correct it. */
static bool event_check(const struct ctl *ctl, const struct fields *fields, struct error *err)
{
	struct entry entry = {.feed = FEED_EVENTS,
	                      .id = "",
	                      .fields = fields->list,
	                      .n_fields = fields->n,
	                      .received = ctl->now};
	struct job_event event;
	return event_read(&entry, (size_t)ctl->settings->redis.max_event_size, ctl->arena, &event,
	                  err);
}

static bool publish(struct sync *redis, const struct ctl *ctl, const struct fields *fields,
                    const char **ret, struct error *err)
{
	struct args args = {0};
	args_add_all(&args, "XADD", ctl->settings->redis.stream, "*", NULL);
	for (size_t i = 0; i < fields->n; i++)
		args_add_all(&args, fields->list[i].name, fields->list[i].value, NULL);
	redisReply *reply = sync_run(redis, &args, err);
	args_free(&args);
	if (reply == NULL)
		return false;
	*ret = arena_strdup(ctl->arena, reply->str ? reply->str : "");
	freeReplyObject(reply);
	return true;
}

static void report(struct ctl *ctl, const struct fields *fields, const char *entry)
{
	const char *stream = ctl->settings->redis.stream;
	json_t *document = json_pack("{s:s, s:s}", "stream", stream, "entry", entry);
	for (size_t i = 0; i < fields->n; i++)
		json_object_set_new(document, fields->list[i].name,
		                    json_string(fields->list[i].value));
	output_print(ctl->out, "%s", entry);
	output_document(ctl->out, document);
}

static bool event_run_send(struct ctl *ctl, struct error *err)
{
	struct fields fields = {.n = 0};
	const char *entry;
	if (!gather(ctl, &fields, err) || !event_check(ctl, &fields, err))
		return false;
	if (*ctl->settings->redis.stream == '\0')
		return error_set(err, EX_CONFIG,
		                 "[redis] stream is empty: no stream to publish to");
	struct sync *redis = sync_open(ctl->settings, PATIENCE_MS, err);
	bool ok = redis != NULL && publish(redis, ctl, &fields, &entry, err);
	sync_close(redis);
	if (ok)
		report(ctl, &fields, entry);
	return ok;
}

static const struct option send_options[] = {
        {.name = "job", .value = "JOB", .help = "the job's id (required)"},
        {.name = "customer", .value = "NUMBER", .help = "the customer's number (required)"},
        {.name = "id",
         .value = "ID",
         .help = "the event's id; an id seen before counts as a duplicate; a new UUID by default"},
        {.name = "source", .value = "TEXT", .help = "who publishes it"},
        {.name = "time", .value = "TIME", .help = "when the state changed; now by default"},
        {.name = "data", .value = "JSON", .help = "an object with anything else the templates use"},
        {0},
};

static const struct command commands[] = {
        {
                .verb = "send",
                .args = "TYPE [KEY=VALUE...]",
                .options = send_options,
                .uses = "redis",
                .help = "Publishes a job event to the stream and prints the entry's id",
                .more = "TYPE is job.dispatched, job.started, job.completed, job.failed, "
                        "job.paused or job.cancelled; \"job.\" may be left out. KEY=VALUE becomes "
                        "a member of data.",
                .examples = "event send job.completed --job 4711 --customer 1001 driver=Sam "
                            "reference=PO-88\n"
                            "event send started --job 4711 --customer 1001 --time -5m",
                .run = event_run_send,
        },
};

const struct noun noun_event = {.name = "event", .help = "publish job events", COMMANDS(commands)};
