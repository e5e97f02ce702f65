/* SPDX-License-Identifier: MIT */
/* `dead …`: entries that were rejected. */
#include "common/sync.h"
#include "dispatchctl/nouns/nouns.h"
#include "dispatchctl/nouns/spool.h"
#include "model/request.h"
#include "spool/spool_read.h"

#include <string.h>
#include <sysexits.h>

enum { LIMIT = 200, LIMIT_MAX = 1000000, PATIENCE_MS = 3000 };

static bool dead_run_list(struct ctl *ctl, struct error *err)
{
	int64_t limit = LIMIT;
	json_t *rows;
	if (!ctl_option_number(ctl, "limit", 1, LIMIT_MAX, &limit, err))
		return false;
	struct spool *spool = spool_view(ctl, err);
	bool ok = spool != NULL && spool_read_dead(spool, limit, &rows, err);
	spool_close(spool);
	if (ok)
		output_rows(ctl->out, rows,
		            COLUMNS({.key = "id", .title = "Id", .right = true},
		                    {.key = "entry", .title = "Entry"},
		                    {.key = "time", .title = "Time", .style = STYLE_TIME},
		                    {.key = "reason", .title = "Reason"},
		                    {.key = "detail", .title = "Detail", .min = 24},
		                    {.key = "fields",
		                     .title = "Fields",
		                     .min = 16,
		                     .style = STYLE_FAINT}),
		            "no dead letters");
	return ok;
}

/* The first field `dead_id` of an XRANGE's only entry, [[id, [name, value, ...]]]; a later one came
 * from outside. NULL if there is none. */
static const char *dead_id_in(struct ctl *ctl, const redisReply *reply)
{
	const redisReply *entry = reply->elements == 1 ? reply->element[0] : NULL;
	const redisReply *fields = entry != NULL && entry->elements == 2 ? entry->element[1] : NULL;
	for (size_t i = 0; fields != NULL && i + 1 < fields->elements; i += 2) {
		const char *name = fields->element[i]->str, *value = fields->element[i + 1]->str;
		if (name != NULL && value != NULL && strcmp(name, "dead_id") == 0)
			return arena_strdup(ctl->arena, value);
	}
	return NULL;
}

/* A person who reads the dead-letter stream knows a letter by its entry there, which only Redis can
 * look up. NULL if it can't, or has no such entry. */
static const char *find_in_stream(struct ctl *ctl, const char *entry)
{
	struct error err = {0};
	struct args args = {0};
	size_t ms = strspn(entry, "0123456789");
	if (ms == 0 || entry[ms] != '-')
		return NULL;
	struct sync *redis = sync_open(ctl->settings, PATIENCE_MS, &err);
	args_add_all(&args, "XRANGE", ctl->settings->redis.dead, entry, entry, NULL);
	redisReply *reply = redis != NULL ? sync_run(redis, &args, &err) : NULL;
	const char *id = reply != NULL ? dead_id_in(ctl, reply) : NULL;
	if (reply != NULL)
		freeReplyObject(reply);
	args_free(&args);
	sync_close(redis);
	return id;
}

static bool ask_for(const struct ctl *ctl, const char *entry, json_t **ret, struct error *err)
{
	json_t *request = json_pack("{s:s, s:s}", "do", control_request_verb(REQUEST_DEAD_RETRY),
	                            "entry", entry);
	if (request == NULL)
		return error_set(err, EX_DATAERR, "the text is not valid UTF-8");
	return spool_ask(ctl, request, ret, err);
}

static bool retry_one(struct ctl *ctl, const char *entry, json_t **ret, struct error *err)
{
	if (ask_for(ctl, entry, ret, err))
		return true;
	const char *id = err->code == EX_NOINPUT ? find_in_stream(ctl, entry) : NULL;
	return id != NULL && ask_for(ctl, id, ret, err);
}

static bool retry_all(const struct ctl *ctl, json_t **ret, struct error *err)
{
	return spool_ask_all(
	        ctl,
	        json_pack("{s:s, s:b}", "do", control_request_verb(REQUEST_DEAD_RETRY), "all", 1),
	        ret, err);
}

static bool dead_run_retry(struct ctl *ctl, struct error *err)
{
	bool all = ctl_option(ctl, "all") != NULL;
	json_t *answer;
	if (all == (ctl->n_args > 0))
		return error_set(err, EX_USAGE,
		                 "dead retry needs the ENTRY or id of a dead letter, or --all");
	if (all ? !retry_all(ctl, &answer, err) : !retry_one(ctl, ctl_arg(ctl, 0), &answer, err))
		return false;
	size_t n = json_array_size(json_object_get(answer, "dead"));
	output_print(ctl->out, "%zu dead letter%s retried", n, n == 1 ? "" : "s");
	json_object_del(answer, "ok");
	output_document(ctl->out, answer);
	return true;
}

static const struct option list_options[] = {
        {.name = "limit", .value = "N", .help = "at most this many, newest first; 200 by default"},
        {0},
};
static const struct option retry_options[] = {
        {.name = "all", .help = "every dead letter, oldest first"},
        {0},
};

static const struct command commands[] = {
        {.verb = "list",
         .options = list_options,
         .uses = USES_SPOOL,
         .help = "Lists dead letters, newest first, with the reason for each",
         .examples = "dead list",
         .run = dead_run_list},
        {.verb = "retry",
         .args = "[ENTRY]",
         .options = retry_options,
         .uses = USES_ENGINE,
         .help = "Processes a dead letter again, once its cause is fixed",
         .more = "ENTRY is the id of the original entry, of its entry in the dead-letter stream, "
                 "or from dead list.",
         .examples = "dead retry 1785000000000-0\ndead retry --all",
         .run = dead_run_retry},
};

const struct noun noun_dead = {.name = "dead",
                               .help = "entries rejected as malformed or for an unknown customer",
                               COMMANDS(commands)};
