/* SPDX-License-Identifier: MIT */
/*
 * Puts the parts together and alone logs the state of the connection: one line when it goes,
 * one when it is back, however many connections there are and however often they try.
 */
#include "dispatchd/redis/client.h"

#include "base/mem.h"
#include "base/resp.h"
#include "common/clock.h"
#include "common/target.h"
#include "dispatchd/redis/channel.h"
#include "dispatchd/redis/consumers.h"
#include "dispatchd/redis/flow.h"
#include "dispatchd/redis/list.h"
#include "dispatchd/redis/maintenance.h"
#include "dispatchd/redis/publish.h"
#include "dispatchd/redis/reader.h"
#include "dispatchd/redis/server.h"
#include "dispatchd/sys/consumer_name.h"
#include "dispatchd/sys/log.h"
#include "model/metric.h"

#include <ctype.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE_MS = 5000, MARGIN_MS = 2000, PROOF_MS = 1500 };

static const char *const feed_names[] = {
        [FEED_EVENTS] = "events", [FEED_REQUESTS] = "requests", [FEED_CUSTOMERS] = "customers"};

enum { SLOT_COMMANDS, SLOT_STREAMS, SLOT_LIST, SLOT_CHANNEL, SLOTS };

/* A connection's place in the client: what its callbacks know it by. */
struct slot {
	struct redis_client *client;
	struct redis_connection *connection;        /* NULL where it isn't needed */
	void (*reset)(struct redis_client *client); /* the connection is new */
};

struct redis_client {
	struct target *target;
	struct arena *arena; /* copies of names from the settings */
	struct slot slots[SLOTS];
	struct flow flow;
	struct reader *reader;
	struct list *list;
	struct channel *channel;
	struct maintenance *maintenance;
	struct consumers *consumers;
	struct publisher *publisher;
	struct server *server;
	bool feed_read; /* since the start */
	bool up;        /* all connections are */
	bool reported;  /* the log has that they aren't */
	char why[256];  /* they aren't */
	/* The server was unusable: that all connections are there again proves nothing yet. */
	bool doubted;
	struct tick ready_since; /* all of them, while doubted */
	struct tick down_since;
	uint64_t losses;
	bool member; /* of a cluster */
};

/* ---- connections come and go */

static void reset_commands(struct redis_client *client)
{
	flow_reset(&client->flow);
	publisher_reset(client->publisher);
	maintenance_reset(client->maintenance);
	consumers_reset(client->consumers);
	server_reset(client->server, client->flow.commands);
	list_reset_commands(client->list);
}

static void reset_streams(struct redis_client *client)
{
	reader_reset(client->reader);
}

static void reset_list(struct redis_client *client)
{
	list_reset(client->list);
}

static void reset_channel(struct redis_client *client)
{
	channel_reset(client->channel);
}

static bool all_ready(const struct redis_client *client)
{
	for (size_t i = 0; i < SLOTS; i++)
		if (client->slots[i].connection &&
		    !redis_connection_ready(client->slots[i].connection))
			return false;
	return true;
}

/* A server that completes the handshake but is unusable reports it at the first command. */
static void find_up(struct redis_client *client)
{
	if (client->up || !all_ready(client) ||
	    (client->doubted && clock_tick().ms - client->ready_since.ms < PROOF_MS))
		return;
	client->up = true;
	client->doubted = false;
	if (!client->reported)
		log_fault(LOG_INFO, "Redis connected redis=%s", client->target->name);
	else
		log_state(LOG_NOTICE, client->target->name,
		          "Redis connection is back after %" PRId64 " s redis=%s",
		          (clock_tick().ms - client->down_since.ms + 500) / 1000,
		          client->target->name);
	client->reported = false;
}

static void on_up(void *arg)
{
	struct slot *slot = arg;
	struct redis_client *client = slot->client;
	slot->reset(client);
	client->flow.wake(client->flow.wake_arg);
	client->ready_since = clock_tick();
	find_up(client);
}

