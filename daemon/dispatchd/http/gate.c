/* SPDX-License-Identifier: MIT */
/*
 * The gate query without effect. The engine answers it, with the data of its next turn; here a
 * query becomes its command. A query that isn't understood to its last byte is refused: the answer
 * to a misread query could send a truck.
 */
#include "dispatchd/http/gate.h"

#include "base/utf8.h"
#include "dispatchd/cluster/cluster.h"
#include "dispatchd/engine/engine_thread.h"
#include "dispatchd/sys/daemon_view.h"
#include "model/request.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static const struct parameter {
	const char *name;
	size_t max; /* bytes */
	bool required;
	bool plus; /* `+` is a plus, as in a time's offset; else a space, as forms send it */
} parameters[] = {
        {.name = "customer", .max = 128, .required = true},
        {.name = "type", .max = 64, .required = true},
        {.name = "scheduled", .max = 64, .plus = true},
};
enum { PARAMETERS = sizeof parameters / sizeof parameters[0] };

static const struct parameter *find_parameter(const char *name, size_t len)
{
	for (size_t i = 0; i < PARAMETERS; i++)
		if (strlen(parameters[i].name) == len && !memcmp(parameters[i].name, name, len))
			return &parameters[i];
	return NULL;
}

static int gate_hex(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;
	return at ? (int)(at - digits) : -1;
}

/* RFC 3986, section 2.1; false where a `%` has no two hexadecimal digits behind it. */
static bool gate_decode(const struct parameter *parameter, const char *text, size_t len,
                        struct buf *ret)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] != '%') {
			buf_addc(ret, text[i] == '+' && !parameter->plus ? ' ' : text[i]);
			continue;
		}
		int high = i + 2 < len ? gate_hex(text[i + 1]) : -1,
		    low = i + 2 < len ? gate_hex(text[i + 2]) : -1;
		if (high < 0 || low < 0)
			return false;
		buf_addc(ret, (char)(high * 16 + low));
		i += 2;
	}
	return true;
}

static bool gate_set_value(json_t *command, const struct parameter *parameter,
                           const struct buf *value, struct error *err)
{
	const char *text = buf_text(value);
	const char *name = parameter->name;
	if (value->len == 0)
		return error_set(err, EX_USAGE, "%s is empty", name);
	if (value->len > parameter->max)
		return error_set(err, EX_USAGE, "%s has %zu bytes; expected at most %zu", name,
		                 value->len, parameter->max);
	if (!utf8_valid(text, value->len) || utf8_has_control(text, value->len))
		return error_set(err, EX_USAGE, "%s is not printable UTF-8 text", name);
	json_object_set_new(command, name, json_stringn(text, value->len));
	return true;
}

static bool take_parameter(json_t *command, const char *text, size_t len, struct error *err)
{
	char quote[UTF8_QUOTE_MAX];
	const char *equals = memchr(text, '=', len);
	size_t name_len = equals ? (size_t)(equals - text) : len;
	const struct parameter *parameter = find_parameter(text, name_len);
	struct buf value = {0};
	if (!parameter)
		return error_set(err, EX_USAGE,
		                 "unknown parameter \"%s\"; expected customer, type or scheduled",
		                 utf8_quote(text, name_len, quote));
	if (!equals)
		return error_set(err, EX_USAGE, "%s has no value", parameter->name);
	if (json_object_get(command, parameter->name))
		return error_set(err, EX_USAGE, "%s is given twice", parameter->name);
	bool ok = gate_decode(parameter, equals + 1, len - name_len - 1, &value)
	                  ? gate_set_value(command, parameter, &value, err)
	                  : error_set(err, EX_USAGE,
	                              "%s: a %% is not followed by two hexadecimal digits",
	                              parameter->name);
	buf_free(&value);
	return ok;
}

static bool read_query(const char *query, json_t *command, struct error *err)
{
	for (const char *at = query ? query : ""; *at;) {
		size_t len = strcspn(at, "&");
		if (!take_parameter(command, at, len, err))
			return false;
		at += len;
		if (*at == '&' && !*++at)
			return error_set(err, EX_USAGE, "the query ends in &");
	}
	for (size_t i = 0; i < PARAMETERS; i++)
		if (parameters[i].required && !json_object_get(command, parameters[i].name))
			return error_set(err, EX_USAGE, "%s is missing", parameters[i].name);
	return true;
}

static void set_answer(json_t *document, struct http_answer *ret)
{
	char *text = json_dumps(document, JSON_COMPACT);
	ret->type = "application/json";
	buf_printf(&ret->body, "%s\n", text ? text : "{}");
	free(text);
	json_decref(document);
}

static void gate_set_fault(int status, const char *text, struct http_answer *ret)
{
	ret->status = status;
	set_answer(json_pack("{s:s}", "error", text), ret);
}

bool http_gate_ask(void *arg, int64_t number, const char *query, struct http_answer *ret)
{
	const struct daemon_view *view = arg;
	const struct command_route route = {.origin = COMMAND_HTTP, .number = number};
	struct error err;
	json_t *command = json_pack("{s:s}", "do", control_request_verb(REQUEST_GATE));
	int status = 400;
	bool ok = read_query(query, command, &err);
	if (ok && !view->engine) {
		cluster_refusal(view->cluster, &err);
		status = 503;
		ok = false;
	}
	char *text = ok ? json_dumps(command, JSON_COMPACT) : NULL;
	json_decref(command);
	if (ok)
		engine_thread_command(view->engine, command_new(route, text));
	else
		gate_set_fault(status, err.text, ret);
	free(text);
	return ok;
}

void http_gate_reply(const char *text, bool local, struct http_answer *ret)
{
	json_t *reply = json_loads(text, 0, NULL);
	const char *error = json_string_value(json_object_get(reply, "error"));
	bool usage = json_integer_value(json_object_get(reply, "code")) == EX_USAGE;
	if (json_is_true(json_object_get(reply, "ok"))) {
		json_object_del(reply, "ok");
		/* Any user of this host may connect to a port; the office's notes aren't for
		 * them. */
		if (!local)
			json_object_del(reply, "note");
		set_answer(json_incref(reply), ret);
	} else {
		gate_set_fault(usage ? 400 : 503, error ? error : "no answer", ret);
	}
	json_decref(reply);
}
