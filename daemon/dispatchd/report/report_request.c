/* SPDX-License-Identifier: MIT */
/*
 * From a line on the socket for reports to a command of the engine. Who is allowed to connect there
 * may hand in reports and do nothing else, so a new object is made of the members that a report
 * has.
 */
#include "dispatchd/report/report_request.h"

#include "base/jsontext.h"
#include "mail/token.h"
#include "model/request.h"
#include "model/settings.h"

#include <sysexits.h>

static const json_t *member(const json_t *request, const char *name, json_type type)
{
	const json_t *value = json_object_get(request, name);
	return value && json_typeof(value) == type ? value : NULL;
}

static char *command_text(const json_t *request, const char *verb)
{
	static const char *const names[] = {"recipient", "sender", "facts", "reply"};
	json_t *command = json_pack("{s:s}", "do", verb);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		json_t *value = json_object_get(request, names[i]);
		if (value)
			json_object_set(command, names[i], value);
	}
	char *text = json_dumps(command, JSON_COMPACT);
	json_decref(command);
	return text;
}

/* How long the reply is that may follow; a number that makes no sense is 0. */
static size_t bytes_offered(const json_t *request)
{
	const json_t *reply = member(request, "reply", JSON_OBJECT);
	const json_t *bytes = reply ? member(reply, "bytes", JSON_INTEGER) : NULL;
	json_int_t n = bytes ? json_integer_value(bytes) : 0;
	return n > 0 ? (size_t)n : 0;
}

static bool read_object(const struct settings *settings, const json_t *request,
                        struct report_request *ret, struct error *err)
{
	const json_t *recipient = member(request, "recipient", JSON_STRING);
	if (!json_is_object(request))
		return error_set(err, EX_DATAERR, "not a JSON object");
	if (recipient == NULL)
		return error_set(err, EX_DATAERR, "recipient: expected text");
	if (!token_takes(settings->bounce.address, json_string_value(recipient), err))
		return false;
	if (json_object_get(request, "facts") == NULL) {
		*ret = (struct report_request){.command = NULL};
		return true;
	}
	if (member(request, "facts", JSON_OBJECT) == NULL)
		return error_set(err, EX_DATAERR, "facts: expected an object");
	ret->bytes = bytes_offered(request);
	ret->command = command_text(request, control_request_verb(REQUEST_BOUNCE_TAKE));
	return true;
}

bool report_request_read(const struct settings *settings, const char *line, size_t len,
                         struct report_request *ret, struct error *err)
{
	json_t *request = jsontext_read(line, len, err);
	bool ok = request && read_object(settings, request, ret, err);
	if (request == NULL)
		err->code = EX_DATAERR;
	json_decref(request);
	return ok;
}

char *report_request_forward(const char *command)
{
	json_t *request = json_loads(command, 0, NULL);
	char *text = command_text(request, control_request_verb(REQUEST_BOUNCE_FORWARD));
	json_decref(request);
	return text;
}

bool report_request_wanted(const char *answer)
{
	json_t *document = json_loads(answer, 0, NULL);
	bool wanted = json_is_true(json_object_get(document, "send"));
	json_decref(document);
	return wanted;
}
