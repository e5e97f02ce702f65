/* SPDX-License-Identifier: MIT */
/* One edit of many customers: what its preview shows, that it is made for all or for none, and
 * never for others than a person has seen. */
#include "records/bulk_edit.h"

#include "base/jsontext.h"
#include "office.h"

#include <string.h>
#include <sysexits.h>

static void add_customers(struct office *office)
{
	office_add(office, "rep", NULL, "{'name':'Sam'}");
	office_add(office, "customer", NULL,
	           "{'number':'1','name':'One','email':'one@example.com','contact':'O'}");
	office_add(office, "customer", NULL,
	           "{'number':'2','name':'Two','email':'two@example.com','contact':'T'}");
	office_add(office, "customer", NULL, "{'number':'3','name':'Three','sales_rep':'Sam'}");
}

static json_t *all(struct office *office)
{
	struct customer_filter filter = {0};
	json_t *rows;
	office_ok(office, customer_list(office->store, &filter, &rows, &office->err));
	return rows;
}

static json_t *preview(struct office *office, const struct bulk_edit *edit, char *digest)
{
	json_t *rows = all(office);
	office_ok(office, bulk_preview(&office->clerk, edit, rows, &office->err));
	bulk_digest(edit, rows, digest);
	return rows;
}

static int64_t history_length(struct office *office)
{
	int64_t last;
	office_ok(office, changes_last(office->store, &last, &office->err));
	return last;
}

/* What the preview has, then that it is made as it was shown. */
static void edits(struct office *office, enum bulk_verb verb, const char *values,
                  const char *changes, int64_t n)
{
	struct bulk_edit edit = {
	        .verb = verb, .values = office_json(values), .default_zone = "Etc/UTC"};
	char digest[BULK_DIGEST_SIZE];
	int64_t before = history_length(office), done;
	json_t *rows = preview(office, &edit, digest);
	const char *shown = office_text(office, json_deep_copy(rows));
	office_has(shown, changes);
	assert_int_equal(history_length(office), before);
	office_ok(office, bulk_apply(&office->clerk, &edit, rows, digest, &done, &office->err));
	assert_int_equal(done, n);
	json_decref(rows);
	json_decref((json_t *)(uintptr_t)edit.values);
}

static void test_each_verb(void **state)
{
	struct office *office = *state;
	add_customers(office);
	edits(office, BULK_SET, "{'sales_rep':'Sam'}",
	      "'before':{'sales_rep':null},'after':{'sales_rep':'Sam'}", 2);
	office_has(office_show(office, "customer", "2"), "'sales_rep':'Sam'");
	edits(office, BULK_NOTIFY, "{'how':'set','states':['failed']}",
	      "'after':{'notify':['failed']}", 2);
	edits(office, BULK_NOTIFY, "{'how':'add','states':['paused','dispatched']}",
	      "'after':{'notify':['dispatched','failed','paused']}", 2);
	edits(office, BULK_NOTIFY, "{'how':'remove','states':['failed','started']}",
	      "'after':{'notify':['dispatched','paused']}", 2);
	office_has(office_list(office, "contact", "1"), "'notify':['dispatched','paused']");
	edits(office, BULK_WEEKLY, "{'weekdays':'mon-fri','windows':'07:00-12:00'}",
	      "'mon':'07:00-12:00'", 3);
	edits(office, BULK_DATES, "{'first':'2027-12-24','last':'2027-12-26','windows':'closed'}",
	      "'2027-12-25':'closed'", 3);
	edits(office, BULK_DATES, "{'first':'2027-12-24','last':'2027-12-25','windows':null}",
	      "'2027-12-24'", 3);
	json_t *hours;
	office_ok(office, hours_show(office->store, "3", &hours, &office->err));
	office_has(office_text(office, hours), "'dates':{'2027-12-26':'closed'}");
	edits(office, BULK_SUSPEND, "{'scopes':['emails'],'note':'unpaid'}", "'kind':'suspension'",
	      3);
	edits(office, BULK_RESUME, "{}", "'kind':'suspension'", 3);
	edits(office, BULK_SET, "{'status':'active'}", "'changes':[]", 0);
}

