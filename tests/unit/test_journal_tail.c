/* SPDX-License-Identifier: MIT */
/* The last entries of an owner: found by what they follow on, and bounded. */
#include "dispatchd/cluster/journal_tail.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct journal_key key = {{7}};

static struct journal_position keep(struct journal_tail *tail, struct journal_position before,
                                    size_t len)
{
	char *body = mem_alloc(len + 1);
	memset(body, 'x', len);
	struct journal_entry entry = {.kind = JOURNAL_TURN, .epoch = 3, .body = body, .len = len};
	journal_seal(&key, &before, &entry);
	journal_tail_keep(tail, &before, &entry);
	free(body);
	return journal_behind(&entry);
}

static void test_what_follows(void **state)
{
	(void)state;
	struct journal_tail tail = {0};
	struct journal_position at[4] = {{.number = 41}};
	assert_null(journal_tail_behind(&tail, &at[0]));
	for (int i = 0; i < 3; i++)
		at[i + 1] = keep(&tail, at[i], 10);
	const struct kept_entry *kept = journal_tail_behind(&tail, &at[1]);
	assert_int_equal(kept->entry.number, 43);
	assert_memory_equal(kept->entry.body, "xxxxxxxxxx", 10);
	assert_int_equal(kept->next->entry.number, 44);
	assert_null(kept->next->next);
	assert_null(journal_tail_behind(&tail, &at[3])); /* nothing is behind the last */
	struct journal_position other = at[1];
	other.seal[0] ^= 1;
	assert_null(journal_tail_behind(&tail, &other));
	journal_tail_clear(&tail);
	assert_null(tail.first);
	assert_int_equal(tail.bytes, 0);
}

static void test_it_is_bounded(void **state)
{
	(void)state;
	struct journal_tail tail = {0};
	struct journal_position at = {0}, first = {0};
	for (int i = 0; i < 40; i++)
		at = keep(&tail, at, 1 << 20);
	assert_true(tail.bytes <= JOURNAL_TAIL_BYTES);
	assert_null(journal_tail_behind(&tail, &first));
	struct journal_position before = at;
	at = keep(&tail, at, JOURNAL_TAIL_BYTES + 1);
	assert_int_equal(journal_tail_behind(&tail, &before)->entry.number, at.number);
	assert_ptr_equal(tail.first, tail.last);
	journal_tail_clear(&tail);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_what_follows),
	        cmocka_unit_test(test_it_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
