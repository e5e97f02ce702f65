/* SPDX-License-Identifier: MIT */
/*
 * The pages of the HTTP socket: health, readiness, metrics, the gate. A row says which function
 * answers; what they know of the daemon comes through a `struct daemon_view`.
 */
#include "dispatchd/http/pages.h"

#include "base/utf8.h"
#include "common/clock.h"
#include "dispatchd/cluster/cluster.h"
#include "dispatchd/engine/engine_thread.h"
#include "dispatchd/http/gate.h"
#include "dispatchd/mailer/pool.h"
#include "dispatchd/redis/client.h"
#include "dispatchd/sys/daemon_view.h"
#include "dispatchd/sys/listen.h"
#include "model/metric.h"
#include "version.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static void answer_health(void *arg, const char *query, struct http_answer *ret)
{
	const struct daemon_view *view = arg;
	(void)query;
	bool stalled = view->engine && engine_thread_stalled(view->engine);
	ret->status = stalled ? 503 : 200;
	buf_adds(&ret->body, stalled ? "engine stalled\n" : "ok\n");
}

static void add_redis_faults(struct redis_client *client, struct buf *out)
{
	struct redis_part part;
	char shown[512];
	if (!redis_client_connected(client))
		buf_printf(out,
		           *redis_client_why(client) ? "Redis is not connected: %s\n"
		                                     : "Redis is not connected\n",
		           utf8_show(redis_client_why(client), shown, sizeof(shown)));
	for (size_t i = 0; redis_client_part(client, i, &part); i++)
		if (part.words)
			buf_printf(out, "%s %s can't be %s: %s\n", part.kind, part.name, part.use,
			           utf8_show(part.words, shown, sizeof(shown)));
}

static void add_standby(const struct daemon_view *view, struct buf *out)
{
	struct member_view member;
	struct error refusal;
	char shown[2 * sizeof refusal.text];
	cluster_refusal(view->cluster, &refusal);
	buf_printf(out, "%s\n", utf8_show(refusal.text, shown, sizeof shown));
	cluster_view(view->cluster, &member);
	if (member.fault.code != 0)
		buf_printf(out, "%s\n", utf8_show(member.fault.text, shown, sizeof shown));
}

/* A line for each thing that keeps us from being ready. */
static void add_faults(const struct daemon_view *view, struct buf *out)
{
	if (!view->engine) {
		add_standby(view, out);
		return;
	}
	add_redis_faults(view->redis, out);
	struct error fault;
	char shown[2 * sizeof fault.text];
	for (int i = 0; engine_thread_fault(view->engine, i, &fault); i++)
		buf_printf(out, "%s\n", utf8_show(fault.text, shown, sizeof shown));
	if (!listen_has_descriptor())
		buf_adds(out, "no file descriptor is free\n");
	if (view->stopping)
		buf_adds(out, "stopping\n");
}

static void answer_ready(void *arg, const char *query, struct http_answer *ret)
{
	const struct daemon_view *view = arg;
	(void)query;
	if (view->engine)
		engine_thread_prove(view->engine);
	add_faults(view, &ret->body);
	ret->status = ret->body.len ? 503 : 200;
	if (!ret->body.len)
		buf_adds(&ret->body, "ready\n");
}

/* ---- metrics */

static void add_relay(struct buf *out, enum metric metric, const struct pool_relay *relay,
                      uint64_t value)
{
	metric_sample(out, metric, (int64_t)value, "relay", relay->name, NULL);
}