/* Redis' own refusals begin with a word in capitals (NOAUTH, LOADING); those are news even while it
 * is away. */
static bool is_refusal(const char *why)
{
	return isupper((unsigned char)why[0]) && isupper((unsigned char)why[1]);
}

static void report_down(struct redis_client *client, const char *why)
{
	bool was_up = client->up;
	snprintf(client->why, sizeof(client->why), "%s", why);
	client->up = false;
	if (was_up) {
		client->losses++;
		client->down_since = clock_tick();
		log_fault(LOG_WARNING | MESSAGE_REDIS_DOWN,
		          "Redis connection lost, reconnecting redis=%s reason=\"%s\"",
		          client->target->name, why);
	} else if (!client->reported) {
		client->down_since = clock_tick();
		log_fault(LOG_WARNING | MESSAGE_REDIS_DOWN,
		          "Redis can't be reached, retrying redis=%s reason=\"%s\"",
		          client->target->name, why);
	} else if (is_refusal(why)) {
		log_fault(LOG_WARNING | MESSAGE_REDIS_DOWN,
		          "Redis refuses access redis=%s reason=\"%s\"", client->target->name, why);
	} else {
		log_fault(LOG_DEBUG, "Redis still can't be reached reason=\"%s\"", why);
	}
	client->reported = true;
}

/* What was claimed over the connection for commands is ours now: the reader finds it. */
static void client_on_too_long(struct slot *slot)
{
	struct redis_client *client = slot->client;
	if (slot == &client->slots[SLOT_STREAMS]) {
		reader_too_long(client->reader);
	} else if (slot == &client->slots[SLOT_LIST]) {
		list_too_long(client->list);
	} else {
		flow_read_less(&client->flow);
		if (slot != &client->slots[SLOT_COMMANDS])
			return;
		list_commands_too_long(client->list);
		redis_connection_renew(client->slots[SLOT_STREAMS].connection,
		                       "to read again what was too long");
	}
}

/* The password was changed, and perhaps its file, too. */
static void reread_password(struct redis_client *client, const char *why)
{
	struct error err = {0};
	/* In front where the server says so, behind its name where a sentinel does. */
	if (!strstr(why, "WRONGPASS") && !strstr(why, "NOAUTH"))
		return;
	if (!target_reread(client->target, &err))
		log_fault(LOG_ERR, "can't reread the Redis password: %s", err.text);
}

/* Another sentinel may know better, or the node that was configured. */
static void look_elsewhere(struct redis_client *client, const char *why)
{
	target_turn_sentinels(client->target);
	if (strncmp(why, "MOVED ", 6) != 0)
		target_return(client->target);
}

static void on_down(void *arg, const char *why)
{
	struct slot *slot = arg;
	struct redis_client *client = slot->client;
	if (slot == &client->slots[SLOT_COMMANDS])
		server_lost(client->server);
	look_elsewhere(client, why);
	reread_password(client, why);
	if (resp_is_too_long(why))
		client_on_too_long(slot);
	report_down(client, why);
}

/* Another server may be behind the address by now: every connection goes. */
static void leave_server(void *arg, const char *words)
{
	struct redis_client *client = arg;
	client->doubted = true;
	(void)target_follow(client->target, words);
	for (size_t i = 0; i < SLOTS; i++)
		if (client->slots[i].connection)
			redis_connection_renew(client->slots[i].connection, words);
}

/* Each connection asked for itself, and one may have been told of a former master. */
static void on_named(void *arg, const struct resolved *master)
{
	struct redis_client *client = arg;
	char words[256];
	bool elsewhere = false;
	for (size_t i = 0; i < SLOTS; i++) {
		const struct resolved *peer =
		        client->slots[i].connection
		                ? redis_connection_peer(client->slots[i].connection)
		                : NULL;
		elsewhere |= peer && (strcmp(peer->address, master->address) != 0 ||
		                      peer->port != master->port);
	}
	snprintf(words, sizeof(words), "the sentinels name another master: %s port %d",
	         master->address, master->port);
	if (elsewhere)
		leave_server(client, words);
}

