/* SPDX-License-Identifier: MIT */
/* Whose fault refusals are: what counts as the same words, and what is shown by which order of
 * results. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mail/refusals.h"

#include <stdio.h>
#include <string.h>

/* ---- words ---- */

static const struct pair {
	const char *a, *b;
	bool same;
} pairs[] = {
        {"550 5.4.5 Daily quota exceeded. a1-b2-c3 - gsmtp",
         "550 5.4.5 Daily quota exceeded. 9f8e7d - gsmtp", true},
        {"550 5.4.5 quota exceeded qXzRtYpLm", "550 5.4.5 quota exceeded aBcDeFgHi", true},
        {"550 5.4.5 quota exceeded qzxwvtr", "550 5.4.5 quota exceeded bcdfghj", true},
        {"550 5.4.5 quota exceeded TPXXBAAEOVFF", "550 5.4.5 quota exceeded DR647WJqaRgB", true},
        {"550 5.7.1 <kim@example.com>: blocked", "550 5.7.1 <lee@example.com>: blocked", true},
        {"550 5.1.1 kim: no such user", "550 5.1.1 lee: no such user", true},
        {"550 5.1.1 User \"Kim Reed\" unknown", "550 5.1.1 User \"Lee\" unknown", true},
        {"550 5.1.1 User 'kim' doesn't exist", "550 5.1.1 User 'lee o'brien' doesn't exist", true},
        {"554 5.7.1 blocked, see https://a.example/x?y=1",
         "554 5.7.1 blocked, see https://b.example/z", true},
        {"554 Service unavailable; client [10.0.0.1] blocked",
         "554 Service unavailable; client [::1] blocked", true},
        {"550 rejected by mx1.example.net at Fri, 27 Nov 2026 10:00:00 +0000",
         "550 rejected by mx7.example.net at Sat, 28 Dec 2026 23:59:59 +0100", true},
        {"550 5.4.5 Kontingent für „kim“ überschritten",
         "550 5.4.5 Kontingent für „lee“ überschritten", true},
        {"550 5.4.5 送信制限を超えました(123)", "550 5.4.5 送信制限を超えました(456)", true},
        {"550 denied deadbeefcafe", "550 denied cafebabefeed", true},
        {"550 denied dGhpcyBpcyBhbiBpZA==", "550 denied YW5vdGhlciBvbmUgaGVyZQ==", true},
        {"550", "550", true},
        {"550 5.1.1 unknown", "550 5.2.1 unknown", false},
        {"550 5.1.1 unknown", "553 5.1.1 unknown", false},
        {"550 unknown", "550 5.1.1 unknown", false},
        {"550 5.1.1 unknown", "550 5.1.1 disabled", false},
        {"550 5.7.1 no such user here", "550 5.7.1 message looks like spam", false},
        {"550 5.4.5 送信制限を超えました", "550 5.4.5 宛先が見つかりません", false},
};

static void words_without_what_differs_by_nature(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		char a[WORDING_MAX], b[WORDING_MAX];
		wording_key(a, pairs[i].a, "kim@example.com");
		wording_key(b, pairs[i].b, "lee@example.com");
		if (wording_same(a, b) != pairs[i].same || wording_same(b, a) != pairs[i].same)
			fail_msg("\"%s\" and \"%s\": [%s] [%s]", pairs[i].a, pairs[i].b, a, b);
	}
}

static void any_reply_has_a_key(void **state)
{
	char reply[DELIVERY_REPLY_MAX], key[WORDING_MAX];
	(void)state;
	for (unsigned seed = 1; seed < 2000; seed++) {
		unsigned x = seed;
		size_t n = seed % (sizeof reply - 1);
		for (size_t i = 0; i < n; i++) {
			x = x * 1664525u + 1013904223u;
			reply[i] = "a5 \"'<>.@\xc3\xa9z-[`"[x >> 28];
		}
		reply[n] = '\0';
		wording_key(key, reply, "a.z@x");
		assert_true(strlen(key) < sizeof key);
		assert_true(wording_same(key, key));
	}
}

/* ---- rows ---- */

