/* SPDX-License-Identifier: MIT */
/* The pieces that reports are read by: codes, fields, addresses, phrases, and the verdict's table.
 */
#include "mail/report_code.h"
#include "mail/report_fields.h"
#include "mail/report_judge.h"
#include "mail/report_plain.h"
#include "mail/report_sender.h"
#include "mail/report_stage.h"
#include "mail/report_status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct arena *arena;

static int set_up(void **state)
{
	(void)state;
	arena = arena_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena = arena_free(arena);
	return 0;
}

/* ---- codes ---- */

static void test_codes_in_words(void **state)
{
	static const struct {
		const char *text;
		int reply;
		const char *code;
	} rows[] = {
	        {"550 5.1.1 no such user", 550, "5.1.1"},
	        {"550-5.1.1 no such 550 5.1.1 user", 550, "5.1.1"},
	        {"Sorry, no mailbox here by that name. (#5.1.1)", 0, "5.1.1"},
	        {"550 #5.1.0 Address rejected.", 550, "5.1.0"},
	        {"554 4.4.7 Message expired <421 4.4.2 Connection timed out>", 421, "4.4.2"},
	        {"said: 552-5.2.2 full", 552, "5.2.2"},
	        {"550 unknown user", 550, ""},
	        {"550: unknown user", 550, ""},
	        {"host mx[192.0.2.7] said: 550 gone", 550, ""},
	        {"550 5.7.606 Access denied", 550, "5.7.606"},
	        {"250 2.1.5 fine, 550 5.1.1 not", 550, "5.1.1"},
	        {"at 5.1.1.1 nothing", 0, ""},
	        {"version 4.5.6beta", 0, ""},
	        {"1550 5.1", 0, ""},
	        {"room 550b", 0, ""},
	        {"<550@farm.example>", 0, ""},
	        {"<kim5.1.1@farm.example>", 0, ""},
	        {"5.1.1@farm.example", 0, ""},
	        {"", 0, ""},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct mail_report_code code = {0};
		char text[MAIL_REPORT_CODE_TEXT_MAX];
		bool found = mail_report_code_find(rows[i].text, &code);
		print_message("%s\n", rows[i].text);
		assert_int_equal(found, rows[i].reply != 0 || rows[i].code[0] != '\0');
		assert_int_equal(code.reply, rows[i].reply);
		assert_string_equal(mail_report_code_text(&code, text), rows[i].code);
	}
}

static void test_a_status_field(void **state)
{
	struct mail_report_code code = {0};
	(void)state;
	assert_true(mail_report_code_parse(" 5.1.1 (no such mailbox)", &code));
	assert_int_equal(mail_report_code_class(&code), 5);
	assert_true(mail_report_code_specific(&code));
	assert_true(mail_report_code_parse("4.0.0", &code));
	assert_false(mail_report_code_specific(&code));
	assert_false(mail_report_code_parse("", &code));
	assert_false(mail_report_code_parse("5.1", &code));
	assert_false(mail_report_code_parse("9.1.1", &code));
	assert_false(mail_report_code_parse("5.1.1111", &code));
	assert_int_equal(code.class, 4); /* untouched */
}

/* ---- fields ---- */

static void test_fields_are_unfolded(void **state)
{
	static const char block[] = "no field\nA: one\r\n two\n\tthree\nB:\nC : x\n\nD: y\n";
	const char *at = block;
	struct mail_report_field field;
	(void)state;
	assert_true(mail_report_field_next(&at, arena, &field));
	assert_string_equal(field.name, "A");
	assert_string_equal(field.value, "one two three");
	assert_true(mail_report_field_next(&at, arena, &field));
	assert_string_equal(field.value, "");
	assert_true(mail_report_field_next(&at, arena, &field));
	assert_string_equal(field.name, "C");
	assert_false(mail_report_field_next(&at, arena, &field));
	assert_true(mail_report_field_next(&at, arena, &field));
	assert_string_equal(field.name, "D");
	assert_false(mail_report_field_next(&at, arena, &field));
	assert_string_equal(at, "");
	assert_string_equal(mail_report_field_value(block, "c", arena), "x");
	assert_string_equal(mail_report_field_value(block, "D", arena), "");
}

