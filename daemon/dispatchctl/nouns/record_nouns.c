/* SPDX-License-Identifier: MIT */
/*
 * The nouns of the record kinds, made from the kinds' table and one row per verb: a new kind only
 * needs an example here of how to add a record.
 */
#include "dispatchctl/nouns/record_nouns.h"

#include "dispatchctl/base/store.h"
#include "dispatchctl/nouns/record.h"
#include "dispatchctl/nouns/transfer.h"
#include "model/kind.h"

#include <stdio.h>
#include <string.h>

enum verb_for {
	FOR_CHANGING = 1, /* kinds whose records may be changed and removed */
	FOR_PLAIN = 2,    /* kinds that don't come with a file */
	FOR_FILES = 4,
	FOR_REPS = 8,
};

static const struct option show_options[] = {
        {.name = "reveal",
         .help = "show secrets in plain text; recorded with your name (managers only)"},
        {0},
};
static const struct option link_options[] = {
        {.name = "first", .help = "make this the customer's first sales rep"},
        {0},
};

/* In `args`, OWNER is replaced by the record's owner and SELF by the record's id or name; in
 * `help`, ONE and MANY by the kind. */
static const struct verb {
	const char *verb, *args, *help;
	unsigned only; /* verb_for; 0: every kind has it */
	bool fields;
	const struct option *options;
	const char *more; /* of kinds that come with a file */
	bool (*run)(struct ctl *ctl, struct error *err);
} verbs[] = {
        {.verb = "add",
         .args = "OWNER",
         .help = "Adds a ONE",
         .only = FOR_PLAIN,
         .fields = true,
         .run = record_add},
        {.verb = "add",
         .args = "OWNER FILE",
         .help = "Adds a file as a ONE",
         .only = FOR_FILES,
         .fields = true,
         .run = record_file_add},
        {.verb = "set",
         .args = "SELF",
         .help = "Changes fields of a ONE; an empty value clears one",
         .only = FOR_CHANGING,
         .fields = true,
         .run = record_set},
        {.verb = "show", .args = "SELF", .help = "Shows a ONE", .run = record_show},
        {.verb = "list", .args = "[OWNER]", .help = "Lists MANY", .run = record_list},
        {.verb = "fetch",
         .args = "SELF FILE",
         .help = "Writes a ONE to a new file; - is standard output",
         .only = FOR_FILES,
         .run = record_file_fetch},
        {.verb = "link",
         .args = "NUMBER NAME",
         .help = "Assigns a ONE to a customer",
         .only = FOR_REPS,
         .options = link_options,
         .run = record_rep_link},
        {.verb = "unlink",
         .args = "NUMBER NAME",
         .help = "Removes a ONE from a customer",
         .only = FOR_REPS,
         .run = record_rep_unlink},
        {.verb = "remove",
         .args = "SELF",
         .help = "Removes a ONE",
         .only = FOR_CHANGING,
         .run = record_remove},
        {.verb = "history",
         .args = "SELF",
         .help = "Lists every change to a ONE: who, when, before and after",
         .run = record_show_history},
        {.verb = "import",
         .args = "FILE",
         .help = "Adds and changes MANY from CSV or JSON Lines: all rows, or none if one is bad",
         .options = import_options,
         .more = "Their contents are read from the folder FILE.files, where export writes them.",
         .run = transfer_import},
        {.verb = "export",
         .args = "FILE",
         .help = "Writes all MANY to a .csv or .jsonl file that import can read",
         .options = export_options,
         .more = "Their contents are written to the folder FILE.files.",
         .run = transfer_export},
};
enum { VERBS = sizeof verbs / sizeof *verbs, NOUNS_MAX = 32 };

/* An example of `add`, which no table can supply; further words that `add` and `set` take. */
static const struct {
	const char *kind, *add, *words;
} samples[] = {
        {"contact", "1001 --name \"Sam Example\" --email sam@example.com --notify completed,failed",
         NULL},
        {"note", "1001 \"The gate is locked on Mondays\" --urgent", "[TEXT]"},
        {"comment", "1001 \"Asked for a morning stop\" --job 4711", "[TEXT]"},
        {"system-type", "--name \"Alarm panel\"", NULL},
        {"system-field", "\"Alarm panel\" --name code --secret", NULL},
        {"system", "1001 --type \"Alarm panel\" code=2580", "[FIELD=VALUE...]"},
        {"asset", "1001 --kind container --serial C-118 --size 20yd --position \"behind the shop\"",
         NULL},
        {"third-party", "1001 --name \"Example Paving\" --role \"owns the yard\" --contract P-7",
         NULL},
        {"rep", "--name \"Pat Example\" --email pat@example.com", NULL},
        {"activity", "1001 --kind cold-call --due +7d --text \"Offer a second container\"", NULL},
        {"quote", "1001 --number Q-2026-17 --until +30d", NULL},
        {"quote-item", "3 --text \"Container, 20 yards\" --quantity 2 --price 145.00", NULL},
        {"sale", "1001 --job 4711 --product \"Container, 20 yards\" --amount 290.00", NULL},
        {"payment", "5 --amount 100.00 --day today --method card", NULL},
        {"document", "1001 contract.pdf --description \"Contract of 2026\"", NULL},
        {"picture", "1001 gate.jpg --description \"The gate from the street\"", NULL},
};

/* Lives until the program ends. */
static struct arena *kept;

static const char *replace(const char *text, const char *word, const char *with)
{
	const char *at = strstr(text, word);
	if (at == NULL)
		return text;
	return arena_printf(kept, "%.*s%s%s", (int)(at - text), text, with, at + strlen(word));
}

