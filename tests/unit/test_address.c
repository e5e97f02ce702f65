/* SPDX-License-Identifier: MIT */
/* Which addresses may stand in an envelope, and how `[mail] from` is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/address.h"

#include <string.h>

static const char *const good[] = {
        "rosa@example.com",
        "r@localhost",
        "first.last+tag@sub.example.com",
        "o'brien!#$%&*-/=?^_`{|}~@example.com",
        "1@2.example",
        "\"quoted\"@example.com",
        "\"a.b..c\"@example.com",
        "\"a@b\"@example.com",
        "\"a\\\"b\"@example.com",
        "a@[192.0.2.1]",
        "a@[IPv6:2001:db8::1]",
        "a@xn--mller-kva.example",
        "1234567890123456789012345678901234567890123456789012345678901234@example.com",
};

static const char *const bad[] = {
        "",
        "rosa",
        "rosa@",
        "@example.com",
        "a@b@c",
        ".a@example.com",
        "a.@example.com",
        "a..b@example.com",
        "a b@example.com",
        "\"a b\"@example.com",
        " a@example.com",
        "a@example.com ",
        "a@exam ple.com",
        "a@example.com\r\nRCPT TO:<b@example.com>",
        "a@example.com\n",
        "a\t@example.com",
        "a\x7f@example.com",
        "m\xc3\xbcller@example.com",
        "a@m\xc3\xbcller.example",
        "a@-example.com",
        "a@example-.com",
        "a@example..com",
        "a@.example.com",
        "a@example.com.",
        "a@exa_mple.com",
        "a@[300.1.1.1]",
        "a@[IPv6:zz]",
        "a@[]",
        "a@[1.2.3.4",
        "<a@example.com>",
        "a,b@example.com",
        "a(b)@example.com",
        "\"a\"b@example.com",
        "\"a\\\"@example.com",
        "\"@example.com",
        "a>@example.com",
        "12345678901234567890123456789012345678901234567890123456789012345@example.com",
        "a@1234567890123456789012345678901234567890123456789012345678901234.com",
};

static void good_addresses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct error err = {0};
		if (!address_check(good[i], &err))
			fail_msg("%s: %s", good[i], err.text);
	}
}

static void bad_addresses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct error err = {0};
		if (address_check(bad[i], &err))
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(err.code, 65);
		assert_false(address_check(bad[i], NULL));
	}
}

static void at_most_254_bytes(void **state)
{
	(void)state;
	char text[300] = "a@";
	while (strlen(text) < 250)
		strcat(text, "abcdefg.");
	text[ADDRESS_MAX - 1] = 'x';
	strcpy(text + ADDRESS_MAX - 4, "abcd");
	assert_int_equal(strlen(text), ADDRESS_MAX);
	assert_true(address_check(text, NULL));
	strcat(text, "e");
	assert_false(address_check(text, NULL));
}

static void the_domain(void **state)
{
	(void)state;
	assert_string_equal(address_domain("a@example.com"), "example.com");
	assert_string_equal(address_domain("\"a@b\"@example.com"), "example.com");
	assert_string_equal(address_domain("nobody"), "");
}

static void mailboxes(void **state)
{
	(void)state;
	static const struct {
		const char *text, *name, *address;
	} cases[] = {
	        {"dispatch@example.com", "", "dispatch@example.com"},
	        {"  dispatch@example.com ", "", "dispatch@example.com"},
	        {"<dispatch@example.com>", "", "dispatch@example.com"},
	        {"Example Hauling <dispatch@example.com>", "Example Hauling",
	         "dispatch@example.com"},
	        {"Example Hauling<dispatch@example.com> ", "Example Hauling",
	         "dispatch@example.com"},
	        {"\"Hauling, Inc.\" <d@example.com>", "Hauling, Inc.", "d@example.com"},
	        {"\"a \\\"b\\\" <x>\" <d@example.com>", "a \"b\" <x>", "d@example.com"},
	        {"M\xc3\xbcller & S\xc3\xb6hne <d@example.com>", "M\xc3\xbcller & S\xc3\xb6hne",
	         "d@example.com"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct mailbox box;
		struct error err = {0};
		if (!mailbox_parse(cases[i].text, &box, &err))
			fail_msg("%s: %s", cases[i].text, err.text);
		assert_string_equal(box.name, cases[i].name);
		assert_string_equal(box.address, cases[i].address);
	}
}

static void no_mailboxes(void **state)
{
	(void)state;
	static const char *const cases[] = {
	        "",
	        "Example Hauling",
	        "Example <dispatch@example.com",
	        "Example <>",
	        "Example <dispatch>",
	        "Example <d@example.com> more",
	        "Example dispatch@example.com",
	        "\"Example <d@example.com>",
	        "Exa\"mple <d@example.com>",
	        "Example\r\nBcc: x <d@example.com>",
	        "d@example.com, e@example.com",
	        "<d@example.com>, <e@example.com>",
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct mailbox box = {.name = "kept"};
		if (mailbox_parse(cases[i], &box, NULL))
			fail_msg("taken: %s", cases[i]);
		assert_string_equal(box.name, "kept");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(good_addresses),    cmocka_unit_test(bad_addresses),
	        cmocka_unit_test(at_most_254_bytes), cmocka_unit_test(the_domain),
	        cmocka_unit_test(mailboxes),         cmocka_unit_test(no_mailboxes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
