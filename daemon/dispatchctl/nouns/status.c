/* SPDX-License-Identifier: MIT */
/* `status`: what is wrong, the worst first; then the state of the daemon, Redis, relays and mails
 * in a few lines. */
#include "base/identity.h"
#include "base/jsontext.h"
#include "base/utf8.h"
#include "common/control.h"
#include "common/sync.h"
#include "dispatchctl/nouns/nouns.h"
#include "dispatchctl/nouns/problems.h"
#include "dispatchctl/nouns/spool.h"
#include "model/request.h"
#include "overview/delays.h"
#include "spool/spool_limits.h"
#include "spool/spool_pause.h"
#include "spool/spool_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum { PATIENCE_MS = 3000 };

/* What the spool says of itself. */
static bool read_spool(const struct ctl *ctl, json_t **ret, struct error *err)
{
	struct spool *spool = spool_view(ctl, err);
	json_t *pause = NULL, *breaker = NULL;
	bool ok = spool != NULL && spool_read_pause(spool, ctl->now, &pause, err) &&
	          spool_read_breaker(spool, &breaker, err) && spool_read_counts(spool, ret, err);
	spool_close(spool);
	if (ok) {
		json_object_set(*ret, "paused", pause);
		json_object_set(*ret, "breaker", breaker);
	}
	json_decref(breaker);
	json_decref(pause);
	return ok;
}

/* The daemon's own report; if none runs or it can't write its spool, the counts in the spool. Where
 * that is damaged, this is among the problems. */
static bool read_state(const struct ctl *ctl, json_t **ret, struct error *err)
{
	struct error absent = {0};
	json_t *request = json_pack("{s:s}", "do", control_request_verb(REQUEST_STATUS));
	enum control_answer answer = control_ask(ctl->settings, request, ret, &absent);
	json_decref(request);
	if (answer == CONTROL_ANSWERED) {
		json_object_del(*ret, "ok");
		json_object_set_new(*ret, "daemon", json_string("up"));
		return true;
	}
	if (!read_spool(ctl, ret, err)) {
		if (err->code == EX_NOPERM)
			return false;
		char shown[2 * sizeof err->text];
		*ret = json_pack("{s:s}", "spool_fault", utf8_show(err->text, shown, sizeof shown));
	}
	json_object_set_new(*ret, "redirect_to", json_string(ctl->settings->mail.redirect_to));
	json_object_set_new(*ret, "daemon", json_string(answer == CONTROL_REFUSED ? "up" : "down"));
	if (access(ctl->settings->spool.path, F_OK) != 0)
		json_object_del(*ret, "instance"); /* there is none before the first start */
	if (answer != CONTROL_ABSENT)
		json_object_set_new(*ret, "daemon_fault", json_string(absent.text));
	return true;
}

/* What keeps the daemon from using Redis; NULL if nothing does or it isn't running. A server that
 * answers us may still be unusable for it. free() it. */
static char *daemon_redis_fault(const json_t *state)
{
	const json_t *redis = json_object_get(state, "redis");
	const json_t *connected = json_object_get(redis, "connected");
	const char *reply = json_string_value(json_object_get(redis, "reply"));
	char *fault = NULL;
	size_t i;
	json_t *feed;
	if (json_is_false(connected) &&
	    asprintf(&fault, "dispatchd is not connected: %s", reply ? reply : "not yet tried") < 0)
		return NULL;
	json_array_foreach(json_object_get(state, "feeds"), i, feed)
	{
		const char *words = json_string_value(json_object_get(feed, "reply"));
		if (fault == NULL && words != NULL &&
		    asprintf(&fault, "%s %s can't be %s: %s",
		             json_string_value(json_object_get(feed, "kind")),
		             json_string_value(json_object_get(feed, "name")),
		             json_string_value(json_object_get(feed, "use")), words) < 0)
			return NULL;
	}
	return fault;
}

static void ask_redis(const struct ctl *ctl, json_t *state)
{
	char *fault = daemon_redis_fault(state);
	bool connected =
	        json_is_true(json_object_get(json_object_get(state, "redis"), "connected"));
	struct error err = {0};
	struct args args = {0};
	struct sync *redis = sync_open(ctl->settings, PATIENCE_MS, &err);
	args_add(&args, "PING");
	redisReply *reply = redis ? sync_run(redis, &args, &err) : NULL;
	const char *word = reply == NULL || (fault != NULL && !connected) ? "down" : "up";
	json_object_set_new(state, "redis",
	                    json_string(fault != NULL && connected ? "degraded" : word));
	if (reply == NULL || fault != NULL)
		json_object_set_new(state, "redis_fault",
		                    json_string(reply == NULL ? err.text : fault));
	if (reply != NULL)
		freeReplyObject(reply);
	free(fault);
	args_free(&args);
	sync_close(redis);
}

