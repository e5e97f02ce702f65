/* SPDX-License-Identifier: MIT */
/* Inheritance and suspensions over a chain of two: a site of 2001 and its parent 2000. */
#include "model/customer.h"
#include "model/kind.h"
#include "model/suspension.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))

static struct arena *arena;
static struct zones *zones;

static struct customer blank(const char *number, const struct customer *parent)
{
	return (struct customer){.number = number,
	                         .status = "active",
	                         .timezone = "",
	                         .locale = "",
	                         .reference = "",
	                         .sales_rep = "",
	                         .location_notes = "",
	                         .parent = parent};
}

static struct day day(const char *text)
{
	struct day found;
	assert_true(day_parse(text, &found));
	return found;
}

static struct instant instant(const char *text)
{
	struct instant found;
	assert_true(instant_parse(text, &found));
	return found;
}

static void texts_come_from_the_nearest(void **state)
{
	(void)state;
	struct customer top = blank("3000", NULL), parent = blank("2000", &top),
	                site = blank("2001", &parent);
	assert_string_equal(customer_timezone(&site), "");
	top.timezone = "America/Denver";
	top.locale = "en";
	parent.locale = "fr-CA";
	site.reference = "PO 7";
	parent.reference = "PO 1";
	parent.location_notes = "Gate 4";
	top.sales_rep = "Robin";
	assert_string_equal(customer_timezone(&site), "America/Denver");
	assert_string_equal(customer_locale(&site), "fr-CA");
	assert_string_equal(customer_reference(&site), "PO 7");
	assert_string_equal(customer_location_notes(&site), "Gate 4");
	assert_string_equal(customer_sales_rep(&site), "Robin");
	assert_string_equal(customer_locale(&top), "en");
}

static const struct hours_window morning = {420, 720}, evening = {1080, 1200}, noon = {720, 780};

static void hours_are_taken_as_a_whole_and_dates_one_by_one(void **state)
{
	(void)state;
	struct customer parent = blank("2000", NULL), site = blank("2001", &parent);
	const struct hours_date parents[] = {{day("2026-07-04"), {NULL, 0}},
	                                     {day("2026-12-25"), {NULL, 0}},
	                                     {day("2026-12-31"), {&noon, 1}}};
	const struct hours_date own[] = {{day("2026-11-26"), {&noon, 1}},
	                                 {day("2026-12-25"), {&morning, 1}}};
	parent.hours = (struct hours){.weekly = true, .dates = parents, .n_dates = N(parents)};
	parent.hours.week[0] = (struct hours_day){&morning, 1};
	site.hours = (struct hours){.dates = own, .n_dates = N(own)};
	const struct hours *hours = customer_hours(&site, arena);
	assert_true(hours->weekly);
	assert_ptr_equal(hours->week[0].windows, &morning);
	assert_int_equal(hours->week[1].n, 0);
	static const struct {
		const char *day;
		const struct hours_window *windows;
	} want[] = {{"2026-07-04", NULL},
	            {"2026-11-26", &noon},
	            {"2026-12-25", &morning},
	            {"2026-12-31", &noon}};
	assert_int_equal(hours->n_dates, N(want));
	for (size_t i = 0; i < N(want); i++) {
		assert_int_equal(hours->dates[i].day.n, day(want[i].day).n);
		assert_ptr_equal(hours->dates[i].hours.windows, want[i].windows);
	}

	site.hours.weekly = true; /* a week of its own: nothing of the parent's is mixed in */
	site.hours.week[1] = (struct hours_day){&evening, 1};
	hours = customer_hours(&site, arena);
	assert_int_equal(hours->week[0].n, 0);
	assert_ptr_equal(hours->week[1].windows, &evening);
	assert_int_equal(hours->n_dates, N(want));
	assert_ptr_equal(customer_hours(&parent, arena), &parent.hours);
}

static void contacts_of_all_sites_come_after_its_own(void **state)
{
	(void)state;
	const struct contact parents[] = {
	        {.id = 1, .all_sites = true}, {.id = 2}, {.id = 3, .all_sites = true}};
	const struct contact own[] = {{.id = 7}, {.id = 9, .all_sites = true}};
	struct customer parent = blank("2000", NULL), site = blank("2001", &parent);
	size_t n = 99;
	assert_non_null(customer_contacts(&site, arena, &n));
	assert_int_equal(n, 0);
	parent.contacts = parents;
	parent.n_contacts = N(parents);
	site.contacts = own;
	site.n_contacts = N(own);
	const struct contact *const *contacts = customer_contacts(&site, arena, &n);
	static const int64_t want[] = {7, 9, 1, 3};
	assert_int_equal(n, N(want));
	for (size_t i = 0; i < N(want); i++)
		assert_int_equal(contacts[i]->id, want[i]);
	(void)customer_contacts(&parent, arena, &n);
	assert_int_equal(n, 3);
}

