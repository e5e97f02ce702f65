/* SPDX-License-Identifier: MIT */
/* Opening and closing; what the engine's caller may ask between turns. */
#include "base/address.h"
#include "engine/bounce.h"
#include "engine/bounce_strikes.h"
#include "engine/engine_private.h"
#include "engine/follow.h"
#include "engine/lock.h"
#include "engine/mail_results.h"
#include "engine/turn.h"
#include "records/customers_changes.h"
#include "records/customers_hold.h"
#include "spool/spool_journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum {
	UNPUBLISHED_MAX = 200000, /* outcomes that Redis hasn't got: then intake stops */
	WAITS_MAX = 50000,
};

static void set_domain(struct engine *engine)
{
	struct mailbox from;
	const char *domain = "localhost";
	if (mailbox_parse(engine->settings->mail.from, &from, NULL))
		domain = address_domain(from.address);
	free(engine->from_domain);
	engine->from_domain = mem_strdup(domain);
}

void engine_interrupt(struct engine *engine)
{
	atomic_store(&engine->interrupted, true);
}

static void note_published(struct engine *engine, struct instant now)
{
	int64_t last = engine->published;
	int64_t before = spool_outcome_before(engine->spool, instant_add(now, -PUBLISH_AGAIN_MS));
	engine->at_start = (struct published_at_start){last, before < last ? before : last};
}

struct published_at_start engine_published_at_start(const struct engine *engine)
{
	return engine->at_start;
}

static bool requeue_in_flight(struct engine *engine, struct instant now, struct error *err)
{
	struct turn_input in = {.now = now};
	struct turn_output out;
	engine_turn_enter(engine, &in, &out);
	bool ok = engine_turn_begin(engine, err);
	if (ok) {
		engine_requeue_in_flight(engine);
		engine_load_strikes(engine);
		engine_bounce_load(engine);
		engine->handed = engine->published = spool_published(engine->spool);
		engine->opened = spool_last_outcome(engine->spool);
		note_published(engine, now);
		engine->first_due = spool_first_due(engine->spool);
		ok = engine_turn_commit(engine, err);
	}
	engine_turn_leave(engine);
	turn_output_clear(&out);
	return ok;
}

/* The office's changes are kept where there is a journal for them. */
static bool has_role(struct engine *engine, struct error *err)
{
	const char *path = engine->settings->customers.path;
	if (engine->away)
		return true;
	if (engine->journal == NULL)
		return customers_set_role(engine->customers, CLUSTER_NONE, NULL, err);
	engine->owner_fd = customers_hold(path, err);
	return engine->owner_fd >= 0 &&
	       customers_set_role(engine->customers, CLUSTER_OWNER, NULL, err);
}

struct engine *engine_open(const struct settings *settings, struct instant now, struct error *err)
{
	return engine_open_journaled(settings, NULL, now, err);
}

struct engine *engine_open_journaled(const struct settings *settings,
                                     const struct engine_journal *journal, struct instant now,
                                     struct error *err)
{
	struct engine *engine = mem_alloc(sizeof *engine);
	engine->settings = settings;
	engine->journal = journal;
	engine->lock_fd = engine->owner_fd = -1;
	engine->customers_version = -1;
	engine->purged_ms = now.ms;
	engine->last = INSTANT_NONE;
	engine->feed_oldest = engine->first_due = INSTANT_NEVER;
	engine->last_early = INSTANT_NONE;
	engine->zones = zones_new();
	engine->in_flight = in_flight_new();
	set_domain(engine);
	/* Before anything is made beside a file that isn't ours. */
	if (!spool_inspect(settings->spool.path, err) ||
	    !customers_inspect(settings->customers.path, err) ||
	    (engine->lock_fd = engine_lock(settings->spool.path, err)) < 0)
		return engine_close(engine);
	engine->spool = spool_open(settings->spool.path, DB_OWN, err);
	if (engine->spool == NULL)
		return engine_close(engine);
	if (journal != NULL)
		spool_record(engine->spool);
	if (!spool_recheck_open(engine->spool, err))
		return engine_close(engine);
	engine_load_followed(engine);
	engine_note_rules(engine);
	if (!engine_open_customers(engine, err) || !has_role(engine, err) ||
	    !requeue_in_flight(engine, now, err))
		return engine_close(engine);
	engine->redirect_new = true;
	return engine;
}

struct engine *engine_close(struct engine *engine)
{
	if (engine == NULL)
		return NULL;
	spool_close(engine->spool);
	customers_close(engine->customers);
	zones_free(engine->zones);
	templates_unref(engine->templates);
	if (engine->lock_fd >= 0)
		(void)close(engine->lock_fd);
	if (engine->owner_fd >= 0)
		(void)close(engine->owner_fd);
	in_flight_free(engine->in_flight);
	limits_clear(&engine->limits);
	arena_free(engine->kept.arena);
	arena_free(engine->kept_before.arena);
	free(engine->yielding);
	free(engine->struck.contacts);
	token_keys_wipe(&engine->token_keys);
	free(engine->from_domain);
	free(engine);
	return NULL;
}

void engine_reload(struct engine *engine, const struct settings *settings)
{
	engine->settings = settings;
	engine->customers_version = -1;
	engine->redirect_new = true;
	engine->limits.known = false; /* another window */
	zones_free(engine->zones);
	engine->zones = zones_new();
	engine_note_rules(engine);
	set_domain(engine);
}

void engine_set_templates(struct engine *engine, struct templates *templates)
{
	templates_unref(engine->templates);
	engine->templates = templates_ref(templates);
	engine->templates_kept = false;
}

void engine_set_token_keys(struct engine *engine, const struct token_keys *keys)
{
	engine->token_keys = *keys;
}

bool engine_journal_over(const struct engine *engine)
{
	return engine->journal_over;
}

bool engine_customers_changed(struct engine *engine)
{
	struct db *db = customers_db(engine->customers);
	char stamp[DB_STAMP_SIZE];
	bool clean;
	db_stamp(engine->settings->customers.path, stamp);
	return db_data_version(db) != engine->customers_version || db_replaced(db, &clean) ||
	       strcmp(stamp, engine->known.stamp) != 0;
}

bool engine_lacks_customers(const struct engine *engine)
{
	return engine->lacks;
}

bool engine_feed_pending(const struct engine *engine)
{
	return engine->feed_oldest.ms != INSTANT_NEVER.ms;
}

size_t engine_mails_left(const struct engine *engine)
{
	return engine->left;
}

bool engine_sending_paused(const struct engine *engine)
{
	return engine->paused;
}

bool engine_open_for_intake(const struct engine *engine)
{
	return engine->unpublished < UNPUBLISHED_MAX && spool_wait_count(engine->spool) < WAITS_MAX;
}
