/* SPDX-License-Identifier: MIT */
/* What becomes of a mail, by what failed: the contract's table, row by row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mail/failure.h"

#include <stdio.h>

enum { ALL_STAGES = -1, BEFORE_MAIL = -2, SINCE_MAIL = -3 };
enum { ANY = -1 }; /* body begun or not */

struct judged {
	int stage, code, enhanced[3];
	int body_begun;
	enum delivery expected;
};

static const struct judged cases[] = {
        /* no reply */
        {ALL_STAGES, 0, {0}, 0, DELIVERY_RELAY},
        {ALL_STAGES, 0, {0}, 1, DELIVERY_DOUBT},
        /* the relay speaks of itself */
        {ALL_STAGES, 421, {0}, ANY, DELIVERY_RELAY},
        {ALL_STAGES, 421, {4, 7, 0}, ANY, DELIVERY_RELAY},
        {ALL_STAGES, 454, {4, 7, 0}, ANY, DELIVERY_RELAY},
        {ALL_STAGES, 530, {5, 7, 0}, ANY, DELIVERY_RELAY},
        {ALL_STAGES, 534, {5, 7, 9}, ANY, DELIVERY_RELAY},
        {ALL_STAGES, 535, {5, 7, 8}, ANY, DELIVERY_RELAY},
        {ALL_STAGES, 538, {0}, ANY, DELIVERY_RELAY},
        {ALL_STAGES, 535, {5, 1, 1}, ANY, DELIVERY_RELAY},
        {BEFORE_MAIL, 450, {0}, ANY, DELIVERY_RELAY},
        {BEFORE_MAIL, 451, {4, 3, 0}, ANY, DELIVERY_RELAY},
        {BEFORE_MAIL, 500, {0}, ANY, DELIVERY_RELAY},
        {BEFORE_MAIL, 550, {5, 1, 1}, ANY, DELIVERY_RELAY},
        {BEFORE_MAIL, 554, {0}, ANY, DELIVERY_RELAY},
        {BEFORE_MAIL, 250, {0}, 0, DELIVERY_RELAY},
        {SMTP_MAIL, 550, {5, 7, 0}, 0, DELIVERY_RELAY},
        {SMTP_MAIL, 550, {5, 7, 1}, 0, DELIVERY_RELAY},
        {SMTP_MAIL, 553, {5, 7, 26}, 0, DELIVERY_RELAY},
        /* the good end */
        {SMTP_BODY, 250, {2, 0, 0}, 1, DELIVERY_SENT},
        {SMTP_BODY, 250, {0}, 1, DELIVERY_SENT},
        {SMTP_BODY, 251, {0}, 1, DELIVERY_SENT},
        /* the mail, for now */
        {SMTP_MAIL, 450, {0}, 0, DELIVERY_BUSY},
        {SMTP_MAIL, 452, {4, 3, 1}, 0, DELIVERY_BUSY},
        {SMTP_RCPT, 450, {4, 2, 1}, 0, DELIVERY_BUSY},
        {SMTP_RCPT, 451, {4, 7, 1}, 0, DELIVERY_BUSY},
        {SMTP_RCPT, 452, {4, 1, 1}, 0, DELIVERY_BUSY},
        {SMTP_DATA, 451, {0}, 0, DELIVERY_BUSY},
        {SMTP_BODY, 451, {0}, 1, DELIVERY_BUSY},
        {SMTP_BODY, 452, {4, 2, 2}, 1, DELIVERY_BUSY},
        /* the address */
        {SMTP_RCPT, 550, {5, 1, 1}, 0, DELIVERY_ADDRESS_DEAD},
        {SMTP_RCPT, 550, {5, 1, 2}, 0, DELIVERY_ADDRESS_DEAD},
        {SMTP_RCPT, 501, {5, 1, 3}, 0, DELIVERY_ADDRESS_DEAD},
        {SMTP_RCPT, 551, {5, 1, 6}, 0, DELIVERY_ADDRESS_DEAD},
        {SMTP_RCPT, 556, {5, 1, 10}, 0, DELIVERY_ADDRESS_DEAD},
        {SMTP_RCPT, 550, {0}, 0, DELIVERY_ADDRESS},
        {SMTP_RCPT, 550, {5, 1, 4}, 0, DELIVERY_ADDRESS},
        {SMTP_RCPT, 550, {5, 1, 8}, 0, DELIVERY_ADDRESS},
        {SMTP_RCPT, 550, {5, 1, 0}, 0, DELIVERY_ADDRESS},
        {SMTP_RCPT, 550, {4, 1, 1}, 0, DELIVERY_ADDRESS},
        {SMTP_RCPT, 550, {5, 2, 1}, 0, DELIVERY_ADDRESS},
        {SMTP_RCPT, 552, {5, 2, 2}, 0, DELIVERY_ADDRESS},
        {SMTP_RCPT, 550, {5, 7, 1}, 0, DELIVERY_ADDRESS},
        {SMTP_RCPT, 554, {0}, 0, DELIVERY_ADDRESS},
        /* the mail, for good */
        {SMTP_MAIL, 550, {0}, 0, DELIVERY_REFUSED},
        {SMTP_MAIL, 552, {5, 3, 4}, 0, DELIVERY_REFUSED},
        {SMTP_MAIL, 550, {5, 1, 1}, 0, DELIVERY_REFUSED},
        {SMTP_DATA, 554, {5, 5, 1}, 0, DELIVERY_REFUSED},
        {SMTP_DATA, 550, {5, 7, 1}, 0, DELIVERY_REFUSED},
        {SMTP_BODY, 550, {5, 7, 1}, 1, DELIVERY_REFUSED},
        {SMTP_BODY, 554, {5, 1, 1}, 1, DELIVERY_REFUSED},
        /* replies that have no business there */
        {SMTP_DATA, 250, {0}, 0, DELIVERY_RELAY},
        {SMTP_RCPT, 354, {0}, 0, DELIVERY_RELAY},
        {SMTP_BODY, 354, {0}, 1, DELIVERY_DOUBT},
        {SMTP_DATA, 250, {0}, 1, DELIVERY_DOUBT},
        {SMTP_BODY, -5, {0}, 1, DELIVERY_DOUBT},
        {SMTP_BODY, 9999, {0}, 0, DELIVERY_RELAY},
};

