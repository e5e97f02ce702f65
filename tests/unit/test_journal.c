/* SPDX-License-Identifier: MIT */
/* Entries of the journal: what verifies, and that nothing else does. */
#include "journal/journal.h"
#include "journal/pack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

static const struct journal_key key = {{1, 2, 3}}, other_key = {{1, 2, 4}};

static struct journal_entry entry(const struct journal_position *before, const char *body)
{
	struct journal_entry e = {.kind = JOURNAL_TURN,
	                          .epoch = 7,
	                          .spool = 21,
	                          .customers = 11,
	                          .body = body,
	                          .len = strlen(body)};
	journal_seal(&key, before, &e);
	return e;
}

static void refused(const struct journal_key *by, const struct journal_position *before,
                    const struct journal_entry *e, const char *words)
{
	struct error err = {0};
	assert_false(journal_verify(by, before, e, &err));
	assert_int_equal(err.code, EX_DATAERR);
	assert_non_null(strstr(err.text, words));
}

static void test_a_chain(void **state)
{
	(void)state;
	struct error err;
	struct journal_position begin = {0};
	struct journal_entry first = entry(&begin, "one");
	struct journal_position after = journal_behind(&first);
	struct journal_entry second = entry(&after, "two");
	assert_int_equal(first.number, 1);
	assert_int_equal(second.number, 2);
	assert_true(journal_verify(&key, &begin, &first, &err));
	assert_true(journal_verify(&key, &after, &second, &err));
	refused(&key, &begin, &second, "doesn't follow on 0");
	refused(&other_key, &begin, &first, "the seal of entry 1");
	/* another entry of the same number before it */
	struct journal_entry branch = entry(&begin, "uno");
	struct journal_position elsewhere = journal_behind(&branch);
	refused(&key, &elsewhere, &second, "the seal of entry 2");
	after.epoch = 8;
	refused(&key, &after, &second, "epoch 7, but 8 has begun");
}

/* Whichever member is changed, the seal notices. */
static void test_every_member_is_sealed(void **state)
{
	(void)state;
	struct journal_position begin = {0};
	const struct journal_entry good = entry(&begin, "body");
	struct journal_entry e = good;
	e.kind = JOURNAL_FENCE;
	refused(&key, &begin, &e, "seal");
	e = good;
	e.epoch++;
	refused(&key, &begin, &e, "seal");
	e = good;
	e.spool++;
	refused(&key, &begin, &e, "seal");
	e = good;
	e.customers++;
	refused(&key, &begin, &e, "seal");
	e = good;
	e.body = "bodY";
	refused(&key, &begin, &e, "seal");
	e = good;
	e.len--;
	refused(&key, &begin, &e, "seal");
	e = good;
	e.seal[JOURNAL_SEAL_SIZE - 1] ^= 1;
	refused(&key, &begin, &e, "seal");
}

static void test_parts(void **state)
{
	(void)state;
	struct buf body = {0};
	struct journal_part part;
	struct error err;
	size_t at = 0;
	journal_add_part(&body, &(struct journal_part){JOURNAL_CUSTOMERS, 4711, "a\0b", 3});
	journal_add_part(&body, &(struct journal_part){JOURNAL_SPOOL, 0, "", 0});
	assert_true(journal_next_part(body.data, body.len, &at, &part, &err));
	assert_int_equal(part.kind, JOURNAL_CUSTOMERS);
	assert_int_equal(part.id, 4711);
	assert_int_equal(part.len, 3);
	assert_memory_equal(part.bytes, "a\0b", 3);
	assert_true(journal_next_part(body.data, body.len, &at, &part, &err));
	assert_int_equal(part.kind, JOURNAL_SPOOL);
	assert_int_equal(part.len, 0);
	assert_false(journal_next_part(body.data, body.len, &at, &part, &err));
	assert_int_equal(err.code, 0);
	/* Cut off anywhere but between the two, it is a fault. */
	for (size_t len = 1; len < body.len; len++) {
		bool good = true;
		for (at = 0; good;)
			good = journal_next_part(body.data, len, &at, &part, &err);
		assert_int_equal(err.code, len == 27 ? 0 : EX_DATAERR);
	}
	body.data[0] = 9;
	at = 0;
	assert_false(journal_next_part(body.data, body.len, &at, &part, &err));
	assert_non_null(strstr(err.text, "upgrade"));
	buf_free(&body);
}

static void test_packed(void **state)
{
	(void)state;
	struct buf body = {0}, packed = {0}, again = {0};
	struct error err;
	assert_true(journal_pack(NULL, 0, &packed, &err));
	assert_int_equal(packed.len, 0);
	/* Not even looked at. */
	assert_false(journal_pack("", (size_t)JOURNAL_BODY_MAX + 1, &packed, &err));
	assert_int_equal(err.code, EX_SOFTWARE);
	assert_int_equal(packed.len, 0);
	assert_true(journal_unpack(packed.data, 0, &again, &err));
	for (int i = 0; i < 20000; i++)
		buf_printf(&body, "row %d of many that are alike\n", i % 97);
	assert_true(journal_pack(body.data, body.len, &packed, &err));
	assert_true(packed.len < body.len / 4);
	assert_true(journal_unpack(packed.data, packed.len, &again, &err));
	assert_int_equal(again.len, body.len);
	assert_memory_equal(again.data, body.data, body.len);
	/* Whatever else it is, it is refused. */
	for (size_t len = 1; len < packed.len; len += 1 + packed.len / 100) {
		buf_reset(&again);
		assert_false(journal_unpack(packed.data, len, &again, &err));
		assert_int_equal(err.code, EX_DATAERR);
	}
	static const char large[] = "\xff\xff\xff\xff\xff\xff\xff\x7f";
	assert_false(journal_unpack(large, sizeof large - 1, &again, &err));
	assert_false(journal_unpack("\0", 1, &again, &err));
	buf_free(&body);
	buf_free(&packed);
	buf_free(&again);
}

#define HEX "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static bool parses(const char *text, struct journal_key *ret)
{
	struct error err = {0};
	bool good = journal_key_parse(text, strlen(text), "cluster-key", ret, &err);
	assert_int_equal(err.code, good ? 0 : EX_CONFIG);
	return good;
}

static void test_the_key(void **state)
{
	(void)state;
	struct journal_key k;
	assert_true(parses(HEX, &k));
	assert_int_equal(k.bytes[31], 31);
	assert_true(parses("# ours\r\n\n  " HEX " \r\n", &k));
	assert_false(parses("", &k));
	assert_false(parses("# only this\n", &k));
	assert_false(parses(HEX "00", &k));
	assert_false(parses("x" HEX, &k));
	assert_false(parses(HEX "\n" HEX "\n", &k));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_a_chain), cmocka_unit_test(test_every_member_is_sealed),
	        cmocka_unit_test(test_parts),   cmocka_unit_test(test_packed),
	        cmocka_unit_test(test_the_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
