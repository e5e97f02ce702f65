/* SPDX-License-Identifier: MIT */
/* Search, relations and duplicates; folding. */
#include "base/buf.h"
#include "office.h"
#include "records/fold.h"

#include <string.h>
#include <sysexits.h>

static void test_folding(void **state)
{
	(void)state;
	static const struct {
		const char *text, *folded;
	} cases[] = {
	        {"Müller  &\tSöhne ", "muller & sohne"},
	        {"Łukasz Ørsted", "lukasz orsted"},
	        {"STRAẞE Straße", "strasse strasse"},
	        {"ISPARTA ısı İ", "isparta isi i"},
	        {"Ærø Đakovo œuvre", "aero dakovo oeuvre"},
	        {"ﬁve Ⅳ ①", "five iv 1"},
	        {"Ａｂｃ", "abc"},
	        {"Αθήνα", "αθηνα"},
	        {"a\xff"
	         "b",
	         "ab"},
	        {"", ""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct buf out = {0};
		fold_text(cases[i].text, strlen(cases[i].text), &out);
		assert_string_equal(buf_text(&out), cases[i].folded);
		buf_free(&out);
	}
}

static void fill(struct office *office)
{
	static const char *const customers[] = {
	        "{'number':'1001','name':'Müller Hauling','city':'Denver','state':'CO','phone':'+1 "
	        "(303) "
	        "555-0101',"
	        "'address':'12 Main Street','email':'anna@example.com','contact':'Anna "
	        "Lee','account':'A-77'}",
	        "{'number':'1002','name':'Łukasz Builders','dba':'Luke & "
	        "Co','city':'Aurora','state':'CO',"
	        "'phone':'303.555.0102','email':'luke@example.com','contact':'Luke Lee'}",
	        "{'number':'1003','name':'The Muller "
	        "Group','city':'Reno','state':'NV','address':'12 Main "
	        "Street',"
	        "'email':'anna@example.com','contact':'Anna Lee'}",
	        "{'number':'1004','name':'Müller','city':'Denver','state':'CO','address':'12 MAIN "
	        "street'}",
	        "{'number':'42','name':'100% \\\"quoted\\\" (x) AND OR','city':'San "
	        "José','postal_code':'80202'}",
	};
	for (size_t i = 0; i < sizeof customers / sizeof customers[0]; i++)
		office_add(office, "customer", NULL, customers[i]);
	office_add(office, "asset", "1002", "{'kind':'Compactor','serial':'SN-9'}");
}

/* The numbers that are found, best first, with commas. */
static const char *found(struct office *office, const char *text, enum search_by by)
{
	json_t *array, *one;
	size_t i;
	const char *numbers = "";
	office_ok(office, customers_search(office->store, text, by, 50, &array, &office->err));
	json_array_foreach(array, i, one) numbers =
	        arena_printf(office->arena, "%s%s%s", numbers, i ? "," : "",
	                     json_string_value(json_object_get(one, "number")));
	json_decref(array);
	return numbers;
}

static void test_search(void **state)
{
	struct office *office = *state;
	static const struct {
		const char *text;
		enum search_by by;
		const char *numbers;
	} cases[] = {
	        {"muller", BY_ALL, "1004,1001,1003"},
	        {"MÜLLER", BY_NAME, "1004,1001,1003"},
	        {"muller", BY_CITY, ""},
	        {"lukasz", BY_ALL, "1002"},
	        {"uke & co", BY_ALL, "1002"},
	        {"5550101", BY_ALL, "1001"},
	        {"555-01", BY_PHONE, "1002,1001"},
	        {"(303) 555", BY_ALL, "1002,1001"},
	        {"luke@exam", BY_EMAIL, "1002"},
	        {"anna lee", BY_ALL, "1001,1003"},
	        {"compact", BY_EQUIPMENT, "1002"},
	        {"sn-9", BY_ALL, "1002"},
	        {"a-77", BY_ACCOUNT, "1001"},
	        {"main street", BY_ADDRESS, "1001,1003,1004"},
	        {"san jose", BY_ALL, "42"},
	        {"80202", BY_ADDRESS, "42"},
	        {"\"quoted\" (x)", BY_ALL, "42"},
	        {"100%", BY_NAME, "42"},
	        {"and or", BY_ALL, "42"},
	        {"co", BY_ALL, "1001,1002,1004"},
	        {"42", BY_ALL, "42"},
	        {"4", BY_ALL, ""},
	        {"mu", BY_ALL, ""},
	        {"100", BY_NUMBER, "1001,1002,1003,1004"},
	        {"1002", BY_ALL, "1002"},
	        {"xyzzy", BY_ALL, ""},
	        {"hauling denver", BY_ALL, "1001"},
	        {"denver hauling", BY_ALL, "1001"},
	        {"denver hauling reno", BY_ALL, ""},
	        {"mueller", BY_ALL, "1004,1001"},
	        {"lee muller", BY_ALL, "1001,1003"},
	        {"12", BY_ALL, "1001,1003,1004"},
	};
	fill(office);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *numbers = found(office, cases[i].text, cases[i].by);
		if (strcmp(numbers, cases[i].numbers) != 0)
			fail_msg("'%s' by %s: '%s', expected '%s'", cases[i].text,
			         search_by_name(cases[i].by), numbers, cases[i].numbers);
	}
	struct error err;
	json_t *none;
	for (int i = 0; i < 900; i++)
		office_add(office, "customer", NULL,
		           arena_printf(office->arena,
		                        "{'number':'N%d','name':'Sameness','state':'WY'}", i));
	static const struct {
		const char *text;
		int limit, n;
	} limits[] = {{"sameness", 50, 50},
	              {"sameness", 850, 850},
	              {"amenes", 0, 900},
	              {"wy", 700, 700},
	              {"wy", 0, 900}};
	for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
		office_ok(office, customers_search(office->store, limits[i].text, BY_ALL,
		                                   limits[i].limit, &none, &office->err));
		assert_int_equal(json_array_size(none), limits[i].n);
		json_decref(none);
	}
	assert_string_equal(found(office, "N7", BY_ALL), "N7");
	assert_false(customers_search(office->store, "  ", BY_ALL, 50, &none, &err));
	assert_false(customers_search(office->store, "a\xff", BY_ALL, 50, &none, &err));
}

