/* SPDX-License-Identifier: MIT */
/* The clock changes that break naive code, by name; tests/system/test_hours.py covers all zones by
 * chance. */
#include "base/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *zone, *day;
	int minute;
	const char *first, *second; /* in UTC */
	const char *why;
} cases[] = {
        {"UTC", "2026-03-05", 600, "2026-03-05T10:00:00Z", "2026-03-05T10:00:00Z", "no rules"},
        {"Asia/Kathmandu", "2026-03-05", 0, "2026-03-04T18:15:00Z", "2026-03-04T18:15:00Z",
         "+05:45"},
        {"America/Denver", "2026-03-08", 120, "2026-03-08T09:00:00Z", "2026-03-08T09:00:00Z",
         "skipped"},
        {"America/Denver", "2026-03-08", 150, "2026-03-08T09:00:00Z", "2026-03-08T09:00:00Z",
         "skipped"},
        {"America/Denver", "2026-03-08", 180, "2026-03-08T09:00:00Z", "2026-03-08T09:00:00Z",
         "just after"},
        {"America/Denver", "2026-03-08", 119, "2026-03-08T08:59:00Z", "2026-03-08T08:59:00Z",
         "just before"},
        {"America/Denver", "2026-11-01", 60, "2026-11-01T07:00:00Z", "2026-11-01T08:00:00Z",
         "twice"},
        {"America/Denver", "2026-11-01", 119, "2026-11-01T07:59:00Z", "2026-11-01T08:59:00Z",
         "twice"},
        {"America/Denver", "2026-11-01", 120, "2026-11-01T09:00:00Z", "2026-11-01T09:00:00Z",
         "just after"},
        {"Europe/Dublin", "2026-10-25", 90, "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z",
         "winter is the zone's daylight time"},
        {"Europe/Dublin", "2026-03-29", 90, "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z",
         "skipped"},
        {"Australia/Lord_Howe", "2026-10-04", 135, "2026-10-03T15:30:00Z", "2026-10-03T15:30:00Z",
         "half an hour skipped"},
        {"Australia/Lord_Howe", "2026-04-05", 105, "2026-04-04T14:45:00Z", "2026-04-04T15:15:00Z",
         "half an hour twice"},
        {"Australia/Lord_Howe", "2026-04-05", 60, "2026-04-04T14:00:00Z", "2026-04-04T14:00:00Z",
         "before the half hour"},
        {"Pacific/Apia", "2011-12-30", 0, "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z",
         "the missing day"},
        {"Pacific/Apia", "2011-12-30", 1020, "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z",
         "the missing day"},
        {"Pacific/Apia", "2011-12-31", 0, "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z",
         "the day after"},
        {"Pacific/Apia", "2011-12-29", 1800, "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z",
         "6:00 of the missing day"},
        {"America/Sao_Paulo", "2018-11-04", 0, "2018-11-04T03:00:00Z", "2018-11-04T03:00:00Z",
         "no midnight"},
        {"America/Sao_Paulo", "2018-11-04", 59, "2018-11-04T03:00:00Z", "2018-11-04T03:00:00Z",
         "no midnight"},
        {"America/Sao_Paulo", "2018-02-17", 1410, "2018-02-18T01:30:00Z", "2018-02-18T02:30:00Z",
         "23:30 twice"},
        {"America/Sao_Paulo", "2018-02-18", 0, "2018-02-18T03:00:00Z", "2018-02-18T03:00:00Z",
         "one midnight only"},
        {"Africa/Cairo", "2026-04-24", 0, "2026-04-23T22:00:00Z", "2026-04-23T22:00:00Z",
         "no midnight"},
        {"Asia/Beirut", "2026-03-29", 30, "2026-03-28T22:00:00Z", "2026-03-28T22:00:00Z",
         "no midnight"},
        {"America/Havana", "2026-03-08", 0, "2026-03-08T05:00:00Z", "2026-03-08T05:00:00Z",
         "no midnight"},
        {"America/Havana", "2026-11-01", 0, "2026-11-01T04:00:00Z", "2026-11-01T05:00:00Z",
         "midnight twice"},
        {"America/Havana", "2026-10-31", 1440, "2026-11-01T04:00:00Z", "2026-11-01T05:00:00Z",
         "24:00 twice"},
        {"Africa/Casablanca", "2026-02-15", 150, "2026-02-15T01:30:00Z", "2026-02-15T02:30:00Z",
         "back before Ramadan"},
        {"Africa/Casablanca", "2026-03-22", 150, "2026-03-22T02:00:00Z", "2026-03-22T02:00:00Z",
         "on after Ramadan"},
        {"Antarctica/Troll", "2026-03-29", 120, "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z",
         "two hours skipped"},
        {"Antarctica/Troll", "2026-10-25", 90, "2026-10-24T23:30:00Z", "2026-10-25T01:30:00Z",
         "two hours twice"},
        {"America/St_Johns", "2007-11-03", 1430, "2007-11-04T02:20:00Z", "2007-11-04T03:20:00Z",
         "back at a minute past midnight"},
        {"Europe/Dublin", "2038-01-01", 0, "2038-01-01T00:00:00Z", "2038-01-01T00:00:00Z",
         "GLib reads the rule behind the table wrongly"},
        {"Europe/Dublin", "2050-07-01", 720, "2050-07-01T11:00:00Z", "2050-07-01T11:00:00Z",
         "the same"},
        {"Europe/Dublin", "2066-12-01", 720, "2066-12-01T12:00:00Z", "2066-12-01T12:00:00Z",
         "the same"},
        {"Europe/Berlin", "2050-07-01", 720, "2050-07-01T10:00:00Z", "2050-07-01T10:00:00Z",
         "beyond the table"},
};

