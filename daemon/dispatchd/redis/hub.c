/* SPDX-License-Identifier: MIT */
/*
 * Puts the parts together and is the one that speaks of the connection: one line when it goes,
 * one when it is back, however many connections there are and however often they try.
 */
#include "dispatchd/redis/hub.h"

#include "base/mem.h"
#include "base/resp.h"
#include "common/clock.h"
#include "common/target.h"
#include "dispatchd/redis/channel.h"
#include "dispatchd/redis/flow.h"
#include "dispatchd/redis/list.h"
#include "dispatchd/redis/publish.h"
#include "dispatchd/redis/reader.h"
#include "dispatchd/redis/upkeep.h"
#include "dispatchd/sys/log.h"

#include <ctype.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATIENCE_MS = 5000, MARGIN_MS = 2000, HOST_MAX = 256, PROOF_MS = 1500 };

static const char *const feed_names[] = {
        [FEED_EVENTS] = "events", [FEED_REQUESTS] = "requests", [FEED_CUSTOMERS] = "customers"};

enum { LINK_COMMANDS, LINK_STREAMS, LINK_LIST, LINK_CHANNEL, LINKS };

/* A connection's place in the hub: what its callbacks know it by. */
struct port {
	struct hub *hub;
	struct link *link;              /* NULL where it isn't needed */
	void (*reset)(struct hub *hub); /* the connection is new */
};

struct hub {
	struct target *target;
	struct arena *arena; /* copies of names from the settings */
	struct port ports[LINKS];
	struct flow flow;
	struct reader *reader;
	struct list *list;
	struct channel *channel;
	struct upkeep *upkeep;
	struct publisher *publisher;
	bool feed_read; /* since the start */
	bool up, told;  /* all connections are; what was said last */
	char why[256];  /* they aren't */
	bool doubted;   /* the server was unusable: that all connections are there again proves nothing yet */
	struct tick ready_since; /* all of them, while doubted */
	struct tick down_since;
	uint64_t losses;
};

/* ---- connections come and go */

static void reset_commands(struct hub *hub)
{
	flow_reset(&hub->flow);
	publisher_reset(hub->publisher);
	upkeep_reset(hub->upkeep);
	list_reset_commands(hub->list);
}

static void reset_streams(struct hub *hub)
{
	reader_reset(hub->reader);
}

static void reset_list(struct hub *hub)
{
	list_reset(hub->list);
}

static void reset_channel(struct hub *hub)
{
	channel_reset(hub->channel);
}

static bool all_ready(const struct hub *hub)
{
	for (size_t i = 0; i < LINKS; i++)
		if (hub->ports[i].link && !link_ready(hub->ports[i].link))
			return false;
	return true;
}

/* A server that greets us but is of no use says so as soon as something is asked of it. */
static void find_up(struct hub *hub)
{
	if (hub->up || !all_ready(hub) || (hub->doubted && clock_tick().ms - hub->ready_since.ms < PROOF_MS))
		return;
	hub->up = true;
	hub->doubted = false;
	if (!hub->told)
		log_write(LOG_INFO, "Redis connected redis=%s", hub->target->name);
	else
		log_write(LOG_NOTICE, "Redis connection is back after %" PRId64 " s redis=%s",
		          (clock_tick().ms - hub->down_since.ms + 500) / 1000, hub->target->name);
	hub->told = false;
}

static void on_up(void *arg)
{
	struct port *port = arg;
	struct hub *hub = port->hub;
	port->reset(hub);
	hub->flow.wake(hub->flow.wake_arg);
	hub->ready_since = clock_tick();
	find_up(hub);
}

/* Redis' own refusals begin with a word in capitals (NOAUTH, LOADING); those are news even while it is away.
 */
static bool is_refusal(const char *why)
{
	return isupper((unsigned char)why[0]) && isupper((unsigned char)why[1]);
}

