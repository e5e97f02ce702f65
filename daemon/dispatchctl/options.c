/* SPDX-License-Identifier: MIT */
/*
 * The command line: NOUN [VERB] ARGUMENT… with options anywhere among them. getopt_long isn't used,
 * since noun and verb decide which options exist.
 */
#include "dispatchctl/options.h"

#include "base/nearest.h"
#include "base/utf8.h"
#include "dispatchctl/base/command_options.h"
#include "dispatchctl/registry.h"
#include "model/key.h"

#include <string.h>
#include <sysexits.h>

struct scan {
	struct ctl *ctl;
	char **argv;
	int argc, at;
	bool ended; /* by `--` */
	const struct option *options;
};

/* An option of dispatchctl itself. Always true. */
static bool take_global(struct ctl *ctl, const struct option *option, const char *value)
{
	if (strcmp(option->name, "config") == 0)
		ctl->config = value;
	else if (strcmp(option->name, "json") == 0)
		ctl->json = true;
	else if (strcmp(option->name, "as") == 0)
		ctl->as = value;
	else if (strcmp(option->name, "yes") == 0)
		ctl->yes = true;
	else if (strcmp(option->name, "help") == 0)
		ctl->help = true;
	else
		ctl->version = true;
	return true;
}

/* A customer's number may come from a page or a spreadsheet: cleaned as an argument would be. */
static bool take_number(const struct ctl *ctl, const char **value, struct error *err)
{
	const char *text = *value;
	size_t len = strlen(text);
	if (!utf8_valid(text, len))
		return true;
	key_trim(&text, &len);
	return key_clean("--customer", text, len, ctl->arena, value, err);
}

static bool take_given(struct ctl *ctl, const struct option *option, const char *value,
                       struct error *err)
{
	if (!option->many && ctl_option(ctl, option->name) != NULL)
		return error_set(err, EX_USAGE, "--%s was given twice", option->name);
	if (strcmp(option->name, "customer") == 0 && !take_number(ctl, &value, err))
		return false;
	ctl->given[ctl->n_given++] = (struct ctl_given){option->name, value};
	return true;
}

static bool unknown_option(const struct scan *scan, const char *name, size_t len, struct error *err)
{
	struct ctl *ctl = scan->ctl;
	struct nearest nearest = {.typed = arena_strndup(ctl->arena, name, len)};
	for (const struct option *o = scan->options; o != NULL && o->name != NULL; o++)
		nearest_try(&nearest, o->name);
	for (const struct option *o = options_global; o->name != NULL; o++)
		nearest_try(&nearest, o->name);
	if (ctl->command == NULL)
		return error_set(
		        err, EX_USAGE,
		        "unknown option --%s; a command's own options go after the command",
		        nearest.typed);
	const char *command = command_name(ctl->noun, ctl->command, ctl->arena);
	if (nearest.name != NULL)
		return error_set(err, EX_USAGE, "%s has no option --%s; did you mean --%s?",
		                 command, nearest.typed, nearest.name);
	return error_set(err, EX_USAGE, "%s has no option --%s; see dispatchctl %s --help", command,
	                 nearest.typed, command);
}

/* Whether `word` is one of the words in `[yes|no]`. */
static bool is_choice(const struct option *option, const char *word)
{
	size_t len = strlen(word);
	for (const char *at = option->value + 1; *at != '\0';) {
		size_t n = strcspn(at, "|]");
		if (n == len && strncmp(at, word, len) == 0)
			return true;
		at += n + 1;
		if (at[-1] == ']')
			break;
	}
	return false;
}

static bool take_long(struct scan *scan, const char *name, struct error *err)
{
	const char *equals = strchr(name, '=');
	size_t len = equals ? (size_t)(equals - name) : strlen(name);
	const struct option *option = option_find(scan->options, name, len);
	bool own = option != NULL;
	if (!own)
		option = option_find(options_global, name, len);
	if (option == NULL)
		return unknown_option(scan, name, len, err);
	const char *value = equals ? equals + 1 : "";
	bool may_lack = option->value != NULL && option->value[0] == '[';
	if (may_lack && equals == NULL && scan->at < scan->argc &&
	    is_choice(option, scan->argv[scan->at]))
		value = scan->argv[scan->at++];
	if (option->value == NULL && equals != NULL)
		return error_set(err, EX_USAGE, "--%s takes no value", option->name);
	if (option->value != NULL && equals == NULL && !may_lack) {
		if (scan->at == scan->argc)
			return error_set(err, EX_USAGE, "--%s needs a value: --%s %s", option->name,
			                 option->name, option->value);
		value = scan->argv[scan->at++];
	}
	return own ? take_given(scan->ctl, option, value, err)
	           : take_global(scan->ctl, option, value);
}

