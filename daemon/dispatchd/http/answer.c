/* SPDX-License-Identifier: MIT */
#include "dispatchd/http/answer.h"

#include <event2/buffer.h>
#include <event2/http.h>

void http_answer_send(struct evhttp_request *request, const struct http_answer *answer)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
	struct evbuffer *body = evbuffer_new();
	evhttp_add_header(headers, "Content-Type", answer->type);
	evhttp_add_header(headers, "Cache-Control", "no-store");
	evhttp_add_header(headers, "X-Content-Type-Options", "nosniff");
	evbuffer_add(body, buf_text(&answer->body), answer->body.len);
	evhttp_send_reply(request, answer->status, NULL, body);
	evbuffer_free(body);
}