struct seen {
	struct refusals refusals;
	int64_t now_ms;
	int counts[DELIVERY_COUNT];
	int yields;
};

static void on_out(void *arg, const struct delivery_result *result)
{
	struct seen *seen = arg;
	seen->counts[result->delivery]++;
	seen->yields += result->yields;
}

static bool add(struct seen *seen, int who, enum delivery delivery, const char *words,
                uint64_t begun)
{
	struct delivery_result result = {.mail = who, .delivery = delivery};
	snprintf(result.to, sizeof result.to, "u%d@d%d.example", who, who);
	snprintf(result.reply, sizeof result.reply, "%s x%d", words, who);
	return refusals_add(&seen->refusals, &result, "completed", begun, seen->now_ms, on_out,
	                    seen);
}

static bool refuse(struct seen *seen, int who, const char *words)
{
	return add(seen, who, DELIVERY_REFUSED, words, refusals_begin(&seen->refusals));
}

static void deliver(struct seen *seen, int who)
{
	(void)add(seen, who, DELIVERY_SENT, "250 taken", refusals_begin(&seen->refusals));
}

static int64_t expire(struct seen *seen, int64_t after_ms)
{
	struct refusals_patience patience = {.lone_ms = 50, .hold_ms = 100};
	seen->now_ms += after_ms;
	return refusals_expire(&seen->refusals, &patience, seen->now_ms, on_out, seen);
}

static const char quota[] = "550 5.4.5 quota exceeded";

static void ten_in_a_row_are_the_relays(void **state)
{
	struct seen seen = {0};
	(void)state;
	for (int i = 0; i < 9; i++)
		assert_false(refuse(&seen, i, quota));
	assert_true(refuse(&seen, 9, quota));
	assert_int_equal(seen.counts[DELIVERY_RELAY], 10);
	assert_int_equal(seen.yields, 10);
	assert_true(refuse(&seen, 10, quota));
	assert_int_equal(seen.counts[DELIVERY_RELAY], 11);
	assert_int_equal(seen.counts[DELIVERY_REFUSED], 0);
}

static void a_row_counts_also_those_let_go(void **state)
{
	struct seen seen = {0};
	(void)state;
	for (int i = 0; i < 9; i++) {
		assert_false(refuse(&seen, i, quota));
		assert_true(expire(&seen, 60 * 1000) == INT64_MAX);
	}
	assert_int_equal(seen.counts[DELIVERY_REFUSED], 9);
	assert_true(refuse(&seen, 9, quota));
	assert_int_equal(seen.counts[DELIVERY_RELAY], 1);
}

static void one_recipient_is_one(void **state)
{
	struct seen seen = {0};
	(void)state;
	for (int i = 0; i < 30; i++)
		assert_false(refuse(&seen, i % 9, quota));
	assert_int_equal(seen.counts[DELIVERY_RELAY], 0);
}

static void a_delivery_that_began_before_ends_nothing(void **state)
{
	struct seen seen = {0};
	(void)state;
	uint64_t early = refusals_begin(&seen.refusals);
	assert_false(refuse(&seen, 1, quota));
	(void)add(&seen, 50, DELIVERY_SENT, "250", early);
	assert_int_equal(seen.counts[DELIVERY_REFUSED], 0);
	deliver(&seen, 51);
	assert_int_equal(seen.counts[DELIVERY_REFUSED], 1);
}

static void a_lone_one_waits_less(void **state)
{
	struct seen seen = {0};
	(void)state;
	(void)refuse(&seen, 1, quota);
	(void)expire(&seen, 60);
	assert_int_equal(seen.counts[DELIVERY_REFUSED], 1);
	(void)refuse(&seen, 2, quota);
	(void)expire(&seen, 60);
	assert_int_equal(seen.counts[DELIVERY_REFUSED], 1);
	(void)expire(&seen, 60);
	assert_int_equal(seen.counts[DELIVERY_REFUSED], 2);
}