static void test_addresses(void **state)
{
	static const struct {
		const char *text, *address;
	} rows[] = {
	        {"rfc822; kim@farm.example", "kim@farm.example"},
	        {"rfc822;<kim@farm.example>", "kim@farm.example"},
	        {"RFC822; kim@farm.example.", "kim@farm.example"},
	        {"\"lee@barn.example\" <kim@farm.example>", "kim@farm.example"},
	        {"Kim <kim@farm.example> (at the farm)", "kim@farm.example"},
	        {"utf-8; jos\\x{e9}@farm.example", "josé@farm.example"},
	        {"@farm.example", ""},
	        {"kim@", ""},
	        {"kim", ""},
	        {"", ""},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_string_equal(mail_report_address(rows[i].text, arena), rows[i].address);
}

static void test_foreign_bytes_become_text(void **state)
{
	static const char bytes[] = "a\0b\xff\xc3\xa9 \t\r\n c\x1b[1m";
	(void)state;
	assert_string_equal(mail_report_line(arena, bytes, sizeof bytes - 1, 100),
	                    "a b\xEF\xBF\xBDé c [1m");
	assert_string_equal(mail_report_lines(arena, "a\r\n\nb\n", 6, 100), "a\n\nb\n");
	assert_true(strlen(mail_report_line(arena, "éééééééé", 16, 10)) <= 10);
}

/* ---- the verdict ---- */

static enum mail_report_verdict judge(int reply, const char *status, const char *words,
                                      enum mail_report_stage stage)
{
	struct mail_report_code code = {0};
	const char *why = NULL;
	(void)mail_report_code_parse(status, &code);
	code.reply = reply;
	enum mail_report_verdict verdict =
	        mail_report_judge(&code, stage, true, words, arena, &why);
	assert_non_null(why);
	return verdict;
}

static void test_the_code_decides_first(void **state)
{
	static const char *const gone[] = {"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"};
	(void)state;
	for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++)
		assert_int_equal(judge(550, gone[i], "no", MAIL_REPORT_STAGE_UNKNOWN),
		                 MAIL_REPORT_GONE);
	assert_int_equal(judge(550, "5.1.8", "no", 0), MAIL_REPORT_REFUSED);
	assert_int_equal(judge(552, "5.2.2", "no", 0), MAIL_REPORT_BUSY);
	assert_int_equal(judge(550, "5.7.1", "no", 0), MAIL_REPORT_REFUSED);
	assert_int_equal(judge(450, "4.1.1", "no", 0), MAIL_REPORT_BUSY);
	assert_int_equal(judge(0, "", "no", 0), MAIL_REPORT_REFUSED);
}

static void test_words_soften_anything(void **state)
{
	(void)state;
	assert_int_equal(judge(550, "5.1.1", "mailbox full", 0), MAIL_REPORT_BUSY);
	assert_int_equal(judge(550, "5.1.1", "User unknown: blocked as spam", 0),
	                 MAIL_REPORT_REFUSED);
	assert_int_equal(judge(550, "5.1.2", "your quota exceeds the quota", 0), MAIL_REPORT_BUSY);
}

static void test_words_harden_only_what_is_final_and_open(void **state)
{
	static const enum mail_report_stage rcpt = MAIL_REPORT_STAGE_RCPT;
	(void)state;
	assert_int_equal(judge(550, "5.0.0", "User unknown", rcpt), MAIL_REPORT_GONE);
	assert_int_equal(judge(550, "5.2.1", "User unknown", 0), MAIL_REPORT_GONE);
	assert_int_equal(judge(550, "", "User unknown", rcpt), MAIL_REPORT_GONE);
	assert_int_equal(judge(450, "4.0.0", "User unknown", rcpt), MAIL_REPORT_BUSY);
	assert_int_equal(judge(450, "", "User unknown", rcpt), MAIL_REPORT_BUSY);
	assert_int_equal(judge(450, "5.1.1", "User unknown", rcpt), MAIL_REPORT_BUSY);
	assert_int_equal(judge(550, "5.7.1", "User unknown", rcpt), MAIL_REPORT_REFUSED);
	assert_int_equal(judge(550, "5.2.0", "User unknown", rcpt), MAIL_REPORT_REFUSED);
	assert_int_equal(judge(550, "5.2.2", "User unknown", rcpt), MAIL_REPORT_BUSY);
	assert_int_equal(judge(550, "", "User unknown", 0), MAIL_REPORT_REFUSED);
	assert_int_equal(judge(550, "5.0.0", "User unknown", MAIL_REPORT_STAGE_DATA),
	                 MAIL_REPORT_REFUSED);
	assert_int_equal(judge(550, "5.0.0", "User unknown", MAIL_REPORT_STAGE_MAIL),
	                 MAIL_REPORT_REFUSED);
}

static void test_words_in_addresses_and_links_count_for_nothing(void **state)
{
	(void)state;
	assert_int_equal(
	        judge(550, "5.1.1", "<spam@farm.example> https://x.example/quota full?", 0),
	        MAIL_REPORT_GONE);
	assert_int_equal(
	        judge(550, "5.0.0", "refused <no-such-user@farm.example>", MAIL_REPORT_STAGE_RCPT),
	        MAIL_REPORT_REFUSED);
	assert_int_equal(judge(550, "5.0.0", "the account 550-5.0.0 does not 550 5.0.0 exist",
	                       MAIL_REPORT_STAGE_RCPT),
	                 MAIL_REPORT_GONE);
}

