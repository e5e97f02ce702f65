/* SPDX-License-Identifier: MIT */
/*
 * What the shell's Tab offers, from the same rows as everything else. The shell passes its words
 * unchanged; the last one is completed.
 */
#include "dispatchctl/complete.h"

#include "dispatchctl/base/command_options.h"
#include "dispatchctl/complete_data.h"
#include "dispatchctl/registry.h"
#include "model/job_state.h"

#include <string.h>

struct tab {
	struct ctl *ctl;
	const char *typed; /* the word so far */
	const struct noun *noun;
	const struct command *command;
	size_t n_args;              /* before the word */
	const struct option *value; /* the option whose value the word is, or NULL */
	bool lost;                  /* an earlier word is unknown */
};

static void offer(const struct tab *tab, const char *prefix, const char *word)
{
	struct buf line = {0};
	buf_printf(&line, "%s%s", prefix, word);
	if (strncmp(line.data, tab->typed, strlen(tab->typed)) == 0)
		output_print(tab->ctl->out, "%s", line.data);
	buf_free(&line);
}

static const struct option *option_of(const struct tab *tab, const char *word)
{
	if (strcmp(word, "-c") == 0)
		return option_find(options_global, "config", strlen("config"));
	if (strncmp(word, "--", 2) != 0)
		return NULL;
	size_t len = strcspn(word + 2, "=");
	const struct option *option =
	        tab->command
	                ? option_find(command_options(tab->command, tab->ctl->arena), word + 2, len)
	                : NULL;
	return option ? option : option_find(options_global, word + 2, len);
}

static void take_word(struct tab *tab, const char *word)
{
	struct error err = {0};
	if (tab->noun == NULL) {
		tab->noun = noun_find(word, &err);
		tab->lost = tab->noun == NULL;
		if (tab->noun != NULL && !noun_has_verbs(tab->noun))
			tab->command = tab->noun->commands;
	} else if (tab->command == NULL) {
		tab->command = command_find(tab->noun, word, &err);
		tab->lost = tab->command == NULL;
	} else {
		tab->ctl->args[tab->ctl->n_args++] = word;
		tab->n_args++;
	}
}

/* Walks the words before the last. */
static void understand(struct tab *tab, int n, char **words)
{
	for (int i = 0; i + 1 < n; i++) {
		const struct option *option = option_of(tab, words[i]);
		bool takes_next =
		        option != NULL && option->value != NULL && strchr(words[i], '=') == NULL;
		if (takes_next && i + 2 == n)
			tab->value = option;
		else if (takes_next)
			i++;
		if (option != NULL && strcmp(option->name, "config") == 0 && takes_next &&
		    i < n - 1)
			tab->ctl->config = words[i];
		if (option == NULL && words[i][0] != '-')
			take_word(tab, words[i]);
	}
}

/* "a|b" offers one of them, "a,b" a comma-separated list: what precedes the last comma is kept. */
static void offer_choices(const struct tab *tab, const char *choices)
{
	const char *comma = strrchr(tab->typed, ',');
	bool list = strchr(choices, ',') != NULL;
	char *before = arena_strndup(tab->ctl->arena, tab->typed,
	                             list && comma ? (size_t)(comma - tab->typed) + 1 : 0);
	while (*choices != '\0') {
		size_t len = strcspn(choices, "|,");
		offer(tab, before, arena_strndup(tab->ctl->arena, choices, len));
		choices += len + (choices[len] != '\0');
	}
}

static const struct {
	const char *name, *offers;
} meanings[] = {
        {"FILE", NULL},
        {"DAY", "today|tomorrow|+7d|+30d"},
        {"TIME", "now|today|-1h|-1d"},
        {"STATUS",
         "queued|deferred|sending|sent|retrying|failed|bounced|superseded|expired|suppressed|"
         "cancelled"},
        {"SCOPES", "jobs,routes,emails"},
        {"WEEKDAYS", "mon-fri|mon|tue|wed|thu|fri|sat|sun|sat,sun"},
        {"WINDOWS", "closed|08:00-17:00|07:00-12:00,13:00-17:00"},
        {"yes|no", "yes|no"},
};

static void offer_states(const struct tab *tab)
{
	char states[JOB_STATES_TEXT_MAX];
	job_states_join("", ",", ",", states);
	offer_choices(tab, arena_printf(tab->ctl->arena, "%s,all,none", states));
}

static void offer_types(const struct tab *tab)
{
	char types[JOB_STATES_TEXT_MAX];
	offer_choices(tab, job_states_join("job.", "|", "|", types));
}

static void offer_value(const struct tab *tab, const char *what)
{
	if (strcmp(what, "STATES") == 0) {
		offer_states(tab);
		return;
	}
	if (strcmp(what, "TYPE") == 0) {
		offer_types(tab);
		return;
	}
	for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
		if (strcmp(meanings[i].name, what) != 0)
			continue;
		if (meanings[i].offers == NULL)
			output_print(tab->ctl->out, ":files");
		else
			offer_choices(tab, meanings[i].offers);
		return;
	}
	if (strchr(what, '|') != NULL || strchr(what, ',') != NULL)
		offer_choices(tab, what);
	else
		complete_data(tab->ctl, tab->noun, what, tab->typed);
}

static void offer_options(const struct tab *tab)
{
	const struct option *lists[] = {
	        tab->command ? command_options(tab->command, tab->ctl->arena) : NULL,
	        options_global};
	for (size_t l = 0; l < 2; l++)
		for (const struct option *o = lists[l]; o != NULL && o->name != NULL; o++)
			offer(tab, "--", o->name);
}

static void offer_words(const struct tab *tab)
{
	size_t n;
	const struct noun *noun = tab->noun, *const *all = nouns_all(&n);
	for (size_t i = 0; noun == NULL && i < n; i++)
		offer(tab, "", all[i]->name);
	const struct command *commands = noun != NULL ? noun->commands : NULL;
	for (size_t i = 0; commands != NULL && i < noun->n; i++)
		offer(tab, "", commands[i].verb);
}

void complete(struct ctl *ctl, int n, char **words)
{
	struct tab tab = {.ctl = ctl, .typed = n > 0 ? words[n - 1] : ""};
	ctl->args = arena_new_array(ctl->arena, (size_t)n + 1, const char *);
	understand(&tab, n, words);
	if (tab.lost)
		return;
	const char *equals = strncmp(tab.typed, "--", 2) == 0 ? strchr(tab.typed, '=') : NULL;
	if (equals != NULL && tab.value == NULL) {
		tab.value = option_of(&tab, tab.typed);
		tab.typed = equals + 1;
	}
	if (tab.value != NULL)
		offer_value(&tab, tab.value->value ? tab.value->value : "");
	else if (tab.typed[0] == '-')
		offer_options(&tab);
	else if (tab.command != NULL)
		offer_value(&tab, command_arg_name(tab.command, tab.n_args, ctl->arena));
	else
		offer_words(&tab);
}
