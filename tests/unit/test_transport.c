/* SPDX-License-Identifier: MIT */
#include "dispatchd/mailer/transport.h"
#include "model/settings_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct setting *find_transport(void)
{
	for (size_t i = 0; i < setting_count(); i++)
		if (strcmp(setting_at(i)->name, "mail.transport") == 0)
			return setting_at(i);
	return NULL;
}

/* The table has a row for each choice of the key, in the same order. */
static void test_rows_are_the_choices(void **state)
{
	char names[256] = "";

	(void)state;
	for (size_t i = 0; i < transport_rows_len; i++) {
		strcat(names, i > 0 ? " " : "");
		strcat(names, transport_rows[i]->name);
	}
	assert_string_equal(names, find_transport()->choices);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_rows_are_the_choices),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