/* Those that can't be edited are named and left out; the others are edited. */
static void test_refused(void **state)
{
	struct office *office = *state;
	struct bulk_edit edit = {.verb = BULK_SET, .values = office_json("{'parent':'1'}")};
	char digest[BULK_DIGEST_SIZE];
	int64_t n;
	add_customers(office);
	json_t *rows = preview(office, &edit, digest);
	assert_string_not_equal(jsontext_at(json_array_get(rows, 0), "fault"), "");
	assert_true(json_is_null(json_object_get(json_array_get(rows, 1), "fault")));
	office_ok(office, bulk_apply(&office->clerk, &edit, rows, digest, &n, &office->err));
	assert_int_equal(n, 2);
	office_has(office_show(office, "customer", "1"), "'parent':null");
	office_has(office_show(office, "customer", "3"), "'parent':'1'");
	json_decref(rows);
	json_decref((json_t *)(uintptr_t)edit.values);
}

static void test_a_clerk_does_no_manager_s_work(void **state)
{
	struct office *office = *state;
	struct bulk_edit edit = {.verb = BULK_SET, .values = office_json("{'status':'active'}")};
	char digest[BULK_DIGEST_SIZE];
	office_add(office, "customer", NULL, "{'number':'9','name':'Nine','status':'new'}");
	json_t *rows = preview(office, &edit, digest);
	assert_string_not_equal(jsontext_at(json_array_get(rows, 0), "fault"), "");
	json_decref(rows);
	json_decref((json_t *)(uintptr_t)edit.values);
}

/* What a person has seen is what is done: a change in between, another edit, another choice. */
static void test_not_what_was_seen(void **state)
{
	struct office *office = *state;
	struct bulk_edit edit = {.verb = BULK_SET, .values = office_json("{'sales_rep':'Sam'}")};
	char seen[BULK_DIGEST_SIZE], now[BULK_DIGEST_SIZE];
	int64_t n;
	add_customers(office);
	json_decref(preview(office, &edit, seen));
	office_add(office, "rep", NULL, "{'name':'Kim'}");
	office_set(office, "customer", "2", "{'sales_rep':'Kim'}");
	json_t *rows = preview(office, &edit, now);
	assert_string_not_equal(seen, now);
	int64_t before = history_length(office);
	assert_false(bulk_apply(&office->clerk, &edit, rows, seen, &n, &office->err));
	assert_int_equal(office->err.code, EX_DATAERR);
	assert_int_equal(history_length(office), before);
	office_has(office_show(office, "customer", "1"), "'sales_rep':null");
	/* one that fails behind others takes these back */
	office_ok(office, records_remove(&office->boss, kind_find("customer"), "2", &office->err));
	assert_false(bulk_apply(&office->clerk, &edit, rows, now, &n, &office->err));
	assert_int_equal(office->err.code, EX_NOINPUT);
	office_has(office_show(office, "customer", "1"), "'sales_rep':null");
	json_decref(rows);
	json_decref((json_t *)(uintptr_t)edit.values);
}

static void test_limits_and_names(void **state)
{
	struct office *office = *state;
	struct bulk_edit edit = {.verb = BULK_RESUME, .values = office_json("{}")};
	enum bulk_verb verb;
	json_t *rows = json_array();
	for (int i = 0; i <= BULK_MAX; i++)
		json_array_append_new(rows, office_json("{'number':'1'}"));
	assert_false(bulk_preview(&office->clerk, &edit, rows, &office->err));
	assert_int_equal(office->err.code, EX_DATAERR);
	json_decref(rows);
	json_decref((json_t *)(uintptr_t)edit.values);
	for (int v = 0; v < BULK_VERB_COUNT; v++) {
		assert_true(bulk_verb_find(bulk_verb_name((enum bulk_verb)v), &verb));
		assert_int_equal(verb, v);
	}
	assert_false(bulk_verb_find("erase", &verb));
	assert_null(bulk_verb_name(BULK_VERB_COUNT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(test_each_verb, office_open, office_close),
	        cmocka_unit_test_setup_teardown(test_refused, office_open, office_close),
	        cmocka_unit_test_setup_teardown(test_a_clerk_does_no_manager_s_work, office_open,
	                                        office_close),
	        cmocka_unit_test_setup_teardown(test_not_what_was_seen, office_open, office_close),
	        cmocka_unit_test_setup_teardown(test_limits_and_names, office_open, office_close),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