static void tell_down(struct hub *hub, const char *why)
{
	bool was_up = hub->up;
	snprintf(hub->why, sizeof(hub->why), "%s", why);
	hub->up = false;
	if (was_up) {
		hub->losses++;
		hub->down_since = clock_tick();
		log_write(LOG_WARNING,
		          "Redis connection lost, trying again until it is back redis=%s reason=\"%s\"",
		          hub->target->name, why);
	} else if (!hub->told) {
		hub->down_since = clock_tick();
		log_write(LOG_WARNING,
		          "Redis can't be reached, trying again until it can redis=%s reason=\"%s\"",
		          hub->target->name, why);
	} else if (is_refusal(why)) {
		log_fault(LOG_WARNING, "Redis refuses us redis=%s reply=\"%s\"", hub->target->name, why);
	} else {
		log_write(LOG_DEBUG, "Redis still can't be reached reason=\"%s\"", why);
	}
	hub->told = true;
}

/* What was claimed over the connection for commands is ours now: the reader finds it. */
static void on_too_long(struct port *port)
{
	struct hub *hub = port->hub;
	if (port == &hub->ports[LINK_STREAMS]) {
		reader_too_long(hub->reader);
	} else if (port == &hub->ports[LINK_LIST]) {
		list_too_long(hub->list);
	} else {
		flow_read_less(&hub->flow);
		if (port != &hub->ports[LINK_COMMANDS])
			return;
		list_commands_too_long(hub->list);
		link_renew(hub->ports[LINK_STREAMS].link, "to read again what was too long");
	}
}

/* The password was changed, and its file perhaps, too. */
static void reread_password(struct hub *hub, const char *why)
{
	struct error err = {0};
	if (strncmp(why, "WRONGPASS", 9) != 0 && strncmp(why, "NOAUTH", 6) != 0)
		return;
	if (!target_reread(hub->target, &err))
		log_fault(LOG_ERR, "the Redis password can't be read again: %s", err.text);
}

static void on_down(void *arg, const char *why)
{
	reread_password(((struct port *)arg)->hub, why);
	if (resp_is_too_long(why))
		on_too_long(arg);
	tell_down(((struct port *)arg)->hub, why);
}

/* Another server may be behind the address by now: every connection goes. */
static void on_unusable(void *arg, const char *words)
{
	struct hub *hub = ((struct port *)arg)->hub;
	hub->doubted = true;
	for (size_t i = 0; i < LINKS; i++)
		if (hub->ports[i].link)
			link_renew(hub->ports[i].link, words);
}

static const struct link_events link_hooks = {.up = on_up, .down = on_down, .unusable = on_unusable};

/* ---- making it */

static struct link *open_port(struct hub *hub, struct event_base *base, size_t i, int64_t patience_ms,
                              void (*reset)(struct hub *hub))
{
	struct port *port = &hub->ports[i];
	port->hub = hub;
	port->reset = reset;
	port->link = link_new(base, hub->target, patience_ms, &link_hooks, port);
	return port->link;
}

static const char *consumer_name(struct hub *hub, const struct settings *settings)
{
	char host[HOST_MAX] = "dispatchd";
	if (*settings->redis.consumer)
		return arena_strdup(hub->arena, settings->redis.consumer);
	gethostname(host, sizeof(host) - 1);
	return arena_strdup(hub->arena, host);
}

static void add_sources(struct hub *hub, struct event_base *base, const struct settings *settings)
{
	struct link *link = open_port(hub, base, LINK_STREAMS, READER_BLOCK_MS + MARGIN_MS, reset_streams);
	hub->reader = reader_new(&hub->flow, link);
	/* In this order they are read and answered: customers before what is about them. */
	reader_add(hub->reader, arena_strdup(hub->arena, settings->redis.customers), FEED_CUSTOMERS);
	reader_add(hub->reader, arena_strdup(hub->arena, settings->redis.requests), FEED_REQUESTS);
	reader_add(hub->reader, arena_strdup(hub->arena, settings->redis.stream), FEED_EVENTS);
	reader_reset(hub->reader);
	if (*settings->redis.list) {
		link = open_port(hub, base, LINK_LIST, LIST_BLOCK_MS + MARGIN_MS, reset_list);
		hub->list = list_new(&hub->flow, link, arena_strdup(hub->arena, settings->redis.list),
		                     settings->redis.claim_after_ms);
	}
	if (*settings->redis.channel) {
		link = open_port(hub, base, LINK_CHANNEL, PATIENCE_MS, reset_channel);
		hub->channel =
		        channel_new(&hub->flow, link, arena_strdup(hub->arena, settings->redis.channel));
	}
}