static void test_search_follows_changes(void **state)
{
	struct office *office = *state;
	fill(office);
	office_set(office, "customer", "1002", "{'name':'Other','number':'2002'}");
	assert_string_equal(found(office, "lukasz", BY_ALL), "");
	assert_string_equal(found(office, "2002", BY_ALL), "2002");
	office_set(office, "contact", "2", "{'cell_phone':'+44 20 7946 0958'}");
	assert_string_equal(found(office, "2079460958", BY_ALL), "2002");
	office_ok(office, records_remove(&office->boss, kind_find("contact"), "2", &office->err));
	assert_string_equal(found(office, "2079460958", BY_ALL), "");
	office_ok(office,
	          records_remove(&office->boss, kind_find("customer"), "2002", &office->err));
	assert_string_equal(found(office, "compactor", BY_ALL), "");
	/* Another tool wrote: whoever writes next brings it into the index. */
	office_ok(office, db_exec(customers_db(office->store),
	                          "UPDATE customer SET name = 'By Hand' WHERE number = '42'",
	                          &office->err));
	assert_string_equal(found(office, "by hand", BY_ALL), "");
	office_set(office, "customer", "1001", "{'fax':'3035550199'}");
	assert_string_equal(found(office, "by hand", BY_ALL), "42");
	office_ok(office,
	          db_exec(customers_db(office->store), "DELETE FROM search_words", &office->err));
	assert_string_equal(found(office, "hauling", BY_ALL), "");
	office_ok(office, customers_reindex(office->store, &office->err));
	assert_string_equal(found(office, "hauling", BY_ALL), "1001");
}

