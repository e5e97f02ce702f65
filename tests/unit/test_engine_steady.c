/* SPDX-License-Identifier: MIT */
/* At the same load for ever the spool's file stays as large as it is: what is purged makes room. */
#include "engine_world.h"
#include "tables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

enum { DAY_MS = 86400000, KEEP_DAYS = 2, A_DAY = 120 };

static struct world *w;

static int setup(void **state)
{
	(void)state;
	w = world_new("2026-06-03T00:00:00Z");
	w->settings.spool.keep_ms = (int64_t)KEEP_DAYS * DAY_MS;
	world_sql(w, "INSERT INTO customer (id, number, name) VALUES (1, '1001', 'Acme');"
	             "INSERT INTO contact (customer, name, email, notify) VALUES (1, 'Ann', "
	             "'ann@example.com', 'completed')");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_free(w);
	return 0;
}

/* Of the file and of what is in the WAL yet. */
static int64_t number_of(const char *sql)
{
	return tables_number(w->settings.spool.path, sql);
}

static void a_day(void)
{
	static int jobs;
	for (int i = 0; i < A_DAY; i++) {
		char job[32];
		(void)snprintf(job, sizeof job, "J%d", ++jobs);
		w->now.ms += DAY_MS / A_DAY;
		world_event(w, "job.completed", job, "1001", NULL, NULL);
		world_deliver(w, DELIVERY_SENT);
	}
}

static void the_file_stays_as_large_as_it_is(void **state)
{
	(void)state;
	for (int day = 0; day < KEEP_DAYS + 2; day++)
		a_day();
	int64_t pages = number_of("PRAGMA page_count"),
	        mails = number_of("SELECT count(*) FROM mail");
	assert_in_range(mails, A_DAY * KEEP_DAYS, A_DAY * (KEEP_DAYS + 1));
	for (int day = 0; day < 6; day++)
		a_day();
	assert_in_range(number_of("SELECT count(*) FROM mail"), A_DAY * KEEP_DAYS,
	                A_DAY * (KEEP_DAYS + 1));
	/* Some pages to and fro, of six days that would have been two and a half times as many. */
	assert_in_range(number_of("PRAGMA page_count"), pages / 2, pages + pages / 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(the_file_stays_as_large_as_it_is, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
