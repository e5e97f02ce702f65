/* SPDX-License-Identifier: MIT */
/* `dead …`: entries that broke a rule and were put aside. */
#include "ctl/nouns.h"
#include "ctl/spool.h"
#include "store/spool_read.h"

#include <sysexits.h>

enum { LIMIT = 200, LIMIT_MAX = 1000000 };

static bool list(struct ctl *ctl, struct error *err)
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
		                    {.key = "fields", .title = "Fields", .min = 16, .style = STYLE_FAINT}),
		            "no dead letters");
	return ok;
}

static bool retry(struct ctl *ctl, struct error *err)
{
	bool all = ctl_option(ctl, "all") != NULL;
	json_t *answer;
	if (all == (ctl->n_args > 0))
		return error_set(err, EX_USAGE,
		                 "dead retry takes the ENTRY or id of a dead letter, or --all");
	json_t *request = all ? json_pack("{s:s, s:b}", "do", "dead.retry", "all", 1)
	                      : json_pack("{s:s, s:s}", "do", "dead.retry", "entry", ctl_arg(ctl, 0));
	if (request == NULL)
		return error_set(err, EX_DATAERR, "the text is not valid UTF-8");
	if (all ? !spool_ask_all(ctl, request, &answer, err) : !spool_ask(ctl, request, &answer, err))
		return false;
	size_t n = json_array_size(json_object_get(answer, "dead"));
	output_say(ctl->out, "%zu dead letter%s taken again", n, n == 1 ? "" : "s");
	json_object_del(answer, "ok");
	output_document(ctl->out, answer);
	return true;
}

static const struct option list_options[] = {
        {.name = "limit", .value = "N", .help = "at most so many, the newest first; 200 where left out"},
        {0},
};
static const struct option retry_options[] = {
        {.name = "all", .help = "every dead letter, the oldest first"},
        {0},
};

static const struct command commands[] = {
        {.verb = "list",
         .options = list_options,
         .uses = USES_SPOOL,
         .help = "Lists dead letters, the newest first, with the rule that they broke",
         .examples = "dead list",
         .run = list},
        {.verb = "retry",
         .args = "[ENTRY]",
         .options = retry_options,
         .uses = USES_ENGINE,
         .help = "Takes a dead letter in again as it came, once what was wrong here is mended",
         .examples = "dead retry 1785000000000-0\ndead retry --all",
         .run = retry},
};

const struct noun noun_dead = {
        .name = "dead", .help = "events that were put aside as malformed or of nobody", COMMANDS(commands)};
