/* SPDX-License-Identifier: MIT */
/*
 * A record's form as a command: an option for each input, by what it shows. That the options are
 * named as the fields are is dispatchctl's rule; command.js does the same in the browser.
 */
#include "center/pages/form_command.h"

#include "base/jsontext.h"
#include "center/pages/command.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* -- words ------------------------------------------------------------------------------------- */

/* In place of what isn't known yet. */
static const char *capitals(const struct call *call, const char *field)
{
	char *text = arena_strdup(call->request->arena, field);
	for (char *c = text; *c != '\0'; c++)
		*c = (char)toupper((unsigned char)*c);
	return text;
}

static void add_word(json_t *words, const char *word)
{
	json_array_append_new(words, json_string(word));
}

/* "dispatched,failed"; "none". */
static const char *checked_of(const struct call *call, const json_t *checks)
{
	const char *text = "";
	size_t i;
	const json_t *check;
	json_array_foreach(checks, i, check)
	{
		if (json_is_true(json_object_get(check, "checked")))
			text = arena_printf(call->request->arena, "%s%s%s", text, *text ? "," : "",
			                    jsontext_at(check, "value"));
	}
	return *text ? text : "none";
}

/* -- options ----------------------------------------------------------------------------------- */

static void add_flag(json_t *options, const char *option, bool on, bool adding)
{
	if (on || !adding)
		add_word(options, option);
	if (!on && !adding)
		add_word(options, "no");
}

/* A field of a system's type: FIELD=VALUE, which is an argument. */
static void add_pair(const struct call *call, json_t *words, const json_t *input, bool adding)
{
	const char *name = jsontext_at(input, "pair"), *value = jsontext_at(input, "value");
	if (json_is_true(json_object_get(input, "secret")))
		value = adding ? capitals(call, name) : NULL; /* what isn't given stays as it is */
	if (value && (*value != '\0' || !adding))
		add_word(words, arena_printf(call->request->arena, "%s=%s", name, value));
}

static void add_text(const struct call *call, json_t *options, const json_t *input, bool adding)
{
	const char *name = jsontext_at(input, "name"), *value = jsontext_at(input, "value");
	if (*value == '\0' && adding && json_is_true(json_object_get(input, "required")))
		value = capitals(call, name);
	if (*value == '\0' && adding)
		return;
	add_word(options, command_option(call, name));
	add_word(options, value);
}

static void add_input(const struct call *call, json_t *words, json_t *options, const json_t *input,
                      bool adding)
{
	const char *name = jsontext_at(input, "name");
	const json_t *flag = json_object_get(input, "flag");
	const json_t *checks = json_object_get(input, "has_checks");
	if (*jsontext_at(input, "pair") != '\0') {
		add_pair(call, words, input, adding);
	} else if (flag) {
		add_flag(options, command_option(call, name),
		         json_is_true(json_object_get(flag, "checked")), adding);
	} else if (checks) {
		add_word(options, command_option(call, name));
		add_word(options, checked_of(call, json_object_get(checks, "checks")));
	} else {
		add_text(call, options, input, adding);
	}
}

static bool is_computed(const struct kind *kind, const json_t *input)
{
	const struct field *field = kind_field(kind, jsontext_at(input, "name"));
	return field && field->computed;
}

/* `first`: the field that is an argument, not an option; NULL for none. */
static json_t *options_of(const struct call *call, const struct kind *kind, const json_t *inputs,
                          const char *first, bool adding, json_t *words)
{
	json_t *options = json_array(), *input;
	size_t i;
	json_array_foreach((json_t *)(uintptr_t)inputs, i, input)
	{
		const char *name = jsontext_at(input, "name");
		if (first && strcmp(name, first) == 0) {
			const char *value = jsontext_at(input, "value");
			add_word(words, *value ? value : capitals(call, name));
		} else if (adding || !is_computed(kind, input)) {
			add_input(call, words, options, input, adding);
		}
	}
	return options;
}

/* -- the fold ---------------------------------------------------------------------------------- */

/* `words` as JSON, before the values of the form are among them. */
static json_t *follow_of(const json_t *words, const char *first, bool adding, bool again)
{
	char *text = json_dumps(words, JSON_COMPACT);
	json_t *follow = json_pack("{s:s, s:s, s:s, s:b}", "how", adding ? "add" : "set", "words",
	                           text ? text : "[]", "field", first ? first : "", "again", again);
	free(text);
	return follow;
}

json_t *form_command_follow(const json_t *words, const char *field)
{
	return follow_of(words, field, true, false);
}

json_t *form_command_add(const struct call *call, const struct kind *kind, const char *owner,
                         const json_t *inputs)
{
	const char *first = kind->is_customer ? kind->fields[0].name : NULL;
	json_t *words = json_pack("[s, s]", kind->name, "add");
	if (owner)
		add_word(words, owner);
	json_t *follow = form_command_follow(words, first);
	json_t *options = options_of(call, kind, inputs, first, true, words);
	json_t *fold = command_fold(command_line(call, words, options), NULL);
	json_object_set_new(fold, "follow", follow);
	return fold;
}

json_t *form_command_set(const struct call *call, const struct kind *kind, const char *name,
                         const json_t *inputs, bool again)
{
	json_t *words = json_pack("[s, s, s]", kind->name, "set", name);
	json_t *follow = follow_of(words, NULL, false, again);
	json_t *options = options_of(call, kind, inputs, NULL, false, words);
	json_t *fold = command_fold(command_line(call, words, options), NULL);
	json_object_set_new(fold, "follow", follow);
	return fold;
}

const char *form_command_remove(const struct call *call, const struct kind *kind, const char *name,
                                const json_t *record)
{
	if (kind->kept_when_removed)
		return command_line(call,
		                    json_pack("[s, s, s, s]", kind->name, "end",
		                              jsontext_at(record, "customer"), name),
		                    NULL);
	return command_line(call, json_pack("[s, s, s]", kind->name, "remove", name),
	                    json_pack("[s]", "--yes"));
}
