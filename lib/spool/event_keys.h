/* SPDX-License-Identifier: MIT */
#ifndef SPOOL_EVENT_KEYS_H
#define SPOOL_EVENT_KEYS_H

#include <sodium.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What is in memory of the keys of events on record, for spool_keys.c alone: the latest, and the
 * filters of the runs before them.
 */
enum {
	EVENT_FILTER_LINE_BYTES =
	        64, /* what a key sets is in one line, as of a processor's cache */
	EVENT_FILTER_LINE_BITS = 11,
	EVENT_FILTER_BYTES = EVENT_FILTER_LINE_BYTES << EVENT_FILTER_LINE_BITS,
};

/* `place` is the event's id less a base, which it is greater than; 0 for a free slot. */
struct event_key {
	uint32_t hash, place;
};

struct event_run {
	int64_t id, first, last;
	unsigned char *filter; /* EVENT_FILTER_BYTES */
};

struct event_keys {
	unsigned char secret[crypto_shorthash_KEYBYTES];
	struct event_key *slots; /* the latest: at most half of them are in use */
	size_t n_slots, n;
	int64_t base; /* of the latest: the last run's last event */
	int64_t last; /* event on record, or in a run */
	bool missed;  /* the last look-up found nothing, for an id of that hash, and nothing was */
	uint32_t missed_hash; /* added since: who adds it now need not look again */
	struct event_run *runs;
	size_t n_runs, cap_runs;
};

struct event_keys *event_keys_new(void);
struct event_keys *event_keys_free(struct event_keys *keys); /* takes NULL; returns NULL */

uint32_t event_key_hash(const struct event_keys *keys, const char *source, const char *id);

/* The latest: none, those to come being behind event `base`; one more, `event` being greater than
 * all before. */
void event_keys_clear(struct event_keys *keys, int64_t base);
void event_keys_add(struct event_keys *keys, uint32_t hash, int64_t event);

/* A run behind the others, with an empty filter; good until the next one. */
struct event_run *event_keys_add_run(struct event_keys *keys);
void event_keys_remove_run(struct event_keys *keys, int64_t run); /* nothing where it isn't there */

/* A key that passes may be there; one that doesn't is not. */
void event_filter_add(unsigned char *filter, uint32_t hash);
bool event_filter_passes(const unsigned char *filter, uint32_t hash);

#endif
