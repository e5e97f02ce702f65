/* SPDX-License-Identifier: MIT */
/*
 * The command line: NOUN [VERB] ARGUMENT… with options anywhere among them. getopt_long isn't used:
 * which options there are is known only once noun and verb have been read.
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

/* True where it was one of dispatchctl's own. */
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

/* A customer's number that was copied from a page or a spreadsheet, as where it is an argument. */
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
		return error_set(err, EX_USAGE, "--%s: a command's options go after its words",
		                 nearest.typed);
	const char *verb = ctl->command->verb ? ctl->command->verb : "";
	if (nearest.name != NULL)
		return error_set(err, EX_USAGE, "%s%s%s has no option --%s; did you mean --%s?",
		                 ctl->noun->name, *verb ? " " : "", verb, nearest.typed,
		                 nearest.name);
	return error_set(err, EX_USAGE, "%s%s%s has no option --%s; see dispatchctl %s%s%s --help",
	                 ctl->noun->name, *verb ? " " : "", verb, nearest.typed, ctl->noun->name,
	                 *verb ? " " : "", verb);
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

/* -c FILE, -cFILE, -y, -h, -V; several letters in one word aren't worth their surprises. */
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
	if (ctl->command == NULL && strcmp(word, "help") == 0) /* as many know it from elsewhere */
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
	const char *verb = command->verb ? command->verb : "";
	size_t min, max;
	command_arg_range(command, &min, &max);
	if (ctl->n_args < min)
		return error_set(err, EX_USAGE, "%s%s%s needs %s: dispatchctl %s%s%s %s",
		                 ctl->noun->name, *verb ? " " : "", verb,
		                 command_arg_name(command, ctl->n_args, ctl->arena),
		                 ctl->noun->name, *verb ? " " : "", verb, command->args);
	if (ctl->n_args > max)
		return error_set(err, EX_USAGE,
		                 "unexpected argument \"%s\"; usage: dispatchctl %s%s%s%s%s",
		                 ctl->args[max], ctl->noun->name, *verb ? " " : "", verb,
		                 max ? " " : "", command->args);
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

/* Help is wanted even where the rest of the line is wrong. */
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
