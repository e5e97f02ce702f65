/* SPDX-License-Identifier: MIT */
/*
 *   request ─▶ place taken ─▶ answered ─▶ place free
 *                  └─▶ 503 after HTTP_ANSWER_MS ─▶ answered after all, to nobody ─▶ place free
 *
 * evhttp doesn't read from a connection whose request is under way, and keeps the request when the
 * client goes: sending to it then only frees it. So each request is answered exactly once, by us.
 */
#include "dispatchd/http/questions.h"

#include "base/mem.h"

#include <event2/event.h>
#include <event2/http.h>
#include <stdlib.h>

struct question {
	int64_t number; /* 0: the place is free */
	const struct http_route *route;
	struct evhttp_request *request; /* NULL: answered by the clock */
	struct event *timer;
};

struct questions {
	int64_t last_number;
	bool local;
	struct question places[HTTP_QUESTIONS_MAX];
};

static void answer(struct question *question, const struct http_answer *what)
{
	struct evhttp_request *request = question->request;
	question->request = NULL;
	evtimer_del(question->timer);
	http_send(request, what);
}

static void answer_unavailable(struct evhttp_request *request, const char *why)
{
	struct http_answer what = {.status = 503, .type = "application/json"};
	buf_printf(&what.body, "{\"error\":\"%s\"}\n", why);
	http_send(request, &what);
	buf_free(&what.body);
}

static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct question *question = arg;
	struct evhttp_request *request = question->request;
	(void)fd;
	(void)what;
	question->request = NULL;
	answer_unavailable(request, "no answer in time; ask again later");
}

struct questions *questions_new(struct event_base *base, bool local)
{
	struct questions *questions = mem_alloc(sizeof(*questions));
	questions->local = local;
	for (size_t i = 0; i < HTTP_QUESTIONS_MAX; i++)
		questions->places[i].timer = evtimer_new(base, on_timeout, &questions->places[i]);
	return questions;
}

struct questions *questions_free(struct questions *questions)
{
	if (!questions)
		return NULL;
	for (size_t i = 0; i < HTTP_QUESTIONS_MAX; i++) {
		if (questions->places[i].request)
			answer_unavailable(questions->places[i].request, "dispatchd stops");
		event_free(questions->places[i].timer);
	}
	free(questions);
	return NULL;
}

static struct question *find(struct questions *questions, int64_t number)
{
	for (size_t i = 0; i < HTTP_QUESTIONS_MAX; i++)
		if (questions->places[i].number == number)
			return &questions->places[i];
	return NULL;
}

void questions_ask(struct questions *questions, const struct http_route *route, void *arg,
                   struct evhttp_request *request)
{
	static const struct timeval limit = {.tv_sec = HTTP_ANSWER_MS / 1000,
	                                     .tv_usec = HTTP_ANSWER_MS % 1000 * 1000};
	struct question *question = find(questions, 0);
	struct http_answer at_once = {.status = 200};
	const char *query = evhttp_uri_get_query(evhttp_request_get_evhttp_uri(request));
	if (!question) {
		answer_unavailable(request, "too many questions are waiting; ask again later");
	} else if (route->ask(arg, questions->last_number + 1, query, &at_once)) {
		question->number = ++questions->last_number;
		question->route = route;
		question->request = request;
		evtimer_add(question->timer, &limit);
	} else {
		http_send(request, &at_once);
	}
	buf_free(&at_once.body);
}

void questions_told(struct questions *questions, int64_t number, const char *text)
{
	struct question *question = find(questions, number);
	struct http_answer what = {.status = 200};
	if (!question)
		return;
	question->number = 0;
	if (question->request) {
		question->route->told(text, questions->local, &what);
		answer(question, &what);
	}
	buf_free(&what.body);
}
