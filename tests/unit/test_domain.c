/* SPDX-License-Identifier: MIT */
/* Whose a domain is: the same organization's or another's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/domain.h"

static const struct {
	const char *a, *b;
	bool same;
} cases[] = {
        {"example.com", "example.com", true},
        {"example.com", "mail.example.com", true},
        {"a.b.example.com", "mail.example.com", true},
        {"Example.COM", "bounce.example.com.", true},
        {"example.com", "example.net", false},
        {"example.com", "badexample.com", false},
        {"example.co.uk", "mail.example.co.uk", true},
        {"example.co.uk", "other.co.uk", false},
        {"example.com.au", "other.com.au", false},
        {"one.github.io", "other.github.io", false}, /* private suffixes count, too */
        {"one.github.io", "mail.one.github.io", true},
        {"xn--mller-kva.de", "mail.xn--mller-kva.de", true},
        {"co.uk", "co.uk", true},
        {"co.uk", "example.co.uk", false},
        {"mail.internal", "web.internal", false},
        {"a.mail.internal", "b.mail.internal", true},
        {"localhost", "localhost", true},
        {"localhost", "example.com", false},
        {"[192.0.2.1]", "[192.0.2.1]", true},
        {"[192.0.2.1]", "[192.0.3.1]", false},
        {"", "example.com", false},
};

static void organizations_are_told_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		if (domain_same_organization(cases[i].a, cases[i].b) != cases[i].same ||
		    domain_same_organization(cases[i].b, cases[i].a) != cases[i].same)
			fail_msg("%s and %s: %d", cases[i].a, cases[i].b, !cases[i].same);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(organizations_are_told_apart)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