/* "up" is easier to find in a table than "yes"; `up` is null before a first connection. */
static void name_states(const json_t *relays)
{
	size_t i;
	json_t *relay;
	json_array_foreach(relays, i, relay)
	{
		const json_t *up = json_object_get(relay, "up");
		const char *state = json_is_null(up)   ? "not tried yet"
		                    : json_is_true(up) ? "up"
		                                       : "down";
		json_object_set_new(relay, "state", json_string(state));
	}
}

/* A relay that has a name is shown with its address. */
static void print_relays(struct ctl *ctl, const json_t *relays)
{
	size_t i;
	json_t *rows = json_deep_copy(relays), *row;
	json_array_foreach(rows, i, row)
	{
		const char *name = json_string_value(json_object_get(row, "name"));
		const char *address = json_string_value(json_object_get(row, "address"));
		if (name && address && strcmp(name, address) != 0)
			json_object_set_new(row, "name", json_sprintf("%s (%s)", name, address));
	}
	buf_addc(output_text(ctl->out), '\n');
	table_print(output_text(ctl->out), rows,
	            COLUMNS({.key = "name", .title = "Relay"},
	                    {.key = "state", .title = "State", .style = STYLE_WORD},
	                    {.key = "since", .title = "Since", .style = STYLE_TIME},
	                    {.key = "sessions", .title = "Sessions", .right = true},
	                    {.key = "delivered", .title = "Delivered", .right = true},
	                    {.key = "failures", .title = "Failed since", .right = true},
	                    {.key = "reply", .title = "Reply", .min = 20}),
	            output_look(ctl->out));
	json_decref(rows);
}

static json_t *member_row(const char *name, bool here, const char *role, const json_t *lag)
{
	json_t *row =
	        json_pack("{s:o, s:s}", "member",
	                  json_sprintf(here ? "%s (this machine)" : "%s", name), "role", role);
	if (lag != NULL)
		json_object_set(row, "lag", (json_t *)(uintptr_t)lag);
	return row;
}

/* On the owner each standby, on a standby its owner. */
static json_t *members_of(const json_t *cluster)
{
	size_t i;
	json_t *rows = json_array(), *standby;
	const char *owner = jsontext_at(cluster, "owner");
	const char *member = jsontext_at(cluster, "member"), *role = jsontext_at(cluster, "role");
	bool owns = strcmp(role, "owner") == 0;
	if (!owns && *owner != '\0' && strcmp(owner, member) != 0)
		json_array_append_new(rows, member_row(owner, false, "owner", NULL));
	json_array_append_new(rows, member_row(member, true, role,
	                                       owns ? NULL : json_object_get(cluster, "lag")));
	json_array_foreach(json_object_get(cluster, "standbys"), i, standby)
	{
		bool lost = json_is_true(json_object_get(standby, "lost"));
		json_array_append_new(rows,
		                      member_row(jsontext_at(standby, "name"), false,
		                                 lost ? "lost: seed it again" : "standby",
		                                 lost ? NULL : json_object_get(standby, "lag")));
	}
	return rows;
}

static void print_cluster(struct ctl *ctl, const json_t *cluster)
{
	json_t *rows = members_of(cluster);
	output_print(ctl->out, "\ncluster %s", jsontext_at(cluster, "name"));
	table_print(output_text(ctl->out), rows,
	            COLUMNS({.key = "member", .title = "Member"},
	                    {.key = "role", .title = "Role", .style = STYLE_WORD},
	                    {.key = "lag", .title = "Turns behind", .right = true}),
	            output_look(ctl->out));
	json_decref(rows);
}

static void print_counts(struct ctl *ctl, const json_t *mails)
{
	json_t *rows = json_array(), *count;
	const char *status;
	json_object_foreach((json_t *)(uintptr_t)mails, status, count)
	{
		if (json_integer_value(count) > 0)
			json_array_append_new(
			        rows, json_pack("{s:s, s:O}", "status", status, "mails", count));
	}
	output_print(ctl->out, json_array_size(rows) > 0 ? "" : "\nno mails in the spool");
	table_print(output_text(ctl->out), rows,
	            COLUMNS({.key = "status", .title = "Mails", .style = STYLE_WORD},
	                    {.key = "mails", .title = "Count", .right = true}),
	            output_look(ctl->out));
	json_decref(rows);
}

