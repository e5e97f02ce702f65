/* SPDX-License-Identifier: MIT */
/* The daemon's part of the answer to `status`. */
#include "dispatchd/control/status.h"

#include "base/utf8.h"
#include "common/clock.h"
#include "dispatchd/cluster/cluster.h"
#include "dispatchd/engine/engine_thread.h"
#include "dispatchd/mailer/pool.h"
#include "dispatchd/redis/client.h"
#include "dispatchd/sys/daemon_view.h"
#include "version.h"

/* Mails that failed at it since it took the last one. */
static void add_failures(json_t *json, const struct pool_relay *relay)
{
	char since[INSTANT_TEXT_MAX];
	json_object_set_new(json, "failures", json_integer((json_int_t)relay->failures));
	json_object_set_new(json, "failing", json_boolean(relay->failures >= FAILURES_MANY));
	if (relay->failures == 0)
		return;
	json_object_set_new(json, "failing_since",
	                    json_string(instant_format(relay->failing_since, 0, since)));
	json_object_set_new(json, "reply", json_string(relay->failing_words));
}

static json_t *relays_json(const struct daemon_view *view)
{
	struct pool_relay relays[RELAYS_MAX];
	json_t *list = json_array();
	size_t n = pool_relays(view->pool, relays, RELAYS_MAX);
	for (size_t i = 0; i < n; i++) {
		char since[INSTANT_TEXT_MAX];
		json_t *relay = json_pack("{s:s, s:s, s:b, s:s, s:i, s:I}", "name", relays[i].name,
		                          "address", relays[i].address, "up", relays[i].up, "since",
		                          instant_format(relays[i].since, 0, since), "sessions",
		                          (int)relays[i].sessions, "delivered",
		                          (json_int_t)relays[i].delivered);
		if (relay && !relays[i].tried)
			json_object_set_new(relay, "up", json_null());
		if (relay)
			add_failures(relay, &relays[i]);
		if (relay && !relays[i].up)
			json_object_set_new(relay, "reply", json_string(relays[i].words));
		json_array_append_new(list, relay ? relay : json_null());
	}
	return list;
}

/* How far the daemon is behind a stream. */
static void add_lag(json_t *row, const struct lag *lag)
{
	char oldest[INSTANT_TEXT_MAX];
	json_object_set_new(row, "unread",
	                    lag->unread == LAG_UNKNOWN ? json_null() : json_integer(lag->unread));
	json_object_set_new(row, "pending", json_integer(lag->pending));
	if (!instant_is_none(lag->oldest))
		json_object_set_new(row, "oldest",
		                    json_string(instant_format(lag->oldest, 0, oldest)));
}

static void add_loss(json_t *row, const struct redis_part *part)
{
	char at[INSTANT_TEXT_MAX];
	json_object_set_new(row, "lost", json_integer((json_int_t)part->lost));
	json_object_set_new(row, "lost_at", json_string(instant_format(part->lost_at, 0, at)));
}

/* Every feed and every stream that is written, and how it is. */
static json_t *parts_json(const struct daemon_view *view)
{
	struct redis_part part;
	json_t *list = json_array();
	for (size_t i = 0; redis_client_part(view->redis, i, &part); i++) {
		char since[INSTANT_TEXT_MAX], shown[512];
		json_t *row =
		        json_pack("{s:s, s:s, s:s, s:s}", "kind", part.kind, "name", part.name,
		                  "use", part.use, "state", part.words ? "down" : "up");
		if (row && part.words)
			json_object_set_new(
			        row, "reply",
			        json_string(utf8_show(part.words, shown, sizeof(shown))));
		if (row && part.lost)
			add_loss(row, &part);
		if (row && part.lag)
			add_lag(row, part.lag);
		if (row && part.since_ms) {
			struct instant at = {.ms = clock_now().ms - part.since_ms};
			json_object_set_new(row, "since",
			                    json_string(instant_format(at, 0, since)));
		}
		json_array_append_new(list, row ? row : json_null());
	}
	return list;
}

void status_add(const struct daemon_view *view, json_t *answer)
{
	char started[INSTANT_TEXT_MAX], shown[512];
	json_object_set_new(answer, "version", json_string(DISPATCHD_VERSION));
	json_object_set_new(answer, "started",
	                    json_string(instant_format(view->started, 0, started)));
	json_object_set_new(answer, "uptime_s",
	                    json_integer((clock_now().ms - view->started.ms) / 1000));
	if (view->cluster)
		json_object_set_new(answer, "cluster", cluster_json(view->cluster));
	json_object_set_new(answer, "stopping", json_boolean(view->stopping));
	if (!view->engine)
		return;
	json_object_set_new(answer, "redis",
	                    json_pack("{s:b, s:s}", "connected",
	                              (int)redis_client_connected(view->redis), "url",
	                              redis_client_target(view->redis)));
	struct error fault;
	if (engine_thread_fault(view->engine, 0, &fault))
		json_object_set_new(answer, "daemon_fault", json_string(fault.text));
	if (!redis_client_connected(view->redis) && *redis_client_why(view->redis))
		json_object_set_new(json_object_get(answer, "redis"), "reply",
		                    json_string(utf8_show(redis_client_why(view->redis), shown,
		                                          sizeof(shown))));
	json_object_set_new(answer, "feeds", parts_json(view));
	json_object_set_new(answer, "relays", relays_json(view));
}
