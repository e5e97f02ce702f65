/* SPDX-License-Identifier: MIT */
#include "dispatchd/sys/repeats.h"

#include "common/clock.h"

#include <pthread.h>

enum { REPEAT_MS = 60 * 1000 };

/* A line that was written a short while ago; key 0: none. */
struct repeat {
	uint64_t key;
	struct tick written;
	unsigned kept_back;
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

bool repeats_due(uint64_t key, unsigned *ret_kept_back)
{
	struct tick now = clock_tick();
	pthread_mutex_lock(&lock);
	struct repeat *place = place_of(key, now);
	bool due = place && is_over(place, now);
	*ret_kept_back = place && place->key == key ? place->kept_back : 0;
	if (due)
		*place = (struct repeat){.key = key, .written = now};
	else if (place)
		place->kept_back++;
	else
		overflow++;
	pthread_mutex_unlock(&lock);
	return due;
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
