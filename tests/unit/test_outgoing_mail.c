/* SPDX-License-Identifier: MIT */
/* The identifiers of mails and threads: the same for the same, another for each other thing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mail/outgoing_mail.h"

#include <string.h>

static void an_empty_mail(void **state)
{
	(void)state;
	struct outgoing_mail *outgoing = outgoing_mail_new();
	assert_string_equal(outgoing->thread_id, "");
	assert_string_equal(outgoing->context, "{}");
	assert_null(outgoing_mail_free(outgoing));
	assert_null(outgoing_mail_free(NULL));
}

static void message_ids_tell_mails_apart(void **state)
{
	(void)state;
	struct arena *arena = arena_new();
	const char *ids[] = {
	        outgoing_mail_message_id(arena, "s", "e", 1, "started", "example.com"),
	        outgoing_mail_message_id(arena, "s", "e", 2, "started", "example.com"),
	        outgoing_mail_message_id(arena, "s", "e", 1, "paused", "example.com"),
	        outgoing_mail_message_id(arena, "s", "f", 1, "started", "example.com"),
	        outgoing_mail_message_id(arena, "t", "e", 1, "started", "example.com"),
	        outgoing_mail_message_id(arena, "se", "", 1, "started", "example.com"),
	        outgoing_mail_message_id(arena, "", "se", 1, "started", "example.com"),
	        outgoing_mail_message_id(arena, "s", "e1", 1, "started", "example.com"),
	        outgoing_mail_thread_id(arena, "s", "e", "example.com"),
	        outgoing_mail_thread_id(arena, "se", "", "example.com"),
	        outgoing_mail_thread_id(arena, "1001", "4711", "example.com"),
	};
	size_t n = sizeof ids / sizeof *ids;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(ids[i], ids[k]);
	arena_free(arena);
}

static void the_same_mail_has_the_same_id(void **state)
{
	(void)state;
	struct arena *arena = arena_new();
	const char *id =
	        outgoing_mail_message_id(arena, "/a", "8f2c", 7, "completed", "example.com");
	assert_string_equal(
	        id, outgoing_mail_message_id(arena, "/a", "8f2c", 7, "completed", "example.com"));
	/* written down: a new version must thread with the mails of an old one */
	assert_string_equal(id, "<29429fa0df5bba410daf11a6b4b5a77f9f2e3ce0@example.com>");
	assert_string_equal(outgoing_mail_thread_id(arena, "1001", "4711", "example.com"),
	                    "<348430eae9c5818cf89914c85d6c4319b2087d88@example.com>");
	arena_free(arena);
}

static void hostile_parts_stay_out_of_the_id(void **state)
{
	(void)state;
	struct arena *arena = arena_new();
	const char *id = outgoing_mail_message_id(arena, "\r\nBcc: x", "<>@ \xff", 7, "completed",
	                                          "example.com");
	assert_int_equal(strlen(id), strlen("<>@example.com") + 40);
	assert_int_equal(strspn(id + 1, "0123456789abcdef"), 40);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(an_empty_mail),
	        cmocka_unit_test(message_ids_tell_mails_apart),
	        cmocka_unit_test(the_same_mail_has_the_same_id),
	        cmocka_unit_test(hostile_parts_stay_out_of_the_id),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
