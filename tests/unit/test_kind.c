/* SPDX-License-Identifier: MIT */
/* The table of kinds: what a value of each type is, in which spelling it is kept, and that the
 * table is sound. */
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
        {"customer", "status", "Active", "active"},
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
        {"asset", "plan_x", "0.25", "0.25"},
        {"asset", "plan_x", "00.5", "0.5"},
        {"asset", "plan_x", "0", "0"},
        {"asset", "plan_y", "1", "1"},
        {"asset", "plan_y", "1.00000001", NULL},
        {"asset", "plan_y", "-0.1", NULL},
        {"asset", "plan_y", "25 %", NULL},
        {"asset", "plan_y", "nan", NULL},
        {"picture", "plan", "yes", "true"},
        {"sale", "amount", "0012.50", "12.50"},
        {"sale", "amount", "-0.5", "-0.5"},
        {"sale", "amount", "1,000", NULL},
        {"sale", "amount", "1e3", NULL},
        {"sale", "amount", "1.23456", NULL},
        {"sale", "amount", "1234567890123", NULL},
        {"sale", "amount", ".5", NULL},
        /* What nobody sees. */
        {"customer", "number", "\u00a01001\u2007", "1001"},
        {"customer", "number", "\u3000\t1001\u202f\u2003 ", "1001"},
        {"customer", "number", "10\u00a001", "10 01"},
        {"customer", "number", "\u00a0", ""},
        {"customer", "number", "1001\u200b", NULL},
        {"customer", "number", "\u200e1001", NULL},
        {"customer", "number", "\ufeff1001", NULL},
        {"customer", "number", "10\u00ad01", NULL},
        {"customer", "number", "1001\u3164", NULL},
        {"customer", "number", "1001\ufe0f", NULL},
        {"customer", "account", "A\u2060-7", NULL},
        {"customer", "parent", "1001\u200d", NULL},
        {"customer", "sales_rep", "Sam\u200b", NULL},
        {"customer", "reference", "PO\u200c7", NULL},
        {"customer", "phone", "+33\u202f1\u00a02345", "+33 1 2345"},
        {"customer", "timezone", "America/Denver\u200b", NULL},
        {"customer", "status", "active\u00a0", "active"},
        {"customer", "name", "\u00a0Zo\u00eb\u2003", "Zo\u00eb"},
        {"customer", "name", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
         "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"},
        {"customer", "name", "a\u2028b", NULL},
        {"contact", "email", "\u00a0a@example.com\u2009", "a@example.com"},
        {"contact", "email", "a@example.com\u200b", NULL},
        {"contact", "notify", "failed\u200b", NULL},
        {"rep", "name", "Sam\u2062", NULL},
        {"system", "type", "router\u200b", NULL},
        {"comment", "job", "4711\u200e", NULL},
        /* What a spreadsheet makes of keys. */
        {"customer", "number", "=\"00005\"", "00005"},
        {"customer", "number", "'00005", "00005"},
        {"customer", "number", "=\" 00005 \"", "00005"},
        {"customer", "number", "=00005", NULL},
        {"customer", "number", "=A1&\"5\"", NULL},
        {"customer", "number", "1E+05", NULL},
        {"customer", "number", "1.0E+05", NULL},
        {"customer", "number", "1,2e-7", NULL},
        {"customer", "number", "1E5", "1E5"},
        {"customer", "number", "E+05", "E+05"},
        {"customer", "number", "5.0", NULL},
        {"customer", "number", "5.1", "5.1"},
        {"customer", "number", "#REF!", NULL},
        {"customer", "number", "#7", "#7"},
        {"customer", "number", "=\"1E+05\"", "1E+05"},
        {"customer", "parent", "=\"00005\"", "00005"},
        {"customer", "account", "1.23457E+11", NULL},
        {"customer", "phone", "1.30356E+10", NULL},
        {"customer", "phone", "3035550100.0", NULL},
        {"customer", "phone", "=\"+13035550100\"", "+13035550100"},
        {"customer", "postal_code", "=\"00501\"", "00501"},
        {"customer", "postal_code", "8,02E+04", NULL},
        {"contact", "cell_phone", "1E+10", NULL},
        {"customer", "name", "=1+1", "=1+1"},
        {"customer", "name", "1E+05", "1E+05"},
        {"quote", "number", "7.0", "7.0"},
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
		bool good = field_check(field, values[i].text, strlen(values[i].text), zones, arena,
		                        &kept, &err);
		if (good != (values[i].kept != NULL))
			fail_msg("%s '%s': %s", values[i].field, values[i].text,
			         good ? kept : err.text);
		if (good && strcmp(kept ? kept : "", values[i].kept) != 0)
			fail_msg("%s '%s' is kept as '%s'", values[i].field, values[i].text, kept);
		if (!good) {
			assert_int_equal(err.code, EX_DATAERR);
			assert_true(strncmp(err.text, values[i].field, strlen(values[i].field)) ==
			            0);
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
	assert_true(field_check(name, text, 1000, zones, arena, &kept,
	                        NULL)); /* characters, not bytes */
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
			assert_true(strlen(field_expected(field, arena)) > 0);
			assert_int_equal(field->type == FIELD_CHOICE, field->choices != NULL);
			assert_true(!field->read_only || !field->required);
			if (field->initial) {
				assert_true(field_check(field, field->initial,
				                        strlen(field->initial), zones, arena, &kept,
				                        NULL));
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

/* What the loading of customers and contacts goes by. */
static void test_members(void **state)
{
	(void)state;
	for (size_t k = 0; k < n_kinds; k++) {
		bool loaded = strcmp(kinds[k].name, "customer") == 0 ||
		              strcmp(kinds[k].name, "contact") == 0;
		for (size_t i = 0; i < kinds[k].n_fields; i++) {
			const struct field *field = &kinds[k].fields[i];
			assert_true(loaded || (field->member == 0 && !field->not_in_mail));
			assert_true(kinds[k].is_customer || !field->inherited);
			for (size_t j = 0; j < i; j++)
				assert_true(field->member == 0 ||
				            field->member != kinds[k].fields[j].member);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_values),
	        cmocka_unit_test(test_lengths),
	        cmocka_unit_test(test_table),
	        cmocka_unit_test(test_members),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
