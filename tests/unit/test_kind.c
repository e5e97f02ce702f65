/* SPDX-License-Identifier: MIT */
/* The table of kinds: what a value of each type is, in which spelling it is kept, and that the table is
 * sound. */
#include "base/mem.h"
#include "model/kind.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

/* `kept` NULL: refused; "" : cleared. */
static const struct {
	const char *kind, *field, *text, *kept;
} values[] = {
        {"customer", "name", "  Zoë  ", "Zoë"},
        {"customer", "name", " \t", ""},
        {"customer", "name", "a\nb", NULL},
        {"customer", "name", "a\x1b[31m", NULL},
        {"customer", "name", "a\xc2\x9b", NULL},
        {"customer", "name", "\xff", NULL},
        {"customer", "location_notes", "a\nb\tc", "a\nb\tc"},
        {"customer", "number", "0012", "0012"},
        {"customer", "status", "active", "active"},
        {"customer", "status", "Active", NULL},
        {"customer", "phone", "1-800-EXAMPLE ext. 12", "1-800-EXAMPLE ext. 12"},
        {"customer", "phone", "12", NULL},
        {"customer", "phone", "+49 30 <1234>", NULL},
        {"customer", "timezone", "America/Denver", "America/Denver"},
        {"customer", "timezone", "../../etc/passwd", NULL},
        {"customer", "locale", "pt_br", "pt-BR"},
        {"customer", "locale", "fr", "fr"},
        {"customer", "locale", "zh-Hant-TW", "zh-Hant-TW"},
        {"customer", "locale", "en-ZZZZZZZZZ", NULL},
        {"customer", "locale", "qq", NULL},
        {"customer", "renewal", "2024-02-29", "2024-02-29"},
        {"customer", "renewal", "2023-02-29", NULL},
        {"customer", "renewal", "24-2-1", NULL},
        {"contact", "email", "a.b+c@example.com", "a.b+c@example.com"},
        {"contact", "email", "a@b@example.com", NULL},
        {"contact", "email", "Ann <a@example.com>", NULL},
        {"contact", "notify", "failed,dispatched", "dispatched,failed"},
        {"contact", "notify", "none", "none"},
        {"contact", "notify", "delivered", NULL},
        {"contact", "all_sites", "yes", "true"},
        {"contact", "all_sites", "0", "false"},
        {"contact", "all_sites", "maybe", NULL},
        {"suspension", "scopes", "emails,jobs", "jobs,emails"},
        {"suspension", "scopes", "none", NULL},
        {"asset", "latitude", "39.7392", "39.7392"},
        {"asset", "latitude", "-180.1", NULL},
        {"sale", "amount", "0012.50", "12.50"},
        {"sale", "amount", "-0.5", "-0.5"},
        {"sale", "amount", "1,000", NULL},
        {"sale", "amount", "1e3", NULL},
        {"sale", "amount", "1.23456", NULL},
        {"sale", "amount", "1234567890123", NULL},
        {"sale", "amount", ".5", NULL},
};

static void test_values(void **state)
{
	(void)state;
	struct zones *zones = zones_new();
	struct arena *arena = arena_new();
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		const struct field *field = kind_field(kind_find(values[i].kind), values[i].field);
		const char *kept = "untouched";
		struct error err = {0};
		bool good =
		        field_check(field, values[i].text, strlen(values[i].text), zones, arena, &kept, &err);
		if (good != (values[i].kept != NULL))
			fail_msg("%s '%s': %s", values[i].field, values[i].text, good ? kept : err.text);
		if (good && strcmp(kept ? kept : "", values[i].kept) != 0)
			fail_msg("%s '%s' is kept as '%s'", values[i].field, values[i].text, kept);
		if (!good) {
			assert_int_equal(err.code, EX_DATAERR);
			assert_true(strncmp(err.text, values[i].field, strlen(values[i].field)) == 0);
			assert_string_equal(kept, "untouched");
		}
	}
	arena_free(arena);
	zones_free(zones);
}

static void test_lengths(void **state)
{
	(void)state;
	struct zones *zones = zones_new();
	struct arena *arena = arena_new();
	char text[1202];
	const char *kept;
	for (int i = 0; i < 1200; i += 2)
		memcpy(text + i, "é", 2);
	const struct field *name = kind_field(kind_find("customer"), "name");
	assert_true(field_check(name, text, 1000, zones, arena, &kept, NULL)); /* characters, not bytes */
	assert_false(field_check(name, text, 1002, zones, arena, &kept, NULL));
	assert_false(field_check(name, "a\0b", 3, zones, arena, &kept, NULL));
	assert_false(field_check(name, "ab\0", 3, zones, arena, &kept, NULL));
	arena_free(arena);
	zones_free(zones);
}

/* Names that the rest of the program counts on. */
static void test_table(void **state)
{
	(void)state;
	struct zones *zones = zones_new();
	struct arena *arena = arena_new();
	for (size_t k = 0; k < n_kinds; k++) {
		const struct kind *kind = &kinds[k];
		assert_true(kind->n_fields <= KIND_FIELDS_MAX);
		assert_ptr_equal(kind_find(kind->name), kind);
		assert_true(kind->owner == NULL || kind_find(kind->owner));
		for (size_t i = 0; i < kind->n_fields; i++) {
			const struct field *field = &kind->fields[i];
			const char *kept;
			assert_ptr_equal(kind_field(kind, field->name), field);
			assert_non_null(field->help);
			assert_true(strlen(field_meant(field, arena)) > 0);
			assert_int_equal(field->type == FIELD_CHOICE, field->choices != NULL);
			assert_true(!field->kept || !field->needed);
			if (field->initial) {
				assert_true(field_check(field, field->initial, strlen(field->initial), zones,
				                        arena, &kept, NULL));
				assert_string_equal(kept, field->initial);
			}
		}
	}
	assert_string_equal(kind_find("third_party")->name, "third-party");
	assert_string_equal(kind_nearest(kind_find("customer"), "adress"), "address");
	assert_null(kind_nearest(kind_find("customer"), "zzzzzzzz"));
	arena_free(arena);
	zones_free(zones);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_values),
	        cmocka_unit_test(test_lengths),
	        cmocka_unit_test(test_table),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
