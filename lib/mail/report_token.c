/* SPDX-License-Identifier: MIT */
#include "mail/report_token.h"

#include "mail/report_fields.h"
#include "mail/token.h"

#include <string.h>
#include <strings.h>

const char *mail_report_token_of(const char *address, struct arena *arena)
{
	const char *at = strrchr(address, '@');
	struct token token;
	if (at == NULL || at - address <= TOKEN_LENGTH ||
	    !token_parse(at - TOKEN_LENGTH, TOKEN_LENGTH, &token))
		return "";
	return arena_strndup(arena, at - TOKEN_LENGTH, TOKEN_LENGTH);
}

/* The first address with a token in a list of them. */
static const char *find_in_list(const char *list, struct arena *arena)
{
	const char *end;
	for (size_t left = strlen(list); left > 0; left -= (size_t)(end - list), list = end) {
		const char *address = mail_report_address_in(list, left, arena, &end);
		if (address[0] == '\0' || end <= list)
			return "";
		if (mail_report_token_of(address, arena)[0])
			return address;
	}
	return "";
}

const char *mail_report_token_recipient(const char *header, struct arena *arena)
{
	static const char *const names[] = {"Delivered-To",
	                                    "X-Original-To",
	                                    "Envelope-To",
	                                    "X-Envelope-To",
	                                    "X-Delivered-To",
	                                    "To",
	                                    "Cc"};
	struct mail_report_field field;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		for (const char *at = header; mail_report_field_next(&at, arena, &field);) {
			const char *found = strcasecmp(field.name, names[i]) == 0
			                            ? find_in_list(field.value, arena)
			                            : "";
			if (found[0])
				return found;
		}
	return "";
}

const char *mail_report_token_unsubscribe(const char *header, struct arena *arena)
{
	const char *value = mail_report_field_value(header, "List-Unsubscribe", arena);
	const char *address = find_in_list(value, arena);
	const char *path = strstr(value, "/u/");
	struct token token;
	if (address[0])
		return mail_report_token_of(address, arena);
	if (path && strlen(path + 3) >= TOKEN_LENGTH && token_parse(path + 3, TOKEN_LENGTH, &token))
		return arena_strndup(arena, path + 3, TOKEN_LENGTH);
	return "";
}
