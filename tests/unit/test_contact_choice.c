/* SPDX-License-Identifier: MIT */
/* What a contact chose of its mails, and what a signed link may change of that. */
#include "office.h"
#include "records/contact_choice.h"
#include "records/customers_private.h"

#include <stdint.h>
#include <string.h>
#include <sysexits.h>

enum {
	STARTED = JOB_BIT(JOB_STARTED),
	COMPLETED = JOB_BIT(JOB_COMPLETED),
	FAILED = JOB_BIT(JOB_FAILED),
	PAUSED = JOB_BIT(JOB_PAUSED),
	ALL = (1 << JOB_STATE_COUNT) - 1,
};

/* A contact that gets mails about what is started, completed and failed. */
static int64_t add_contact(struct office *office)
{
	office_add(office, "customer", NULL, "{'number': '1001', 'name': 'Farm'}");
	return office_add(office, "contact", "1001",
	                  "{'name': 'Rosa', 'email': 'rosa@example.com', 'locale': 'de', "
	                  "'notify': 'started,completed,failed'}");
}

static struct contact_choice load(struct office *office, int64_t contact)
{
	struct contact_choice choice = {0};
	office_ok(office, contact_choice_load(office->store, contact, office->arena, &choice,
	                                      &office->err));
	return choice;
}

/* By its own link. */
static struct contact_choice set(struct office *office, int64_t contact, unsigned off, unsigned on)
{
	const char *link = load(office, contact).link;
	office_ok(office, contact_choice_set(office->store, contact, link, off, on,
	                                     office->boss.when, &office->err));
	return load(office, contact);
}

static int64_t count(struct office *office, const char *sql)
{
	int64_t n = -1;
	office_ok(office, db_run_int(db_query(office->store->db, sql), 0, &n, &office->err));
	return n;
}

static int64_t count_changes(struct office *office)
{
	return count(office, "SELECT count(*) FROM change WHERE user = 'recipient'");
}

static void it_is_read(void **state)
{
	struct office *office = *state;
	struct contact_choice choice = load(office, add_contact(office));
	assert_string_equal(choice.customer, "1001");
	assert_string_equal(choice.locale, "de");
	assert_int_equal(strlen(choice.link), 20);
	assert_int_equal(choice.on, STARTED | COMPLETED | FAILED);
	assert_int_equal(choice.off_by_link, 0);
}

static void nobody_has_none(void **state)
{
	struct office *office = *state;
	struct contact_choice choice;
	assert_false(contact_choice_load(office->store, 77, office->arena, &choice, &office->err));
	assert_int_equal(office->err.code, EX_NOINPUT);
}

static void off_and_on_again(void **state)
{
	struct office *office = *state;
	int64_t id = add_contact(office);
	struct contact_choice choice = set(office, id, FAILED | STARTED, 0);
	assert_int_equal(choice.on, COMPLETED);
	assert_int_equal(choice.off_by_link, FAILED | STARTED);
	choice = set(office, id, 0, FAILED);
	assert_int_equal(choice.on, COMPLETED | FAILED);
	assert_int_equal(choice.off_by_link, STARTED);
	assert_int_equal(count_changes(office), 2);
}

static void all_off(void **state)
{
	struct office *office = *state;
	struct contact_choice choice = set(office, add_contact(office), ALL, 0);
	assert_int_equal(choice.on, 0);
	/* What was off before isn't the link's to switch on. */
	assert_int_equal(choice.off_by_link, STARTED | COMPLETED | FAILED);
}

static void the_same_again_changes_nothing(void **state)
{
	struct office *office = *state;
	int64_t id = add_contact(office);
	(void)set(office, id, FAILED, 0);
	(void)set(office, id, FAILED, 0);
	(void)set(office, id, PAUSED, 0);
	assert_int_equal(count_changes(office), 1);
}

static void on_only_what_a_link_switched_off(void **state)
{
	struct office *office = *state;
	struct contact_choice choice = set(office, add_contact(office), 0, PAUSED | FAILED);
	assert_int_equal(choice.on, STARTED | COMPLETED | FAILED);
	assert_int_equal(count_changes(office), 0);
}

/* The office switched it on and off again: a link has no say in that. */
static void the_office_has_the_last_word(void **state)
{
	struct office *office = *state;
	int64_t id = add_contact(office);
	(void)set(office, id, FAILED, 0);
	office_set(office, "contact", office_id(office, id), "{'notify': 'completed,failed'}");
	assert_int_equal(load(office, id).off_by_link, 0);
	office_set(office, "contact", office_id(office, id), "{'notify': 'completed'}");
	struct contact_choice choice = set(office, id, 0, FAILED);
	assert_int_equal(choice.on, COMPLETED);
	assert_int_equal(choice.off_by_link, 0);
}

static void another_link_does_nothing(void **state)
{
	struct office *office = *state;
	int64_t id = add_contact(office);
	office_ok(office, contact_choice_set(office->store, id, "00000000000000000000", ALL, 0,
	                                     office->boss.when, &office->err));
	assert_int_equal(load(office, id).on, STARTED | COMPLETED | FAILED);
	assert_int_equal(count_changes(office), 0);
}

static void a_contact_that_is_gone_is_no_fault(void **state)
{
	struct office *office = *state;
	office_ok(office, contact_choice_set(office->store, 77, "link", ALL, 0, office->boss.when,
	                                     &office->err));
	assert_int_equal(count_changes(office), 0);
}

static void links_differ_and_stay(void **state)
{
	struct office *office = *state;
	int64_t one = add_contact(office);
	int64_t two = office_add(office, "contact", "1001", "{'name': 'Bo'}");
	const char *link = load(office, one).link;
	assert_string_not_equal(link, load(office, two).link);
	office_set(office, "contact", office_id(office, one), "{'email': 'other@example.com'}");
	assert_string_equal(load(office, one).link, link);
}

/* With the contact go the link and what it switched off. */
static void nothing_is_left_of_one_that_is_gone(void **state)
{
	struct office *office = *state;
	int64_t id = add_contact(office);
	(void)set(office, id, FAILED, 0);
	struct db_query *query = db_query(office->store->db, "DELETE FROM contact WHERE id = ?1");
	db_bind_int(query, 1, id);
	office_ok(office, db_run(query, &office->err));
	assert_int_equal(count(office, "SELECT count(*) FROM opt_out"), 0);
	assert_int_equal(count(office, "SELECT count(*) FROM contact_link"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, office_open, office_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(it_is_read),
	        TEST(nobody_has_none),
	        TEST(off_and_on_again),
	        TEST(all_off),
	        TEST(the_same_again_changes_nothing),
	        TEST(on_only_what_a_link_switched_off),
	        TEST(the_office_has_the_last_word),
	        TEST(another_link_does_nothing),
	        TEST(a_contact_that_is_gone_is_no_fault),
	        TEST(links_differ_and_stay),
	        TEST(nothing_is_left_of_one_that_is_gone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
