/* SPDX-License-Identifier: MIT */
/* Records of every kind on a real file: added, changed, shown, removed, and what the history says
 * of it. */
#include "office.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static const char *history(struct office *office, const char *number)
{
	json_t *json;
	office_ok(office, customer_history(office->store, number, &json, &office->err));
	return office_text(office, json);
}

static void test_customer(void **state)
{
	struct office *office = *state;
	office_add(
	        office, "customer", NULL,
	        "{'number':'0012','name':' Zoë & Co "
	        "','timezone':'America/Denver','locale':'en_us','email':"
	        "'zoe@example.com','contact':'Zoë','renewal':'2027-01-31','postal-code':'80202'}");
	const char *shown = office_show(office, "customer", "0012");
	office_has(shown,
	           "'number':'0012','name':'Zoë & Co','dba':null,'parent':null,'status':'active'");
	office_has(shown, "'postal_code':'80202'");
	office_has(shown, "'locale':'en-US'");
	office_has(office_list(office, "contact", "0012"),
	           "'name':'Zoë','first_name':null,'last_name':null,'title':null,'email':'zoe@"
	           "example.com'");
	office_has(office_list(office, "contact", "0012"),
	           "'notify':['dispatched','started','completed','failed','paused'],'all_sites':"
	           "false");
	office_set(office, "customer", "0012", "{'city':'Denver','renewal':null,'dba':''}");
	shown = office_show(office, "customer", "0012");
	office_has(shown, "'city':'Denver'");
	office_has(shown, "'renewal':null");
	office_set(office, "customer", "0012", "{'number':'13'}");
	office_has(office_list(office, "contact", "13"), "zoe@example.com");
	const char *changes = history(office, "13");
	office_has(changes,
	           "'before':{'city':null,'renewal':'2027-01-31'},'after':{'city':'Denver','"
	           "renewal':null}");
	office_has(changes, "'before':{'number':'0012'},'after':{'number':'13'}");
	office_has(changes, "'user':'boss'");
	office_ok(office, records_remove(&office->boss, kind_find("customer"), "13", &office->err));
	office_has(history(office, "13"), "'action':'remove'");
	office_refuses(office, &office->boss, "customer", NULL, "13", "{}", EX_NOINPUT,
	               "no customer 13");
}

