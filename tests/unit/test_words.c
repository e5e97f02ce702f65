/* SPDX-License-Identifier: MIT */
#include "model/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void states_round_trip(void **state)
{
	(void)state;
	for (int i = 0; i < JOB_STATE_COUNT; i++) {
		char type[40];
		assert_int_equal(job_state_find(job_state_name((enum job_state)i)), i);
		(void)snprintf(type, sizeof type, "job.%s", job_state_name((enum job_state)i));
		assert_string_equal(job_state_type((enum job_state)i), type);
	}
	assert_string_equal(job_state_name(JOB_NONE), "");
	assert_string_equal(job_state_type(JOB_NONE), "");
	assert_int_equal(job_state_find(""), JOB_NONE);
	assert_int_equal(job_state_find("job.paused"), JOB_NONE);
	assert_string_equal(job_state_type(JOB_CANCELLED), "job.cancelled");
	unsigned by_default;
	char text[JOB_STATES_TEXT_MAX];
	assert_true(states_parse(job_states_default, &by_default));
	assert_int_equal(by_default, JOB_NOTIFY_ALL & ~JOB_BIT(JOB_CANCELLED));
	assert_string_equal(job_states_join("job.", ", ", " or ", text),
	                    "job.dispatched, job.started, job.completed, job.failed, job.paused or "
	                    "job.cancelled");
}

static void words_round_trip(void **state)
{
	(void)state;
	for (int i = 1; i < STATUS_COUNT; i++) {
		assert_true(status_name((enum status)i)[0] != '\0');
		assert_int_equal(status_find(status_name((enum status)i)), i);
	}
	for (int i = 1; i < REASON_COUNT; i++) {
		assert_true(reason_name((enum reason)i)[0] != '\0');
		assert_int_equal(reason_find(reason_name((enum reason)i)), i);
	}
	assert_string_equal(status_name(STATUS_NONE), "");
	assert_string_equal(reason_name(REASON_NONE), "");
	assert_int_equal(status_find("Queued"), STATUS_NONE);
	assert_int_equal(reason_find(""), REASON_NONE);
}

static void sets_are_comma_lists(void **state)
{
	(void)state;
	char text[WORDS_TEXT_MAX];
	unsigned set = 99;
	assert_true(scopes_parse("emails,jobs", &set));
	assert_int_equal(set, SCOPE_EMAILS | SCOPE_JOBS);
	assert_string_equal(scopes_format(set, text), "jobs,emails");
	assert_string_equal(scopes_format(SCOPE_ALL, text), "jobs,routes,emails");
	assert_string_equal(scopes_format(0, text), "");
	assert_true(states_parse("failed, dispatched", &set));
	assert_int_equal(set, JOB_BIT(JOB_FAILED) | JOB_BIT(JOB_DISPATCHED));
	assert_string_equal(states_format(set, text), "dispatched,failed");
	assert_true(states_parse("all", &set));
	assert_int_equal(set, JOB_NOTIFY_ALL);
	assert_string_equal(states_format(set, text),
	                    "dispatched,started,completed,failed,paused,cancelled");
	assert_true(states_parse("none", &set));
	assert_int_equal(set, 0);
	assert_string_equal(states_format(set, text), "none");
}

static void bad_sets_change_nothing(void **state)
{
	(void)state;
	static const char *const bad[] = {"",      ",",          "jobs,", ",jobs", "jobs,,emails",
	                                  "mails", "jobs emails"};
	unsigned set = 99;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_false(scopes_parse(bad[i], &set));
		assert_int_equal(set, 99);
	}
	assert_false(states_parse("", &set));
	assert_false(states_parse("all,failed", &set));
	assert_false(states_parse("fail", &set));
	assert_int_equal(set, 99);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(states_round_trip),
	        cmocka_unit_test(words_round_trip),
	        cmocka_unit_test(sets_are_comma_lists),
	        cmocka_unit_test(bad_sets_change_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