static void the_first_good_address_is_used(void **state)
{
	(void)state;
	const struct instant marked = {.ms = 1}, good = INSTANT_NONE;
	const struct {
		struct contact contact;
		const char *address;
		enum reason reason;
	} cases[] = {
	        {{.email = "a", .alt_email = "b"}, "a", REASON_OK},
	        {{.email = "a", .alt_email = "b", .email_invalid = marked}, "b", REASON_OK},
	        {{.email = "a", .alt_email = "b", .alt_email_invalid = marked}, "a", REASON_OK},
	        {{.email = "", .alt_email = "b"}, "b", REASON_OK},
	        {{.email = "a", .alt_email = "", .email_invalid = marked},
	         "",
	         REASON_ADDRESS_INVALID},
	        {{.email = "a",
	          .alt_email = "b",
	          .email_invalid = marked,
	          .alt_email_invalid = marked},
	         "",
	         REASON_ADDRESS_INVALID},
	        {{.email = "", .alt_email = ""}, "", REASON_NO_ADDRESS},
	};
	for (size_t i = 0; i < N(cases); i++) {
		struct contact contact = cases[i].contact;
		enum reason reason;
		if (contact.email_invalid.ms == 0)
			contact.email_invalid = good;
		if (contact.alt_email_invalid.ms == 0)
			contact.alt_email_invalid = good;
		assert_string_equal(contact_address(&contact, &reason), cases[i].address);
		assert_int_equal(reason, cases[i].reason);
	}
}

static void a_parent_that_is_not_active_counts(void **state)
{
	(void)state;
	struct customer parent = blank("2000", NULL), site = blank("2001", &parent);
	assert_null(customer_not_active(&site));
	parent.status = "inactive";
	assert_ptr_equal(customer_not_active(&site), &parent);
	site.status = "released";
	assert_ptr_equal(customer_not_active(&site), &site);
}

/* Whatever the record has: a hand may have been in the database. */
static void one_status_alone_is_active(void **state)
{
	(void)state;
	const struct field *status = kind_field(kind_find("customer"), "status");
	struct customer customer = blank("2000", NULL);
	for (const char *const *choice = status->choices; *choice; choice++) {
		customer.status = *choice;
		assert_int_equal(customer_not_active(&customer) == NULL,
		                 strcmp(*choice, "active") == 0);
	}
	static const char *const spoilt[] = {"", "gone", "Active", "active "};
	for (size_t i = 0; i < N(spoilt); i++) {
		customer.status = spoilt[i];
		assert_ptr_equal(customer_not_active(&customer), &customer);
	}
}

/* Any field, by its place in the table. */
static void fields_are_inherited_as_the_table_says(void **state)
{
	(void)state;
	const struct kind *kind = kind_find("customer");
	const char *of_parent[KIND_FIELDS_MAX], *of_site[KIND_FIELDS_MAX];
	struct customer parent = blank("2000", NULL), site = blank("2001", &parent);
	parent.texts = of_parent;
	site.texts = of_site;
	for (size_t i = 0; i < kind->n_fields; i++) {
		of_parent[i] = "parent's";
		of_site[i] = "";
		assert_string_equal(customer_text(&site, i),
		                    kind->fields[i].inherited ? "parent's" : "");
		of_site[i] = "its own";
		assert_string_equal(customer_text(&site, i), "its own");
	}
}

/* The store refuses a ring; should one be there, each question still ends. */
static void a_ring_ends(void **state)
{
	(void)state;
	struct customer a = blank("1", NULL), b = blank("2", &a);
	const struct contact one = {.id = 1, .all_sites = true};
	size_t n;
	a.parent = &b;
	a.contacts = &one;
	a.n_contacts = 1;
	assert_string_equal(customer_timezone(&a), "");
	assert_null(customer_not_active(&a));
	assert_false(customer_hours(&a, arena)->weekly);
	(void)customer_contacts(&a, arena, &n);
	assert_true(n <= CUSTOMER_DEPTH_MAX);
}

static const struct zone *denver(void)
{
	const struct zone *zone = zone_find(zones, "America/Denver");
	assert_non_null(zone);
	return zone;
}

static void a_suspension_holds_by_days_of_the_zone(void **state)
{
	(void)state;
	const struct suspension some = {.from = day("2026-03-08"), .until = day("2026-03-09")};
	const struct suspension indefinite = {.from = day("2026-03-08"), .until = DAY_NONE};
	static const struct {
		const char *at;
		bool some, indefinite;
	} cases[] = {
	        {"2026-03-08T06:59:59.999Z", false, false}, {"2026-03-08T07:00:00Z", true, true},
	        {"2026-03-09T05:59:59.999Z", true, true}, /* the day has 23 hours */
	        {"2026-03-09T06:00:00Z", false, true},      {"2099-01-01T00:00:00Z", false, true},
	};
	for (size_t i = 0; i < N(cases); i++) {
		assert_int_equal(suspension_holds(&some, denver(), instant(cases[i].at)),
		                 cases[i].some);
		assert_int_equal(suspension_holds(&indefinite, denver(), instant(cases[i].at)),
		                 cases[i].indefinite);
	}
	/* The missing day begins where the next one does: such a suspension never holds. */
	const struct suspension missing = {.from = day("2011-12-30"), .until = day("2011-12-31")};
	const struct zone *apia = zone_find(zones, "Pacific/Apia");
	assert_false(suspension_holds(&missing, apia, instant("2011-12-30T10:00:00Z")));
	assert_false(suspension_holds(&missing, apia, instant("2011-12-30T09:59:59Z")));
}