/* Only those that can't be used, have lost entries or are behind; otherwise `Redis up` says
 * enough. */
static void print_feeds(struct ctl *ctl, const json_t *feeds)
{
	json_t *rows = json_array(), *feed;
	size_t i;
	json_array_foreach(feeds, i, feed)
	{
		if (json_object_get(feed, "reply") != NULL ||
		    json_object_get(feed, "lost") != NULL ||
		    feed_is_behind(feed, ctl->now, BEHIND_SHOWN_MS))
			json_array_append(rows, feed);
	}
	if (json_array_size(rows) > 0) {
		buf_addc(output_text(ctl->out), '\n');
		table_print(output_text(ctl->out), rows,
		            COLUMNS({.key = "kind", .title = "In Redis"},
		                    {.key = "name", .title = "Name"},
		                    {.key = "state", .title = "State", .style = STYLE_WORD},
		                    {.key = "use", .title = "To be"},
		                    {.key = "lost", .title = "Lost unread", .right = true},
		                    {.key = "lost_at", .title = "Last loss", .style = STYLE_TIME},
		                    {.key = "unread", .title = "Unread", .right = true},
		                    {.key = "pending", .title = "Undecided", .right = true},
		                    {.key = "oldest", .title = "Oldest", .style = STYLE_TIME},
		                    {.key = "since", .title = "Since", .style = STYLE_TIME},
		                    {.key = "reply", .title = "Reply", .min = 20}),
		            output_look(ctl->out));
	}
	json_decref(rows);
}

static bool status_run(struct ctl *ctl, struct error *err)
{
	json_t *state;
	if (!read_state(ctl, &state, err))
		return false;
	identity_person(); /* a socket or a password of Redis may be root's */
	ask_redis(ctl, state);
	identity_back();
	json_t *problems = problems_find(ctl, state);
	problems_print(ctl, problems, state);
	json_object_set_new(state, "problems", problems);
	output_sheet(ctl->out, json_incref(state),
	             COLUMNS({.key = "daemon", .title = "dispatchd", .style = STYLE_WORD},
	                     {.key = "daemon_fault", .title = ""},
	                     {.key = "version", .title = "Version"},
	                     {.key = "started", .title = "Up since", .style = STYLE_TIME},
	                     {.key = "redis", .title = "Redis", .style = STYLE_WORD},
	                     {.key = "redis_fault", .title = ""},
	                     {.key = "instance", .title = "Instance"},
	                     {.key = "waiting", .title = "Waiting events"},
	                     {.key = "unpublished", .title = "Unpublished"},
	                     {.key = "held", .title = "Held jobs"}));
	if (json_object_get(state, "cluster") != NULL)
		print_cluster(ctl, json_object_get(state, "cluster"));
	if (json_array_size(json_object_get(state, "relays")) > 0) {
		name_states(json_object_get(state, "relays"));
		print_relays(ctl, json_object_get(state, "relays"));
	}
	print_feeds(ctl, json_object_get(state, "feeds"));
	if (json_object_get(state, "mails") != NULL)
		print_counts(ctl, json_object_get(state, "mails"));
	json_decref(state);
	return true;
}

static const struct command commands[] = {
        {.uses = USES_SPOOL " redis",
         .help = "Shows what is wrong and what to do about it, the worst first; then whether "
                 "dispatchd, Redis and the relays are up, and counts of held jobs and mails",
         .more = "In a cluster it shows who owns it and, on the owner, how far each standby is. "
                 "It looks for a daemon, a Redis or a database that can't be used, faults in the "
                 "configuration, sending that is paused, held back or redirected, relays that are "
                 "down or refuse every mail, a mail that is ten minutes late, entries that "
                 "wait, losses and dead letters of the last day, standbys that don't follow, a "
                 "disk with "
                 "less than 1 GB free, "
                 "faults in templates, and a certificate that expires within three weeks. The exit "
                 "status says only whether it could look; \"check\" finds what is wrong with "
                 "the office's data.",
         .examples = "status\nstatus --json",
         .run = status_run},
};

const struct noun noun_status = {
        .name = "status",
        .help = "what is wrong; the daemon, Redis, relays, held jobs and mails at a glance",
        COMMANDS(commands)};
