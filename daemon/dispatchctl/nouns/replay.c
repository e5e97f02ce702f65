/* SPDX-License-Identifier: MIT */
/* `replay`: what other rules or other data would change. */
#include "engine/replay.h"

#include "base/identity.h"
#include "base/jsontext.h"
#include "dispatchctl/base/ctl.h"
#include "dispatchctl/nouns/nouns.h"
#include "dispatchctl/nouns/replay_data.h"
#include "dispatchctl/nouns/spool.h"

#include <stdio.h>
#include <sysexits.h>

static void add_decision(struct buf *out, const json_t *decision)
{
	buf_printf(out, "%s, %s", table_text(decision, "status"), table_text(decision, "reason"));
	if (*table_text(decision, "due") != '\0')
		buf_printf(out, ", due %s", table_text(decision, "due"));
}

/* One object per line with `--json`, else a paragraph of three lines. */
static bool print_change(void *arg, const json_t *change, struct error *err)
{
	struct ctl *ctl = arg;
	struct buf text = {0};
	if (output_json(ctl->out)) {
		jsontext_write(&text, change, JSONTEXT_AS_IS);
	} else {
		buf_printf(&text, "%-6s %s  %s of job ", table_text(change, "change"),
		           table_text(change, "received"), table_text(change, "type"));
		table_value(&text, json_object_get(change, "job"));
		buf_adds(&text, ", customer ");
		table_value(&text, json_object_get(change, "customer"));
		buf_adds(&text, ", to ");
		table_value(&text, json_object_get(change, "to"));
		buf_adds(&text, "\n       then ");
		add_decision(&text, json_object_get(change, "before"));
		buf_adds(&text, "\n       now  ");
		add_decision(&text, json_object_get(change, "after"));
		buf_adds(&text, ": ");
		table_value(&text, json_object_get(change, "detail"));
	}
	bool ok = output_line(ctl->out, buf_text(&text), text.len, err);
	buf_free(&text);
	return ok;
}

static bool read_span(const struct ctl *ctl, struct replay *replay, struct error *err)
{
	if (ctl_option(ctl, "since") == NULL)
		return error_set(err, EX_USAGE,
		                 "replay needs --since TIME, such as -7d or 2026-11-01");
	replay->until = INSTANT_NEVER;
	if (!ctl_option_time(ctl, "since", &replay->since, err) ||
	    !ctl_option_time(ctl, "until", &replay->until, err))
		return false;
	return replay->since.ms <= replay->until.ms ||
	       error_set(err, EX_USAGE, "--until must be later than --since");
}

static void print_fault(void *arg, const char *text)
{
	(void)arg;
	output_fault("%s", text);
}

/* Only the rules' sections of the other configuration count, not its databases. */
static bool load_rules(const struct ctl *ctl, struct settings **ret, struct error *err)
{
	static const char *const sections[] = {"rules", "notify", "mail.max_age", NULL};
	const char *path = ctl_option(ctl, "config");
	int status = EX_CONFIG;
	if (path == NULL)
		return true;
	identity_person();
	*ret = settings_load(path, sections, print_fault, NULL, &status);
	identity_back();
	return *ret != NULL || error_set(err, status, "%s: nothing was replayed", path);
}

static bool replay_run_all(struct ctl *ctl, struct error *err)
{
	struct settings *other = NULL;
	struct replay_counts counts;
	struct replay replay = {
	        .spool = ctl->settings->spool.path, .changed = print_change, .arg = ctl};
	struct replay_data data = {0};
	bool ok = read_span(ctl, &replay, err) && load_rules(ctl, &other, err) &&
	          replay_data_find(ctl, ctl_option(ctl, "customers"), &data, err);
	replay.customers = data.path;
	replay.ours = ctl->settings;
	replay.rules = other ? other : ctl->settings;
	ok = ok && replay_run(&replay, &counts, err);
	replay_data_end(&data);
	settings_free(other);
	if (ok && !output_json(ctl->out))
		output_print(
		        ctl->out,
		        "%lld events; mails: %lld unchanged, %lld added, %lld gone, %lld moved",
		        (long long)counts.events, (long long)counts.same, (long long)counts.added,
		        (long long)counts.gone, (long long)counts.moved);
	return ok;
}

static const struct option options[] = {
        {.name = "since", .value = "TIME", .help = "events received from then on (required)"},
        {.name = "until", .value = "TIME", .help = "events received before then; now by default"},
        {.name = "config",
         .value = "FILE",
         .help = "use the [rules] and [notify] sections of this configuration"},
        {.name = "customers",
         .value = "FILE",
         .help = "use this customers.db, or the present one with this file imported (.csv, "
                 ".jsonl)"},
        {0},
};

static const struct command commands[] = {
        {.options = options,
         .uses = USES_RULES,
         .help = "Applies other rules or other customer data to recorded events and lists the "
                 "mails that would be added, gone or moved; sends nothing",
         .more = "Without --config and --customers it shows the effect of the changes made to the "
                 "data since then. With --json it prints one object per line.",
         .examples = "replay --since -7d --config new.conf\n"
                     "replay --since 2026-11-01 --until 2026-11-08 --customers copy.db",
         .run = replay_run_all},
};

const struct noun noun_replay = {
        .name = "replay", .help = "what other rules or data would change", COMMANDS(commands)};