static bool called_by_name(const struct kind *kind)
{
	return kind->fields[0].type == FIELD_NAME;
}

static const char *owner_word(const struct kind *kind)
{
	if (kind->owner == NULL)
		return NULL;
	return kind_is_of_customer(kind)                ? "NUMBER"
	       : called_by_name(kind_find(kind->owner)) ? "TYPE"
	                                                : "ID";
}

static const char *words_of(const struct kind *kind)
{
	for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
		if (strcmp(samples[i].kind, kind->name) == 0)
			return samples[i].words;
	return NULL;
}

static const char *args_of(const struct kind *kind, const struct verb *verb)
{
	const char *owner = owner_word(kind), *words = words_of(kind);
	const char *args = replace(verb->args, "SELF", called_by_name(kind) ? "NAME" : "ID");
	if (owner == NULL)
		args = replace(replace(args, "[OWNER]", ""), "OWNER", "");
	else
		args = replace(args, "OWNER", owner);
	bool takes_words = verb->fields && words != NULL;
	return takes_words ? arena_printf(kept, "%s %s", args, words) : args;
}

static const char *example_of(const struct kind *kind, const struct verb *verb, const char *args)
{
	for (size_t i = 0; strcmp(verb->verb, "add") == 0 && i < sizeof samples / sizeof *samples;
	     i++)
		if (strcmp(samples[i].kind, kind->name) == 0)
			return arena_printf(kept, "%s add %s", kind->name, samples[i].add);
	args = replace(args, words_of(kind) ? words_of(kind) : "\n", "");
	args = replace(replace(replace(args, "[", ""), "]", ""), "NUMBER", "1001");
	args = replace(replace(args, "ID", "12"), "FILE",
	               verb->only == FOR_FILES ? "copy.bin" : "records.csv");
	args = replace(replace(args, "NAME", "\"Pat Example\""), "TYPE", "\"Alarm panel\"");
	const char *more = strcmp(verb->verb, "set") != 0 ? ""
	                   : words_of(kind)               ? " code=2580"
	                                                  : NULL;
	if (more == NULL)
		more = arena_printf(kept, " --%s \"...\"", kind->fields[kind->n_fields > 1].name);
	return arena_printf(kept, "%s %s%s%s%s", kind->name, verb->verb, *args ? " " : "", args,
	                    more);
}

static bool applies(const struct kind *kind, const struct verb *verb)
{
	/* Suspensions have their own verbs to add, change, end and list them (suspension.c). */
	if (kind->kept_when_removed &&
	    (verb->fields || verb->run == record_remove || verb->run == record_list))
		return false;
	bool changes = verb->only & FOR_CHANGING && verb->run != record_remove;
	return !((changes && kind->added_only) || (verb->only & FOR_PLAIN && kind->file) ||
	         (verb->only & FOR_FILES && !kind->file) ||
	         (verb->only & FOR_REPS && !kind->linked));
}

/* "Adds an asset", not "a asset". */
static const char *help_of(const struct kind *kind, const struct verb *verb)
{
	bool vowel = strchr("aeiou", kind->name[0]) != NULL;
	const char *help = vowel ? replace(verb->help, " a ONE", " an ONE") : verb->help;
	return replace(replace(help, "ONE", replace(kind->name, "-", " ")), "MANY", kind->many);
}

/* Systems have secrets. */
static const struct option *options_of(const struct kind *kind, const struct verb *verb)
{
	if (kind->secrets && verb->run == record_show)
		return show_options;
	return kind->secrets && verb->run == transfer_export ? export_reveal_options
	                                                     : verb->options;
}

static struct command command_of(const struct kind *kind, const struct verb *verb)
{
	const char *args = args_of(kind, verb);
	return (struct command){
	        .verb = verb->verb,
	        .args = args,
	        .options = options_of(kind, verb),
	        .kind = kind->name,
	        .fields = verb->fields,
	        .uses = USES_STORE,
	        .help = help_of(kind, verb),
	        .more = kind->file ? verb->more : NULL,
	        .examples = example_of(kind, verb, args),
	        .run = verb->run,
	};
}

/* "A note." is "a note" in a list of nouns. */
static const char *noun_help(const struct kind *kind)
{
	size_t len = strlen(kind->help);
	char *help = arena_strndup(kept, kind->help, len - (len > 0 && kind->help[len - 1] == '.'));
	if (help[0] >= 'A' && help[0] <= 'Z' && !(help[1] >= 'A' && help[1] <= 'Z'))
		help[0] = (char)(help[0] - 'A' + 'a');
	return help;
}

static struct noun noun_of(const struct kind *kind)
{
	struct command *commands =
	        arena_new_array(kept, VERBS + suspension_verbs_n, struct command);
	size_t n = 0;
	for (size_t i = 0; kind->kept_when_removed && i < suspension_verbs_n; i++)
		commands[n++] = suspension_verbs[i];
	for (size_t i = 0; i < VERBS; i++)
		if (applies(kind, &verbs[i]))
			commands[n++] = command_of(kind, &verbs[i]);
	return (struct noun){
	        .name = kind->name, .help = noun_help(kind), .commands = commands, .n = n};
}

const struct noun *record_nouns(size_t *ret_n)
{
	static struct noun nouns[NOUNS_MAX];
	static size_t n;
	if (kept == NULL) {
		kept = arena_new();
		for (size_t i = 0; i < n_kinds && n < NOUNS_MAX; i++)
			if (!kinds[i].is_customer)
				nouns[n++] = noun_of(&kinds[i]);
	}
	*ret_n = n;
	return nouns;
}
