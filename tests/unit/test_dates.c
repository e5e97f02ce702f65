/* SPDX-License-Identifier: MIT */
/* Times as people read them: the reader's zone, language and the style asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "template/dates.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *locale, *timezone, *text, *expected;
} cases[] = {
        {"", "", "2026-12-24T14:30:00Z", "Thursday, 24 December 2026, 14:30"},
        {"", "", "2026-12-24T14:30:00-07:00", "Thursday, 24 December 2026, 14:30"},
        {"", "", "2026-12-24T14:30:00.123+05:45", "Thursday, 24 December 2026, 14:30"},
        {"", "UTC", "2026-12-24T14:30:00-07:00", "Thursday, 24 December 2026, 21:30"},
        {"", "America/Denver", "2026-12-24T14:30:00Z", "Thursday, 24 December 2026, 07:30"},
        {"", "America/Denver", "2026-07-01T14:30:00Z", "Wednesday, 1 July 2026, 08:30"},
        {"", "Asia/Tokyo", "2026-12-24T15:30:00Z", "Friday, 25 December 2026, 00:30"},
        {"", "Nowhere/Land", "2026-12-24T14:30:00+02:00", "Thursday, 24 December 2026, 14:30"},
        /* zones in which ICU's own data is years behind the system's */
        {"", "Africa/Cairo", "2026-07-15T12:00:00Z", "Wednesday, 15 July 2026, 15:00"},
        {"", "Asia/Almaty", "2026-07-15T12:00:00Z", "Wednesday, 15 July 2026, 17:00"},
        {"", "America/Ciudad_Juarez", "2026-07-15T12:00:00Z", "Wednesday, 15 July 2026, 06:00"},
        /* styles */
        {"", "", "2026-12-24T14:30:00Z|full", "Thursday, 24 December 2026, 14:30"},
        {"", "", "2026-12-24T14:30:00Z|time", "14:30"},
        {"", "", "2026-12-24T14:30:00Z|day", "Thursday, 24 December 2026"},
        {"", "", "2026-12-24T14:30:00Z|short", "24 Dec 2026, 14:30"},
        {"", "", "2026-12-24", "Thursday, 24 December 2026"},
        {"", "Pacific/Auckland", "2026-12-24|time", "Thursday, 24 December 2026"},
        /* languages */
        {"en-GB", "", "2026-12-24T14:30:00Z|time", "14:30"},
        {"en-US", "", "2026-12-24T14:30:00Z|time", "2:30 PM"},
        {"fr", "", "2026-12-24T14:30:00Z|day",
         "jeudi 24 d\xc3\xa9"
         "cembre 2026"},
        {"fr-CA", "", "2026-12-24T14:30:00Z|time", "14 h 30"},
        {"fr_CA", "", "2026-12-24T14:30:00Z|time", "14 h 30"},
        {"de", "", "2026-12-24T14:30:00Z|day", "Donnerstag, 24. Dezember 2026"},
        {"es", "", "2026-12-24T14:30:00Z|day", "jueves, 24 de diciembre de 2026"},
        {"x y \xff z", "", "2026-12-24T14:30:00Z|time", "14:30"},
        {"averyveryverylongnamethatcanbenolocaleanywhere", "", "2026-12-24T14:30:00Z|time",
         "14:30"},
        /* no times */
        {"", "", "", ""},
        {"", "", "tomorrow", "tomorrow"},
        {"", "", "tomorrow|time", "tomorrow"},
        {"", "", "2026-12-24T14:30:00Z|colour", "2026-12-24T14:30:00Z|colour"},
        {"", "", "2026-13-24T14:30:00Z", "2026-13-24T14:30:00Z"},
        {"", "", "2026-02-30", "2026-02-30"},
        {"", "", "a|b|time", "a|b"},
        {"", "", "|", "|"},
        {"", "",
         "2026-12-24T14:30:00Z and a long text behind it that is no time at all, not even nearly",
         "2026-12-24T14:30:00Z and a long text behind it that is no time at all, not even nearly"},
};

static void check_all(struct dates *dates)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct dates_reader reader = {
		        .dates = dates, .locale = cases[i].locale, .timezone = cases[i].timezone};
		struct buf out = {0};
		dates_helper(&reader, cases[i].text, &out);
		assert_string_equal(buf_text(&out), cases[i].expected);
		buf_free(&out);
	}
}

static void every_case(void **state)
{
	(void)state;
	struct dates *dates = dates_new();
	check_all(dates);
	dates_free(dates);
}

static void again_from_the_cache(void **state)
{
	(void)state;
	struct dates *dates = dates_new();
	for (int i = 0; i < 20; i++)
		check_all(dates);
	dates_free(dates);
}

static void *run(void *arg)
{
	struct dates_reader reader = {
	        .dates = dates_new(), .locale = "fr", .timezone = "Europe/Paris"};
	struct buf *out = arg;
	for (int i = 0; i < 200; i++) {
		buf_reset(out);
		dates_helper(&reader, "2026-12-24T14:30:00Z|time", out);
	}
	dates_free(reader.dates);
	return NULL;
}

static void threads_have_their_own(void **state)
{
	(void)state;
	enum { THREADS = 4 };
	pthread_t threads[THREADS];
	struct buf outs[THREADS] = {{0}};
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run, &outs[i]), 0);
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_string_equal(buf_text(&outs[i]), "15:30");
		buf_free(&outs[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_case),
	        cmocka_unit_test(again_from_the_cache),
	        cmocka_unit_test(threads_have_their_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
