/* SPDX-License-Identifier: MIT */
/*
 * The events are in a ring, numbered; a page remembers the number of the last that it was sent.
 * Their ids begin with when the center was started, so that those of an earlier run are known as
 * such. Locks: the server's around a stream's read(), then the ring's.
 */
#include "center/live/live.h"

#include "base/mem.h"
#include "center/live/watch.h"
#include "common/clock.h"

#include <inttypes.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

enum {
	RING = 512,
	TICK_MS = 250,
	BEAT_MS = 1000,          /* streams are asked at least this often */
	COMMENT_MS = 15 * 1000,  /* so that proxies keep a quiet stream */
	LIFE_MS = 5 * 60 * 1000, /* then the page comes again, and shows who it is again */
	EVENT_MAX = 2 * LIVE_NUMBER_MAX + 160,
};

struct live {
	struct watcher *watcher; /* the thread's, once it is started */
	struct server *server;
	int64_t run; /* when it was started */
	pthread_t thread;
	bool started;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t stop;
	bool stopping;
	struct live_event ring[RING];
	int64_t n; /* events so far; the next one's number */
};

struct page {
	struct live *live;
	struct live_topics topics;
	int64_t next; /* the number of the next event to look at */
	bool all;     /* each topic is to be sent once */
	size_t all_at;
	bool opened;
	struct tick began, wrote;
};

/* -- the ring ---------------------------------------------------------------------------------- */

static void add_event(void *arg, const struct live_event *event)
{
	struct live *live = arg;
	(void)pthread_mutex_lock(&live->lock);
	live->ring[live->n++ % RING] = *event;
	(void)pthread_mutex_unlock(&live->lock);
}

static bool wait_tick(struct live *live)
{
	struct timespec until;
	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += TICK_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	(void)pthread_mutex_lock(&live->lock);
	if (!live->stopping)
		(void)pthread_cond_timedwait(&live->stop, &live->lock, &until);
	bool goes_on = !live->stopping;
	(void)pthread_mutex_unlock(&live->lock);
	return goes_on;
}

static void *watch(void *arg)
{
	struct live *live = arg;
	struct tick woken = clock_tick();
	while (wait_tick(live)) {
		bool any = watcher_look(live->watcher);
		if (!any && clock_tick().ms - woken.ms < BEAT_MS)
			continue;
		server_wake(live->server);
		woken = clock_tick();
	}
	return NULL;
}

struct live *live_new(const struct settings *settings)
{
	struct live *live = mem_alloc(sizeof *live);
	*live = (struct live){.run = clock_now().ms};
	(void)pthread_mutex_init(&live->lock, NULL);
	(void)pthread_cond_init(&live->stop, NULL);
	/* What is there before the first page can be opened is not a change. */
	live->watcher = watcher_new(settings, add_event, live);
	(void)watcher_look(live->watcher);
	return live;
}

bool live_start(struct live *live, struct server *server, struct error *err)
{
	live->server = server;
	live->started = pthread_create(&live->thread, NULL, watch, live) == 0;
	return live->started || error_set(err, EX_OSERR, "no thread can be started");
}

void live_stop(struct live *live)
{
	if (!live->started)
		return;
	(void)pthread_mutex_lock(&live->lock);
	live->stopping = true;
	(void)pthread_cond_signal(&live->stop);
	(void)pthread_mutex_unlock(&live->lock);
	(void)pthread_join(live->thread, NULL);
	live->started = false;
}

struct live *live_free(struct live *live)
{
	if (live == NULL)
		return NULL;
	(void)watcher_free(live->watcher);
	(void)pthread_cond_destroy(&live->stop);
	(void)pthread_mutex_destroy(&live->lock);
	free(live);
	return NULL;
}

/* -- a page ------------------------------------------------------------------------------------ */

static const struct live_customer *customer_of(const struct page *page,
                                               const struct live_event *event)
{
	for (size_t i = 0; i < page->topics.n_customers; i++) {
		const struct live_customer *one = &page->topics.customers[i];
		for (size_t k = 0; k < LIVE_CHAIN_MAX && one->chain[k] != 0; k++)
			if (event->customer == 0 || one->chain[k] == event->customer)
				return one;
	}
	return NULL;
}

static size_t write_customer(const struct page *page, const struct live_customer *customer,
                             int64_t version, char *ret, size_t max)
{
	json_t *data = json_pack("{s:s, s:o}", "number", customer->number, "version",
	                         version >= 0 ? json_integer(version) : json_null());
	char *text = json_dumps(data, JSON_COMPACT);
	int n = snprintf(ret, max, "id: %" PRId64 "-%" PRId64 "\nevent: customer\ndata: %s\n\n",
	                 page->live->run, page->next, text ? text : "{}");
	free(text);
	json_decref(data);
	return n > 0 && (size_t)n < max ? (size_t)n : 0;
}

