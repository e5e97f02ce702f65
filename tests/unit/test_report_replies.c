/* SPDX-License-Identifier: MIT */
/* What mail servers reply, line by line from reply-cases.txt, and what becomes of the address. */
#include "mail/report_judge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define CASES "tests/unit/reply-cases.txt"

enum { CASES_MIN = 300 };

static enum mail_report_stage stage_named(const char *name)
{
	for (int i = 1; i < MAIL_REPORT_STAGES; i++)
		if (strcmp(name, mail_report_stage_name((enum mail_report_stage)i)) == 0)
			return (enum mail_report_stage)i;
	assert_string_equal(name, "-");
	return MAIL_REPORT_STAGE_UNKNOWN;
}

/* Whether the verdict is the line's. */
static bool agrees(const char *verdict, const char *stage, const char *words, int line)
{
	struct arena *arena = arena_new();
	struct mail_report_code code = {0};
	const char *why;
	(void)mail_report_code_find(words, &code);
	const char *ours = mail_report_verdict_name(
	        mail_report_judge(&code, stage_named(stage), true, words, arena, &why));
	bool same = strcmp(ours, verdict) == 0;
	if (!same)
		print_error("%s:%d: %s for \"%s\", not %s: %s\n", CASES, line, ours, why, verdict,
		            words);
	(void)arena_free(arena);
	return same;
}

static void test_replies(void **state)
{
	char text[1000], verdict[20], stage[20];
	int n = 0, wrong = 0, skip = 0;
	FILE *file = fopen(CASES, "re");
	(void)state;
	assert_non_null(file);
	for (int line = 1; fgets(text, sizeof text, file); line++) {
		text[strcspn(text, "\n")] = '\0';
		if (text[0] == '#' || text[0] == '\0')
			continue;
		assert_int_equal(sscanf(text, "%19s %19s %n", verdict, stage, &skip), 2);
		wrong += !agrees(verdict, stage, text + skip, line);
		n++;
	}
	(void)fclose(file);
	assert_true(n >= CASES_MIN);
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_replies)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