static void on_unusable(void *arg, const char *words)
{
	leave_server(((struct slot *)arg)->client, words);
}

static const struct redis_connection_events connection_hooks = {
        .up = on_up, .down = on_down, .unusable = on_unusable};

/* ---- making it */

static struct redis_connection *open_slot(struct redis_client *client, struct event_base *base,
                                          size_t i, int64_t patience_ms,
                                          void (*reset)(struct redis_client *client))
{
	struct slot *slot = &client->slots[i];
	slot->client = client;
	slot->reset = reset;
	slot->connection =
	        redis_connection_new(base, client->target, patience_ms, &connection_hooks, slot);
	return slot->connection;
}

/* In a cluster only the owner reads: what another member has left for as long as a lease is its
 * successor's at once. */
static int64_t claim_after_ms(const struct settings *settings)
{
	int64_t configured_ms = settings->redis.claim_after_ms;
	bool sooner = *settings->cluster.name && settings->cluster.lease_ms < configured_ms;
	return sooner ? settings->cluster.lease_ms : configured_ms;
}

static void add_sources(struct redis_client *client, struct event_base *base,
                        const struct settings *settings)
{
	struct redis_connection *connection =
	        open_slot(client, base, SLOT_STREAMS, READER_BLOCK_MS + MARGIN_MS, reset_streams);
	client->reader = reader_new(&client->flow, connection);
	/* In this order they are read and answered: customers before what is about them. */
	reader_add(client->reader, arena_strdup(client->arena, settings->redis.customers),
	           FEED_CUSTOMERS);
	reader_add(client->reader, arena_strdup(client->arena, settings->redis.requests),
	           FEED_REQUESTS);
	reader_add(client->reader, arena_strdup(client->arena, settings->redis.stream),
	           FEED_EVENTS);
	reader_reset(client->reader);
	if (*settings->redis.list) {
		connection =
		        open_slot(client, base, SLOT_LIST, LIST_BLOCK_MS + MARGIN_MS, reset_list);
		client->list = list_new(&client->flow, connection,
		                        arena_strdup(client->arena, settings->redis.list),
		                        claim_after_ms(settings));
	}
	if (*settings->redis.channel) {
		connection = open_slot(client, base, SLOT_CHANNEL, PATIENCE_MS, reset_channel);
		client->channel = channel_new(&client->flow, connection,
		                              arena_strdup(client->arena, settings->redis.channel));
	}
}

/* Where each route has a stream of its own, their names aren't known. */
static void expect_streams(struct redis_client *client, const struct settings *settings)
{
	bool gate = *settings->redis.requests && !strchr(settings->redis.dispatch, '{');
	const char *const keys[] = {settings->redis.outcomes, settings->redis.dead,
	                            gate ? settings->redis.dispatch : ""};
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (*keys[i])
			publisher_expect(client->publisher, keys[i]);
}

struct redis_client *redis_client_new(struct event_base *base, const struct settings *settings,
                                      struct engine_thread *engine, void (*wake)(void *arg),
                                      void *arg, struct error *err)
{
	struct target *target = target_new(settings, err);
	if (!target)
		return NULL;
	char consumer[CONSUMER_NAME_SIZE];
	struct redis_client *client = mem_alloc(sizeof(*client));
	client->target = target;
	client->arena = arena_new();
	client->flow = (struct flow){.engine = engine, .wake = wake, .wake_arg = arg};
	client->flow.entry_max = (size_t)settings->redis.max_event_size;
	client->flow.group = arena_strdup(client->arena, settings->redis.group);
	client->flow.consumer = arena_strdup(client->arena, consumer_name(settings, consumer));
	client->flow.commands = open_slot(client, base, SLOT_COMMANDS, PATIENCE_MS, reset_commands);
	add_sources(client, base, settings);
	client->maintenance = maintenance_new(&client->flow, client->reader,
	                                      claim_after_ms(settings), settings->redis.keep_ms);
	client->consumers = consumers_new(&client->flow, client->reader, claim_after_ms(settings));
	client->publisher = publisher_new(engine, client->flow.commands);
	client->server = server_new(base, target, client->publisher, on_named, client);
	client->member = *settings->cluster.name;
	if (client->member)
		server_succeed(client->server);
	expect_streams(client, settings);
	for (size_t i = 0; i < SLOTS; i++)
		if (client->slots[i].connection)
			redis_connection_open(client->slots[i].connection);
	return client;
}

