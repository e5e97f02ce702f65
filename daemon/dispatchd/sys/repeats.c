/* SPDX-License-Identifier: MIT */
/*
 * A table of the lines that were written in the last minute, by their keys. It is small enough to
 * be searched from end to end: a line of the log costs more.
 */
#include "dispatchd/sys/repeats.h"

#include "base/mem.h"
#include "common/clock.h"

#include <pthread.h>
#include <stdlib.h>

enum { REPEAT_MS = 60 * 1000 };

/* A line that was written a short while ago; key 0: none. */
struct repeat {
	uint64_t key;
	struct tick written;
	unsigned kept_back;
	/* Of those kept back, the last one. */
	char *last;
	int last_level;
	struct tick last_came;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct repeat repeats[REPEATS_SLOTS];
static unsigned overflow;
static struct tick overflow_read;

/* FNV-1a. */
uint64_t repeats_key(const char *text)
{
	uint64_t hash = 14695981039346656037u;
	bool quoted = false;
	for (; *text; text++) {
		quoted ^= *text == '"';
		if (!quoted)
			hash = (hash ^ (unsigned char)*text) * 1099511628211u;
	}
	return hash ? hash : 1;
}

static bool is_over(const struct repeat *repeat, struct tick now)
{
	return repeat->key == 0 || now.ms - repeat->written.ms >= REPEAT_MS;
}

/* The key's own place, else one whose minute is over; NULL: there is none. */
static struct repeat *place_of(uint64_t key, struct tick now)
{
	struct repeat *place = NULL;
	for (struct repeat *at = repeats; at < repeats + REPEATS_SLOTS; at++) {
		if (at->key == key)
			return at;
		/* Those of which something is still to be said come last. */
		if (is_over(at, now) && (!place || place->kept_back > at->kept_back))
			place = at;
	}
	return place;
}

/* Begins another minute; what was kept back is said or given up. */
static void begin_minute(struct repeat *place, uint64_t key, struct tick now)
{
	free(place->last);
	*place = (struct repeat){.key = key, .written = now};
}

static void keep_back(struct repeat *place, int level, const char *text, struct tick now)
{
	free(place->last);
	place->last = mem_strdup(text);
	place->last_level = level;
	place->last_came = now;
	place->kept_back++;
}

bool repeats_due(uint64_t key, int level, const char *text, unsigned *ret_kept_back)
{
	struct tick now = clock_tick();
	pthread_mutex_lock(&lock);
	struct repeat *place = place_of(key, now);
	bool due = place && is_over(place, now);
	*ret_kept_back = place && place->key == key ? place->kept_back : 0;
	if (due)
		begin_minute(place, key, now);
	else if (place)
		keep_back(place, level, text, now);
	else
		overflow++;
	pthread_mutex_unlock(&lock);
	return due;
}

/* Of those whose minute is over, the one whose last line came first; NULL: there is none. */
static struct repeat *first_over(struct tick now)
{
	struct repeat *first = NULL;
	for (struct repeat *at = repeats; at < repeats + REPEATS_SLOTS; at++) {
		if (at->last && is_over(at, now) &&
		    (!first || at->last_came.ms < first->last_came.ms))
			first = at;
	}
	return first;
}

bool repeats_last(struct repeats_line *ret)
{
	struct tick now = clock_tick();
	pthread_mutex_lock(&lock);
	struct repeat *place = first_over(now);
	if (place) {
		*ret = (struct repeats_line){.text = place->last,
		                             .level = place->last_level,
		                             .before = place->kept_back - 1,
		                             .ago_ms = now.ms - place->last_came.ms};
		place->last = NULL;
		begin_minute(place, place->key, now);
	}
	pthread_mutex_unlock(&lock);
	return place;
}

unsigned repeats_overflow(void)
{
	struct tick now = clock_tick();
	unsigned n = 0;
	pthread_mutex_lock(&lock);
	if (overflow > 0 && now.ms - overflow_read.ms >= REPEAT_MS) {
		n = overflow;
		overflow = 0;
		overflow_read = now;
	}
	pthread_mutex_unlock(&lock);
	return n;
}
