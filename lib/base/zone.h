/* SPDX-License-Identifier: MIT */
#ifndef BASE_ZONE_H
#define BASE_ZONE_H

#include "base/instant.h"

#include <stdbool.h>

/*
 * Time zones of the IANA database as the system has it, through GLib (Debian keeps tzdata right;
 * ICU's copy is years old). A zone is immutable and belongs to the cache it came from; a cache
 * belongs to one thread.
 */
struct zones;
struct zone;

struct zones *zones_new(void);
struct zones *zones_free(struct zones *zones); /* takes NULL; returns NULL */

/* The system's files may have changed: caches made from now on read them again; those from before
 * are stale. From any thread. */
void zones_renew(void);
bool zones_stale(const struct zones *zones);

/* What one can see of the system's files from outside, as text: another after they were updated. */
enum { ZONES_STAMP_SIZE = 64 };
void zones_stamp(char ret[ZONES_STAMP_SIZE]);

/* By IANA name ("America/Denver", "UTC"); NULL where the system has none such. POSIX TZ strings and
 * paths are refused. */
const struct zone *zone_find(struct zones *zones, const char *name);

/* The host's own zone ($TZ, /etc/localtime), UTC where that can't be read. */
const struct zone *zone_host(struct zones *zones);

const char *zone_name(const struct zone *zone);

/* Seconds east of UTC at that instant. */
int zone_offset_s(const struct zone *zone, struct instant at);

/* The calendar day there at that instant, and the minute of it (0–1439) by the wall clock. */
struct day zone_day(const struct zone *zone, struct instant at);
int zone_minute(const struct zone *zone, struct instant at);

/*
 * The instant of a wall time: `minute` minutes after midnight of `day` by the wall clock, 0–2880. A
 * wall time that a clock change skips is the first instant after the gap. One that happens twice is
 * its first occurrence (ZONE_FIRST) or its second (ZONE_SECOND).
 */
enum zone_choice { ZONE_FIRST, ZONE_SECOND };
struct instant zone_instant(const struct zone *zone, struct day day, int minute,
                            enum zone_choice choice);

/* The first instant of a day there: midnight, or the first after a gap that swallows it (a day that
 * a zone skipped altogether begins where the next one does). */
struct instant zone_day_start(const struct zone *zone, struct day day);

#endif
