/* SPDX-License-Identifier: MIT */
/* Ids under which mail servers had a mail, as a report says. */
#include "mail/report_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void ids_of_received_fields_and_statuses(void **state)
{
	(void)state;
	struct arena *arena = arena_new();
	const struct mail_report_mail mail = {
	        .header = "Received: by us.example.com id NOTTHIS1\n",
	        .report_type = "delivery-status",
	        .n_parts = 3,
	        .parts = {{MAIL_REPORT_TEXT, "Received: from x id NORTHIS1\n"},
	                  {MAIL_REPORT_STATUS, "Reporting-MTA: dns; relay.example.com\n"
	                                       "X-Postfix-Queue-ID: 4F1A23\n\n"
	                                       "Final-Recipient: rfc822; a@example.com\n"
	                                       "X-Postfix-queue-id: 4F1A24\n"},
	                  {MAIL_REPORT_RETURNED,
	                   "Received: from client.example (client.example [192.0.2.1])\n"
	                   "\tby relay.example.com (Postfix) with ESMTPS id 4F1A23\n"
	                   "\tfor <a@example.com>; Wed,  3 Jun 2026 08:00:00 +0000 (UTC)\n"
	                   "Received: from a by b with esmtp (Exim 4.96)\n"
	                   "\tid 1abcXY-0001Za-AB; Wed, 3 Jun 2026 08:00:00 +0000\n"
	                   "Received: by c id x; Wed\n"
	                   "Subject: an id SUBJECT1 of mine\n\n"
	                   "Received: by d id BODY12345\n"}},
	};
	static const char *const wanted[] = {"4F1A23", "4F1A24", "1abcXY-0001Za-AB"};
	const char *ids[8];
	size_t n = mail_report_queue_ids(&mail, arena, ids, 8);
	assert_int_equal(n, 3);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(ids[i], wanted[i]);
	assert_int_equal(mail_report_queue_ids(&mail, arena, ids, 2), 2);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(ids_of_received_fields_and_statuses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
