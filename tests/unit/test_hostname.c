/* SPDX-License-Identifier: MIT */
/*
 * Names of hosts: what EHLO may say, and which Host of an HTTP request may be meant for us.
 */
#include "base/hostname.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define LABEL_63 "a23456789012345678901234567890123456789012345678901234567890123"

struct name {
	const char *text;
	bool valid, full;
};

static void test_names(void **state)
{
	static const struct name names[] = {
	        {"mail.example.com", true, true},
	        {"MAIL-1.Example.COM", true, true},
	        {"3com.example", true, true},
	        {LABEL_63 ".example.com", true, true},
	        {"xn--bcher-kva.example", true, true},
	        {"mailhost", true, false},
	        {"localhost", true, false},
	        {"a.localhost", true, false},
	        {"localhost.localdomain", true, false},
	        {"host.LOCALDOMAIN", true, false},
	        {"notlocaldomain.example", true, true},
	        {"10.1.2.3", true, false},
	        {"mail.1", true, false},
	        {"my_host.example.com", false, false},
	        {"mail.example.com.", false, false},
	        {"mail..example.com", false, false},
	        {".example.com", false, false},
	        {"", false, false},
	        {".", false, false},
	        {"-mail.example.com", false, false},
	        {"mail-.example.com", false, false},
	        {LABEL_63 "4.example.com", false, false},
	        {LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63, false, false},
	        {"b\xc3\xbc"
	         "cher.example",
	         false, false},
	        {"mail example.com", false, false},
	        {"[192.0.2.1]", false, false},
	        {"(none)", false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		assert_int_equal(hostname_valid(names[i].text), names[i].valid);
		assert_int_equal(hostname_full(names[i].text), names[i].full);
	}
}

static void test_literals(void **state)
{
	static const char *const good[] = {"[192.0.2.1]", "[IPv6:::1]", "[ipv6:2001:db8::1]"};
	static const char *const bad[] = {
	        "192.0.2.1", "[::1]",      "[IPv6:]",    "[]",
	        "[192.0.2]", "[192.0.2.1", "192.0.2.1]", "[IPv6:fe80::1%eth0]",
	        "["};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		assert_true(hostname_literal(good[i]));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(hostname_literal(bad[i]));
}

static void test_hosts_of_requests(void **state)
{
	static const char *const names[] = {"dispatch.example.com", "gate_1.", NULL};
	static const char *const ours[] = {
	        "localhost",     "LocalHost",
	        "localhost.",    "localhost:8925",
	        "localhost.:80", "127.0.0.1",
	        "127.0.0.1:80",  "192.0.2.7",
	        "[::1]",         "[::1]:8925",
	        "localhost:",    "ip6-localhost",
	        "[fe80::1]:1",   "Dispatch.Example.COM.",
	        "gate_1:80",     "dispatch.example.com:443",
	};
	static const char *const others[] = {
	        "",
	        ".",
	        ":",
	        ":80",
	        "evil.example.com",
	        "127.0.0.1.evil.com",
	        "127.0.0.1.",
	        "127.1",
	        "0x7f.0.0.1",
	        "2130706433",
	        "localhost.evil.com",
	        "evil.localhost",
	        "localhost..",
	        "localhost:80:80",
	        "localhost:http",
	        "localhost:123456",
	        "localhost, evil.com",
	        "localhost evil.com",
	        "evil.com@localhost",
	        "::1",
	        "[::1",
	        "[::1]evil.com",
	        "[::1].evil.com",
	        "[localhost]",
	        "[127.0.0.1]",
	        "[fe80::1%lo]",
	        "x.dispatch.example.com",
	        "dispatch.example.com.evil.com",
	        "example.com",
	};

	(void)state;
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		if (!hostname_addresses_us(ours[i], names))
			fail_msg("%s", ours[i]);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (hostname_addresses_us(others[i], names))
			fail_msg("%s", others[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_names),
	        cmocka_unit_test(test_literals),
	        cmocka_unit_test(test_hosts_of_requests),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