static void the_nearest_suspension_is_found(void **state)
{
	(void)state;
	const struct suspension parents[] = {
	        {.id = 1, .scopes = SCOPE_ALL, .from = day("2026-03-01"), .until = DAY_NONE}};
	const struct suspension own[] = {
	        {.id = 5,
	         .scopes = SCOPE_ROUTES,
	         .from = day("2026-03-01"),
	         .until = day("2026-03-10")},
	        {.id = 6,
	         .scopes = SCOPE_EMAILS,
	         .from = day("2026-03-01"),
	         .until = day("2026-03-10")},
	        {.id = 7,
	         .scopes = SCOPE_EMAILS,
	         .from = day("2026-03-01"),
	         .until = day("2026-03-10")},
	};
	struct customer parent = blank("2000", NULL), site = blank("2001", &parent);
	struct instant at = instant("2026-03-05T12:00:00Z");
	assert_null(suspension_find(&site, SCOPE_ALL, denver(), at));
	parent.suspensions = parents;
	parent.n_suspensions = N(parents);
	site.suspensions = own;
	site.n_suspensions = N(own);
	assert_int_equal(suspension_find(&site, SCOPE_EMAILS, denver(), at)->id, 6);
	assert_int_equal(suspension_find(&site, SCOPE_EMAILS | SCOPE_ROUTES, denver(), at)->id, 5);
	assert_int_equal(suspension_find(&site, SCOPE_JOBS, denver(), at)->id, 1);
	assert_null(suspension_find(&site, SCOPE_ALL, denver(), instant("2026-02-28T12:00:00Z")));
	assert_int_equal(
	        suspension_find(&site, SCOPE_EMAILS, denver(), instant("2026-03-11T12:00:00Z"))->id,
	        1);
}

static void a_chain_of_suspensions_wears_off(void **state)
{
	(void)state;
	struct suspension some[] = {
	        {.id = 1,
	         .scopes = SCOPE_ROUTES,
	         .from = day("2026-03-01"),
	         .until = day("2026-03-05")},
	        {.id = 2,
	         .scopes = SCOPE_ROUTES,
	         .from = day("2026-03-05"),
	         .until = day("2026-03-07")},
	        {.id = 3,
	         .scopes = SCOPE_ROUTES,
	         .from = day("2026-03-08"),
	         .until = day("2026-03-10")},
	        {.id = 4, .scopes = SCOPE_EMAILS, .from = day("2026-03-01"), .until = DAY_NONE},
	};
	struct customer site = blank("2001", NULL);
	site.suspensions = some;
	site.n_suspensions = N(some);
	struct instant at = instant("2026-03-02T12:00:00Z");
	assert_int_equal(suspension_clear(&site, SCOPE_ROUTES, denver(), at).ms,
	                 instant("2026-03-07T07:00:00Z").ms);
	assert_int_equal(suspension_clear(&site, SCOPE_JOBS, denver(), at).ms, at.ms);
	assert_int_equal(suspension_clear(&site, SCOPE_EMAILS, denver(), at).ms, INSTANT_NEVER.ms);
	assert_int_equal(suspension_next_change(&site, denver(), at).ms,
	                 instant("2026-03-05T07:00:00Z").ms);
	assert_int_equal(
	        suspension_next_change(&site, denver(), instant("2026-03-05T07:00:00Z")).ms,
	        instant("2026-03-07T07:00:00Z").ms);
	assert_int_equal(
	        suspension_next_change(&site, denver(), instant("2026-03-10T06:00:00Z")).ms,
	        INSTANT_NEVER.ms);
	assert_int_equal(
	        suspension_next_change(&site, denver(), instant("2026-01-10T06:00:00Z")).ms,
	        instant("2026-03-01T07:00:00Z").ms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(texts_come_from_the_nearest),
	        cmocka_unit_test(hours_are_taken_as_a_whole_and_dates_one_by_one),
	        cmocka_unit_test(contacts_of_all_sites_come_after_its_own),
	        cmocka_unit_test(the_first_good_address_is_used),
	        cmocka_unit_test(a_parent_that_is_not_active_counts),
	        cmocka_unit_test(one_status_alone_is_active),
	        cmocka_unit_test(fields_are_inherited_as_the_table_says),
	        cmocka_unit_test(a_ring_ends),
	        cmocka_unit_test(a_suspension_holds_by_days_of_the_zone),
	        cmocka_unit_test(the_nearest_suspension_is_found),
	        cmocka_unit_test(a_chain_of_suspensions_wears_off),
	};
	arena = arena_new();
	zones = zones_new();
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	zones = zones_free(zones);
	arena = arena_free(arena);
	return failed;
}
