/* SPDX-License-Identifier: MIT */
#include "dispatchd/mailer/esmtp_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *reason(const char *offered, bool clear)
{
	static char ret[DELIVERY_REPLY_MAX];

	plugin_fault(offered, clear, ret, sizeof ret);
	return ret;
}

/* What every such sentence says behind what the relay offers. */
#define KNOWN                                                                                      \
	"dispatchd knows PLAIN, LOGIN and CRAM-MD5, and with oauth_token_file OAUTHBEARER and "    \
	"XOAUTH2"

static void test_what_is_offered_is_named(void **state)
{
	(void)state;
	assert_string_equal(reason("", true), "AUTH: the relay offers no way to log in; " KNOWN);
	assert_string_equal(reason("GSSAPI NTLM", false),
	                    "AUTH: the relay offers GSSAPI NTLM; " KNOWN);
	assert_string_equal(reason("PLAINS CRAM-MD", true),
	                    "AUTH: the relay offers PLAINS CRAM-MD; " KNOWN);
}

static void test_passwords_are_not_sent_in_the_clear(void **state)
{
	(void)state;
	assert_string_equal(reason("plain LOGIN", false),
	                    "AUTH: the relay offers plain LOGIN without TLS; " KNOWN
	                    ", of which only CRAM-MD5 keeps the password without TLS");
}

static void test_a_plugin_that_is_missing(void **state)
{
	(void)state;
	assert_string_equal(
	        reason("CRAM-MD5", false),
	        "AUTH: the relay offers CRAM-MD5; libesmtp's plugin for it can't be opened");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_what_is_offered_is_named),
	        cmocka_unit_test(test_passwords_are_not_sent_in_the_clear),
	        cmocka_unit_test(test_a_plugin_that_is_missing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