/* Where each route has a stream of its own, their names aren't known. */
static void expect_streams(struct hub *hub, const struct settings *settings)
{
	bool gate = *settings->redis.requests && !strchr(settings->redis.dispatch, '{');
	const char *const keys[] = {settings->redis.outcomes, settings->redis.dead,
	                            gate ? settings->redis.dispatch : ""};
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (*keys[i])
			publisher_expect(hub->publisher, keys[i]);
}

struct hub *hub_new(struct event_base *base, const struct settings *settings, struct engine_thread *engine,
                    void (*wake)(void *arg), void *arg, struct error *err)
{
	struct target *target = target_new(settings, err);
	if (!target)
		return NULL;
	struct hub *hub = mem_alloc(sizeof(*hub));
	hub->target = target;
	hub->arena = arena_new();
	hub->flow = (struct flow){.engine = engine, .wake = wake, .wake_arg = arg};
	hub->flow.entry_max = (size_t)settings->redis.max_event_size;
	hub->flow.group = arena_strdup(hub->arena, settings->redis.group);
	hub->flow.consumer = consumer_name(hub, settings);
	hub->flow.commands = open_port(hub, base, LINK_COMMANDS, PATIENCE_MS, reset_commands);
	add_sources(hub, base, settings);
	hub->upkeep =
	        upkeep_new(&hub->flow, hub->reader, settings->redis.claim_after_ms, settings->redis.keep_ms);
	hub->publisher = publisher_new(engine, hub->flow.commands);
	expect_streams(hub, settings);
	for (size_t i = 0; i < LINKS; i++)
		if (hub->ports[i].link)
			link_open(hub->ports[i].link);
	return hub;
}

struct hub *hub_free(struct hub *hub)
{
	if (!hub)
		return NULL;
	/* Answers that are still awaited come back as NULL here, so the parts have to be there. */
	for (size_t i = 0; i < LINKS; i++)
		link_free(hub->ports[i].link);
	flow_free(&hub->flow);
	publisher_free(hub->publisher);
	upkeep_free(hub->upkeep);
	channel_free(hub->channel);
	list_free(hub->list);
	reader_free(hub->reader);
	target_free(hub->target);
	arena_free(hub->arena);
	free(hub);
	return NULL;
}

/* ---- the loop's side */

void hub_reload(struct hub *hub, const struct settings *settings)
{
	hub->flow.entry_max = (size_t)settings->redis.max_event_size;
	upkeep_set(hub->upkeep, settings->redis.claim_after_ms, settings->redis.keep_ms);
	list_set(hub->list, settings->redis.claim_after_ms);
}

void hub_done(struct hub *hub, struct intake *list)
{
	flow_done(&hub->flow, list);
}

void hub_publish(struct hub *hub, struct publications *list)
{
	publisher_add(hub->publisher, list);
}

void hub_turn(struct hub *hub)
{
	find_up(hub);
	flow_turn(&hub->flow);          /* acknowledge what is committed: makes room */
	publisher_turn(hub->publisher); /* tell the world */
	reader_turn(hub->reader);
	bool feed_first = reader_feed_first(hub->reader);
	if (!feed_first && !hub->feed_read) {
		hub->feed_read = true;
		engine_thread_feed_read(hub->flow.engine);
	}
	channel_turn(hub->channel, feed_first);
	list_turn(hub->list, feed_first);
	upkeep_turn(hub->upkeep);
}

void hub_close(struct hub *hub)
{
	hub->flow.closed = true;
	/* A read that blocks would still be handed what comes next. Whatever is on the wire stays pending in
	 * Redis and is read at the next start. */
	for (size_t i = LINK_STREAMS; i < LINKS; i++)
		if (hub->ports[i].link)
			link_close(hub->ports[i].link);
}

bool hub_connected(const struct hub *hub)
{
	return hub->up;
}