struct redis_client *redis_client_free(struct redis_client *client)
{
	if (!client)
		return NULL;
	/* Answers that are still awaited come back as NULL here, so the parts have to be there. */
	for (size_t i = 0; i < SLOTS; i++)
		redis_connection_free(client->slots[i].connection);
	flow_free(&client->flow);
	publisher_free(client->publisher);
	server_free(client->server);
	maintenance_free(client->maintenance);
	consumers_free(client->consumers);
	channel_free(client->channel);
	list_free(client->list);
	reader_free(client->reader);
	target_free(client->target);
	arena_free(client->arena);
	free(client);
	return NULL;
}

/* ---- the loop's side */

void redis_client_reload(struct redis_client *client, const struct settings *settings)
{
	client->flow.entry_max = (size_t)settings->redis.max_event_size;
	maintenance_set(client->maintenance, claim_after_ms(settings), settings->redis.keep_ms);
	consumers_set(client->consumers, claim_after_ms(settings));
	list_set(client->list, claim_after_ms(settings));
}

void redis_client_done(struct redis_client *client, struct intake *list)
{
	flow_done(&client->flow, list);
}

void redis_client_publish(struct redis_client *client, struct publications *list)
{
	publisher_add(client->publisher, list);
}

void redis_client_turn(struct redis_client *client)
{
	find_up(client);
	flow_turn(&client->flow);          /* acknowledge what is committed: makes room */
	publisher_turn(client->publisher); /* publish */
	reader_turn(client->reader);
	bool feed_first = reader_feed_first(client->reader);
	if (!feed_first && !client->feed_read) {
		client->feed_read = true;
		engine_thread_feed_read(client->flow.engine);
	}
	channel_turn(client->channel, feed_first);
	list_turn(client->list, feed_first);
	maintenance_turn(client->maintenance);
	if (!client->member) /* else the lease says who works, and others' entries are claimed */
		consumers_turn(client->consumers);
}

void redis_client_close(struct redis_client *client)
{
	client->flow.closed = true;
	/* A read that blocks would still be handed what comes next. Whatever is on the wire stays
	 * pending in Redis and is read at the next start. */
	for (size_t i = SLOT_STREAMS; i < SLOTS; i++)
		if (client->slots[i].connection)
			redis_connection_close(client->slots[i].connection);
}

bool redis_client_connected(const struct redis_client *client)
{
	return client->up;
}

static bool source_part(const struct redis_client *client, const struct source *source,
                        struct redis_part *ret)
{
	const struct health *health = source->reading.refused         ? &source->reading
	                              : source->acknowledging.refused ? &source->acknowledging
	                                                              : &source->alone;
	*ret = (struct redis_part){.kind = source->kind,
	                           .name = source->key,
	                           .use = "read",
	                           .lost = source->lost,
	                           .lost_at = source->lost_at};
	ret->lag = client->up && source->lag.known ? &source->lag : NULL;
	if (!client->up)
		ret->words = "Redis is not connected";
	if (!health->refused)
		return true;
	ret->use = health->use;
	ret->words = health->words;
	ret->since_ms = clock_tick().ms - health->since.ms;
	return true;
}

