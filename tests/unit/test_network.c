/* SPDX-License-Identifier: MIT */
/* Which addresses count as one client. */
#include "center/trust/network.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void addresses_of_a_network_are_one(void **state)
{
	(void)state;
	static const struct {
		const char *address, *network;
	} cases[] = {
	        {"192.0.2.1", "192.0.2.0"},
	        {"192.0.2.255", "192.0.2.0"},
	        {"192.0.3.1", "192.0.3.0"},
	        {"2001:db8:1:2::7", "2001:db8:1::"},
	        {"2001:db8:1:ffff:1:2:3:4", "2001:db8:1::"},
	        {"2001:db8:2::7", "2001:db8:2::"},
	        {"::ffff:192.0.2.1", "192.0.2.0"}, /* not one network with all of IPv4 */
	        {"::1", "::"},
	        {"", ""},
	        {"unknown", ""},
	        {"192.0.2.1:443", ""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[NETWORK_TEXT_MAX];
		assert_string_equal(network_of(cases[i].address, text), cases[i].network);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(addresses_of_a_network_are_one)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
