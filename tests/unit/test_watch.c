/* SPDX-License-Identifier: MIT */
/* What the center's watch of the databases tells pages, with a spool of the test's own. */
#include "center/live/watch.h"
#include "spool/spool_pause.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[] = "/tmp/dispatchd-watch-XXXXXX";
static char spool_path[64], customers_path[64];
static struct spool *spool;
static struct settings settings;
static struct watcher *watcher;
static unsigned mails;

static void hear(void *arg, const struct live_event *event)
{
	(void)arg;
	mails += event->topic == LIVE_MAILS;
}

static int setup(void **state)
{
	struct error err;
	(void)state;
	(void)snprintf(folder, sizeof folder, "/tmp/dispatchd-watch-XXXXXX");
	assert_non_null(mkdtemp(folder));
	(void)snprintf(spool_path, sizeof spool_path, "%s/spool.db", folder);
	(void)snprintf(customers_path, sizeof customers_path, "%s/customers.db", folder);
	spool = spool_open(spool_path, DB_WRITE, &err);
	assert_non_null(spool);
	settings = (struct settings){.spool.path = spool_path, .customers.path = customers_path};
	watcher = watcher_new(&settings, hear, NULL);
	(void)watcher_look(watcher);
	mails = 0;
	return 0;
}

static int teardown(void **state)
{
	char file[80];
	static const char *const ends[] = {"", "-wal", "-shm"};
	(void)state;
	watcher = watcher_free(watcher);
	spool = spool_close(spool);
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		(void)snprintf(file, sizeof file, "%s%s", spool_path, ends[i]);
		(void)unlink(file);
	}
	(void)rmdir(folder);
	return 0;
}

static void pause_sending(bool paused)
{
	struct error err;
	const struct spool_pause pause = {.since = {1780000000000}, .by = "sam", .note = "why"};
	assert_true(spool_begin(spool, &err));
	if (paused)
		spool_pause_set(spool, &pause);
	else
		spool_pause_end(spool);
	assert_true(spool_commit(spool, &err));
}

static void nothing_new_tells_nothing(void **state)
{
	(void)state;
	assert_false(watcher_look(watcher));
	assert_int_equal(mails, 0);
}

static void a_pause_and_its_end_are_told(void **state)
{
	(void)state;
	pause_sending(true);
	assert_true(watcher_look(watcher));
	assert_int_equal(mails, 1);
	pause_sending(false);
	assert_true(watcher_look(watcher));
	assert_int_equal(mails, 2);
}

/* A page may have been made in between, and shows the pause. */
static void a_pause_that_ends_before_anybody_looks_is_told(void **state)
{
	(void)state;
	pause_sending(true);
	pause_sending(false);
	assert_true(watcher_look(watcher));
	assert_int_equal(mails, 1);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	        test(nothing_new_tells_nothing),
	        test(a_pause_and_its_end_are_told),
	        test(a_pause_that_ends_before_anybody_looks_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
