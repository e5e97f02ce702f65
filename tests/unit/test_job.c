/* SPDX-License-Identifier: MIT */
/*
 * Job state over sets of events. The reference beside it is written straight from the contract's
 * sentence, with other means than the code: it filters and sorts step by step.
 */
#include "model/job.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SET_MAX = 6 };

/* "dispatched@5 completed@3": ids follow the order in the text, so that equal times have a winner.
 */
static size_t read_marks(const char *text, struct job_mark marks[SET_MAX])
{
	static const char *const ids[SET_MAX] = {"a", "b", "c", "d", "e", "f"};
	size_t n = 0;
	char word[24];
	int time, used;
	while (sscanf(text, " %23[a-z]@%d%n", word, &time, &used) == 2) {
		assert_true(n < SET_MAX);
		marks[n] = (struct job_mark){job_state_find(word), {time}, "s", ids[n]};
		assert_int_not_equal(marks[n].state, JOB_NONE);
		n++;
		text += used;
	}
	return n;
}

static void states_by_the_sentence(void **state)
{
	(void)state;
	static const struct {
		const char *marks, *id; /* the winner's */
	} cases[] = {
	        {"dispatched@1", "a"},
	        {"dispatched@1 started@2", "b"},
	        {"started@2 dispatched@1", "a"},
	        {"started@1 paused@2 started@3", "c"},
	        {"dispatched@1 completed@2 started@9", "b"}, /* a phone that is ahead */
	        {"completed@2 dispatched@1 paused@3", "a"},
	        {"completed@2 dispatched@3", "b"}, /* dispatched again */
	        {"completed@2 dispatched@3 started@1", "b"},
	        {"completed@2 dispatched@3 started@4", "c"},
	        {"completed@3 dispatched@3", "a"}, /* not older: it counts */
	        {"started@3 dispatched@3", "a"},   /* rank */
	        {"paused@3 started@3", "a"},
	        {"completed@2 failed@3", "b"},
	        {"failed@3 completed@2 cancelled@1", "a"},
	        {"completed@3 failed@3", "b"},
	        {"cancelled@3 failed@3", "a"},
	        {"started@3 started@3", "b"}, /* id */
	        {"completed@5 dispatched@1 dispatched@9 dispatched@4", "c"},
	        {"cancelled@5", "a"},
	        {"cancelled@5 started@6 paused@7", "a"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct job_mark marks[SET_MAX];
		size_t n = read_marks(cases[i].marks, marks);
		const struct job_mark *got = job_state_of(marks, n);
		assert_non_null(got);
		if (strcmp(got->id, cases[i].id) != 0)
			fail_msg("%s: %s wins, not %s", cases[i].marks, got->id, cases[i].id);
	}
	assert_null(job_state_of(NULL, 0));
}

static void source_comes_before_id(void **state)
{
	(void)state;
	const struct job_mark marks[] = {{JOB_STARTED, {1}, "b", "1"},
	                                 {JOB_STARTED, {1}, "a", "2"},
	                                 {JOB_STARTED, {1}, "", "3"}};
	assert_string_equal(job_state_of(marks, 3)->source, "b");
}

static void one_more_event_changes(void **state)
{
	(void)state;
	static const struct {
		const char *marks; /* the last is the new one */
		enum job_change change;
	} cases[] = {
	        {"dispatched@1", JOB_BECOMES},
	        {"dispatched@1 started@2", JOB_BECOMES},
	        {"started@2 dispatched@1", JOB_STALE},
	        {"started@2 started@3", JOB_REPEATS},
	        {"started@3 started@2", JOB_STALE},
	        {"completed@3 started@4", JOB_STALE},
	        {"completed@3 completed@4", JOB_REPEATS},
	        {"completed@3 failed@4", JOB_BECOMES},
	        {"completed@3 failed@2", JOB_STALE},
	        {"completed@3 dispatched@4", JOB_BECOMES},
	        {"dispatched@1 completed@2 dispatched@3", JOB_BECOMES},
	        {"dispatched@1 dispatched@3", JOB_REPEATS},
	        {"cancelled@3 cancelled@3", JOB_REPEATS},
	        {"paused@2 started@1 started@3", JOB_BECOMES},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct job_mark marks[SET_MAX];
		size_t n = read_marks(cases[i].marks, marks) - 1;
		if (job_change_of(marks, n, &marks[n]) != cases[i].change)
			fail_msg("%s: %d, not %d", cases[i].marks,
			         (int)job_change_of(marks, n, &marks[n]), (int)cases[i].change);
	}
}

static const int reference_rank[JOB_STATE_COUNT] = {
        [JOB_DISPATCHED] = 0, [JOB_STARTED] = 1, [JOB_PAUSED] = 2,
        [JOB_COMPLETED] = 0,  [JOB_FAILED] = 1,  [JOB_CANCELLED] = 2,
};

/* Keeps of `left` those that are greatest by one key. */
static size_t keep_greatest(const struct job_mark **left, size_t n,
                            int64_t (*key)(const struct job_mark *))
{
	int64_t best = INT64_MIN;
	size_t kept = 0;
	for (size_t i = 0; i < n; i++)
		if (key(left[i]) > best)
			best = key(left[i]);
	for (size_t i = 0; i < n; i++)
		if (key(left[i]) == best)
			left[kept++] = left[i];
	return kept;
}

static int64_t key_end(const struct job_mark *mark)
{
	return mark->state == JOB_COMPLETED || mark->state == JOB_FAILED ||
	       mark->state == JOB_CANCELLED;
}

static int64_t key_time(const struct job_mark *mark)
{
	return mark->time.ms;
}

static int64_t key_rank(const struct job_mark *mark)
{
	return reference_rank[mark->state];
}

static int64_t key_id(const struct job_mark *mark)
{
	return mark->id[0];
}

static const struct job_mark *reference(const struct job_mark *marks, size_t n)
{
	const struct job_mark *left[SET_MAX];
	size_t n_left = 0;
	int64_t begin = INT64_MIN;
	for (size_t i = 0; i < n; i++)
		if (marks[i].state == JOB_DISPATCHED && marks[i].time.ms > begin)
			begin = marks[i].time.ms;
	for (size_t i = 0; i < n; i++)
		if (marks[i].time.ms >= begin)
			left[n_left++] = &marks[i];
	n_left = keep_greatest(left, n_left, key_end);
	n_left = keep_greatest(left, n_left, key_time);
	n_left = keep_greatest(left, n_left, key_rank);
	n_left = keep_greatest(left, n_left, key_id);
	assert_int_equal(n_left, 1);
	return left[0];
}

/*
 * Plays the events in one order, as the engine would: each against those before it. A stale event
 * may still move the state to another that was known: `dispatched` come late lets a `started` after
 * it count again, over a `completed` before it.
 */
static const char *play(const struct job_mark *marks, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		enum job_change change = job_change_of(marks, i, &marks[i]);
		const struct job_mark *now = job_state_of(marks, i + 1);
		assert_int_equal(change != JOB_STALE, now == &marks[i]);
		if (change == JOB_REPEATS)
			assert_int_equal(job_state_of(marks, i)->state, now->state);
	}
	return job_state_of(marks, n)->id;
}

