/* SPDX-License-Identifier: MIT */
/* How often what anybody may ask is answered: by client, for all, minute by minute. */
#include "center/pages/rate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

enum { MINUTE_MS = 60 * 1000 };
static const struct instant begin = {.ms = INT64_C(29000000) * MINUTE_MS};

static unsigned count_taken(struct rate *rate, const char *client, struct instant now, unsigned n)
{
	unsigned taken = 0;
	while (n-- > 0)
		taken += rate_take(rate, client, now);
	return taken;
}

static void a_client_has_so_many_a_minute(void **state)
{
	(void)state;
	struct rate rate = RATE_INIT(3, 100);
	assert_int_equal(count_taken(&rate, "192.0.2.1", begin, 5), 3);
	assert_int_equal(count_taken(&rate, "192.0.2.1", instant_add(begin, MINUTE_MS - 1), 5), 0);
	assert_int_equal(count_taken(&rate, "192.0.2.1", instant_add(begin, MINUTE_MS), 5), 3);
}

static void another_client_has_its_own(void **state)
{
	(void)state;
	struct rate rate = RATE_INIT(3, 100);
	assert_int_equal(count_taken(&rate, "192.0.2.1", begin, 5), 3);
	assert_int_equal(count_taken(&rate, "192.0.2.2", begin, 5), 3);
	assert_int_equal(count_taken(&rate, "2001:db8::1", begin, 5), 3);
}

static void all_together_have_so_many(void **state)
{
	(void)state;
	struct rate rate = RATE_INIT(3, 100);
	unsigned taken = 0;
	char client[32];
	for (unsigned i = 0; i < 200; i++) {
		(void)snprintf(client, sizeof client, "198.51.100.%u", i);
		taken += rate_take(&rate, client, begin);
	}
	assert_int_equal(taken, 100);
	assert_int_equal(count_taken(&rate, "192.0.2.1", instant_add(begin, MINUTE_MS), 1), 1);
}

static void what_is_refused_counts_for_nobody(void **state)
{
	(void)state;
	struct rate rate = RATE_INIT(1, 3);
	assert_int_equal(count_taken(&rate, "192.0.2.1", begin, 50), 1);
	assert_int_equal(count_taken(&rate, "192.0.2.2", begin, 1), 1);
	assert_int_equal(count_taken(&rate, "192.0.2.3", begin, 1), 1);
	assert_int_equal(count_taken(&rate, "192.0.2.4", begin, 1), 0);
}

/* Behind a proxy that doesn't say who asks. */
static void unknown_clients_count_for_all_alone(void **state)
{
	(void)state;
	struct rate rate = RATE_INIT(2, 10);
	assert_int_equal(count_taken(&rate, "", begin, 20), 10);
	assert_int_equal(count_taken(&rate, "192.0.2.1", begin, 1), 0);
}

/* A clock that is set back begins a minute, too: nobody is shut out until it has caught up. */
static void a_clock_set_back_shuts_nobody_out(void **state)
{
	(void)state;
	struct rate rate = RATE_INIT(2, 10);
	assert_int_equal(count_taken(&rate, "192.0.2.1", begin, 5), 2);
	assert_int_equal(count_taken(&rate, "192.0.2.1", instant_add(begin, -3600 * 1000), 5), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_client_has_so_many_a_minute),
	        cmocka_unit_test(another_client_has_its_own),
	        cmocka_unit_test(all_together_have_so_many),
	        cmocka_unit_test(what_is_refused_counts_for_nobody),
	        cmocka_unit_test(unknown_clients_count_for_all_alone),
	        cmocka_unit_test(a_clock_set_back_shuts_nobody_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