static void add_relays(const struct daemon_view *view, struct buf *out)
{
	struct pool_relay relays[RELAYS_MAX];
	size_t n = pool_relays(view->pool, relays, RELAYS_MAX);
	metric_head(out, METRIC_RELAY_UP);
	for (size_t i = 0; i < n; i++)
		if (relays[i].tried)
			add_relay(out, METRIC_RELAY_UP, &relays[i], relays[i].up);
	metric_head(out, METRIC_RELAY_SESSIONS);
	for (size_t i = 0; i < n; i++)
		add_relay(out, METRIC_RELAY_SESSIONS, &relays[i], relays[i].sessions);
	metric_head(out, METRIC_RELAY_DELIVERED);
	for (size_t i = 0; i < n; i++)
		add_relay(out, METRIC_RELAY_DELIVERED, &relays[i], relays[i].delivered);
	metric_head(out, METRIC_RELAY_FAULTS);
	for (size_t i = 0; i < n; i++)
		add_relay(out, METRIC_RELAY_FAULTS, &relays[i], relays[i].faults);
	metric_head(out, METRIC_RELAY_FAILURES);
	for (size_t i = 0; i < n; i++)
		add_relay(out, METRIC_RELAY_FAILURES, &relays[i], relays[i].failures);
	metric_head(out, METRIC_RELAY_SECONDS);
	for (size_t i = 0; i < n; i++)
		histogram_samples(&relays[i].answered_s, METRIC_RELAY_SECONDS, "relay",
		                  relays[i].name, out);
}

static long resident_pages(void)
{
	long size, resident = 0;
	FILE *file = fopen("/proc/self/statm", "re");
	if (!file)
		return 0;
	if (fscanf(file, "%ld %ld", &size, &resident) != 2)
		resident = 0;
	fclose(file);
	return resident;
}

static int pages_open_files(void)
{
	int n = -3; /* ".", ".." and the directory itself */
	DIR *directory = opendir("/proc/self/fd");
	if (!directory)
		return 0;
	/* The stream is this thread's alone. */
	while (readdir(directory)) /* cppcheck-suppress readdirCalled */
		n++;
	closedir(directory);
	return n;
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static void add_health(const struct daemon_view *view, struct buf *out)
{
	struct buf faults = {0};
	add_faults(view, &faults);
	bool stalled = view->engine && engine_thread_stalled(view->engine);
	metric_integer(out, METRIC_HEALTHY, !stalled);
	metric_integer(out, METRIC_READY, faults.len == 0);
	buf_free(&faults);
}

static void add_process(const struct daemon_view *view, struct buf *out)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	metric_head(out, METRIC_BUILD_INFO);
	metric_sample(out, METRIC_BUILD_INFO, 1, "version", DISPATCHD_VERSION, NULL);
	metric_decimal(out, METRIC_START_TIME, (double)view->started.ms / 1e3);
	metric_decimal(out, METRIC_CPU_SECONDS, seconds(usage.ru_utime) + seconds(usage.ru_stime));
	metric_integer(out, METRIC_RESIDENT_MEMORY, resident_pages() * sysconf(_SC_PAGESIZE));
	metric_integer(out, METRIC_OPEN_FDS, pages_open_files());
}

/* Without a cluster these two aren't there. */
static void add_cluster(const struct daemon_view *view, struct buf *out)
{
	static const char *const names[] = {"joining", "standby", "owner"};
	struct member_view member;
	if (!view->cluster)
		return;
	cluster_view(view->cluster, &member);
	metric_head(out, METRIC_ROLE);
	for (int i = 0; i < 3; i++)
		metric_sample(out, METRIC_ROLE, (int)member.role == i, "role", names[i], NULL);
	metric_integer(out, METRIC_STANDBY_LAG, member.lag);
}

static void answer_metrics(void *arg, const char *query, struct http_answer *ret)
{
	const struct daemon_view *view = arg;
	(void)query;
	ret->type = "text/plain; version=0.0.4; charset=utf-8";
	if (view->engine) {
		engine_thread_metrics(view->engine, &ret->body);
		redis_client_metrics(view->redis, &ret->body);
		add_relays(view, &ret->body);
	}
	add_cluster(view, &ret->body);
	add_health(view, &ret->body);
	add_process(view, &ret->body);
}

const struct http_route http_pages[] = {
        {.path = "/healthz", .answer = answer_health},
        {.path = "/readyz", .answer = answer_ready},
        {.path = "/metrics", .answer = answer_metrics},
        {.path = "/v1/gate", .ask = http_gate_ask, .reply = http_gate_reply},
        {.path = NULL},
};
