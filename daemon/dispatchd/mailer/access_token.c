/* SPDX-License-Identifier: MIT */
/* The file with an access token. What was read is overwritten; jansson's copy is only freed. */
#include "dispatchd/mailer/access_token.h"

#include "base/jsontext.h"
#include "base/secret_file.h"

#include <string.h>
#include <sysexits.h>

/* Of RFC 6750: letters, digits and these, then any number of "=". */
static bool is_token(const char *text, size_t len)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	                              "0123456789-._~+/";

	while (len > 0 && text[len - 1] == '=')
		len--;
	for (size_t i = 0; i < len; i++)
		if (text[i] == '\0' || !strchr(allowed, text[i]))
			return false;
	return len > 0;
}

static bool take(const char *text, size_t len, const char *file, char ret[ACCESS_TOKEN_MAX + 1],
                 struct error *err)
{
	if (len == 0)
		return error_set(err, EX_CONFIG, "%s: its first line is empty", file);
	if (len > ACCESS_TOKEN_MAX)
		return error_set(err, EX_CONFIG, "%s: an access token must have at most %d bytes",
		                 file, ACCESS_TOKEN_MAX);
	if (!is_token(text, len))
		return error_set(
		        err, EX_CONFIG,
		        "%s: its first line has a character that an access token can't have", file);
	memcpy(ret, text, len);
	ret[len] = '\0';
	return true;
}

static bool take_json(const char *text, size_t len, const char *file,
                      char ret[ACCESS_TOKEN_MAX + 1], struct error *err)
{
	json_t *json = jsontext_read(text, len, NULL);
	const char *token = json_string_value(json_object_get(json, "access_token"));
	bool ok = token ? take(token, strlen(token), file, ret, err)
	                : error_set(err, EX_CONFIG, "%s: isn't a JSON object with an access_token",
	                            file);

	json_decref(json);
	return ok;
}

static bool take_text(const struct secret_text *text, const char *file,
                      char ret[ACCESS_TOKEN_MAX + 1], struct error *err)
{
	size_t line = secret_text_line(text);

	if (text->len == 0)
		return error_set(err, EX_CONFIG, "%s: is empty", file);
	if (text->text[0] == '{')
		return take_json(text->text, text->len, file, ret, err);
	while (line > 0 && strchr(" \t\r", text->text[line - 1]))
		line--;
	return take(text->text, line, file, ret, err);
}

bool access_token_read(const char *file, char ret[ACCESS_TOKEN_MAX + 1], struct error *err)
{
	struct secret_text text;
	bool ok;

	if (!secret_file_read(file, "access token", ACCESS_TOKEN_FILE_MAX, &text, err))
		return false;
	ok = take_text(&text, file, ret, err);
	secret_text_wipe(&text);
	return ok;
}