static void suspects_are_their_own_once_others_went_through(void **state)
{
	struct seen seen = {0};
	(void)state;
	for (int i = 0; i < 10; i++)
		(void)refuse(&seen, i, quota);
	assert_true(refusals_unresolved(&seen.refusals));
	assert_true(refusals_rank(&seen.refusals, "u3@d3.example", "completed") < 0);
	assert_int_equal(refusals_rank(&seen.refusals, "x@d3.example", "completed"), 1);
	assert_int_equal(refusals_rank(&seen.refusals, "x@y.example", "failed"),
	                 REFUSALS_RANK_BEST);
	deliver(&seen, 50);
	assert_false(refusals_unresolved(&seen.refusals));
	for (int i = 0; i < 10; i++)
		assert_false(refuse(&seen, i, quota));
	(void)expire(&seen, 200);
	assert_int_equal(seen.counts[DELIVERY_REFUSED], 10);
	/* With one among them who was not refused before, it may be the relay again. */
	for (int i = 20; i < 29; i++)
		(void)refuse(&seen, i, quota);
	assert_true(refuse(&seen, 3, quota));
}

static void at_the_end_several_are_sent_again(void **state)
{
	struct seen seen = {0};
	(void)state;
	(void)refuse(&seen, 1, quota);
	(void)refuse(&seen, 2, quota);
	(void)refuse(&seen, 3, "550 5.1.1 unknown");
	refusals_end(&seen.refusals, on_out, &seen);
	assert_int_equal(seen.counts[DELIVERY_RELAY], 2);
	assert_int_equal(seen.counts[DELIVERY_REFUSED], 1);
}

static void every_result_comes_out_once(void **state)
{
	static struct seen seen;
	unsigned x = 7;
	int put = 0;
	(void)state;
	for (; put < 5000; put++) {
		char words[64];
		x = x * 1664525u + 1013904223u;
		snprintf(words, sizeof words, "55%u 5.%u.0 no", (x >> 20) % 5, (x >> 9) % 4);
		if ((x >> 28) == 0)
			deliver(&seen, put);
		else
			(void)refuse(&seen, (int)((x >> 12) % 40), words);
		if ((x >> 24) % 16 == 0)
			(void)expire(&seen, 60);
		assert_true(seen.refusals.n_held <= REFUSALS_HELD);
	}
	refusals_end(&seen.refusals, on_out, &seen);
	int sum = 0;
	for (int i = 0; i < DELIVERY_COUNT; i++)
		sum += seen.counts[i];
	assert_int_equal(sum, put);
}

static void a_mail_can_be_taken_out(void **state)
{
	struct seen seen = {0};
	struct delivery_result result;
	(void)state;
	(void)refuse(&seen, 4, quota);
	assert_false(refusals_take(&seen.refusals, 5, &result));
	assert_true(refusals_take(&seen.refusals, 4, &result));
	assert_int_equal(result.delivery, DELIVERY_REFUSED);
	assert_false(refusals_take(&seen.refusals, 4, &result));
}

static void a_mail_at_which_the_relay_fails_alone(void **state)
{
	struct seen seen = {0};
	(void)state;
	refusals_suspect(&seen.refusals, "u1@d1.example", "completed");
	assert_false(refusals_alone(&seen.refusals, "u1@d1.example"));
	deliver(&seen, 2);
	assert_true(refusals_alone(&seen.refusals, "U1@D1.example"));
	deliver(&seen, 1);
	assert_false(refusals_alone(&seen.refusals, "u1@d1.example"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(words_without_what_differs_by_nature),
	        cmocka_unit_test(any_reply_has_a_key),
	        cmocka_unit_test(ten_in_a_row_are_the_relays),
	        cmocka_unit_test(a_row_counts_also_those_let_go),
	        cmocka_unit_test(one_recipient_is_one),
	        cmocka_unit_test(a_delivery_that_began_before_ends_nothing),
	        cmocka_unit_test(a_lone_one_waits_less),
	        cmocka_unit_test(suspects_are_their_own_once_others_went_through),
	        cmocka_unit_test(at_the_end_several_are_sent_again),
	        cmocka_unit_test(every_result_comes_out_once),
	        cmocka_unit_test(a_mail_can_be_taken_out),
	        cmocka_unit_test(a_mail_at_which_the_relay_fails_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