static void test_bad_values(void **state)
{
	struct office *office = *state;
	static const struct {
		const char *values, *words;
	} cases[] = {
	        {"{'number':'1'}", "name: is required"},
	        {"{'name':'x'}", "number: is required"},
	        {"{'number':'','name':'x'}", "number: is required and can't be empty"},
	        {"{'number':'1','name':'x','citty':'y'}", "did you mean city?"},
	        {"{'number':'1','name':'x','status':'gone'}",
	         "one of new, released, active, inactive"},
	        {"{'number':'1','name':'x','timezone':'Mars/Olympus'}",
	         "timezone: must be an IANA time zone"},
	        {"{'number':'1','name':'x','locale':'xx-123456789'}", "locale"},
	        {"{'number':'1','name':'x','renewal':'2026-02-30'}", "renewal: must be a day"},
	        {"{'number':'1','name':'x','phone':'none'}", "phone"},
	        {"{'number':'1','name':'x','email':'nobody'}", "email: must be a mail address"},
	        {"{'number':'1','name':'x','parent':'77'}", "parent: there is no customer 77"},
	        {"{'number':'1','name':'a\\nb'}", "name: has a line break"},
	        {"{'number':'1','name':{'a':1}}", "name: expected text or a number, not an object"},
	        {"{'number':'1','name':['a',7]}", "name: expected text or a number, not a list"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		office_refuses(office, &office->boss, "customer", NULL, NULL, cases[i].values,
		               EX_DATAERR, cases[i].words);
	assert_string_equal(office_list(office, "customer", NULL), "[]");
	office_add(office, "customer", NULL, "{'number':1001,'name':'Numbers are text'}");
	office_refuses(office, &office->boss, "customer", NULL, NULL,
	               "{'number':'1001','name':'Twice'}", EX_DATAERR,
	               "there already is a customer 1001");
}

static void test_status_and_rights(void **state)
{
	struct office *office = *state;
	struct error err;
	office_add(office, "customer", NULL, "{'number':'1','name':'x','status':'new'}");
	assert_false(customer_move(&office->clerk, "1", "approve", &err));
	assert_int_equal(err.code, EX_NOPERM);
	assert_false(customer_move(&office->boss, "1", "approve", &err));
	assert_int_equal(err.code, EX_DATAERR);
	office_ok(office, customer_move(&office->clerk, "1", "release", &office->err));
	assert_false(customer_move(&office->clerk, "1", "decline", &err));
	assert_int_equal(err.code, EX_NOPERM);
	office_ok(office, customer_move(&office->boss, "1", "decline", &office->err));
	office_ok(office, customer_move(&office->boss, "1", "release", &office->err));
	office_ok(office, customer_move(&office->boss, "1", "approve", &office->err));
	office_refuses(office, &office->clerk, "customer", NULL, "1", "{'status':'inactive'}",
	               EX_NOPERM, "status");
	office_refuses(office, &office->clerk, "customer", NULL, "1", "{'number':'2'}", EX_NOPERM,
	               "number");
	office_refuses(office, &office->clerk, "customer", NULL, "1", "{'account':'B-1'}",
	               EX_NOPERM, "account");
	office_refuses(office, &office->boss, "customer", NULL, "1", "{'status':'new'}", EX_DATAERR,
	               "can't go from active to new");
	office_set(office, "customer", "1", "{'status':'inactive'}");
	office_has(office_show(office, "customer", "1"), "'status':'inactive'");
	json_t *same = office_json("{'status':'inactive','city':'Denver'}");
	office_ok(office,
	          records_set(&office->clerk, kind_find("customer"), "1", same, &office->err));
	json_decref(same);
}

static void test_sites(void **state)
{
	struct office *office = *state;
	struct error err;
	office_add(office, "customer", NULL, "{'number':'1','name':'top'}");
	for (int i = 2; i <= 8; i++) {
		const char *values = arena_printf(
		        office->arena, "{'number':'%d','name':'site','parent':'%d'}", i, i - 1);
		office_add(office, "customer", NULL, values);
	}
	office_refuses(office, &office->boss, "customer", NULL, NULL,
	               "{'number':'9','name':'x','parent':'8'}", EX_DATAERR, "more than 8 deep");
	office_refuses(office, &office->boss, "customer", NULL, "1", "{'parent':'3'}", EX_DATAERR,
	               "own sites");
	office_refuses(office, &office->boss, "customer", NULL, "1", "{'parent':'1'}", EX_DATAERR,
	               "itself");
	office_add(office, "customer", NULL, "{'number':'0','name':'above'}");
	office_refuses(office, &office->boss, "customer", NULL, "1", "{'parent':'0'}", EX_DATAERR,
	               "more than 8 deep");
	assert_false(records_remove(&office->boss, kind_find("customer"), "7", &err));
	office_has(err.text, "has 1 site;");
	office_set(office, "customer", "8", "{'parent':null}");
	office_ok(office, records_remove(&office->boss, kind_find("customer"), "7", &office->err));
}

static void test_contact_and_mark(void **state)
{
	struct office *office = *state;
	const struct customer *customer;
	office_add(office, "customer", NULL, "{'number':'1','name':'x'}");
	int64_t id = office_add(
	        office, "contact", "1",
	        "{'first_name':'Ann','last_name':'Lee','email':'a@example.com','alt_email':"
	        "'b@example.com','notify':['failed'],'all_sites':true}");
	const char *name = office_id(office, id);
	struct instant when = office->boss.when;
	office_ok(office, customers_mark_invalid(office->store, id, "other@example.com", when,
	                                         "550", &office->err));
	office_has(office_show(office, "contact", name), "'email_invalid':null");
	for (int i = 0; i < 2; i++)
		office_ok(office, customers_mark_invalid(office->store, id, "a@example.com",
		                                         instant_add(when, i * 1000), "550 5.1.1",
		                                         &office->err));
	office_has(office_show(office, "contact", name), "'email_invalid':'2026-11-22T12:00:00Z'");
	office_ok(office, customers_mark_invalid(office->store, 4711, "a@example.com", when, "550",
	                                         &office->err));
	office_ok(office,
	          customers_load(office->store, office->arena, "1", &customer, &office->err));
	assert_int_equal(customer->contacts[0].email_invalid.ms, when.ms);
	assert_string_equal(customer->contacts[0].name, "Ann Lee");
	assert_int_equal(customer->contacts[0].notify, JOB_BIT(JOB_FAILED));
	assert_true(customer->contacts[0].all_sites);
	office_set(office, "contact", name, "{'title':'Dr'}");
	office_has(office_show(office, "contact", name), "'email_invalid':'2026-11-22T12:00:00Z'");
	office_set(office, "contact", name, "{'email':'a@example.com'}");
	office_has(office_show(office, "contact", name), "'email_invalid':null");
	office_refuses(office, &office->boss, "contact", NULL, name, "{'email_invalid':null}",
	               EX_DATAERR, "is read-only");
	office_has(history(office, "1"), "'action':'mark'");
	office_ok(office, records_remove(&office->clerk, kind_find("contact"), name, &office->err));
	assert_string_equal(office_list(office, "contact", "1"), "[]");
}

static const char *suspensions(struct office *office, const char *number, bool all)
{
	json_t *json;
	office_ok(office, suspensions_list(office->store, number, "UTC", office->boss.when, all,
	                                   &json, &office->err));
	return office_text(office, json);
}

static void test_suspensions(void **state)
{
	struct office *office = *state;
	struct error err;
	int64_t id, n;
	office_add(office, "customer", NULL,
	           "{'number':'1','name':'x','timezone':'Pacific/Auckland'}");
	office_add(office, "customer", NULL, "{'number':'2','name':'site','parent':'1'}");
	json_t *values = office_json("{'note':'unpaid'}");
	office_ok(office, suspend(&office->clerk, "1", "UTC", values, &id, &office->err));
	json_decref(values);
	/* It is tomorrow there already. */
	office_has(suspensions(office, "2", false),
	           "'from':'2026-11-23','until':null,'note':'unpaid','author':'clerk'");
	office_has(suspensions(office, NULL, false), "'holds':true");
	values = office_json(
	        "{'note':'past','from':'2025-01-01','until':'2025-02-01','scopes':'emails'}");
	office_ok(office, suspend(&office->clerk, "1", "UTC", values, &id, &office->err));
	json_decref(values);
	office_refuses(office, &office->clerk, "suspension", "1", NULL,
	               "{'note':'x','from':'2026-01-02','until':'2026-01-02'}", EX_DATAERR,
	               "not later than from");
	office_refuses(office, &office->clerk, "suspension", "1", NULL, "{'from':'2026-01-02'}",
	               EX_DATAERR, "note: is required");
	office_refuses(office, &office->clerk, "suspension", NULL, office_id(office, id),
	               "{'from':'2025-01-02'}", EX_DATAERR, "can't be changed");
	office_set(office, "suspension", office_id(office, id), "{'note':'y','scopes':'jobs'}");
	office_refuses(office, &office->clerk, "suspension", NULL, office_id(office, id),
	               "{'until':'2025-01-01'}", EX_DATAERR, "not later than from");
	assert_false(records_remove(&office->boss, kind_find("suspension"), office_id(office, id),
	                            &err));
	office_ok(office, resume(&office->clerk, "1", "UTC", 0, &n, &office->err));
	assert_int_equal(n, 1);
	office_ok(office, resume(&office->clerk, "1", "UTC", id, &n, &office->err));
	office_refuses(office, &office->clerk, "suspension", NULL, office_id(office, id),
	               "{'note':'z'}", EX_DATAERR, "was ended on 2026-11-22");
	assert_false(resume(&office->clerk, "1", "UTC", id, &n, &err));
	assert_false(resume(&office->clerk, "2", "UTC", id, &n, &err));
	assert_int_equal(err.code, EX_NOINPUT);
	assert_string_equal(suspensions(office, "1", false), "[]");
	office_has(suspensions(office, "1", true), "'removed_by':'clerk','holds':false");
	office_has(history(office, "1"), "'action':'resume'");
}

static void test_hours(void **state)
{
	struct office *office = *state;
	struct error err;
	json_t *json;
	const struct customer *customer;
	office_add(office, "customer", NULL, "{'number':'1','name':'x'}");
	office_ok(office, hours_set(&office->clerk, "1", "mon-tue", "07:00-12:00,13:00-17:00",
	                            &office->err));
	office_ok(office, hours_set(&office->clerk, "1", "tue", "closed", &office->err));
	office_ok(office, hours_except(&office->clerk, "1", day_of(2026, 12, 25),
	                               day_of(2026, 12, 25), "closed", &office->err));
	assert_false(hours_set(&office->clerk, "1", "mon", "12:00-11:00x", &err));
	assert_int_equal(err.code, EX_DATAERR);
	assert_false(hours_set(&office->clerk, "1", "someday", "closed", &err));
	assert_false(hours_set(&office->clerk, "2", "mon", "closed", &err));
	assert_int_equal(err.code, EX_NOINPUT);
	office_ok(office, hours_show(office->store, "1", &json, &office->err));
	assert_string_equal(office_text(office, json),
	                    "{'weekly':{'mon':'07:00-12:00,13:00-17:00','tue':'"
	                    "closed'},'dates':{'2026-12-25':'closed'}}");
	office_ok(office,
	          customers_load(office->store, office->arena, "1", &customer, &office->err));
	assert_true(customer->hours.weekly);
	assert_int_equal(customer->hours.week[0].n, 2);
	assert_int_equal(customer->hours.n_dates, 1);
	office_ok(office, hours_except(&office->clerk, "1", day_of(2026, 12, 25),
	                               day_of(2026, 12, 25), NULL, &office->err));
	office_ok(office, hours_clear(&office->clerk, "1", &office->err));
	office_ok(office, hours_show(office->store, "1", &json, &office->err));
	assert_string_equal(office_text(office, json), "{'weekly':null,'dates':{}}");
	office_has(history(office, "1"), "'kind':'hours'");
}

/* One row a kind: what is added, what is changed, and how both are shown. */
static const struct {
	const char *kind, *owner, *added, *shown, *set, *then;
} plain[] = {
        {"note", "1", "{'text':'careful','urgent':true}",
         "'text':'careful','urgent':true,'author':'boss'", NULL, NULL},
        {"comment", "1", "{'text':'done','job':'4711'}",
         "'job':'4711','text':'done','author':'boss'", NULL, NULL},
        {"asset", "1", "{'kind':'roll-off','latitude':39.7392,'longitude':'-104.9903'}",
         "'latitude':'39.7392','longitude':'-104.9903'", "{'size':'30 yd','since':'2026-01-01'}",
         "'size':'30 yd'"},
        {"third-party", "1", "{'name':'Scales Inc','role':'weighs'}",
         "'name':'Scales Inc','role':'weighs'", "{'contract':'C-1','from':'2026-01-01'}",
         "'contract':'C-1','from':'2026-01-01'"},
        {"activity", "1", "{'kind':'cold-call','text':'ask','due':'2026-12-01'}",
         "'phone':'+1 555 0100','contact':'Ann'", "{'state':'done'}", "'state':'done'"},
        {"quote", "1",
         "{'number':'Q1','items':[{'text':'box','quantity':2,'price':'10.005'},{'text':'lid','"
         "price':0.1}]}",
         "'total':'20.11'", "{'items':[{'text':'box','price':'1'}],'state':'sent'}",
         "'total':'1.00'"},
        {"sale", "1",
         "{'job':'4711','amount':'100','payments':[{'amount':'30.50','day':'2026-01-01'}]}",
         "'paid':'30.50'", "{'balance':'-69.5','completed':'2026-02-01'}", "'balance':'-69.5'"},
        {"rep", NULL, "{'name':'Sam','email':'sam@example.com'}", "'customers':0",
         "{'name':'Samantha'}", "'Samantha'"},
};

static void test_plain_kinds(void **state)
{
	struct office *office = *state;
	struct error err;
	office_add(office, "customer", NULL,
	           "{'number':'1','name':'x','phone':'+1 555 "
	           "0100','contact':'Ann','email':'a@example.com'}");
	for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
		const struct kind *kind = kind_find(plain[i].kind);
		int64_t id = office_add(office, plain[i].kind, plain[i].owner, plain[i].added);
		const char *name =
		        strcmp(plain[i].kind, "rep") == 0 ? "Sam" : office_id(office, id);
		office_has(office_show(office, plain[i].kind, name), plain[i].shown);
		if (plain[i].set == NULL) {
			office_refuses(office, &office->boss, plain[i].kind, NULL, name,
			               "{'text':'y'}", EX_DATAERR, "only added");
			assert_false(records_remove(&office->clerk, kind, name, &err));
			assert_int_equal(err.code, EX_NOPERM);
			office_ok(office, records_remove(&office->boss, kind, name, &office->err));
			continue;
		}
		office_set(office, plain[i].kind, name, plain[i].set);
		office_has(office_list(office, plain[i].kind, plain[i].owner), plain[i].then);
		name = strcmp(plain[i].kind, "rep") == 0 ? "Samantha" : name;
		office_ok(office, records_remove(&office->boss, kind, name, &office->err));
		assert_string_equal(office_list(office, plain[i].kind, plain[i].owner), "[]");
		assert_false(records_remove(&office->boss, kind, name, &err));
		assert_int_equal(err.code, EX_NOINPUT);
		if (plain[i].owner)
			office_has(history(office, "1"),
			           arena_printf(office->arena, "'kind':'%s'", plain[i].kind));
	}
}

static void test_reps(void **state)
{
	struct office *office = *state;
	json_t *json;
	office_add(office, "customer", NULL, "{'number':'1','name':'x'}");
	office_add(office, "rep", NULL, "{'name':'Sam'}");
	office_add(office, "rep", NULL, "{'name':'Kim'}");
	office_ok(office, rep_link(&office->clerk, "1", "Sam", false, &office->err));
	office_ok(office, rep_link(&office->clerk, "1", "Kim", true, &office->err));
	office_set(office, "rep", "Kim", "{'name':'Kimberly'}");
	office_has(office_show(office, "customer", "1"), "'sales_rep':'Kimberly'");
	office_has(office_show(office, "rep", "Sam"), "'customers':1");
	struct customer_filter filter = {.rep = "Sam"};
	office_ok(office, customer_list(office->store, &filter, &json, &office->err));
	office_has(office_text(office, json), "'number':'1'");
	office_ok(office, customer_show(office->store, "1", &json, &office->err));
	office_has(office_text(office, json), "'reps':['Kimberly','Sam']");
	office_ok(office, rep_unlink(&office->clerk, "1", "Kimberly", &office->err));
	office_has(office_show(office, "customer", "1"), "'sales_rep':null");
}

static void test_systems(void **state)
{
	struct office *office = *state;
	struct error err;
	json_t *json;
	office_add(office, "customer", NULL, "{'number':'1','name':'x'}");
	office_add(office, "system-type", NULL, "{'name':'router'}");
	office_add(office, "system-field", "router", "{'name':'ip','needed':true}");
	office_add(office, "system-field", "router", "{'name':'password','secret':true}");
	office_refuses(office, &office->boss, "system", "1", NULL, "{'type':'fax'}", EX_DATAERR,
	               "no system type fax");
	office_refuses(office, &office->boss, "system", "1", NULL, "{'type':'router'}", EX_DATAERR,
	               "ip: is required");
	office_refuses(office, &office->boss, "system", "1", NULL,
	               "{'type':'router','ip':'::1','pin':'1'}", EX_DATAERR, "pin");
	office_refuses(office, &office->boss, "system", "1", NULL,
	               "{'type':'router','ip':'::1','password':'s3cret'}", EX_CONFIG, "no key");
	const char *key = arena_printf(office->arena, "%s/key", office->dir);
	FILE *file = fopen(key, "w");
	(void)fprintf(file, "%064d\n", 7);
	(void)fclose(file);
	records_set_key_file(office->store, key, "[customers] key_file");
	const char *name =
	        office_id(office, office_add(office, "system", "1",
	                                     "{'type':'router','ip':'::1','password':'s3cret'}"));
	office_has(office_show(office, "system", name),
	           "'fields':{'ip':'::1','password':'******'}");
	office_set(office, "system", name, "{'password':'******','ip':'::2'}");
	assert_false(system_reveal(&office->clerk, name, &json, &err));
	assert_int_equal(err.code, EX_NOPERM);
	office_ok(office, system_reveal(&office->boss, name, &json, &office->err));
	office_has(office_text(office, json), "'fields':{'ip':'::2','password':'s3cret'}");
	office_has(history(office, "1"), "'action':'reveal'");
	office_has_not(history(office, "1"), "s3cret");
	file = fopen(key, "w");
	(void)fprintf(file, "%064d\n", 8);
	(void)fclose(file);
	assert_false(system_reveal(&office->boss, name, &json, &err));
	office_has(err.text, "this key");
	assert_false(records_remove(&office->boss, kind_find("system-type"), "router", &err));
	office_ok(office, records_remove(&office->boss, kind_find("system"), name, &office->err));
	office_ok(office,
	          records_remove(&office->boss, kind_find("system-type"), "router", &office->err));
}

static int64_t add_file(struct office *office, const char *kind, const char *content, size_t len,
                        int64_t max, const char *values, bool good)
{
	int64_t id = 0;
	FILE *in = fmemopen((void *)(uintptr_t)content, len, "r");
	json_t *json = office_json(values);
	bool was = file_add(&office->clerk, kind_find(kind), "1", "../etc/evil\x1b.png", in, max,
	                    json, &id, &office->err);
	json_decref(json);
	(void)fclose(in);
	if (was != good)
		fail_msg("%s: %s", values, office->err.text);
	return id;
}

static void test_files(void **state)
{
	struct office *office = *state;
	char *text;
	size_t len;
	office_add(office, "customer", NULL, "{'number':'1','name':'x'}");
	add_file(office, "document", "hello", 5, 4, "{'description':'d'}", false);
	add_file(office, "document", "hello", 5, 100, "{}", false);
	add_file(office, "picture", "hello", 5, 100, "{'description':'d'}", false);
	int64_t id = add_file(office, "document", "hello", 5, 100,
	                      "{'description':'map','job':'4711'}", true);
	int64_t again =
	        add_file(office, "document", "hello", 5, 100, "{'description':'copy'}", true);
	int64_t picture = add_file(office, "picture", "\x89PNG\r\n\x1a\n....", 12, 100,
	                           "{'description':'yard'}", true);
	office_has(office_show(office, "document", office_id(office, id)),
	           "'name':'evil?.png','type':'text/plain','size':5,"
	           "'hash':'2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'");
	office_has(office_show(office, "picture", office_id(office, picture)),
	           "'type':'image/png'");
	const char *path =
	        arena_printf(office->arena, "%s/files/2c/%s", office->dir,
	                     "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
	FILE *out = open_memstream(&text, &len);
	office_ok(office, file_fetch(office->store, kind_find("document"), office_id(office, again),
	                             out, &office->err));
	(void)fclose(out);
	assert_string_equal(text, "hello");
	free(text);
	office_ok(office, records_remove(&office->boss, kind_find("document"),
	                                 office_id(office, id), &office->err));
	assert_int_equal(access(path, F_OK), 0);
	office_refuses(office, &office->boss, "document", "1", NULL, "{'description':'x'}",
	               EX_DATAERR, "with a file");
	office_ok(office, records_remove(&office->boss, kind_find("customer"), "1", &office->err));
	assert_int_not_equal(access(path, F_OK), 0);
}

static const char *add_picture(struct office *office, const char *values)
{
	return office_id(office, add_file(office, "picture", "\x89PNG\r\n\x1a\n....", 12, 100,
	                                  values, true));
}

/* One picture of a customer is its plan; a merge keeps that of the customer that stays. */
static void test_plan(void **state)
{
	struct office *office = *state;
	office_add(office, "customer", NULL, "{'number':'1','name':'x'}");
	assert_null(kind_field(kind_find("document"), "plan"));
	const char *first = add_picture(office, "{'description':'a','plan':true}");
	const char *second = add_picture(office, "{'description':'b'}");
	office_has(office_show(office, "picture", first), "'plan':true");
	office_has(office_show(office, "picture", second), "'plan':false");
	office_set(office, "picture", second, "{'plan':true}");
	office_has(office_show(office, "picture", first), "'plan':false");
	office_has(office_show(office, "picture", second), "'plan':true");
	office_has(history(office, "1"), "'before':{'plan':true},'after':{'plan':false}");
	office_set(office, "picture", second, "{'description':'c','plan':true}");
	const char *asset = office_id(
	        office, office_add(office, "asset", "1", "{'kind':'bin','plan_x':0,'plan_y':1}"));
	office_set(office, "customer", "1", "{'number':'2'}");
	office_add(office, "customer", NULL, "{'number':'1','name':'y'}");
	const char *other = add_picture(office, "{'description':'d','plan':true}");
	office_has(office_show(office, "picture", second), "'plan':true");
	office_ok(office, customer_merge(&office->boss, "2", "1", &office->err));
	office_has(office_show(office, "picture", other), "'plan':true");
	office_has(office_show(office, "picture", second), "'plan':false");
	office_has(office_show(office, "asset", asset), "'plan_x':null,'plan_y':null");
	office_set(office, "picture", other, "{'plan':null}");
	office_has_not(office_list(office, "picture", "1"), "'plan':true");
}

/* A place on the plan is both numbers, or none. */
static void test_place_on_plan(void **state)
{
	struct office *office = *state;
	office_add(office, "customer", NULL, "{'number':'1','name':'x'}");
	const char *asset = office_id(office, office_add(office, "asset", "1", "{'kind':'bin'}"));
	office_has(office_show(office, "asset", asset), "'plan_x':null,'plan_y':null");
	office_refuses(office, &office->clerk, "asset", NULL, asset, "{'plan_x':0.5}", EX_DATAERR,
	               "plan_y: is required");
	office_refuses(office, &office->clerk, "asset", NULL, asset, "{'plan_y':'0.5'}", EX_DATAERR,
	               "plan_x: is required");
	office_refuses(office, &office->clerk, "asset", NULL, asset, "{'plan_x':1.1,'plan_y':0}",
	               EX_DATAERR, "plan_x: must be a number between 0 and 1");
	office_set(office, "asset", asset, "{'plan_x':0.1,'plan_y':1}");
	office_has(office_show(office, "asset", asset), "'plan_x':'0.1','plan_y':'1'");
	office_refuses(office, &office->clerk, "asset", NULL, asset, "{'plan_x':''}", EX_DATAERR,
	               "plan_x: is required");
	office_set(office, "asset", asset, "{'plan_x':'','plan_y':null}");
	office_has(office_show(office, "asset", asset), "'plan_x':null,'plan_y':null");
}

static void test_changes_together(void **state)
{
	struct office *office = *state;
	struct error err;
	const char *path =
	        arena_printf(office->arena, "%s/files/2c/%s", office->dir,
	                     "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
	office_add(office, "customer", NULL, "{'number':'1','name':'x'}");
	office_ok(office, changes_begin(office->store, &office->err));
	office_set(office, "customer", "1", "{'city':'Denver'}");
	add_file(office, "document", "hello", 5, 100, "{'description':'d'}", true);
	office_refuses(office, &office->clerk, "customer", NULL, "1", "{'name':''}", EX_DATAERR,
	               "name");
	office_refuses(office, &office->clerk, "customer", NULL, "1", "{'name':'y'}", EX_DATAERR,
	               "another of these changes failed");
	assert_false(changes_end(office->store, true, &err));
	assert_string_equal(err.text, "another of these changes failed");
	office_has(office_show(office, "customer", "1"), "'city':null");
	office_has_not(office_list(office, "document", "1"), "hello");
	assert_int_not_equal(access(path, F_OK), 0);

	office_ok(office, changes_begin(office->store, &office->err));
	int64_t id = add_file(office, "document", "hello", 5, 100, "{'description':'d'}", true);
	office_ok(office, records_remove(&office->boss, kind_find("document"),
	                                 office_id(office, id), &office->err));
	office_set(office, "customer", "1", "{'city':'Aurora'}");
	office_ok(office, changes_end(office->store, true, &office->err));
	office_has(office_show(office, "customer", "1"), "'city':'Aurora'");
	assert_int_not_equal(access(path, F_OK), 0);
	office_set(office, "customer", "1", "{'city':'Pueblo'}");
	office_ok(office, records_remove(&office->boss, kind_find("customer"), "1", &office->err));
}

static void test_edited_by_hand(void **state)
{
	struct office *office = *state;
	const struct customer *customer;
	office_add(office, "customer", NULL, "{'number':'1','name':'x'}");
	office_add(office, "customer", NULL, "{'number':'2','name':'y','parent':'1'}");
	office_ok(office, db_exec(customers_db(office->store),
	                          "UPDATE customer SET parent = 2, timezone = CAST(x'ff80' AS "
	                          "TEXT), renewal = 'soon',"
	                          " name = CAST(x'41ff42' AS TEXT) WHERE id = 1",
	                          &office->err));
	office_has(office_show(office, "customer", "1"), "'name':null");
	office_ok(office,
	          customers_load(office->store, office->arena, "2", &customer, &office->err));
	int depth = 0;
	for (const struct customer *c = customer; c; c = c->parent)
		depth++;
	assert_true(depth <= CUSTOMER_DEPTH_MAX);
	office_ok(office,
	          customers_load(office->store, office->arena, "no such", &customer, &office->err));
	assert_null(customer);
}

static void test_spoilt_rows_send_nothing(void **state)
{
	struct office *office = *state;
	const struct customer *customer;
	office_add(office, "customer", NULL, "{'number':'1','name':'x'}");
	office_ok(office,
	          db_exec(customers_db(office->store),
	                  "UPDATE customer SET disclaimer = 'last May';"
	                  "INSERT INTO contact (customer, notify, email) VALUES (1, 'everything', "
	                  "'a@example.com');"
	                  "INSERT INTO suspension (customer, scopes, \"from\", until, note)"
	                  " VALUES (1, 'all of it', 'yesterday', 'never', '');"
	                  "INSERT INTO hours_week VALUES (1, 0, 'early');"
	                  "INSERT INTO hours_date VALUES (1, 'xmas', 'late')",
	                  &office->err));
	office_ok(office,
	          customers_load(office->store, office->arena, "1", &customer, &office->err));
	assert_string_equal(customer->disclaimer, "");
	assert_int_equal(customer->contacts[0].notify, 0);
	assert_int_equal(customer->suspensions[0].scopes, SCOPE_ALL);
	assert_true(day_is_none(customer->suspensions[0].until));
	assert_true(customer->suspensions[0].from.n < 0);
	assert_true(customer->hours.weekly);
	assert_int_equal(customer->hours.week[0].n, 0);
	assert_int_equal(customer->hours.n_dates, 0);
}

#define OFFICE_TEST(name) cmocka_unit_test_setup_teardown(name, office_open, office_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        OFFICE_TEST(test_customer),
	        OFFICE_TEST(test_bad_values),
	        OFFICE_TEST(test_status_and_rights),
	        OFFICE_TEST(test_sites),
	        OFFICE_TEST(test_contact_and_mark),
	        OFFICE_TEST(test_suspensions),
	        OFFICE_TEST(test_hours),
	        OFFICE_TEST(test_plain_kinds),
	        OFFICE_TEST(test_reps),
	        OFFICE_TEST(test_systems),
	        OFFICE_TEST(test_files),
	        OFFICE_TEST(test_plan),
	        OFFICE_TEST(test_place_on_plan),
	        OFFICE_TEST(test_changes_together),
	        OFFICE_TEST(test_edited_by_hand),
	        OFFICE_TEST(test_spoilt_rows_send_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
