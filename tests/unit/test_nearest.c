/* SPDX-License-Identifier: MIT */
#include "base/nearest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *find(const char *typed)
{
	static const char *const known[] = {"customer", "contact",     "hours",
	                                    "suspend",  "suspensions", "mail"};
	struct nearest nearest = {.typed = typed};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		nearest_try(&nearest, known[i]);
	return nearest.name ? nearest.name : "-";
}

static void test_slips(void **state)
{
	(void)state;
	assert_string_equal(find("custmer"), "customer");
	assert_string_equal(find("cutsomer"), "customer");
	assert_string_equal(find("hour"), "hours");
	assert_string_equal(find("mial"), "mail");
	assert_string_equal(find("suspension"), "suspensions");
	assert_string_equal(find("cust"), "customer");
}

static void test_nothing_near(void **state)
{
	(void)state;
	assert_string_equal(find(""), "-");
	assert_string_equal(find("x"), "-");
	assert_string_equal(find("template"), "-");
	char huge[200];
	memset(huge, 'm', sizeof huge - 1);
	huge[sizeof huge - 1] = '\0';
	assert_string_equal(find(huge), "-");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_slips),
	                                   cmocka_unit_test(test_nothing_near)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
