/* SPDX-License-Identifier: MIT */
#include "records/actor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sysexits.h>

#include <cmocka.h>

static const char *const managers[] = {"robin", NULL};

static void test_who_acts(void **state)
{
	struct {
		struct identity identity;
		int code;
		const char *user;
		bool manager;
	} cases[] = {
	        {{.login = "kim", .managers = managers}, 0, "kim", false},
	        {{.login = "robin", .managers = managers}, 0, "robin", true},
	        {{.login = "root", .owner = true}, 0, "root", true},
	        {{.login = "robin", .as = "kim", .managers = managers}, 0, "kim", true},
	        {{.login = "kim", .as = "robin", .managers = managers}, EX_NOPERM, NULL, false},
	        {{.login = "kim", .as = "kim"}, EX_NOPERM, NULL, false},
	        {{.login = "root", .as = "", .owner = true}, EX_USAGE, NULL, false},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct actor actor = {0};
		struct error err = {0};
		bool good = actor_decide(&cases[i].identity, &actor, &err);
		assert_int_equal(good ? 0 : err.code, cases[i].code);
		assert_int_equal(actor.manager, cases[i].manager);
		if (good)
			assert_string_equal(actor.user, cases[i].user);
		else
			assert_null(actor.user);
	}
}

static void test_managers_work(void **state)
{
	struct error err = {0};
	(void)state;
	assert_true(actor_needs_manager(&(struct actor){.user = "robin", .manager = true}, "merge",
	                                &err));
	assert_false(actor_needs_manager(&(struct actor){.user = "kim"}, "merge", &err));
	assert_int_equal(err.code, EX_NOPERM);
	assert_string_equal(err.text, "merge: only a manager may do that");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_who_acts),
	        cmocka_unit_test(test_managers_work),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