static struct zones *zones;

static const struct zone *zone(const char *name)
{
	const struct zone *found = zone_find(zones, name);
	assert_non_null(found);
	return found;
}

static void assert_instant(struct instant got, const char *want, const char *what, const char *why)
{
	char text[INSTANT_TEXT_MAX];
	if (strcmp(instant_format(got, 0, text), want) != 0)
		fail_msg("%s (%s): %s, not %s", what, why, text, want);
}

static void wall_times_find_their_instants(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct zone *z = zone(cases[i].zone);
		struct day day;
		assert_true(day_parse(cases[i].day, &day));
		assert_instant(zone_instant(z, day, cases[i].minute, ZONE_FIRST), cases[i].first,
		               cases[i].zone, cases[i].why);
		assert_instant(zone_instant(z, day, cases[i].minute, ZONE_SECOND), cases[i].second,
		               cases[i].zone, cases[i].why);
	}
}

static void a_day_knows_its_instants(void **state)
{
	(void)state;
	struct instant t;
	struct day day;
	char text[DAY_TEXT_MAX];
	assert_true(instant_parse("2026-11-01T05:30:59.999Z", &t));
	assert_string_equal(day_format(zone_day(zone("America/Havana"), t), text), "2026-11-01");
	assert_int_equal(zone_minute(zone("America/Havana"), t), 30);
	assert_int_equal(zone_offset_s(zone("America/Havana"), t), -5 * 3600);
	assert_true(instant_parse("2011-12-30T09:59:59.999Z", &t));
	assert_string_equal(day_format(zone_day(zone("Pacific/Apia"), t), text), "2011-12-29");
	assert_int_equal(zone_minute(zone("Pacific/Apia"), t), 1439);
	assert_string_equal(day_format(zone_day(zone("Pacific/Apia"), instant_add(t, 1)), text),
	                    "2011-12-31");
	assert_true(instant_parse("1969-12-31T23:59:59.500Z", &t));
	assert_string_equal(day_format(zone_day(zone("UTC"), t), text), "1969-12-31");
	assert_true(day_parse("2011-12-30", &day));
	assert_instant(zone_day_start(zone("Pacific/Apia"), day), "2011-12-30T10:00:00Z", "Apia",
	               "day start");
}