static size_t write_plain(const struct page *page, const char *name, char *ret, size_t max)
{
	int n = snprintf(ret, max, "id: %" PRId64 "-%" PRId64 "\nevent: %s\ndata: {}\n\n",
	                 page->live->run, page->next, name);
	return n > 0 && (size_t)n < max ? (size_t)n : 0;
}

/* Nothing for an event that the page didn't ask for. */
static size_t write_event(const struct page *page, const struct live_event *event, char *ret,
                          size_t max)
{
	const struct live_customer *customer;
	switch (event->topic) {
	case LIVE_HOLDS:
		return page->topics.holds ? write_plain(page, "holds", ret, max) : 0;
	case LIVE_MAILS:
		return page->topics.mails ? write_plain(page, "mails", ret, max) : 0;
	case LIVE_CUSTOMER:
		break;
	}
	customer = customer_of(page, event);
	if (customer == NULL)
		return page->topics.jobs ? write_plain(page, "jobs", ret, max) : 0;
	bool own = customer->chain[0] == event->customer;
	return write_customer(page, customer, own ? event->version : -1, ret, max);
}

/* One topic after the other; 0 at their end. */
static size_t write_all(struct page *page, char *ret, size_t max)
{
	while (page->all_at < page->topics.n_customers + 3) {
		size_t at = page->all_at++;
		if (at < page->topics.n_customers)
			return write_customer(page, &page->topics.customers[at], -1, ret, max);
		const struct {
			bool asked;
			const char *name;
		} plain[] = {{page->topics.holds, "holds"},
		             {page->topics.mails, "mails"},
		             {page->topics.jobs, "jobs"}};
		at -= page->topics.n_customers;
		if (plain[at].asked)
			return write_plain(page, plain[at].name, ret, max);
	}
	page->all = false;
	return 0;
}

/* What has happened since, as far as it fits. */
static size_t write_events(struct page *page, char *ret, size_t max)
{
	struct live *live = page->live;
	size_t n = 0;
	(void)pthread_mutex_lock(&live->lock);
	if (live->n - page->next > RING) {
		page->next = live->n;
		page->all = true;
		page->all_at = 0;
	}
	while (!page->all && page->next < live->n && max - n >= EVENT_MAX) {
		const struct live_event *event = &live->ring[page->next++ % RING];
		n += write_event(page, event, ret + n, max - n);
	}
	(void)pthread_mutex_unlock(&live->lock);
	while (page->all && max - n >= EVENT_MAX)
		n += write_all(page, ret + n, max - n);
	return n;
}

static size_t write_preamble(struct page *page, char *ret, size_t max)
{
	int n = snprintf(ret, max, "retry: 1000\nid: %" PRId64 "-%" PRId64 "\n\n", page->live->run,
	                 page->next);
	page->opened = true;
	return n > 0 && (size_t)n < max ? (size_t)n : 0;
}

static ssize_t read_page(void *arg, char *ret, size_t max)
{
	struct page *page = arg;
	struct tick now = clock_tick();
	size_t n = page->opened ? 0 : write_preamble(page, ret, max);
	n += write_events(page, ret + n, max - n);
	if (n == 0 && now.ms - page->began.ms >= LIFE_MS)
		return -1;
	if (n == 0 && now.ms - page->wrote.ms >= COMMENT_MS && max >= 3) {
		memcpy(ret, ":\n\n", 3);
		n = 3;
	}
	if (n > 0)
		page->wrote = now;
	return (ssize_t)n;
}

static void end_page(void *page)
{
	free(page);
}

void live_position(struct live *live, char ret[LIVE_POSITION_SIZE])
{
	(void)pthread_mutex_lock(&live->lock);
	(void)snprintf(ret, LIVE_POSITION_SIZE, "%" PRId64 "-%" PRId64, live->run, live->n);
	(void)pthread_mutex_unlock(&live->lock);
}

/* "RUN-NUMBER" of this run; the events behind it are still there, or all topics are sent. */
static void begin_after(struct page *page, const char *last_id)
{
	int64_t run, next;
	char rest;
	(void)pthread_mutex_lock(&page->live->lock);
	int64_t n = page->live->n;
	(void)pthread_mutex_unlock(&page->live->lock);
	page->next = n;
	if (last_id == NULL || *last_id == '\0')
		return;
	if (sscanf(last_id, "%" SCNd64 "-%" SCNd64 "%c", &run, &next, &rest) == 2 &&
	    run == page->live->run && next >= 0 && next <= n)
		page->next = next;
	else
		page->all = true;
}

struct response_stream live_subscribe(struct live *live, const struct live_topics *topics,
                                      const char *last_id)
{
	struct page *page = mem_alloc(sizeof *page);
	*page = (struct page){
	        .live = live, .topics = *topics, .began = clock_tick(), .wrote = clock_tick()};
	begin_after(page, last_id);
	return (struct response_stream){.read = read_page, .end = end_page, .arg = page};
}
