/* SPDX-License-Identifier: MIT */
/* GET /api/v1/live: changes as they happen. */
#include "center/live/live.h"

#include "center/api/answer.h"
#include "center/api/records.h"
#include "records/records.h"

#include <stdio.h>
#include <string.h>

#define CUSTOMER "customer:"

static bool refuse_topic(struct call *call, const char *why)
{
	answer_status(call, 400, why);
	return false;
}

static bool add_customer(struct call *call, const char *number, struct live_topics *topics)
{
	struct error err;
	struct customers *store = stores_customers(call->stores, &err);
	struct live_customer *one = &topics->customers[topics->n_customers];
	const char *current;
	bool former;
	if (topics->n_customers == LIVE_CUSTOMERS_MAX)
		return refuse_topic(call, "topics: too many customers");
	if (store == NULL ||
	    !customer_named(store, number, call->request->arena, &one->chain[0], &current, &former,
	                    &err) ||
	    !customer_ancestors(store, one->chain[0], one->chain, LIVE_CHAIN_MAX, &err)) {
		call_fail(call, &err);
		return false;
	}
	if (snprintf(one->number, sizeof one->number, "%s", current) >= (int)sizeof one->number)
		return refuse_topic(call, "topics: the number is too long");
	topics->n_customers++;
	return true;
}

/* The length of the first topic; a customer's number may have a comma. */
static size_t topic_length(const char *text)
{
	size_t len = strcspn(text, ",");
	while (text[len] == ',' && strncmp(text + len + 1, CUSTOMER, strlen(CUSTOMER)) != 0 &&
	       strncmp(text + len + 1, "holds", 5) != 0 &&
	       strncmp(text + len + 1, "mails", 5) != 0 && strncmp(text + len + 1, "jobs", 4) != 0)
		len += 1 + strcspn(text + len + 1, ",");
	return len;
}

static bool add_topic(struct call *call, const char *topic, struct live_topics *topics)
{
	if (strcmp(topic, "holds") == 0)
		topics->holds = true;
	else if (strcmp(topic, "mails") == 0)
		topics->mails = true;
	else if (strcmp(topic, "jobs") == 0)
		topics->jobs = true;
	else if (strncmp(topic, CUSTOMER, strlen(CUSTOMER)) == 0)
		return add_customer(call, topic + strlen(CUSTOMER), topics);
	else
		return refuse_topic(call, "topics: expected customer:NUMBER, holds, mails or jobs");
	return true;
}

static bool read_topics(struct call *call, struct live_topics *ret)
{
	const char *text = request_value(&call->request->query, "topics");
	*ret = (struct live_topics){0};
	if (text == NULL || *text == '\0')
		return refuse_topic(call, "topics is needed");
	while (*text != '\0') {
		size_t len = topic_length(text);
		if (!add_topic(call, arena_strndup(call->request->arena, text, len), ret))
			return false;
		text += len + (text[len] == ',');
	}
	return true;
}

static void live(struct call *call)
{
	struct live_topics topics;
	if (!read_topics(call, &topics))
		return;
	call->response->status = 200;
	call->response->type = "text/event-stream";
	/* A proxy must not keep events back. */
	response_header(call->response, call->request, "X-Accel-Buffering", "no");
	const char *last = request_header(call->request, "Last-Event-ID");
	last = last ? last : request_value(&call->request->query, "since");
	call->response->stream = live_subscribe(call->live, &topics, last);
}

const struct route api_live_routes[] = {
        {ROUTE("GET", "/api/v1/live", ACCESS_READER, live), .answers = "text/event-stream",
         .summary = "Changes as they happen", .query = "topics since"},
        {0},
};
