/* SPDX-License-Identifier: MIT */
#include "center/pages/labels.h"

#include "center/pages/words.h"

#include <ctype.h>
#include <string.h>

static char *with_blanks(const struct call *call, const char *name)
{
	char *text = arena_strdup(call->request->arena, name);
	for (char *c = text; *c != '\0'; c++)
		if (*c == '_')
			*c = ' ';
	return text;
}

/* As English names it. */
static const char *plain_label(const struct call *call, const char *name)
{
	static const struct {
		const char *name, *label;
	} rows[] = {{"dba", "DBA"},
	            {"timezone", "Time zone"},
	            {"alt_email", "Alternate email"},
	            {"rto", "Returned to office"},
	            {"rereceived", "Received again"}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strcmp(rows[i].name, name) == 0)
			return rows[i].label;
	char *label = with_blanks(call, name);
	label[0] = (char)toupper((unsigned char)label[0]);
	return label;
}

const char *label_name(const struct call *call, const char *name)
{
	const char *found = words_find(call, "field", name);
	return found ? found : plain_label(call, name);
}

const char *label_field(const struct call *call, const struct kind *kind, const struct field *field)
{
	struct arena *arena = call->request->arena;
	const char *found =
	        words_find(call, arena_printf(arena, "field.%s", kind->name), field->name);
	if (found)
		return found;
	return strcmp(field->name, "text") == 0 ? words_capital(call, words_kind(call, kind))
	                                        : label_name(call, field->name);
}

const char *label_kinds(const struct call *call, const struct kind *kind)
{
	return words_capital(call, words_kinds(call, kind));
}

const char *label_add(const struct call *call, const struct kind *kind)
{
	return words_fill(call, "add.kind", json_pack("{s:s}", "kind", words_kind(call, kind)));
}

/* Of one of the words that a field chooses from. */
const char *label_choice(const struct call *call, const char *word)
{
	const char *found = words_find(call, "word", word);
	return found ? words_capital(call, found) : plain_label(call, word);
}

const char *label_word(const struct call *call, const char *name)
{
	const char *found = words_find(call, "word", name);
	return found ? found : with_blanks(call, name);
}
