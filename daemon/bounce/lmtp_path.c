/* SPDX-License-Identifier: MIT */
#include "bounce/lmtp_path.h"

#include "base/utf8.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

/* Where the address ends: at `end`, but not within a quoted local part. NULL: it doesn't. */
static const char *find_end(const char *text, char end)
{
	bool quoted = false;
	for (; *text; text++) {
		if (*text == '\\' && quoted && text[1])
			text++;
		else if (*text == '"')
			quoted = !quoted;
		else if (*text == end && !quoted)
			return text;
	}
	return end == ' ' && !quoted ? text : NULL;
}

/* "@a.example,@b.example:user@c.example" is "user@c.example". */
static const char *behind_route(const char *text, const char *end)
{
	const char *colon = *text == '@' ? memchr(text, ':', (size_t)(end - text)) : NULL;
	return colon ? colon + 1 : text;
}

static bool is_address(const char *text, size_t len)
{
	const char *at = memrchr(text, '@', len);
	return len <= LMTP_PATH_MAX && at && at > text && at + 1 < text + len &&
	       utf8_valid(text, len) && !utf8_has_control(text, len);
}

const char *lmtp_path(const char *text, const char *word, char ret[LMTP_PATH_MAX + 1])
{
	if (strncasecmp(text, word, strlen(word)) != 0)
		return NULL;
	text += strlen(word);
	text += strspn(text, " ");
	bool bracketed = *text == '<';
	text += bracketed;
	const char *end = find_end(text, bracketed ? '>' : ' ');
	if (end == NULL || (bracketed && end[1] != '\0' && end[1] != ' '))
		return NULL;
	text = behind_route(text, end);
	size_t len = (size_t)(end - text);
	if (len == 0 ? !bracketed : !is_address(text, len))
		return NULL;
	memcpy(ret, text, len);
	ret[len] = '\0';
	return end + bracketed;
}
