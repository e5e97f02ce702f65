/* SPDX-License-Identifier: MIT */
/*
 * Keys of events in memory: a table with open addressing for the latest, and for each run a Bloom
 * filter whose bits of a key are together in one line. One key in 700 passes a full filter without
 * being there.
 */
#include "spool/event_keys.h"

#include "base/mem.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

enum { PROBES = 6, SLOTS_MIN = 1024, LINE_BITS = EVENT_FILTER_LINE_BYTES * 8 };

struct event_keys *event_keys_new(void)
{
	struct event_keys *keys = mem_alloc(sizeof *keys);
	event_keys_clear(keys, 0);
	return keys;
}

struct event_keys *event_keys_free(struct event_keys *keys)
{
	if (keys == NULL)
		return NULL;
	for (size_t i = 0; i < keys->n_runs; i++)
		free(keys->runs[i].filter);
	free(keys->runs);
	free(keys->slots);
	free(keys);
	return NULL;
}

uint32_t event_key_hash(const struct event_keys *keys, const char *source, const char *id)
{
	unsigned char both[2 * crypto_shorthash_BYTES], hash[crypto_shorthash_BYTES];
	uint32_t key;
	(void)crypto_shorthash(both, (const unsigned char *)source, strlen(source), keys->secret);
	(void)crypto_shorthash(both + crypto_shorthash_BYTES, (const unsigned char *)id, strlen(id),
	                       keys->secret);
	(void)crypto_shorthash(hash, both, sizeof both, keys->secret);
	memcpy(&key, hash, sizeof key);
	return le32toh(key);
}

/* ---- The latest ---- */

static void put(struct event_key *slots, size_t n_slots, struct event_key key)
{
	size_t i = key.hash % n_slots;
	while (slots[i].place != 0)
		i = (i + 1) % n_slots;
	slots[i] = key;
}

void event_keys_clear(struct event_keys *keys, int64_t base)
{
	free(keys->slots);
	keys->slots = mem_alloc(SLOTS_MIN * sizeof *keys->slots);
	keys->n_slots = SLOTS_MIN;
	keys->n = 0;
	keys->base = keys->last = base;
}

static void grow(struct event_keys *keys)
{
	size_t n_slots = keys->n_slots * 2;
	struct event_key *slots = mem_alloc(n_slots * sizeof *slots);
	for (size_t i = 0; i < keys->n_slots; i++) {
		if (keys->slots[i].place != 0)
			put(slots, n_slots, keys->slots[i]);
	}
	free(keys->slots);
	keys->slots = slots;
	keys->n_slots = n_slots;
}

void event_keys_add(struct event_keys *keys, uint32_t hash, int64_t event)
{
	if (keys->n * 2 >= keys->n_slots)
		grow(keys);
	put(keys->slots, keys->n_slots, (struct event_key){hash, (uint32_t)(event - keys->base)});
	keys->n++;
	keys->last = event;
}

/* ---- Runs ---- */

struct event_run *event_keys_add_run(struct event_keys *keys)
{
	if (keys->n_runs == keys->cap_runs) {
		keys->cap_runs = keys->cap_runs ? keys->cap_runs * 2 : 16;
		keys->runs = mem_realloc(keys->runs, keys->cap_runs, sizeof *keys->runs);
	}
	struct event_run *run = &keys->runs[keys->n_runs++];
	*run = (struct event_run){.filter = mem_alloc(EVENT_FILTER_BYTES)};
	return run;
}

void event_keys_remove_run(struct event_keys *keys, int64_t run)
{
	size_t i = 0;
	while (i < keys->n_runs && keys->runs[i].id != run)
		i++;
	if (i == keys->n_runs)
		return;
	free(keys->runs[i].filter);
	keys->n_runs--;
	memmove(&keys->runs[i], &keys->runs[i + 1], (keys->n_runs - i) * sizeof keys->runs[i]);
}

/* ---- Filters ---- */

/* The next bit of its line that a key has, of those that are left. */
static unsigned next_bit(uint64_t *left)
{
	unsigned bit = (unsigned)(*left % LINE_BITS);
	*left /= LINE_BITS;
	return bit;
}

static size_t line_of(uint32_t hash, uint64_t *ret_bits)
{
	*ret_bits = (hash * UINT64_C(0x9e3779b97f4a7c15)) >> 8;
	return (size_t)(hash >> (32 - EVENT_FILTER_LINE_BITS)) * EVENT_FILTER_LINE_BYTES;
}

void event_filter_add(unsigned char *filter, uint32_t hash)
{
	uint64_t bits;
	unsigned char *line = filter + line_of(hash, &bits);
	for (int i = 0; i < PROBES; i++) {
		unsigned bit = next_bit(&bits);
		line[bit / 8] |= (unsigned char)(1u << bit % 8);
	}
}

bool event_filter_passes(const unsigned char *filter, uint32_t hash)
{
	uint64_t bits;
	const unsigned char *line = filter + line_of(hash, &bits);
	bool passes = true;
	for (int i = 0; passes && i < PROBES; i++) {
		unsigned bit = next_bit(&bits);
		passes = (line[bit / 8] >> bit % 8 & 1) != 0;
	}
	return passes;
}
