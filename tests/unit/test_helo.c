/* SPDX-License-Identifier: MIT */
#include "dispatchd/mailer/helo.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *chosen(const char *helo, const char *host, const char *own)
{
	static char ret[HELO_SIZE];
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	const struct sockaddr *address = NULL;

	if (own && inet_pton(AF_INET, own, &v4.sin_addr) == 1)
		address = (const struct sockaddr *)&v4;
	else if (own && inet_pton(AF_INET6, own, &v6.sin6_addr) == 1)
		address = (const struct sockaddr *)&v6;
	helo_choose(helo, host, address, ret);
	return ret;
}

static void test_full_names(void **state)
{
	(void)state;
	assert_string_equal(chosen("", "mail.example.com", "192.0.2.1"), "mail.example.com");
	assert_string_equal(chosen("", "Mail-1.Example.com", "192.0.2.1"), "Mail-1.Example.com");
	assert_string_equal(chosen("", "mail.example.com.", "192.0.2.1"), "mail.example.com");
}

static void test_names_that_no_strict_relay_takes(void **state)
{
	static const char *const hosts[] = {
	        "my_host.example.com",
	        "localhost.localdomain",
	        "localhost",
	        "mailhost",
	        "10.1.2.3",
	        "mail.example.com..",
	        "mail..com",
	        "-mail.example.com",
	        "",
	        ".",
	        "(none)",
	        "b\303\274ro.example.com",
	};

	(void)state;
	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
		assert_string_equal(chosen("", hosts[i], "192.0.2.1"), "[192.0.2.1]");
		assert_string_equal(chosen("", hosts[i], "2001:db8::1"), "[IPv6:2001:db8::1]");
		assert_string_equal(chosen("", hosts[i], NULL), "[127.0.0.1]");
	}
}

static void test_the_configured_name_wins(void **state)
{
	(void)state;
	assert_string_equal(chosen("out.example.net", "mail.example.com", "192.0.2.1"),
	                    "out.example.net");
	assert_string_equal(chosen("[192.0.2.9]", "mailhost", "192.0.2.1"), "[192.0.2.9]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_full_names),
	        cmocka_unit_test(test_names_that_no_strict_relay_takes),
	        cmocka_unit_test(test_the_configured_name_wins),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