static const struct failure_facts nothing_else;

static enum delivery judge(const struct smtp_report *report)
{
	return failure_judge(report, &nothing_else).delivery;
}

static void check(const struct judged *c, int stage, int body_begun)
{
	const struct smtp_report report = {
	        .stage = (enum smtp_stage)stage,
	        .code = c->code,
	        .enhanced = {c->enhanced[0], c->enhanced[1], c->enhanced[2]},
	        .body_begun = body_begun != 0};
	enum delivery got = judge(&report);
	if (got != c->expected)
		fail_msg("stage %d, code %d %d.%d.%d, body %d: %s, expected %s", stage, c->code,
		         c->enhanced[0], c->enhanced[1], c->enhanced[2], body_begun,
		         delivery_name(got), delivery_name(c->expected));
}

static void every_row_of_the_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct judged *c = &cases[i];
		int from = c->stage >= 0            ? c->stage
		           : c->stage == SINCE_MAIL ? SMTP_MAIL
		                                    : SMTP_CONNECT;
		int to = c->stage >= 0 ? c->stage : c->stage == BEFORE_MAIL ? SMTP_AUTH : SMTP_BODY;
		for (int stage = from; stage <= to; stage++) {
			if (c->body_begun != 1)
				check(c, stage, 0);
			if (c->body_begun != 0)
				check(c, stage, 1);
		}
	}
}

/* In doubt it is never a loss: no report without a 5xx ends a mail, none without 2xx at the end
 * counts as sent.
 */