static void test_related(void **state)
{
	struct office *office = *state;
	json_t *json;
	fill(office);
	office_ok(office, customers_related(office->store, "1001", 50, &json, &office->err));
	const char *text = office_text(office, json);
	office_has(text, "'number':'1003'");
	office_has(text, "'shares':['email','last_name','first_name']}");
	office_has(text, "'shares':['address']}");
	office_has(text, "'shares':['last_name']}");
	assert_true(strstr(text, "'1003'") < strstr(text, "'1004'"));
	assert_true(strstr(text, "'1004'") < strstr(text, "'1002'"));
	office_has_not(text, "'1001'");
}

/* Too short for the index by themselves, and common all the same. */
static void test_related_by_short_names(void **state)
{
	struct office *office = *state;
	json_t *json;
	static const char *const contacts[] = {"{'first_name':'Wei','last_name':'Li'}",
	                                       "{'name':'An Li'}", "{'name':'Li Wu'}",
	                                       "{'name':'Ali Baba'}", "{'name':'\\u0022L i'}"};
	for (int i = 0; i < 5; i++) {
		const char *number = arena_printf(office->arena, "%d", i + 1);
		office_add(office, "customer", NULL,
		           arena_printf(office->arena, "{'number':'%s','name':'X'}", number));
		office_add(office, "contact", number, contacts[i]);
	}
	office_ok(office, customers_related(office->store, "1", 50, &json, &office->err));
	const char *text = office_text(office, json);
	office_has(text, "'number':'2'");
	office_has(text, "'number':'3'");
	office_has_not(text, "'number':'4'");
	office_ok(office, customers_related(office->store, "5", 50, &json, &office->err));
	assert_string_equal(office_text(office, json), "[]");
}

/* One phone of several, the other address of a contact. */
static void test_duplicates_by_one_of_several(void **state)
{
	struct office *office = *state;
	json_t *json;
	office_add(office, "customer", NULL, "{'number':'1','name':'A','phone':'303 555 0100'}");
	office_add(office, "customer", NULL,
	           "{'number':'2','name':'B','phone':'(303) 555-0100','fax':'303 555 "
	           "0199','email':'b@example.com'}");
	office_add(office, "customer", NULL,
	           "{'number':'3','name':'C','phone':'303 555 0111','fax':'303 555 0111'}");
	office_add(office, "contact", "3", "{'alt_email':'B@example.com'}");
	office_ok(office, customers_duplicates(office->store, 50, &json, &office->err));
	assert_int_equal(json_array_size(json), 2);
	const char *text = office_text(office, json);
	office_has(text, "{'shares':'phone','value':'3035550100','customers':[{'number':'1'");
	office_has(text, "{'shares':'email','value':'b@example.com','customers':[{'number':'2'");
}

static void test_duplicates(void **state)
{
	struct office *office = *state;
	json_t *json;
	fill(office);
	office_add(office, "customer", NULL, "{'number':'1005','name':'MULLER','city':'denver'}");
	office_ok(office, customers_duplicates(office->store, 50, &json, &office->err));
	const char *text = office_text(office, json);
	office_has(text, "{'shares':'name','value':'muller, denver','customers':[{'number':'1004'");
	office_has(text, "{'shares':'email','value':'anna@example.com'");
	office_has(text, "{'shares':'address','value':'12 main street, denver'");
	office_has_not(text, "'1002'");
}

#define OFFICE_TEST(name) cmocka_unit_test_setup_teardown(name, office_open, office_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_folding),
	        OFFICE_TEST(test_search),
	        OFFICE_TEST(test_search_follows_changes),
	        OFFICE_TEST(test_related),
	        OFFICE_TEST(test_related_by_short_names),
	        OFFICE_TEST(test_duplicates_by_one_of_several),
	        OFFICE_TEST(test_duplicates),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