static void test_phrases_with_a_gap(void **state)
{
	char far[200] = "user ";
	(void)state;
	memset(far + 5, 'x', 100);
	memcpy(far + 105, "unknown", 8);
	assert_true(mail_report_phrase_in("the user kim is unknown here", "user * unknown"));
	assert_true(mail_report_phrase_in("user x user y unknown", "user * unknown"));
	assert_false(mail_report_phrase_in("unknown user kim", "user * unknown"));
	assert_false(mail_report_phrase_in(far, "user * unknown"));
	assert_true(mail_report_phrase_in("anything", ""));
}

static void test_the_first_command_in_a_transcript_counts(void **state)
{
	(void)state;
	assert_int_equal(
	        mail_report_stage_of(">>> RCPT To:<kim@farm.example>\n<<< 550\n>>> DATA\n", arena),
	        MAIL_REPORT_STAGE_RCPT);
	assert_int_equal(mail_report_stage_of("(in reply to end\n    of DATA command)", arena),
	                 MAIL_REPORT_STAGE_DATA);
	assert_int_equal(mail_report_stage_of("nothing", arena), MAIL_REPORT_STAGE_UNKNOWN);
}

/* ---- who ---- */

static void test_who_wrote_it(void **state)
{
	static const struct {
		const char *header;
		bool system, nobody, responder, list;
	} rows[] = {
	        {"From: MAILER-DAEMON@x.example (Mail Delivery System)\n", .system = true},
	        {"X-Failed-Recipients: kim@farm.example\nAuto-Submitted: auto-replied\n",
	         .system = true, .responder = true},
	        {"Return-Path: <>\nFrom: Kim <kim@farm.example>\n", .nobody = true},
	        {"Auto-Submitted: auto-generated\n", .responder = true},
	        {"Auto-Submitted: no\nFrom: Kim <kim@farm.example>\n", .system = false},
	        {"Subject: Out of the office until Monday\n", .responder = true},
	        {"Subject: Réponse automatique : Bonjour\n", .responder = true},
	        {"X-Autoreply: yes\n", .responder = true},
	        {"Precedence: bulk\n", .list = true},
	        {"From: Kim <kim@farm.example>\nSubject: Re: Pickup\n", .system = false},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *header = rows[i].header;
		print_message("%s", header);
		assert_int_equal(mail_report_by_system(header, arena), rows[i].system);
		assert_int_equal(mail_report_by_nobody(header, arena), rows[i].nobody);
		assert_int_equal(mail_report_by_responder(header, arena), rows[i].responder);
		assert_int_equal(mail_report_by_list(header, arena), rows[i].list);
	}
}

/* ---- a delivery status ---- */

static void test_groups_without_blank_lines(void **state)
{
	static const char block[] = "Reporting-MTA: dns; x.example\n"
	                            "Original-Envelope-Id: e-1\n"
	                            "Final-Recipient: rfc822; kim@farm.example\nStatus: 5.1.1\n"
	                            "Final-Recipient: rfc822; lee@farm.example\nStatus: 5.2.2\n"
	                            "Diagnostic-Code: smtp; 552 full\n";
	struct mail_report report = {.envelope_id = "", .message_id = ""};
	(void)state;
	mail_report_status_read(block, arena, &report);
	assert_int_equal(report.n_recipients, 2);
	assert_string_equal(report.envelope_id, "e-1");
	assert_string_equal(report.recipients[0].address, "kim@farm.example");
	assert_int_equal(report.recipients[0].action, MAIL_REPORT_ACTION_FAILED);
	assert_string_equal(report.recipients[1].diagnostic, "552 full");
	assert_int_equal(report.recipients[1].status.reply, 552);
	assert_int_equal(report.recipients[1].status.detail, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_codes_in_words),
	        cmocka_unit_test(test_a_status_field),
	        cmocka_unit_test(test_fields_are_unfolded),
	        cmocka_unit_test(test_addresses),
	        cmocka_unit_test(test_foreign_bytes_become_text),
	        cmocka_unit_test(test_the_code_decides_first),
	        cmocka_unit_test(test_words_soften_anything),
	        cmocka_unit_test(test_words_harden_only_what_is_final_and_open),
	        cmocka_unit_test(test_words_in_addresses_and_links_count_for_nothing),
	        cmocka_unit_test(test_phrases_with_a_gap),
	        cmocka_unit_test(test_the_first_command_in_a_transcript_counts),
	        cmocka_unit_test(test_who_wrote_it),
	        cmocka_unit_test(test_groups_without_blank_lines),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