static void nothing_is_lost_or_sent_by_mistake(void **state)
{
	(void)state;
	for (int stage = SMTP_CONNECT; stage <= SMTP_BODY; stage++)
		for (int code = -1; code < 1000; code++) {
			const struct smtp_report report = {.stage = (enum smtp_stage)stage,
			                                   .code = code};
			enum delivery got = judge(&report);
			bool final = got == DELIVERY_REFUSED || got == DELIVERY_ADDRESS ||
			             got == DELIVERY_ADDRESS_DEAD;
			assert_true(!final || (code >= 500 && code <= 599 && stage >= SMTP_MAIL));
			assert_true((got == DELIVERY_SENT) ==
			            (stage == SMTP_BODY && code >= 200 && code <= 299));
		}
}

static void waits_double_up_to_an_hour(void **state)
{
	(void)state;
	static const int minutes[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};
	for (int i = 0; i < (int)(sizeof minutes / sizeof *minutes); i++) {
		int64_t wait = minutes[i] * INT64_C(60000);
		int64_t most = minutes[i] == 60 ? wait : wait + wait / 8;
		assert_int_equal(failure_retry_wait_ms(i + 1, 0), wait - wait / 8);
		assert_int_equal(failure_retry_wait_ms(i + 1, (uint64_t)(wait / 8)), wait);
		for (uint64_t random = 1; random != 0; random <<= 1) {
			int64_t got = failure_retry_wait_ms(i + 1, random * 0x9e3779b97f4a7c15u);
			assert_in_range(got, wait - wait / 8, most);
		}
	}
	assert_in_range(failure_retry_wait_ms(2000000000, 5), 3600000 * 7 / 8, 3600000);
}

static void deliveries_have_names(void **state)
{
	(void)state;
	for (int i = 0; i < DELIVERY_COUNT; i++)
		assert_true(delivery_name((enum delivery)i)[0] != '\0');
}

static bool is_renewed(const struct smtp_report *report)
{
	const struct failure_facts facts = {.renewable = true};
	struct failure failure = failure_judge(report, &facts);
	bool fresh = failure.next == FAILURE_FRESH;
	assert_true(!fresh ||
	            (failure.scope == FAILURE_SESSION && failure.ends_session && !failure.suspect));
	return fresh;
}