static void permute(struct job_mark *marks, size_t at, size_t n, const char *want)
{
	if (at == n) {
		assert_string_equal(play(marks, n), want);
		return;
	}
	for (size_t i = at; i < n; i++) {
		struct job_mark swap = marks[at];
		marks[at] = marks[i];
		marks[i] = swap;
		permute(marks, at + 1, n, want);
		swap = marks[at];
		marks[at] = marks[i];
		marks[i] = swap;
	}
}

/* Few distinct times, so that ties of every kind come up; 6! orders of each set. */
static void any_order_ends_alike(void **state)
{
	(void)state;
	static const char *const ids[SET_MAX] = {"a", "b", "c", "d", "e", "f"};
	unsigned seed = 20260305;
	for (int round = 0; round < 3000; round++) {
		struct job_mark marks[SET_MAX];
		size_t n = 1 + (size_t)(round < 2500 ? round % 5 : 5);
		for (size_t i = 0; i < n; i++)
			marks[i] =
			        (struct job_mark){(enum job_state)(rand_r(&seed) % JOB_STATE_COUNT),
			                          {rand_r(&seed) % 4},
			                          "s",
			                          ids[i]};
		permute(marks, 0, n, reference(marks, n)->id);
	}
}

/* Every set of three events over all states and three times, in every order. */
static void all_small_sets_end_alike(void **state)
{
	(void)state;
	enum { KINDS = JOB_STATE_COUNT * 3 };
	for (int code = 0; code < KINDS * KINDS * KINDS; code++) {
		static const char *const ids[] = {"a", "b", "c"};
		struct job_mark marks[3];
		for (int i = 0, rest = code; i < 3; i++, rest /= KINDS)
			marks[i] = (struct job_mark){(enum job_state)(rest % JOB_STATE_COUNT),
			                             {rest / JOB_STATE_COUNT % 3},
			                             "s",
			                             ids[i]};
		permute(marks, 0, 3, reference(marks, 3)->id);
	}
}

static void later_states_supersede(void **state)
{
	(void)state;
	enum {
		UNDER_WAY = 1 << JOB_DISPATCHED | 1 << JOB_STARTED | 1 << JOB_PAUSED,
	};
	static const struct {
		enum job_state later;
		unsigned all, getters;
	} cases[] = {
	        {JOB_DISPATCHED, JOB_NOTIFY_ALL, 0}, {JOB_STARTED, 0, UNDER_WAY},
	        {JOB_PAUSED, 0, UNDER_WAY},          {JOB_COMPLETED, JOB_NOTIFY_ALL, 0},
	        {JOB_FAILED, JOB_NOTIFY_ALL, 0},     {JOB_CANCELLED, JOB_NOTIFY_ALL, 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_int_equal(job_supersedes(cases[i].later), cases[i].all);
		assert_int_equal(job_supersedes_for_getters(cases[i].later), cases[i].getters);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(states_by_the_sentence),
	        cmocka_unit_test(source_comes_before_id),
	        cmocka_unit_test(one_more_event_changes),
	        cmocka_unit_test(any_order_ends_alike),
	        cmocka_unit_test(all_small_sets_end_alike),
	        cmocka_unit_test(later_states_supersede),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
