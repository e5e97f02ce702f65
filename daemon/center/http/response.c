/* SPDX-License-Identifier: MIT */
/* Putting an answer together. */
#include "center/http/response.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

void response_header(struct response *response, struct request *request, const char *name,
                     const char *value)
{
	request_pair_add(&response->headers, request->arena, name, value);
}

const char *response_policy(const struct request *request, const char *images)
{
	return arena_printf(request->arena, RESPONSE_POLICY(" %s"), images);
}

void response_json(struct response *response, int status, json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	response->status = status;
	response->type = "application/json";
	buf_reset(&response->body);
	buf_adds(&response->body, text ? text : "null");
	free(text);
	json_decref(value);
}

void response_text(struct response *response, int status, const char *text)
{
	response->status = status;
	response->type = "text/plain; charset=utf-8";
	buf_reset(&response->body);
	buf_adds(&response->body, text);
	buf_addc(&response->body, '\n');
}

void response_redirect(struct response *response, struct request *request, const char *where)
{
	response_text(response, 303, where);
	response_header(response, request, "Location", where);
}

static const char *title_of(int status)
{
	static const struct {
		int status;
		const char *title;
	} titles[] = {
	        {400, "Bad Request"},
	        {401, "Unauthorized"},
	        {403, "Forbidden"},
	        {404, "Not Found"},
	        {405, "Method Not Allowed"},
	        {409, "Conflict"},
	        {413, "Content Too Large"},
	        {415, "Unsupported Media Type"},
	        {421, "Misdirected Request"},
	        {422, "Unprocessable Content"},
	        {428, "Precondition Required"},
	        {429, "Too Many Requests"},
	        {503, "Service Unavailable"},
	};
	for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
		if (titles[i].status == status)
			return titles[i].title;
	return "Internal Server Error";
}

void response_problem(struct response *response, int status, const char *detail)
{
	response_json(response, status,
	              json_pack("{s:s, s:i, s:s}", "title", title_of(status), "status", status,
	                        "detail", detail));
	response->type = "application/problem+json";
}

int response_status_of(const struct error *err)
{
	switch (err->code) {
	case EX_DATAERR:
	case EX_USAGE:
		return 422;
	case EX_NOINPUT:
		return 404;
	case EX_TEMPFAIL:
	case EX_UNAVAILABLE:
		return 503;
	case EX_NOPERM:
		return 403;
	default:
		return 500;
	}
}

void response_cookie(struct response *response, struct request *request, bool secure,
                     const char *secret)
{
	const char *end = secret ? "" : "; Max-Age=0";
	response_header(response, request, "Set-Cookie",
	                arena_printf(request->arena, "%s=%s; Path=/; HttpOnly; SameSite=Lax%s%s",
	                             secure ? COOKIE_SECURE : COOKIE_PLAIN, secret ? secret : "",
	                             secure ? "; Secure" : "", end));
}
