/* SPDX-License-Identifier: MIT */
/* The short form of an outcome gives back all its fields, byte by byte. */
#include "spool/outcome_pack.h"

#include "db/fields.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct outcome_head head = {.time = {1780315200123},
                                         .event = "8f2c",
                                         .source = "erp",
                                         .type = "job.completed",
                                         .job = "4711",
                                         .status = "sent",
                                         .reason = "ok",
                                         .mail = 17};

/* Name, value, … NULL, as db/fields.h packs them. */
static struct buf packed(const char *const *pairs)
{
	struct buf pack = {0};
	for (; *pairs != NULL; pairs += 2)
		fields_add(&pack, pairs[0], pairs[1]);
	return pack;
}

static void assert_comes_back(const char *const *facts)
{
	struct buf want = {0}, own = packed(facts), brief = {0}, all = {0};
	const char *const first[] = {"time",     "2026-06-01T12:00:00.123Z",
	                             "event",    "8f2c",
	                             "source",   "erp",
	                             "job",      "4711",
	                             "customer", "1001",
	                             "type",     "job.completed",
	                             "status",   "sent",
	                             "reason",   "ok",
	                             NULL};
	char time[INSTANT_TEXT_MAX];
	for (const char *const *p = first; *p != NULL; p += 2)
		fields_add(&want, p[0], p == first ? instant_format(head.time, 0, time) : p[1]);
	if (own.len > 0)
		buf_add(&want, own.data, own.len);
	outcome_shorten(own.data, own.len, "1001", &head, &brief);
	assert_true(outcome_is_short(brief.data, brief.len));
	assert_false(outcome_is_short(want.data, want.len));
	assert_true(outcome_lengthen(brief.data, brief.len, &head, &all));
	assert_int_equal(all.len, want.len);
	assert_memory_equal(all.data, want.data, want.len);
	buf_free(&want);
	buf_free(&own);
	buf_free(&brief);
	buf_free(&all);
}

static void all_fields_come_back(void **state)
{
	(void)state;
	assert_comes_back((const char *const[]){NULL});
	assert_comes_back((const char *const[]){
	        "contact", "7", "to", "kim@example.com", "mail", "17", "attempts", "2", "due",
	        "2026-06-01T13:00:00Z", "reply", "250 2.0.0 Ok", "note", "closed", "until",
	        "2026-07-01", "outside_hours", "true", NULL});
	/* Those that no row has, in forms that aren't ours, and one that is unknown. */
	assert_comes_back((const char *const[]){"mail", "18", "due", "tomorrow", "due",
	                                        "2026-06-01T15:00:00+02:00", "reply", "", "novel",
	                                        "value", NULL});
}

static void what_is_known_is_not_written(void **state)
{
	(void)state;
	struct buf own = packed((const char *const[]){"contact", "7", "mail", "17", "due",
	                                              "2026-06-01T13:00:00Z", NULL}),
	           brief = {0};
	outcome_shorten(own.data, own.len, "1001", &head, &brief);
	assert_true(brief.len < 20);
	buf_free(&own);
	buf_free(&brief);
}

static void erasing_leaves_what_is_nobodys(void **state)
{
	(void)state;
	struct buf own = packed((const char *const[]){"contact", "7", "to", "kim@example.com",
	                                              "mail", "17", "reply", "550 kim is unknown",
	                                              "novel", "kim", "until", "2026-07-01", NULL}),
	           left = packed((const char *const[]){"contact", "7", "mail", "17", "until",
	                                               "2026-07-01", NULL}),
	           brief = {0}, wiped = {0}, want = {0};
	outcome_shorten(own.data, own.len, "1001", &head, &brief);
	outcome_wipe(brief.data, brief.len, &wiped);
	outcome_shorten(left.data, left.len, "1001", &head, &want);
	assert_int_equal(wiped.len, want.len);
	assert_memory_equal(wiped.data, want.data, want.len);
	buf_free(&own);
	buf_free(&left);
	buf_free(&brief);
	buf_free(&wiped);
	buf_free(&want);
}

/* Whatever is in the file, nothing outside of it is read. */
static void damaged_bytes_are_refused(void **state)
{
	(void)state;
	struct buf own = packed((const char *const[]){"contact", "7", "to", "kim@example.com",
	                                              "due", "2026-06-01T13:00:00Z", NULL}),
	           brief = {0}, all = {0};
	outcome_shorten(own.data, own.len, "1001", &head, &brief);
	size_t refused = 0;
	for (size_t cut = 1; cut < brief.len; cut++) {
		char *exact = mem_alloc(cut);
		memcpy(exact, brief.data, cut);
		buf_reset(&all);
		refused += !outcome_lengthen(exact, cut, &head, &all);
		free(exact);
	}
	assert_true(refused > brief.len / 2);
	for (size_t i = 1; i < brief.len; i++) {
		for (int byte = 0; byte < 256; byte++) {
			char *changed = mem_alloc(brief.len);
			memcpy(changed, brief.data, brief.len);
			changed[i] = (char)byte;
			buf_reset(&all);
			(void)!outcome_lengthen(changed, brief.len, &head, &all);
			buf_reset(&all);
			outcome_wipe(changed, brief.len, &all);
			free(changed);
		}
	}
	buf_free(&own);
	buf_free(&brief);
	buf_free(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(all_fields_come_back),
	                                   cmocka_unit_test(what_is_known_is_not_written),
	                                   cmocka_unit_test(erasing_leaves_what_is_nobodys),
	                                   cmocka_unit_test(damaged_bytes_are_refused)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
