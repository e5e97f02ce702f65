/* SPDX-License-Identifier: MIT */
/*
 * Which events are on record, so that each is decided once. Nearly every event is new,
 * and ids arrive in random order, so an index would read and write a page for each. So
 *
 *   the latest   are in memory, by a key: a hash of 32 bits. A start reads them back from the
 *                rows of `event` behind the last run;
 *   a run        is the keys of RUN_EVENTS that were the latest, written once and in one go: a row
 *                of `event_run` with a filter, and parts in `event_key`, by the key's first bits.
 *                Filters are in memory, and spare nearly all reading of parts.
 *
 *   id ─▶ key ─┬▶ the latest ───────────────┬▶ candidates ─▶ the event's row: is it this one?
 *              └▶ each run's filter ─▶ part ┘
 *
 * A key proves nothing; what is in memory belongs to the transaction under way, and is forgotten
 * with one that fails. Events go with the purge, keys with the last event of their run: one without
 * its event is no candidate. New events are behind all runs, so no id comes twice there.
 */
#include "spool/spool.h"

#include "base/buf.h"
#include "spool/event_keys.h"
#include "spool/spool_private.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

enum {
	RUN_EVENTS = 65536,
	PART_BITS = 10, /* a run has 1024 parts of some 64 keys, which fit a page of any size */
	RUNS_A_PURGE = 4,
};

/* ---- Runs ---- */

static size_t part_of(uint32_t hash)
{
	return hash >> (32 - PART_BITS);
}

static void write_part(struct spool *spool, int64_t run, size_t part, const struct buf *keys)
{
	struct db_query *q =
	        spool_query(spool, "INSERT INTO event_key (run, part, keys) VALUES (?1, ?2, ?3)");
	db_bind_int(q, 1, run);
	db_bind_int(q, 2, (int64_t)part);
	db_bind_blob(q, 3, keys->data, keys->len);
	spool_run(spool, q);
}

static void write_run(struct spool *spool, const struct event_run *run)
{
	struct db_query *q = spool_query(
	        spool, "INSERT INTO event_run (id, first, last, filter) VALUES (?1, ?2, ?3, ?4)");
	db_bind_int(q, 1, run->id);
	db_bind_int(q, 2, run->first);
	db_bind_int(q, 3, run->last);
	db_bind_blob(q, 4, run->filter, EVENT_FILTER_BYTES);
	spool_run(spool, q);
}

/* The latest become a run. */
static void flush(struct spool *spool, struct event_keys *keys)
{
	struct buf *parts = mem_alloc(sizeof *parts << PART_BITS);
	struct event_run *run = event_keys_add_run(keys);
	run->id = keys->n_runs > 1 ? run[-1].id + 1 : 1;
	run->first = keys->base + 1;
	run->last = keys->last;
	for (size_t i = 0; i < keys->n_slots; i++) {
		const struct event_key *key = &keys->slots[i];
		struct event_key stored = {htole32(key->hash), htole32(key->place - 1)};
		if (key->place == 0)
			continue;
		buf_add(&parts[part_of(key->hash)], &stored, sizeof stored);
		event_filter_add(run->filter, key->hash);
	}
	write_run(spool, run);
	for (size_t part = 0; part < (size_t)1 << PART_BITS; part++) {
		if (parts[part].len > 0)
			write_part(spool, run->id, part, &parts[part]);
		buf_free(&parts[part]);
	}
	free(parts);
	event_keys_clear(keys, run->last);
}

/* ---- In memory ---- */

static void load_secret(struct spool *spool, struct event_keys *keys)
{
	struct db_query *q =
	        spool_query(spool, "SELECT value FROM meta WHERE key = 'event_secret'");
	size_t len;
	if (!spool_row(spool, q))
		return;
	const void *secret = db_peek_blob(q, 0, &len);
	if (secret != NULL && len == sizeof keys->secret)
		memcpy(keys->secret, secret, len);
	db_finish(q);
}

static void load_runs(struct spool *spool, struct event_keys *keys)
{
	struct db_query *q =
	        spool_query(spool, "SELECT id, first, last, filter FROM event_run ORDER BY id");
	size_t len;
	while (spool_row(spool, q)) {
		struct event_run *run = event_keys_add_run(keys);
		run->id = db_int(q, 0);
		run->first = db_int(q, 1);
		run->last = keys->last = db_int(q, 2);
		const void *filter = db_peek_blob(q, 3, &len);
		if (filter != NULL && len == EVENT_FILTER_BYTES)
			memcpy(run->filter, filter, len);
		else
			memset(run->filter, 0xff, EVENT_FILTER_BYTES); /* all of them pass */
	}
}

/* Events behind the runs; all, once, in a spool of a version that had none. */
static void load_latest(struct spool *spool, struct event_keys *keys)
{
	struct db_query *q =
	        spool_query(spool, "SELECT id, source, event FROM event WHERE id > ?1 ORDER BY id");
	event_keys_clear(keys, keys->last);
	db_bind_int(q, 1, keys->last);
	while (spool_row(spool, q)) {
		const char *source = db_peek_text(q, 1, NULL), *id = db_peek_text(q, 2, NULL);
		event_keys_add(keys, event_key_hash(keys, source ? source : "", id ? id : ""),
		               db_int(q, 0));
		if (keys->n == RUN_EVENTS && spool->writes)
			flush(spool, keys);
	}
}