bool redis_client_part(struct redis_client *client, size_t i, struct redis_part *ret)
{
	if (i < client->flow.n_sources)
		return source_part(client, client->flow.sources[i], ret);
	const struct health *health =
	        publisher_stream(client->publisher, i - client->flow.n_sources);
	publisher_probe_soon(client->publisher);
	if (!health)
		return false;
	*ret = (struct redis_part){.kind = health->kind, .name = health->name, .use = health->use};
	if (!client->up)
		ret->words = "Redis is not connected";
	if (health->refused) {
		ret->words = health->words;
		ret->since_ms = clock_tick().ms - health->since.ms;
	}
	return true;
}

bool redis_client_quiet(const struct redis_client *client)
{
	return !redis_connection_ready(client->flow.commands) ||
	       (!client->flow.in_flight && !publisher_waiting(client->publisher));
}

const char *redis_client_why(const struct redis_client *client)
{
	return client->up ? "" : client->why;
}

const char *redis_client_target(const struct redis_client *client)
{
	return client->target->name;
}

static void client_add_parts(struct redis_client *client, struct buf *out)
{
	struct redis_part part;
	metric_head(out, METRIC_REDIS_USABLE);
	for (size_t i = 0; redis_client_part(client, i, &part); i++)
		metric_sample(out, METRIC_REDIS_USABLE, part.words == NULL, "kind", part.kind,
		              "name", part.name, "use", part.use, NULL);
}

static void add_source(struct buf *out, enum metric metric, const struct source *source,
                       uint64_t value)
{
	metric_sample(out, metric, (int64_t)value, "source", source->kind, "feed",
	              feed_names[source->feed], NULL);
}

static int64_t unread_of(const struct lag *lag)
{
	return lag->unread;
}

static int64_t pending_of(const struct lag *lag)
{
	return lag->pending;
}

static int64_t behind_s(const struct lag *lag)
{
	if (instant_is_none(lag->oldest))
		return 0;
	int64_t ms = clock_now().ms - lag->oldest.ms;
	return ms < 0 ? 0 : ms / 1000;
}

/* Of each stream of which Redis has said it; no value is better than one that isn't known. */
static void client_add_lag(const struct redis_client *client, struct buf *out, enum metric metric,
                           int64_t (*value)(const struct lag *lag))
{
	const struct flow *flow = &client->flow;
	metric_head(out, metric);
	for (size_t i = 0; i < flow->n_sources; i++) {
		const struct source *source = flow->sources[i];
		if (!client->up || !source->lag.known || value(&source->lag) == LAG_UNKNOWN)
			continue;
		add_source(out, metric, source, (uint64_t)value(&source->lag));
	}
}

void redis_client_metrics(struct redis_client *client, struct buf *out)
{
	const struct flow *flow = &client->flow;
	metric_integer(out, METRIC_REDIS_CONNECTED, client->up);
	metric_integer(out, METRIC_REDIS_LOSSES, (int64_t)client->losses);
	metric_integer(out, METRIC_UNPUBLISHED, (int64_t)publisher_waiting(client->publisher));
	metric_integer(out, METRIC_CHANNEL_LOST, (int64_t)channel_lost(client->channel));
	metric_head(out, METRIC_ENTRIES);
	for (size_t i = 0; i < flow->n_sources; i++)
		add_source(out, METRIC_ENTRIES, flow->sources[i], flow->sources[i]->entries);
	metric_head(out, METRIC_ENTRIES_LOST);
	for (size_t i = 0; i < flow->n_sources; i++)
		add_source(out, METRIC_ENTRIES_LOST, flow->sources[i], flow->sources[i]->lost);
	client_add_lag(client, out, METRIC_ENTRIES_UNREAD, unread_of);
	client_add_lag(client, out, METRIC_ENTRIES_PENDING, pending_of);
	client_add_lag(client, out, METRIC_ENTRIES_BEHIND, behind_s);
	client_add_parts(client, out);
}
