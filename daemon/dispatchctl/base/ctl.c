/* SPDX-License-Identifier: MIT */
/*
 * What every command needs from its command line: options and arguments by name, read as numbers
 * and days, and the question before something is removed. Faults name the option.
 */
#include "dispatchctl/base/ctl.h"

#include "base/utf8.h"
#include "model/words.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

const char *ctl_option(const struct ctl *ctl, const char *name)
{
	for (size_t i = 0; i < ctl->n_given; i++)
		if (strcmp(ctl->given[i].name, name) == 0)
			return ctl->given[i].value;
	return NULL;
}

static bool whole_number(const char *text, int64_t *ret)
{
	char *end;
	errno = 0;
	long long n = strtoll(text, &end, 10);
	bool sane = (*text >= '0' && *text <= '9') || *text == '-';
	if (!sane || *end != '\0' || errno != 0)
		return false;
	*ret = n;
	return true;
}

bool ctl_option_number(const struct ctl *ctl, const char *name, int64_t min, int64_t max,
                       int64_t *ret, struct error *err)
{
	const char *text = ctl_option(ctl, name);
	int64_t n;
	if (text == NULL)
		return true;
	if (!whole_number(text, &n) || n < min || n > max)
		return error_set(err, EX_USAGE,
		                 "--%s must be an integer between %lld and %lld (got \"%s\")", name,
		                 (long long)min, (long long)max, text);
	*ret = n;
	return true;
}

bool ctl_option_day(const struct ctl *ctl, const char *name, const struct zone *zone,
                    struct day *ret, struct error *err)
{
	const char *text = ctl_option(ctl, name);
	if (text == NULL || day_read(text, ctl->now, zone, ret, err))
		return true;
	return error_prefix(err, "--%s", name);
}

bool ctl_option_time(const struct ctl *ctl, const char *name, struct instant *ret,
                     struct error *err)
{
	const char *text = ctl_option(ctl, name);
	if (text == NULL || time_read(text, ctl->now, zone_host(ctl->zones), ret, err))
		return true;
	return error_prefix(err, "--%s", name);
}

const char *ctl_arg(const struct ctl *ctl, size_t i)
{
	return i < ctl->n_args ? ctl->args[i] : NULL;
}

bool ctl_arg_id(const struct ctl *ctl, size_t i, int64_t *ret, struct error *err)
{
	if (whole_number(ctl->args[i], ret) && *ret > 0)
		return true;
	return error_set(err, EX_USAGE,
	                 "%s must be a positive integer, as shown in lists (got \"%s\")",
	                 command_arg_name(ctl->command, i, ctl->arena), ctl->args[i]);
}

const char *ctl_event_type(const struct ctl *ctl, const char *word)
{
	return job_state_find(word) == JOB_NONE ? word : arena_printf(ctl->arena, "job.%s", word);
}

const char *const *ctl_words(struct arena *arena, const char *words)
{
	const char **list = arena_new_array(arena, strlen(words) / 2 + 2, const char *);
	size_t n = 0;
	while (*words != '\0') {
		size_t len = strcspn(words, " ");
		list[n++] = arena_strndup(arena, words, len);
		words += len + (words[len] == ' ');
	}
	return list;
}

static bool answered_yes(void)
{
	char line[80];
	return fgets(line, sizeof line, stdin) != NULL && (line[0] == 'y' || line[0] == 'Y');
}

static bool somebody_there(void)
{
	return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

bool ctl_confirm(const struct ctl *ctl, struct error *err, const char *question)
{
	if (!ctl->yes && !somebody_there())
		return error_set(err, EX_USAGE,
		                 "this can't be undone; without a terminal, --yes is required");
	return ctl_confirm_at_terminal(ctl, err, question);
}

bool ctl_confirm_at_terminal(const struct ctl *ctl, struct error *err, const char *question)
{
	if (ctl->yes || !somebody_there())
		return true;
	char shown[1000];
	(void)fprintf(stderr, "%s [y/N] ", utf8_show(question, shown, sizeof shown));
	return answered_yes() || error_set(err, EX_USAGE, "nothing was changed");
}
