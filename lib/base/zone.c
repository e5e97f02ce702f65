/* SPDX-License-Identifier: MIT */
/*
 * GLib is asked one thing only: which offset holds at an instant. Everything about wall times is
 * worked out from that here, since GLib's own way from wall time to instant chooses between two
 * occurrences by "standard" and "daylight", which are the wrong way round in Europe/Dublin.
 *
 * Near a clock change the time line falls into stretches of one offset each:
 *
 *   UTC    ──────────────┤T├──────────────      wall of the left one ends at T+before,
 *           offset before   offset after        wall of the right one begins at T+after
 *
 * A wall time lies in no stretch (skipped), in one, or in two (it happens twice).
 *
 * One mistake of GLib (2.74) is mended: in the rule that goes on where a file's table ends, it
 * takes a summer or winter offset of 0 for none given. Debian's tables end with 2037, and
 * Europe/Dublin alone has such a rule. Its years from 2038 are asked for as those 28 years before,
 * which have the same weekdays (until 2100).
 */
#include "base/zone.h"

#include "base/mem.h"

#include <glib.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What GLib has said of a stretch: it holds at both instants, so that it holds between them. GLib
 * searches its table from the front. */
struct known {
	int64_t from_s, to_s; /* from > to: nothing yet */
	int stretch;
};
enum { KNOWN = 8 };

struct zone {
	char *name;
	struct known *known;
	GTimeZone *tz;
	bool table_only;   /* what GLib makes of the rule behind the table is wrong */
	struct zone *next; /* in its bucket */
};

enum { BUCKETS = 64 };
struct zones {
	unsigned epoch; /* when it was made */
	struct zone *buckets[BUCKETS];
	struct zone *host;
};

/* How often zones were renewed. */
static atomic_uint epoch;

void zones_renew(void)
{
	atomic_fetch_add(&epoch, 1);
}

struct zones *zones_new(void)
{
	struct zones *zones = mem_alloc(sizeof *zones);
	zones->epoch = atomic_load(&epoch);
	return zones;
}

bool zones_stale(const struct zones *zones)
{
	return zones->epoch != atomic_load(&epoch);
}

/* In ns; 0 where there is none. A package's files are moved into the folder one by one. */
static long long written(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 ? st.st_mtim.tv_sec * 1000000000LL + st.st_mtim.tv_nsec : 0;
}

void zones_stamp(char ret[ZONES_STAMP_SIZE])
{
	const char *folder = getenv("TZDIR");
	(void)snprintf(ret, ZONES_STAMP_SIZE, "%lld %lld",
	               written(folder ? folder : "/usr/share/zoneinfo"), written("/etc/localtime"));
}

static struct zone *zone_free(struct zone *zone)
{
	if (zone == NULL)
		return NULL;
	free(zone->name);
	free(zone->known);
	g_time_zone_unref(zone->tz);
	free(zone);
	return NULL;
}

struct zones *zones_free(struct zones *zones)
{
	if (zones == NULL)
		return NULL;
	for (int i = 0; i < BUCKETS; i++)
		for (struct zone *zone = zones->buckets[i], *next; zone != NULL; zone = next) {
			next = zone->next;
			(void)zone_free(zone);
		}
	(void)zone_free(zones->host);
	free(zones);
	return NULL;
}

static const char *zone_directory(void)
{
	const char *dir = getenv("TZDIR"); /* GLib reads it too */
	return dir != NULL && *dir != '\0' ? dir : "/usr/share/zoneinfo";
}

/*
 * What tzdata and Debian keep beside the zones in the same format: the host's own setting, a
 * default for POSIX rules, the zone of a machine whose clock nobody has set. None of them says
 * where a customer is, and `localtime` would change its meaning with the machine. `posix/` and
 * `right/` are copies of all zones; `right/` counts leap seconds and would be 27 s off.
 */