static struct event_keys *loaded(struct spool *spool)
{
	if (spool->keys == NULL) {
		spool->keys = event_keys_new();
		load_secret(spool, spool->keys);
		load_runs(spool, spool->keys);
		load_latest(spool, spool->keys);
	}
	return spool->keys;
}

/* ---- Look-ups ---- */

struct wanted {
	const char *source, *id;
	uint32_t hash;
	unsigned char *ret_digest;
};

/* The event's id if it is the wanted one, else 0. */
static int64_t is_it(struct spool *spool, int64_t event, const struct wanted *wanted)
{
	struct db_query *q = spool_query(
	        spool, "SELECT digest FROM event WHERE id = ?1 AND source = ?2 AND event = ?3");
	db_bind_int(q, 1, event);
	db_bind_static_text(q, 2, wanted->source);
	db_bind_static_text(q, 3, wanted->id);
	if (!spool_row(spool, q))
		return 0;
	spool_get_digest(q, 0, wanted->ret_digest);
	db_finish(q);
	return event;
}

static int64_t find_latest(struct spool *spool, const struct event_keys *keys,
                           const struct wanted *wanted)
{
	int64_t found = 0;
	for (size_t i = wanted->hash % keys->n_slots; found == 0 && keys->slots[i].place != 0;
	     i = (i + 1) % keys->n_slots) {
		if (keys->slots[i].hash == wanted->hash)
			found = is_it(spool, keys->base + keys->slots[i].place, wanted);
	}
	return found;
}

static int64_t find_in_run(struct spool *spool, const struct event_run *run,
                           const struct wanted *wanted)
{
	struct db_query *q =
	        spool_query(spool, "SELECT keys FROM event_key WHERE run = ?1 AND part = ?2");
	size_t len;
	int64_t found = 0;
	db_bind_int(q, 1, run->id);
	db_bind_int(q, 2, (int64_t)part_of(wanted->hash));
	if (!spool_row(spool, q))
		return 0;
	const char *bytes = db_peek_blob(q, 0, &len);
	for (size_t at = 0; found == 0 && at + sizeof(struct event_key) <= len;
	     at += sizeof(struct event_key)) {
		struct event_key key;
		memcpy(&key, bytes + at, sizeof key);
		if (le32toh(key.hash) == wanted->hash)
			found = is_it(spool, run->first + le32toh(key.place), wanted);
	}
	db_finish(q);
	return found;
}

static int64_t find(struct spool *spool, const struct event_keys *keys, const struct wanted *wanted)
{
	int64_t found = find_latest(spool, keys, wanted);
	for (size_t i = keys->n_runs; found == 0 && i-- > 0;) {
		if (event_filter_passes(keys->runs[i].filter, wanted->hash))
			found = find_in_run(spool, &keys->runs[i], wanted);
	}
	return found;
}

int64_t spool_event_find(struct spool *spool, const char *source, const char *id,
                         unsigned char ret_digest[EVENT_DIGEST_SIZE])
{
	struct event_keys *keys = loaded(spool);
	struct wanted wanted = {source, id, event_key_hash(keys, source, id), ret_digest};
	int64_t found = find(spool, keys, &wanted);
	keys->missed = found == 0;
	keys->missed_hash = wanted.hash;
	return found;
}

/* ---- Events that come and go ---- */

int64_t spool_keys_add(struct spool *spool, const char *source, const char *id)
{
	struct event_keys *keys = loaded(spool);
	struct wanted wanted = {source, id, event_key_hash(keys, source, id), NULL};
	bool missed = keys->missed && keys->missed_hash == wanted.hash;
	if (!missed && find(spool, keys, &wanted) != 0)
		bug("spool: event %s of %s is on record", id, source);
	keys->missed = false;
	if (keys->n == RUN_EVENTS)
		flush(spool, keys);
	event_keys_add(keys, wanted.hash, keys->last + 1);
	return keys->last;
}

static void remove_run(struct spool *spool, int64_t run)
{
	static const char *const removes[] = {"DELETE FROM event_key WHERE run = ?1",
	                                      "DELETE FROM event_run WHERE id = ?1"};
	for (size_t k = 0; k < sizeof removes / sizeof removes[0]; k++) {
		struct db_query *q = spool_query(spool, removes[k]);
		db_bind_int(q, 1, run);
		spool_run(spool, q);
	}
}

/* The last run stays: new events are behind it. */
void spool_keys_purge(struct spool *spool)
{
	int64_t runs[RUNS_A_PURGE];
	struct db_query *q = spool_query(
	        spool,
	        "SELECT id FROM event_run WHERE id < (SELECT max(id) FROM event_run) AND NOT "
	        "EXISTS (SELECT 1 FROM event WHERE event.id BETWEEN first AND last) LIMIT ?1");
	db_bind_int(q, 1, RUNS_A_PURGE);
	size_t n = spool_run_ids(spool, q, runs, RUNS_A_PURGE);
	for (size_t i = 0; i < n; i++) {
		remove_run(spool, runs[i]);
		if (spool->keys != NULL)
			event_keys_remove_run(spool->keys, runs[i]);
	}
}