/* -c FILE, -cFILE, -y, -h, -V; letters can't be combined in one word. */
static bool take_short(struct scan *scan, const char *word, struct error *err)
{
	const struct option *option = options_global;
	while (option->name != NULL && option->letter != word[1])
		option++;
	if (option->name == NULL || (option->value == NULL && word[2] != '\0'))
		return error_set(err, EX_USAGE, "unknown option %s; see dispatchctl --help", word);
	const char *value = word + 2;
	if (option->value != NULL && *value == '\0') {
		if (scan->at == scan->argc)
			return error_set(err, EX_USAGE, "%s needs a value: %s %s", word, word,
			                 option->value);
		value = scan->argv[scan->at++];
	}
	return take_global(scan->ctl, option, value);
}

static bool take_word(struct scan *scan, const char *word, struct error *err)
{
	struct ctl *ctl = scan->ctl;
	if (ctl->command == NULL && strcmp(word, "help") == 0) /* as other programs have it */
		return ctl->help = true;
	if (ctl->noun == NULL) {
		ctl->noun = noun_find(word, err);
		if (ctl->noun != NULL && !noun_has_verbs(ctl->noun))
			ctl->command = ctl->noun->commands;
	} else if (ctl->command == NULL) {
		ctl->command = command_find(ctl->noun, word, err);
	} else {
		ctl->args[ctl->n_args++] = word;
		return true;
	}
	if (ctl->command != NULL)
		scan->options = command_options(ctl->command, ctl->arena);
	return ctl->noun != NULL && (ctl->command != NULL || noun_has_verbs(ctl->noun)) &&
	       err->code == 0;
}

static bool check_count(const struct ctl *ctl, struct error *err)
{
	const struct command *command = ctl->command;
	const char *usage = command_usage(ctl->noun, command, ctl->arena);
	size_t min, max;
	command_arg_range(command, &min, &max);
	if (ctl->n_args < min)
		return error_set(err, EX_USAGE, "%s needs %s; usage: dispatchctl %s",
		                 command_name(ctl->noun, command, ctl->arena),
		                 command_arg_name(command, ctl->n_args, ctl->arena), usage);
	if (ctl->n_args > max)
		return error_set(err, EX_USAGE, "unexpected argument \"%s\"; usage: dispatchctl %s",
		                 ctl->args[max], usage);
	return true;
}

static bool take(struct scan *scan, struct error *err)
{
	const char *word = scan->argv[scan->at++];
	if (scan->ended || word[0] != '-' || word[1] == '\0')
		return take_word(scan, word, err);
	if (strcmp(word, "--") == 0)
		return scan->ended = true;
	return word[1] == '-' ? take_long(scan, word + 2, err) : take_short(scan, word, err);
}

/* --help is honored even if the rest of the line is wrong. */
static void find_help(struct ctl *ctl, const struct scan *scan)
{
	for (int i = scan->at; i < scan->argc && strcmp(scan->argv[i], "--") != 0; i++)
		if (strcmp(scan->argv[i], "--help") == 0 || strcmp(scan->argv[i], "-h") == 0)
			ctl->help = true;
}

bool options_read(struct ctl *ctl, int argc, char **argv, struct error *err)
{
	struct scan scan = {.ctl = ctl, .argv = argv, .argc = argc, .at = 1};
	ctl->args = arena_new_array(ctl->arena, (size_t)argc + 1, const char *);
	ctl->given = arena_new_array(ctl->arena, (size_t)argc + 1, struct ctl_given);
	while (scan.at < argc) {
		if (!take(&scan, err)) {
			find_help(ctl, &scan);
			return false;
		}
	}
	if (ctl->help || ctl->version)
		return true;
	if (ctl->noun == NULL)
		return error_set(err, EX_USAGE, "no command given; see dispatchctl --help");
	if (ctl->command == NULL)
		return error_set(err, EX_USAGE, "%s needs a verb; see dispatchctl %s --help",
		                 ctl->noun->name, ctl->noun->name);
	return check_count(ctl, err);
}