static void limits_of_a_connection(void **state)
{
	static const struct {
		struct smtp_report report;
		bool expected;
	} rows[] = {
	        {{.stage = SMTP_MAIL, .code = 421}, true},
	        {{.stage = SMTP_MAIL, .code = 452}, true},
	        {{.stage = SMTP_RCPT, .code = 450}, true},
	        {{.stage = SMTP_DATA, .code = 451}, true},
	        {{.stage = SMTP_DATA, .code = 0}, true},
	        {{.stage = SMTP_BODY, .code = 421, .body_begun = true}, true},
	        {{.stage = SMTP_BODY, .code = 451, .body_begun = true}, false},
	        {{.stage = SMTP_BODY, .code = 0, .body_begun = true}, false},
	        {{.stage = SMTP_DATA, .code = 0, .body_begun = true}, false},
	        {{.stage = SMTP_GREETING, .code = 421}, false},
	        {{.stage = SMTP_RCPT, .code = 550}, false},
	        {{.stage = SMTP_BODY, .code = 250, .body_begun = true}, false},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (is_renewed(&rows[i].report) != rows[i].expected)
			fail_msg("row %zu", i);
}

static void assert_alone(const struct smtp_report *report, enum delivery expected,
                         bool ends_session)
{
	const struct failure_facts facts = {.alone = true};
	struct failure failure = failure_judge(report, &facts);
	assert_int_equal(failure.scope, FAILURE_MAIL);
	assert_int_equal(failure.delivery, expected);
	assert_int_equal(failure.ends_session, ends_session);
	assert_false(failure.suspect);
}

static void what_the_relays_fault_is_when_one_mail_alone_meets_it(void **state)
{
	const struct smtp_report sender = {.stage = SMTP_MAIL, .code = 550, .enhanced = {5, 7, 1}};
	const struct smtp_report login = {.stage = SMTP_MAIL, .code = 530, .enhanced = {5, 7, 0}};
	const struct smtp_report busy = {.stage = SMTP_RCPT, .code = 421};
	const struct smtp_report gone = {.stage = SMTP_RCPT, .code = 0};
	(void)state;
	assert_alone(&sender, DELIVERY_REFUSED, false);
	assert_alone(&login, DELIVERY_BUSY, false);
	assert_alone(&busy, DELIVERY_BUSY, true);
	assert_alone(&gone, DELIVERY_BUSY, true);
}

/* Before MAIL no mail is to blame, however often it met that. */
static void before_mail_it_is_the_relays_fault(void **state)
{
	const struct failure_facts alone = {.alone = true};
	(void)state;
	for (int stage = SMTP_CONNECT; stage < SMTP_MAIL; stage++) {
		const struct smtp_report report = {.stage = (enum smtp_stage)stage, .code = 421};
		struct failure failure = failure_judge(&report, &alone);
		assert_int_equal(failure.scope, FAILURE_RELAY);
		assert_int_equal(failure.next, FAILURE_ELSEWHERE);
		assert_true(failure.ends_session);
		assert_false(failure.suspect);
	}
}

/* Parameters that nobody asked for are said once more without, and only where there were some. */
static void parameters_are_left_out_where_they_are_refused(void **state)
{
	static const struct {
		struct smtp_report report;
		bool expected;
	} table[] = {
	        {{.stage = SMTP_MAIL, .code = 501}, true},
	        {{.stage = SMTP_MAIL, .code = 504}, true},
	        {{.stage = SMTP_RCPT, .code = 555, .enhanced = {5, 1, 1}}, true},
	        {{.stage = SMTP_RCPT, .code = 550, .enhanced = {5, 5, 4}}, true},
	        {{.stage = SMTP_RCPT, .code = 550, .enhanced = {5, 1, 1}}, false},
	        {{.stage = SMTP_MAIL, .code = 451}, false},
	        {{.stage = SMTP_DATA, .code = 501}, false},
	};
	const struct failure_facts parameters = {.parameters = true};
	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		const struct smtp_report *report = &table[i].report;
		bool bare = failure_judge(report, &parameters).next == FAILURE_BARE;
		if (bare != table[i].expected)
			fail_msg("row %zu", i);
		assert_int_not_equal(failure_judge(report, &nothing_else).next, FAILURE_BARE);
	}
}

static void what_never_reached_a_relay_is_not_its_fault(void **state)
{
	const struct smtp_report address = {.stage = SMTP_NOT_ADDRESSABLE};
	const struct smtp_report mail = {.stage = SMTP_NOT_RENDERED};
	(void)state;
	assert_int_equal(judge(&address), DELIVERY_ADDRESS);
	assert_int_equal(judge(&mail), DELIVERY_REFUSED);
}

/* A mail ends, is tried again later, or goes elsewhere: its status says the same. */
static void what_follows_agrees_with_the_status(void **state)
{
	(void)state;
	for (int i = 0; i < DELIVERY_COUNT; i++) {
		const struct failure_course *course = failure_course((enum delivery)i);
		assert_int_equal(course->next == FAILURE_LATER, course->status == STATUS_RETRYING);
		assert_int_equal(course->next == FAILURE_ELSEWHERE,
		                 course->status == STATUS_QUEUED);
		assert_int_equal(course->relay == FAILURE_RELAY_UNSURE,
		                 course->status == STATUS_FAILED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(limits_of_a_connection),
	        cmocka_unit_test(what_the_relays_fault_is_when_one_mail_alone_meets_it),
	        cmocka_unit_test(before_mail_it_is_the_relays_fault),
	        cmocka_unit_test(parameters_are_left_out_where_they_are_refused),
	        cmocka_unit_test(what_never_reached_a_relay_is_not_its_fault),
	        cmocka_unit_test(what_follows_agrees_with_the_status),
	        cmocka_unit_test(every_row_of_the_table),
	        cmocka_unit_test(nothing_is_lost_or_sent_by_mistake),
	        cmocka_unit_test(waits_double_up_to_an_hour),
	        cmocka_unit_test(deliveries_have_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