static void only_names_of_the_database_count(void **state)
{
	(void)state;
	static const char *const bad[] = {
	        "",
	        "Mars/Olympus",
	        "america/denver",
	        "+05:00",
	        "Z",
	        "EST5EDT4,M3.2.0,M11.1.0",
	        "../zoneinfo/UTC",
	        "/usr/share/zoneinfo/UTC",
	        "America",
	        "zone.tab",
	        "America/",
	        "right/UTC",
	        "posix/UTC",
	        "UTC\n",
	        "America//Denver",
	        "tzdata.zi",
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (zone_find(zones, bad[i]) != NULL)
			fail_msg("\"%s\" is taken for a zone", bad[i]);
	assert_ptr_equal(zone("America/Denver"), zone("America/Denver"));
	assert_string_equal(zone_name(zone("America/Argentina/Buenos_Aires")),
	                    "America/Argentina/Buenos_Aires");
	assert_non_null(zone_find(zones, "Etc/GMT+5"));
}

static void the_host_has_a_zone(void **state)
{
	(void)state;
	struct zones *own = zones_new();
	assert_int_equal(setenv("TZ", "Asia/Tokyo", 1), 0);
	assert_int_equal(zone_offset_s(zone_host(own), (struct instant){0}), 9 * 3600);
	assert_string_equal(zone_name(zone_host(own)), "Asia/Tokyo");
	assert_ptr_equal(zone_host(own), zone_host(own));
	own = zones_free(own);
	assert_int_equal(setenv("TZ", "No/Where", 1), 0);
	own = zones_new();
	assert_int_equal(zone_offset_s(zone_host(own), (struct instant){0}), 0);
	assert_int_equal(unsetenv("TZ"), 0);
	assert_null(zones_free(own));
	assert_null(zones_free(NULL));
}

static void copy_zone(const char *from, const char *directory)
{
	char command[256];
	(void)snprintf(command, sizeof command,
	               "mkdir -p %s/Test && cp -L /usr/share/zoneinfo/%s %s/Test/Zone", directory,
	               from, directory);
	assert_int_equal(system(command), 0);
}

/* Also while another thread's cache still holds what was read before. */
static void a_renewal_rereads_the_files(void **state)
{
	(void)state;
	char directory[] = "/tmp/dispatchd-zones-XXXXXX", command[64];
	assert_non_null(mkdtemp(directory));
	copy_zone("Asia/Tokyo", directory);
	assert_int_equal(setenv("TZDIR", directory, 1), 0);
	struct zones *before = zones_new();
	assert_int_equal(zone_offset_s(zone_find(before, "Test/Zone"), (struct instant){0}),
	                 9 * 3600);
	copy_zone("Asia/Kathmandu", directory);
	assert_false(zones_stale(before));
	for (int i = 0; i < 3; i++) {
		zones_renew();
		assert_true(zones_stale(before));
		struct zones *after = zones_new();
		assert_false(zones_stale(after));
		const struct zone *zone = zone_find(after, "Test/Zone");
		assert_int_equal(zone_offset_s(zone, (struct instant){1000000000000}), 20700);
		assert_string_equal(zone_name(zone), "Test/Zone");
		assert_null(zone_find(after, "Test/None"));
		zones_free(after);
	}
	zones_free(before);
	assert_int_equal(unsetenv("TZDIR"), 0);
	(void)snprintf(command, sizeof command, "rm -r %s", directory);
	assert_int_equal(system(command), 0);
}

static void times_are_read_as_others_write_them(void **state)
{
	(void)state;
	static const struct {
		const char *text, *want; /* NULL: refused */
	} times[] = {
	        {"2026-03-05T10:14Z", "2026-03-05T10:14:00Z"},
	        {"2026-03-05t10:14z", "2026-03-05T10:14:00Z"},
	        {"2026-03-05 10:14+01:00", "2026-03-05T09:14:00Z"},
	        {"2026-03-05T10:14:30+0000", "2026-03-05T10:14:30Z"},
	        {"2026-03-05T10:14:30.5-0730", "2026-03-05T17:44:30.500Z"},
	        {"2026-03-05T10:14-0700", "2026-03-05T17:14:00Z"},
	        {"2026-03-05 10:14:30.123456+00", "2026-03-05T10:14:30.123Z"},
	        {"2026-03-05T10:14:30,25Z", "2026-03-05T10:14:30.250Z"},
	        {"2026-03-05T10:14:30.123456789Z", "2026-03-05T10:14:30.123Z"},
	        {"2026-12-31T23:59:60Z", "2027-01-01T00:00:00Z"},
	        {"2026-12-31T23:59:60.9+0000", "2027-01-01T00:00:00Z"},
	        {"2026-03-05T10:14:30-00:00", "2026-03-05T10:14:30Z"},
	        {"2026-03-05T10:14", NULL},
	        {"2026-03-05T10:14:30", NULL},
	        {"2026-03-05T10:14:30.5", NULL},
	        {"2026-03-05T10Z", NULL},
	        {"2026-03-05T10:14.5Z", NULL},
	        {"2026-03-05T10:14:Z", NULL},
	        {"2026-03-05T10:14:30.Z", NULL},
	        {"2026-03-05T10:60Z", NULL},
	        {"2026-03-05T24:00Z", NULL},
	        {"2026-03-05T10:14:61Z", NULL},
	        {"2026-03-05T10:14+", NULL},
	        {"2026-03-05T10:14+1", NULL},
	        {"2026-03-05T10:14+000", NULL},
	        {"2026-03-05T10:14+01:", NULL},
	        {"2026-03-05T10:14+01:0", NULL},
	        {"2026-03-05T10:14+2400", NULL},
	        {"2026-03-05T10:14+0060", NULL},
	        {"2026-03-05T10:14+00000", NULL},
	        {"2026-03-05T10:14ZZ", NULL},
	        {"2026-03-05T10:14 +0000", NULL},
	        {"2026-03-05", NULL},
	        {"20260305T101430Z", NULL},
	        {"", NULL},
	};
	for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
		struct instant t = {7};
		bool ok = instant_parse(times[i].text, &t);
		if (ok != (times[i].want != NULL))
			fail_msg("%s %s", times[i].text, ok ? "is taken" : "is refused");
		if (ok)
			assert_instant(t, times[i].want, times[i].text, "");
		else
			assert_int_equal(t.ms, 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(wall_times_find_their_instants),
	        cmocka_unit_test(a_day_knows_its_instants),
	        cmocka_unit_test(times_are_read_as_others_write_them),
	        cmocka_unit_test(only_names_of_the_database_count),
	        cmocka_unit_test(the_host_has_a_zone),
	        cmocka_unit_test(a_renewal_rereads_the_files),
	};
	zones = zones_new();
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	zones = zones_free(zones);
	return failed;
}
