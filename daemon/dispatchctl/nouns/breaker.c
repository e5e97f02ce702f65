/* SPDX-License-Identifier: MIT */
/* `breaker …`: mails that [rules] burst holds back. */
#include "base/jsontext.h"
#include "dispatchctl/nouns/filter.h"
#include "dispatchctl/nouns/many.h"
#include "dispatchctl/nouns/nouns.h"
#include "dispatchctl/nouns/spool.h"
#include "model/words.h"
#include "spool/spool_limits.h"

#include <string.h>

enum { SHARES_OF = 1000000, SHARES_EACH = 5 };

static void print_state(struct ctl *ctl, const json_t *breaker)
{
	struct buf *out = output_text(ctl->out);
	const struct look *look = output_look(ctl->out);
	json_int_t held = json_integer_value(json_object_get(breaker, "held"));
	if (json_is_true(json_object_get(breaker, "open"))) {
		buf_printf(out, "the breaker has been %sopen%s since ", look_red(look),
		           look_plain(look));
		look_time(out, table_text(breaker, "since"), look);
		buf_printf(out,
		           ": %" JSON_INTEGER_FORMAT
		           " new mails came in at once, and [rules] burst allowed %s\n",
		           json_integer_value(json_object_get(breaker, "made")),
		           table_text(breaker, "limit"));
	} else {
		buf_adds(out, "the breaker is closed\n");
	}
	buf_printf(out, "%" JSON_INTEGER_FORMAT " %s held back\n", held,
	           held == 1 ? "mail is" : "mails are");
}

static bool breaker_run_show(struct ctl *ctl, struct error *err)
{
	json_t *breaker = NULL, *shares = NULL;
	struct spool *spool = spool_view(ctl, err);
	bool ok = spool != NULL && spool_read_breaker(spool, &breaker, err) &&
	          spool_read_shares(spool, SHARES_OF, SHARES_EACH, &shares, err);
	spool_close(spool);
	if (ok) {
		print_state(ctl, breaker);
		if (json_array_size(shares) > 0) {
			buf_addc(output_text(ctl->out), '\n');
			table_print(output_text(ctl->out), shares,
			            COLUMNS({.key = "by", .title = "By"},
			                    {.key = "what", .title = "Most of them", .min = 12},
			                    {.key = "mails", .title = "Mails", .right = true}),
			            output_look(ctl->out));
		}
		json_object_set(breaker, "shares", shares);
		output_document(ctl->out, json_incref(breaker));
	}
	json_decref(shares);
	json_decref(breaker);
	return ok;
}

static bool change_held(struct ctl *ctl, const struct many *many, struct error *err)
{
	struct spool_filter filter;
	return filter_read(ctl, FILTER_MAIL_STATUSES, INT64_MAX, &filter, err) &&
	       many_change(ctl, many, &filter, err);
}

static bool breaker_run_release(struct ctl *ctl, struct error *err)
{
	static const struct many many = {.request = REQUEST_BREAKER_RELEASE,
	                                 .statuses = 1u << STATUS_DEFERRED,
	                                 .reason = "held_back",
	                                 .question = "Release %zu %s?"};
	return change_held(ctl, &many, err);
}

static bool breaker_run_discard(struct ctl *ctl, struct error *err)
{
	static const struct many many = {.request = REQUEST_BREAKER_DISCARD,
	                                 .statuses = 1u << STATUS_DEFERRED,
	                                 .reason = "held_back",
	                                 .question = "Discard %zu %s?"};
	return change_held(ctl, &many, err);
}

static const struct option options[] = {
        {.name = "dry-run", .help = "only show how many would be changed"},
        FILTER_OPTIONS(FILTER_MAIL_STATUSES),
        {0},
};

static const struct command commands[] = {
        {.verb = "show",
         .uses = USES_SPOOL,
         .help = "Shows whether new mails are held back by [rules] burst, how many, and of what "
                 "most of them are",
         .examples = "breaker show",
         .run = breaker_run_show},
        {.verb = "release",
         .options = options,
         .uses = USES_ENGINE,
         .help = "Releases mails that are held back: each is judged again, and goes",
         .more = "Without a filter, all of them. Before it changes many, it asks; without a "
                 "terminal --yes is required. The oldest go first; those over [rules] per_contact "
                 "wait for that. Released mails aren't counted again.",
         .examples = "breaker release --customer 1001 --yes\nbreaker release --dry-run",
         .run = breaker_run_release},
        {.verb = "discard",
         .options = options,
         .uses = USES_ENGINE,
         .help = "Cancels mails that are held back",
         .more = "Without a filter, all of them. Before it changes many, it asks; without a "
                 "terminal --yes is required.",
         .examples = "breaker discard --job 4711\nbreaker discard --older-than 2h --yes",
         .run = breaker_run_discard},
};

const struct noun noun_breaker = {.name = "breaker",
                                  .help = "mails held back because too many came in at once",
                                  COMMANDS(commands)};