static bool source_part(const struct hub *hub, const struct source *source, struct hub_part *ret)
{
	const struct health *health = source->reading.refused ? &source->reading : &source->acknowledging;
	*ret = (struct hub_part){
	        .kind = source->kind, .name = source->key, .use = "read", .lost = source->lost};
	if (!hub->up)
		ret->words = "Redis is not connected";
	if (!health->refused)
		return true;
	ret->use = health->use;
	ret->words = health->words;
	ret->since_ms = clock_tick().ms - health->since.ms;
	return true;
}

bool hub_part(struct hub *hub, size_t i, struct hub_part *ret)
{
	if (i < hub->flow.n_sources)
		return source_part(hub, hub->flow.sources[i], ret);
	const struct health *health = publisher_stream(hub->publisher, i - hub->flow.n_sources);
	publisher_probe_soon(hub->publisher);
	if (!health)
		return false;
	*ret = (struct hub_part){.kind = health->kind, .name = health->name, .use = health->use};
	if (!hub->up)
		ret->words = "Redis is not connected";
	if (health->refused) {
		ret->words = health->words;
		ret->since_ms = clock_tick().ms - health->since.ms;
	}
	return true;
}

bool hub_quiet(const struct hub *hub)
{
	return !link_ready(hub->flow.commands) ||
	       (!hub->flow.in_flight && !publisher_waiting(hub->publisher));
}

const char *hub_why(const struct hub *hub)
{
	return hub->up ? "" : hub->why;
}

const char *hub_target(const struct hub *hub)
{
	return hub->target->name;
}

/* The names come from the configuration, which has no control characters in them. */
static void add_parts(struct hub *hub, struct buf *out)
{
	struct hub_part part;
	buf_adds(out, "# HELP dispatchd_redis_usable Whether Redis lets us use this, as configured.\n"
	              "# TYPE dispatchd_redis_usable gauge\n");
	for (size_t i = 0; hub_part(hub, i, &part); i++) {
		buf_printf(out, "dispatchd_redis_usable{kind=\"%s\",name=\"", part.kind);
		for (const char *p = part.name; *p; p++) {
			if (*p == '\\' || *p == '"')
				buf_addc(out, '\\');
			buf_addc(out, *p);
		}
		buf_printf(out, "\",use=\"%s\"} %d\n", part.use, part.words == NULL);
	}
}

void hub_metrics(struct hub *hub, struct buf *out)
{
	buf_printf(out,
	           "# HELP dispatchd_redis_connected Whether Redis is connected.\n"
	           "# TYPE dispatchd_redis_connected gauge\ndispatchd_redis_connected %d\n"
	           "# HELP dispatchd_redis_losses_total Connections to Redis that were lost.\n"
	           "# TYPE dispatchd_redis_losses_total counter\ndispatchd_redis_losses_total %" PRIu64 "\n"
	           "# HELP dispatchd_unpublished Entries that Redis is still to get, as the loop sees them.\n"
	           "# TYPE dispatchd_unpublished gauge\ndispatchd_unpublished %zu\n"
	           "# HELP dispatchd_channel_lost_total Messages of the channel that there was no room for.\n"
	           "# TYPE dispatchd_channel_lost_total counter\ndispatchd_channel_lost_total %" PRIu64 "\n"
	           "# HELP dispatchd_entries_total Entries read from a source.\n"
	           "# TYPE dispatchd_entries_total counter\n",
	           hub->up, hub->losses, publisher_waiting(hub->publisher), channel_lost(hub->channel));
	for (size_t i = 0; i < hub->flow.n_sources; i++) {
		const struct source *source = hub->flow.sources[i];
		buf_printf(out, "dispatchd_entries_total{source=\"%s\",feed=\"%s\"} %" PRIu64 "\n",
		           source->kind, feed_names[source->feed], source->entries);
	}
	buf_adds(out,
	         "# HELP dispatchd_entries_lost_total Entries that were removed from Redis before they were "
	         "read.\n# TYPE dispatchd_entries_lost_total counter\n");
	for (size_t i = 0; i < hub->flow.n_sources; i++) {
		const struct source *source = hub->flow.sources[i];
		buf_printf(out, "dispatchd_entries_lost_total{source=\"%s\",feed=\"%s\"} %" PRIu64 "\n",
		           source->kind, feed_names[source->feed], source->lost);
	}
	add_parts(hub, out);
}
