/* SPDX-License-Identifier: MIT */
/* What of a person's reply may stand behind a header of ours, and that header. */
#include "mail/forward.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GOOD "Content-Type: text/plain;\r\n\tcharset=utf-8\r\n\r\n"

static bool check(const char *entity, size_t len)
{
	struct error err = {0};
	bool ok = forward_check(entity, len, &err);
	assert_true(ok || err.code == 65);
	return ok;
}

#define CHECK(text) check(text, sizeof(text) - 1)

static void content_alone_may_stand_there(void **state)
{
	(void)state;
	assert_true(CHECK(GOOD "hello\r\n"));
	assert_true(CHECK("content-id: <a>\r\nContent-Type: a/b\r\n\r\n"));
	assert_true(CHECK("\r\nhello\r\n"));
	assert_true(CHECK(GOOD "Bcc: in the body it is text\r\n"));
	assert_false(CHECK("Bcc: evil@example.com\r\n\r\nhello\r\n"));
	assert_false(CHECK("Content-Type: a/b\r\nSubject: x\r\n\r\nhello\r\n"));
	assert_false(CHECK(" folded: to our header\r\n\r\nhello\r\n"));
	assert_false(CHECK("Content-Type\r\n\r\nhello\r\n"));
	assert_false(CHECK("hello\r\n\r\n"));
}

static void it_has_an_end(void **state)
{
	(void)state;
	assert_false(CHECK(""));
	assert_false(CHECK("Content-Type: a/b\r\n"));
	assert_false(CHECK(GOOD "hello"));
}

static void lines_are_those_of_smtp(void **state)
{
	(void)state;
	assert_false(CHECK(GOOD "hello\n"));
	assert_false(CHECK(GOOD "hel\rlo\r\n"));
	assert_false(CHECK(GOOD "hel\0lo\r\n"));
	assert_false(CHECK(GOOD "gr\xc3\xbc\xc3\x9f\r\n"));
	assert_false(CHECK("Content-Type: a/b\n\r\n"));
}

static bool check_line_of(size_t len)
{
	struct buf entity = {0};
	buf_adds(&entity, GOOD);
	for (size_t i = 0; i < len; i++)
		buf_addc(&entity, 'x');
	buf_adds(&entity, "\r\n");
	bool ok = check(entity.data, entity.len);
	buf_free(&entity);
	return ok;
}

static void lines_are_no_longer_than_allowed(void **state)
{
	(void)state;
	assert_true(check_line_of(998));
	assert_false(check_line_of(999));
}

static void it_is_no_larger_than_allowed(void **state)
{
	(void)state;
	struct buf entity = {0};
	buf_adds(&entity, "\r\n");
	while (entity.len < FORWARD_BYTES_MAX)
		buf_adds(&entity, "\r\n");
	assert_true(check(entity.data, FORWARD_BYTES_MAX));
	buf_adds(&entity, "\r\n");
	assert_false(check(entity.data, entity.len));
	buf_free(&entity);
}

/* The header is one line, and the content follows it at once. */
static void subject_is(const char *job, const char *subject, const char *expected)
{
	static const struct mailbox from = {.name = "Example", .address = "a@example.com"};
	struct forward forward = {.from = &from,
	                          .to = "rep@example.com",
	                          .reply_to = "kim@farm.example",
	                          .job = job,
	                          .subject = subject,
	                          .message_id = "<1@example.com>",
	                          .thread_id = "",
	                          .entity = "\r\nhello\r\n",
	                          .len = 9};
	struct buf mail = {0}, wanted = {0};
	forward_compose(&forward, &mail);
	buf_printf(&wanted, "\r\nSubject: %s\r\n", expected);
	if (strstr(buf_text(&mail), buf_text(&wanted)) == NULL)
		fail_msg("%s", buf_text(&mail));
	assert_non_null(strstr(buf_text(&mail), "\r\nMIME-Version: 1.0\r\n\r\nhello\r\n"));
	buf_free(&mail);
	buf_free(&wanted);
}

static void the_job_is_in_front_of_the_subject_once(void **state)
{
	(void)state;
	subject_is("4711", "Re: Your job", "[4711] Re: Your job");
	subject_is("4711", "[4711] Re: Your job", "[4711] Re: Your job");
	subject_is("", "Re: Your job", "Re: Your job");
	subject_is("a\nBcc: b", "x\ny", "[a Bcc: b] x y");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(content_alone_may_stand_there),
	        cmocka_unit_test(it_has_an_end),
	        cmocka_unit_test(lines_are_those_of_smtp),
	        cmocka_unit_test(lines_are_no_longer_than_allowed),
	        cmocka_unit_test(it_is_no_larger_than_allowed),
	        cmocka_unit_test(the_job_is_in_front_of_the_subject_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