static bool is_no_place(const char *name)
{
	static const char *const names[] = {"localtime", "posixrules", "Factory"};
	static const char *const folders[] = {"posix/", "right/"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
		if (strncmp(name, folders[i], strlen(folders[i])) == 0)
			return true;
	return false;
}

/* An IANA name looks like a relative path of words. */
static bool is_name(const char *name)
{
	static const char chars[] =
	        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";
	size_t len = strlen(name);
	return len > 0 && len < 100 && strspn(name, chars) == len && name[0] != '/' &&
	       name[len - 1] != '/' && strstr(name, "//") == NULL && !is_no_place(name);
}

/* The rule in a file's last line ends its second name with a bare 0:
 * "IST-1GMT0,M10.5.0,M3.5.0/1". */
static bool rule_misread(FILE *file)
{
	char tail[64] = "";
	if (fseek(file, -(long)sizeof tail + 1, SEEK_END) != 0)
		return false;
	size_t n = fread(tail, 1, sizeof tail - 1, file);
	const char *rule = n > 1 ? memrchr(tail, '\n', n - 1) : NULL;
	const char *comma = rule != NULL ? strchr(rule, ',') : NULL;
	return comma != NULL && comma - rule > 2 && comma[-1] == '0' &&
	       (g_ascii_isalpha(comma[-2]) || comma[-2] == '>');
}

/* GLib would also take offsets and POSIX rules for a name, and a directory's other files for a
 * zone. */
static bool is_zone_file(const char *name, bool *ret_table_only)
{
	static const char magic[] = {'T', 'Z', 'i', 'f'};
	char path[512], head[sizeof magic];
	int n = snprintf(path, sizeof path, "%s/%s", zone_directory(), name);
	FILE *file = n > 0 && (size_t)n < sizeof path ? fopen(path, "rbe") : NULL;
	if (file == NULL)
		return false;
	bool ok = fread(head, 1, sizeof head, file) == sizeof head &&
	          memcmp(head, magic, sizeof head) == 0;
	*ret_table_only = ok && rule_misread(file);
	(void)fclose(file);
	return ok;
}

static struct zone *zone_new(const char *name, GTimeZone *tz, bool table_only)
{
	struct zone *zone = mem_alloc(sizeof *zone);
	zone->name = mem_strdup(name);
	zone->tz = tz;
	zone->table_only = table_only;
	zone->known = mem_alloc(KNOWN * sizeof *zone->known);
	for (int i = 0; i < KNOWN; i++)
		zone->known[i] = (struct known){.from_s = 1, .to_s = 0};
	return zone;
}

/* GLib keeps what it has read under the name that it was asked by for as long as anybody holds it,
 * so it is asked by another spelling of the path after each renewal. */
static GTimeZone *read_zone(const struct zones *zones, const char *name)
{
	static const char slashes[] = "////////////////";
	char path[512];
	int n = snprintf(path, sizeof path, "%s/%.*s%s", zone_directory(),
	                 (int)(zones->epoch % sizeof slashes), slashes, name);
	return g_time_zone_new_identifier(
	        zones->epoch > 0 && n > 0 && (size_t)n < sizeof path ? path : name);
}

const struct zone *zone_find(struct zones *zones, const char *name)
{
	struct zone **bucket = &zones->buckets[g_str_hash(name) % BUCKETS];
	for (struct zone *zone = *bucket; zone != NULL; zone = zone->next)
		if (strcmp(zone->name, name) == 0)
			return zone;
	bool table_only;
	if (!is_name(name) || !is_zone_file(name, &table_only))
		return NULL;
	GTimeZone *tz = read_zone(zones, name);
	if (tz == NULL)
		return NULL;
	struct zone *zone = zone_new(name, tz, table_only);
	zone->next = *bucket;
	*bucket = zone;
	return zone;
}

/* /etc/localtime may be a copy that has no name; then GLib's name for it is the path. */
const struct zone *zone_host(struct zones *zones)
{
	if (zones->host == NULL) {
		GTimeZone *tz = g_time_zone_new_local();
		const char *name = g_time_zone_get_identifier(tz);
		bool table_only = false;
		(void)(is_name(name) && is_zone_file(name, &table_only));
		zones->host = zone_new(name, tz, table_only);
	}
	return zones->host;
}

const char *zone_name(const struct zone *zone)
{
	return zone->name;
}

enum { MINUTE_S = 60, DAY_S = 24 * 60 * 60 };

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static int stretch_at(const struct zone *zone, int64_t utc_s)
{
	const int64_t table_end = INT64_C(2145916800);  /* 2038-01-01 */
	const int64_t cycle_s = INT64_C(10227) * DAY_S; /* 28 years */
	if (zone->table_only && utc_s >= table_end)
		utc_s -= ((utc_s - table_end) / cycle_s + 1) * cycle_s;
	for (int i = 0; i < KNOWN; i++)
		if (utc_s >= zone->known[i].from_s && utc_s <= zone->known[i].to_s)
			return zone->known[i].stretch;
	int stretch = g_time_zone_find_interval(zone->tz, G_TIME_TYPE_UNIVERSAL, utc_s);
	struct known *known = &zone->known[(unsigned)stretch % KNOWN];
	if (known->from_s > known->to_s || known->stretch != stretch)
		*known = (struct known){.from_s = utc_s, .to_s = utc_s, .stretch = stretch};
	known->from_s = utc_s < known->from_s ? utc_s : known->from_s;
	known->to_s = utc_s > known->to_s ? utc_s : known->to_s;
	return stretch;
}

static int stretch_offset(const struct zone *zone, int stretch)
{
	return g_time_zone_get_offset(zone->tz, stretch);
}

int zone_offset_s(const struct zone *zone, struct instant at)
{
	return stretch_offset(zone, stretch_at(zone, floor_div(at.ms, 1000)));
}

static int64_t wall_s(const struct zone *zone, struct instant at)
{
	return floor_div(at.ms, 1000) + zone_offset_s(zone, at);
}

struct day zone_day(const struct zone *zone, struct instant at)
{
	return (struct day){(int32_t)floor_div(wall_s(zone, at), DAY_S)};
}

int zone_minute(const struct zone *zone, struct instant at)
{
	int64_t wall = wall_s(zone, at);
	return (int)((wall - floor_div(wall, DAY_S) * DAY_S) / MINUTE_S);
}

/* The second at which the stretch that holds at `low` has ended; it ends before `high`. */
static int64_t stretch_end(const struct zone *zone, int64_t low, int64_t high)
{
	int stretch = stretch_at(zone, low);
	while (high - low > 1) {
		int64_t middle = low + (high - low) / 2;
		if (stretch_at(zone, middle) == stretch)
			low = middle;
		else
			high = middle;
	}
	return high;
}

/* Walks the stretches near the wall time; GLib doesn't say where one ends, so that is searched
 * for. */
static int64_t wall_to_utc(const struct zone *zone, int64_t wall, enum zone_choice choice)
{
	enum { FARTHEST_S = 17 * 60 * 60 }; /* no place was ever farther from UTC */
	int64_t begin = wall - FARTHEST_S, last = wall + FARTHEST_S, found = INT64_MIN;
	int last_stretch = stretch_at(zone, last);
	for (;;) {
		int stretch = stretch_at(zone, begin);
		int64_t end = stretch == last_stretch ? last + 1 : stretch_end(zone, begin, last);
		int64_t utc = wall - stretch_offset(zone, stretch);
		if (utc < begin && found == INT64_MIN)
			return begin; /* skipped by the change at `begin` */
		if (utc >= begin && utc < end) {
			if (choice == ZONE_FIRST || found != INT64_MIN)
				return utc;
			found = utc;
		}
		if (stretch == last_stretch)
			break;
		begin = end;
	}
	if (found == INT64_MIN)
		bug("zone %s has no place for a wall time", zone->name);
	return found;
}

struct instant zone_instant(const struct zone *zone, struct day day, int minute,
                            enum zone_choice choice)
{
	int64_t wall = (int64_t)day.n * DAY_S + (int64_t)minute * MINUTE_S;
	return (struct instant){wall_to_utc(zone, wall, choice) * 1000};
}

struct instant zone_day_start(const struct zone *zone, struct day day)
{
	return zone_instant(zone, day, 0, ZONE_FIRST);
}
