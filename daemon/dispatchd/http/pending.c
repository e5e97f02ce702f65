/* SPDX-License-Identifier: MIT */
/*
 *   request ─▶ place taken ─▶ answered ─▶ place free
 *                  └─▶ 503 after HTTP_ANSWER_MS ─▶ answered after all, to nobody ─▶ place free
 *
 * evhttp doesn't read from a connection whose request is under way, and keeps the request when the
 * client goes: sending to it then only frees it. So each request is answered exactly once, by us.
 */
#include "dispatchd/http/pending.h"

#include "base/mem.h"

#include <event2/event.h>
#include <event2/http.h>
#include <stdlib.h>

struct pending_request {
	int64_t number; /* 0: the place is free */
	const struct http_route *route;
	struct evhttp_request *request; /* NULL: answered by the clock */
	struct event *timer;
};

struct pending {
	int64_t last_number;
	bool local;
	struct pending_request places[HTTP_PENDING_MAX];
};

static void pending_answer(struct pending_request *waiting, const struct http_answer *what)
{
	struct evhttp_request *request = waiting->request;
	waiting->request = NULL;
	evtimer_del(waiting->timer);
	http_answer_send(request, what);
}

static void answer_unavailable(struct evhttp_request *request, const char *why)
{
	struct http_answer what = {.status = 503, .type = "application/json"};
	buf_printf(&what.body, "{\"error\":\"%s\"}\n", why);
	http_answer_send(request, &what);
	buf_free(&what.body);
}

static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct pending_request *waiting = arg;
	struct evhttp_request *request = waiting->request;
	(void)fd;
	(void)what;
	waiting->request = NULL;
	answer_unavailable(request, "no answer in time; ask again later");
}

struct pending *pending_new(struct event_base *base, bool local)
{
	struct pending *pending = mem_alloc(sizeof(*pending));
	pending->local = local;
	for (size_t i = 0; i < HTTP_PENDING_MAX; i++)
		pending->places[i].timer = evtimer_new(base, on_timeout, &pending->places[i]);
	return pending;
}

struct pending *pending_free(struct pending *pending)
{
	if (!pending)
		return NULL;
	for (size_t i = 0; i < HTTP_PENDING_MAX; i++) {
		if (pending->places[i].request)
			answer_unavailable(pending->places[i].request, "dispatchd is stopping");
		event_free(pending->places[i].timer);
	}
	free(pending);
	return NULL;
}

static struct pending_request *pending_find(struct pending *pending, int64_t number)
{
	for (size_t i = 0; i < HTTP_PENDING_MAX; i++)
		if (pending->places[i].number == number)
			return &pending->places[i];
	return NULL;
}

void pending_ask(struct pending *pending, const struct http_route *route, void *arg,
                 struct evhttp_request *request)
{
	static const struct timeval limit = {.tv_sec = HTTP_ANSWER_MS / 1000,
	                                     .tv_usec = HTTP_ANSWER_MS % 1000 * 1000};
	struct pending_request *waiting = pending_find(pending, 0);
	struct http_answer at_once = {.status = 200};
	const char *query = evhttp_uri_get_query(evhttp_request_get_evhttp_uri(request));
	if (!waiting) {
		answer_unavailable(request, "too many requests are pending; ask again later");
	} else if (route->ask(arg, pending->last_number + 1, query, &at_once)) {
		waiting->number = ++pending->last_number;
		waiting->route = route;
		waiting->request = request;
		evtimer_add(waiting->timer, &limit);
	} else {
		http_answer_send(request, &at_once);
	}
	buf_free(&at_once.body);
}

void pending_reply(struct pending *pending, int64_t number, const char *text)
{
	struct pending_request *waiting = pending_find(pending, number);
	struct http_answer what = {.status = 200};
	if (!waiting)
		return;
	waiting->number = 0;
	if (waiting->request) {
		waiting->route->reply(text, pending->local, &what);
		pending_answer(waiting, &what);
	}
	buf_free(&what.body);
}
