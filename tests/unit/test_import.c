/* SPDX-License-Identifier: MIT */
/* Imports and exports: what a row does, hostile files, all or nothing, there and back without loss.
 */
#include "db/csv.h"
#include "office.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

struct report {
	struct office *office;
	const char *bad;     /* "line:column text; " of each bad row */
	const char *changes; /* "add 1; " */
	struct records_counts counts;
	bool good;
};

static void on_bad_row(void *arg, int64_t line, int64_t column, const char *text)
{
	struct report *report = arg;
	report->bad = arena_printf(report->office->arena, "%s%lld:%lld %s; ", report->bad,
	                           (long long)line, (long long)column, text);
}

static void on_change(void *arg, const char *action, const char *name, const json_t *before,
                      const json_t *after)
{
	struct report *report = arg;
	(void)before, (void)after;
	report->changes =
	        arena_printf(report->office->arena, "%s%s %s; ", report->changes, action, name);
}

static struct report import_bytes(struct office *office, const struct change_context *context,
                                  const char *kind, struct records_import how, const char *bytes,
                                  size_t len)
{
	struct report report = {.office = office, .bad = "", .changes = ""};
	const char *path = arena_printf(office->arena, "%s/in", office->dir);
	FILE *file = fopen(path, "w+");
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	rewind(file);
	how.bad_row = on_bad_row;
	how.change = on_change;
	how.arg = &report;
	report.good =
	        records_import(context, kind_find(kind), file, &how, &report.counts, &office->err);
	(void)fclose(file);
	assert_int_equal(unlink(path), 0);
	return report;
}

static struct report import_csv(struct office *office, const char *text)
{
	struct records_import how = {.format = RECORDS_CSV};
	return import_bytes(office, &office->boss, "customer", how, text, strlen(text));
}

static struct report import_jsonl(struct office *office, const char *text)
{
	struct records_import how = {.format = RECORDS_JSONL};
	char *copy = arena_strdup(office->arena, text);
	for (char *p = copy; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	return import_bytes(office, &office->boss, "customer", how, copy, strlen(copy));
}

static void must(const struct report *report)
{
	if (!report->good)
		fail_msg("%s: %s", report->office->err.text, report->bad);
}

static void test_rows(void **state)
{
	struct office *office = *state;
	struct report report = import_csv(
	        office,
	        "\xef\xbb\xbfname;number;email;contact;postal-code;phone\r\n"
	        "\"Smith; \"\"Sons\"\"\";0012;s@example.com;Sue Smith;80202;'+1 303 555 0100\r\n"
	        "\r\n"
	        "Jones;13;;;;\r\n");
	must(&report);
	assert_int_equal(report.counts.added, 2);
	office_has(office_show(office, "customer", "0012"),
	           "'name':'Smith; \\'Sons\\'','dba':null");
	office_has(office_show(office, "customer", "0012"), "'phone':'+1 303 555 0100'");
	office_has(office_list(office, "contact", "0012"), "'email':'s@example.com'");
	assert_string_equal(office_list(office, "contact", "13"), "[]");

	/* What isn't mentioned stays, what is empty is cleared. */
	report = import_csv(office, "number,postal_code,city\n0012,,Denver\n13,1,Reno\n");
	must(&report);
	assert_int_equal(report.counts.changed, 2);
	office_has(office_show(office, "customer", "0012"),
	           "'city':'Denver','state':null,'postal_code':null");
	office_has(office_show(office, "customer", "0012"), "'name':'Smith;");
	report = import_csv(office, "number,city\n0012,Denver\n13,Reno\n");
	must(&report);
	assert_int_equal(report.counts.same, 2);
	report = import_jsonl(
	        office,
	        "{'number':13,'city':null,'email':'j@example.com'}\n\n{'number':'14','name':'New',"
	        "'notify':1}\n");
	assert_false(report.good);
	assert_string_equal(
	        report.bad,
	        "3:0 notify: a customer has no such field (--map \"notify=\" leaves it out); ");
	office_has(office_show(office, "customer", "13"), "'city':'Reno'");
	report = import_jsonl(office, "{'number':'15','name':'New'}\n{'number':'16'\n");
	assert_string_equal(report.bad, "2:14 expected a comma or }, but the text ends here; ");
	report = import_jsonl(
	        office,
	        "{'number':13,'city':null,'email':'j@example.com'}\n{'number':'14','name':'New'}");
	must(&report);
	office_has(office_show(office, "customer", "13"), "'city':null");
	office_has(office_list(office, "contact", "13"), "'email':'j@example.com'");
}

static void test_bad_rows(void **state)
{
	struct office *office = *state;
	office_add(office, "customer", NULL, "{'number':'1','name':'x','status':'new'}");
	struct report report = import_csv(office, "number,name,renewal,status\n"
	                                          "2,b,2026-13-01,active\n"
	                                          "3,,,active\n"
	                                          "4,d,,gone\n"
	                                          ",e,,\n"
	                                          "5,f\n"
	                                          "6,\"g\"h,,\n"
	                                          "7,ok,,\n");
	assert_false(report.good);
	assert_int_equal(office->err.code, EX_DATAERR);
	assert_string_equal(
	        report.bad,
	        "2:3 renewal: must be a day (YYYY-MM-DD) (got \"2026-13-01\"); "
	        "3:2 name: is required and can't be empty; "
	        "4:4 status: must be one of new, released, active, inactive (got \"gone\"); "
	        "5:1 number: is required and can't be empty; "
	        "6:0 has 2 cells where the header has 4; "
	        "7:0 something follows the closing quote of a cell; ");
	/* What only the database knows. */
	report = import_csv(office,
	                    "number,name,status,parent\n8,ok,,\n1,x,active,\n9,y,,77\n10,,,\n");
	office_has(report.bad, "5:2 name");
	report = import_csv(office, "number,name,status,parent\n8,ok,,\n1,x,active,\n9,y,,77\n");
	assert_string_equal(
	        report.bad,
	        "3:0 status: can't go from new to active (new, released, active; active and "
	        "inactive); 4:0 parent: there is no customer 77; ");
	assert_null(strstr(office_list(office, "customer", NULL), "'8'"));
	report = import_csv(office, "number,nmae\n1,x\n");
	assert_string_equal(report.bad,
	                    "1:2 nmae: a customer has no such field (did you mean name?); ");
	report = import_csv(office, "number,name,contact\n1,x,\"a\nb\"\n");
	office_has(report.bad, "2:3 contact: has a line break");
	report = import_csv(office, "number,name,number\n1,x,2\n");
	office_has(report.bad, "1:3 number: appears twice");
	report = import_csv(office, "");
	office_has(office->err.text, "empty");
	report = import_csv(office, "number,city\n99,Denver\n");
	assert_string_equal(report.bad, "2:0 name: is required; ");
	report = import_jsonl(
	        office,
	        "{'number':'7','name':['a','b']}\n{'number':true,'name':'x'}\n"
	        "{'number':1.5,'name':'x'}\n{'number':'7','name':'x','email':['a@b.c']}\n"
	        "{'number':'8','name':5,'contacts':[{'notify':['failed'],'all_sites':true}]}\n");
	office_has(report.bad, "1:0 name: expected text or a number, not a list");
	office_has(report.bad, "2:0 number: expected text or a number, not true or false");
	office_has(report.bad, "3:0 number: must be an integer");
	office_has(report.bad, "4:0 email: expected text or a number, not a list");
	assert_int_equal(report.counts.bad, 4);
	report = import_jsonl(
	        office, "[1]\n{'number':'1'\n{'number':'1','number':'2'}\n'x'\n{'city':'x'}\n");
	assert_int_equal(report.counts.bad, 5);
}

static void test_rights(void **state)
{
	struct office *office = *state;
	struct records_import how = {.format = RECORDS_CSV};
	static const char refused[] = "number,status,city\n1,inactive,Denver\n";
	static const char worse[] = "number,status,city\n1,inactive,Denver\n2,active,x\n";
	static const char taken[] = "number,status,city\n1,active,Denver\n";
	office_add(office, "customer", NULL, "{'number':'1','name':'x'}");
	struct report report =
	        import_bytes(office, &office->clerk, "customer", how, refused, sizeof refused - 1);
	assert_false(report.good);
	office_has(report.bad, "2:0 status: only a manager");
	assert_int_equal(office->err.code, EX_NOPERM);
	report = import_bytes(office, &office->clerk, "customer", how, worse, sizeof worse - 1);
	assert_false(report.good);
	assert_int_equal(office->err.code, EX_DATAERR);
	report = import_bytes(office, &office->clerk, "customer", how, taken, sizeof taken - 1);
	must(&report);
}

static void test_dry_run_and_map(void **state)
{
	struct office *office = *state;
	office_add(office, "customer", NULL, "{'number':'1','name':'x'}");
	const char *map = arena_printf(office->arena, "%s/map", office->dir);
	FILE *file = fopen(map, "w");
	(void)fputs("# theirs = ours\nAcct # = number\nCompany Name = name\nJunk =\nTown=city\n",
	            file);
	(void)fclose(file);
	const char *text = "Acct #,Company Name,Junk,Town\n1,x,?,Denver\n2,New,?,\n";
	struct records_import how = {
	        .format = RECORDS_CSV, .maps = &map, .n_maps = 1, .dry_run = true};
	struct report report =
	        import_bytes(office, &office->boss, "customer", how, text, strlen(text));
	must(&report);
	assert_string_equal(report.changes, "set 1; add 2; ");
	assert_int_equal(report.counts.added, 1);
	office_has(office_show(office, "customer", "1"), "'city':null");
	how.dry_run = false;
	report = import_bytes(office, &office->boss, "customer", how, text, strlen(text));
	must(&report);
	office_has(office_show(office, "customer", "1"), "'city':'Denver'");
	office_has(office_show(office, "customer", "2"), "'name':'New'");
}

static void test_sites_before_parents(void **state)
{
	struct office *office = *state;
	struct report report = import_csv(office, "number,name,parent\n3,c,2\n2,b,1\n1,a,\n");
	must(&report);
	office_has(office_show(office, "customer", "3"), "'parent':'2'");
	report = import_csv(office, "number,name,parent\n4,d,5\n5,e,4\n");
	assert_false(report.good);
	office_has(report.bad, "2:0 parent: there is no customer 5");
	/* Faults of a value and faults that only the database knows are reported together, each
	 * once: a site of a customer whose row is bad can't be judged. */
	report = import_csv(office, "number,name,parent,renewal,reps\n"
	                            "20,a,,soon,\n"
	                            "21,b,404,,\n"
	                            "22,c,20,,\n"
	                            "23,d,22,,\n"
	                            "24,e,1,,\"[\"\"Nobody\"\"]\"\n"
	                            "25,f,24,,\n"
	                            "26,g,1,,\n");
	assert_false(report.good);
	assert_string_equal(report.bad, "2:4 renewal: must be a day (YYYY-MM-DD) (got \"soon\"); "
	                                "6:0 reps: there is no sales rep Nobody; "
	                                "3:0 parent: there is no customer 404; ");
	assert_int_equal(report.counts.bad, 3);
	report = import_csv(office, "number,name\n26,g\n");
	must(&report);
	assert_int_equal(report.counts.added, 1);
}

static void test_hostile(void **state)
{
	struct office *office = *state;
	struct records_import how = {.format = RECORDS_CSV};
	static const char nul[] = "number,name\n1,a\0b\n2,c\n";
	struct report report =
	        import_bytes(office, &office->boss, "customer", how, nul, sizeof nul - 1);
	assert_string_equal(report.bad, "2:2 name: has a NUL in it; ");
	report = import_csv(office, "number,name\n1,\"open\n2,b\n");
	assert_string_equal(report.bad, "2:0 a quote that is opened here is never closed; ");
	report = import_csv(office, "number,name\n1,caf\xe9\n");
	office_has(report.bad, "2:2 name: is not valid UTF-8");
	report = import_csv(office, "number,name,location_notes\n1,x,\"gate\r\ncode "
	                            "\"\"7\"\"\"\n2,y,=1+1\n3,z,'=1+1\n");
	must(&report);
	office_has(office_show(office, "customer", "1"),
	           "'location_notes':'gate\\r\\ncode \\'7\\''");
	office_has(office_show(office, "customer", "3"), "'location_notes':'=1+1'");

	size_t len = 10 * 1024 * 1024;
	char *big = mem_alloc(len + 64);
	(void)strcpy(big, "number,name\n1,");
	memset(big + 14, 'x', len);
	(void)strcpy(big + 14 + len, "\n2,b\n");
	report = import_bytes(office, &office->boss, "customer", how, big, strlen(big));
	assert_string_equal(report.bad, "2:2 name: is longer than 500 characters; ");
	memset(big + 14, '"', len);
	report = import_bytes(office, &office->boss, "customer", how, big, strlen(big));
	assert_false(report.good);
	how.format = RECORDS_JSONL;
	memset(big, '[', len);
	report = import_bytes(office, &office->boss, "customer", how, big, len);
	assert_false(report.good);
	free(big);
}

static void export_to(struct office *office, struct customers *store, const char *kind,
                      enum records_format format, char **ret, size_t *ret_len)
{
	FILE *out = open_memstream(ret, ret_len);
	int64_t rows;
	office_ok(office, records_export(store, kind_find(kind), format, out, NULL, NULL, &rows,
	                                 &office->err));
	(void)fclose(out);
}

/* Every kind that an import takes, into an empty office and out again: the same bytes, ids too. */
static void round_trip(struct office *office, enum records_format format)
{
	static const char *const order[] = {"rep",     "system-type", "system-field", "customer",
	                                    "contact", "suspension",  "note",         "comment",
	                                    "system",  "asset",       "third-party",  "activity",
	                                    "quote",   "sale",        "quote-item",   "payment"};
	const char *path = arena_printf(office->arena, "%s/other.db", office->dir);
	struct customers *other = customers_open(path, DB_WRITE, &office->err);
	office_ok(office, other != NULL);
	struct change_context context = office->boss;
	context.store = other;
	struct records_import how = {.format = format};
	for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
		char *text, *again;
		size_t len, again_len;
		export_to(office, office->store, order[i], format, &text, &len);
		struct report report = import_bytes(office, &context, order[i], how, text, len);
		must(&report);
		export_to(office, other, order[i], format, &again, &again_len);
		if (len != again_len || memcmp(text, again, len) != 0)
			fail_msg("%s: exported\n%s\nand again\n%s", order[i], text, again);
		/* These came with the records that they hang on. */
		static const char *const parts[] = {"contact", "quote-item", "payment"};
		bool came = false;
		for (size_t j = 0; j < sizeof parts / sizeof parts[0]; j++)
			came = came || strcmp(order[i], parts[j]) == 0;
		assert_true(came ? report.counts.same > 0 && report.counts.added == 0
		                 : report.counts.added > 0);
		free(text);
		free(again);
	}
	customers_close(other);
	assert_int_equal(unlink(path), 0);
}

static void test_round_trip(void **state)
{
	struct office *office = *state;
	office_add(office, "customer", NULL,
	           "{'number':'2','name':'=cmd()','location_notes':'a\\n\\'b\\',c;d','timezone':'"
	           "Europe/Berlin',"
	           "'contact':'@Ann','email':'a@example.com','phone':'+49 30 "
	           "1234','dba':'\\u0027-x','renewal':"
	           "'2027-01-01'}");
	office_add(office, "customer", NULL,
	           "{'number':'1','name':'Zoë','parent':'2','status':'new'}");
	office_add(office, "contact", "1",
	           "{'first_name':'Bo','notify':[],'all_sites':true,'email':'b@example.com'}");
	office_ok(office, customers_mark_invalid(office->store, 2, "b@example.com",
	                                         office->boss.when, "550 no", &office->err));
	office_ok(office, hours_set(&office->boss, "1", "mon", "22:00-06:00", &office->err));
	office_ok(office, hours_except(&office->boss, "1", day_of(2026, 12, 25),
	                               day_of(2026, 12, 25), "closed", &office->err));
	office_add(office, "suspension", "1",
	           "{'from':'2026-01-01','until':'2026-02-01','note':'a\\nb','scopes':['jobs']}");
	office_ok(office, resume(&office->boss, "1", "UTC", 1, NULL, &office->err));
	office_add(office, "note", "1", "{'text':'-n','urgent':true}");
	office_add(office, "comment", "1", "{'text':'c','job':'7'}");
	office_add(office, "rep", NULL, "{'name':'Sam'}");
	office_add(office, "system-type", NULL, "{'name':'router'}");
	office_add(office, "system-field", "router", "{'name':'ip'}");
	office_add(office, "system", "1", "{'type':'router','ip':'::1'}");
	office_add(office, "asset", "1", "{'kind':'box','longitude':'-104.9'}");
	office_add(office, "third-party", "1", "{'name':'t','role':'r'}");
	office_add(office, "activity", "1", "{'text':'call'}");
	office_add(office, "quote", "1", "{'number':'Q','items':[{'text':'box','price':'1.5'}]}");
	office_add(office, "sale", "1",
	           "{'job':'7','payments':[{'amount':'-3','day':'2026-01-01'}]}");
	round_trip(office, RECORDS_CSV);
	round_trip(office, RECORDS_JSONL);
}

/* A crash in the middle leaves the old data, and the next who opens it finds them. */
static void stop_at(void *arg, int64_t rows, int64_t done, int64_t total)
{
	(void)arg, (void)rows;
	if (done > total / 2)
		(void)raise(SIGKILL);
}

static void test_crash(void **state)
{
	struct office *office = *state;
	const char *path = arena_printf(office->arena, "%s/big.csv", office->dir);
	FILE *file = fopen(path, "w+");
	(void)fputs("number,name,email\n", file);
	for (int i = 0; i < 20000; i++)
		(void)fprintf(file, "%d,Customer %d,c%d@example.com\n", i, i, i);
	(void)fflush(file);
	office_add(office, "customer", NULL, "{'number':'7','name':'old'}");
	pid_t child = fork();
	if (child == 0) {
		struct customers *store = customers_open(office->path, DB_WRITE, NULL);
		struct change_context context = {
		        .store = store, .actor = office->boss.actor, .when = office->boss.when};
		struct records_import how = {.format = RECORDS_CSV, .progress = stop_at};
		struct records_counts counts;
		rewind(file);
		_exit(records_import(&context, kind_find("customer"), file, &how, &counts, NULL)
		              ? 0
		              : 1);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	(void)fclose(file);
	office_has(office_list(office, "customer", NULL), "[{'id':1,'number':'7','name':'old'");
	office_set(office, "customer", "7", "{'name':'still here'}");
	office_ok(office, db_check(customers_db(office->store), &office->err));
}

/* Two writers at once: neither is refused, and both sets of changes are there. */
static void test_two_writers(void **state)
{
	struct office *office = *state;
	enum { EACH = 60 };
	pid_t children[2];
	for (int c = 0; c < 2; c++) {
		children[c] = fork();
		if (children[c] != 0)
			continue;
		struct customers *store = customers_open(office->path, DB_WRITE, NULL);
		struct change_context context = {
		        .store = store, .actor = office->boss.actor, .when = office->boss.when};
		for (int i = 0; i < EACH; i++) {
			json_t *values =
			        json_pack("{s:i, s:s}", "number", c * EACH + i, "name", "x");
			struct error err;
			if (!records_add(&context, kind_find("customer"), NULL, values, NULL,
			                 &err)) {
				(void)fprintf(stderr, "%s\n", err.text);
				_exit(1);
			}
			json_decref(values);
		}
		_exit(0);
	}
	for (int c = 0; c < 2; c++) {
		int status;
		assert_int_equal(waitpid(children[c], &status, 0), children[c]);
		assert_int_equal(status, 0);
	}
	int64_t n;
	assert_true(db_run_int(
	        db_query(customers_db(office->store), "SELECT count(*) FROM search_text"), 0, &n,
	        NULL));
	assert_int_equal(n, 2 * EACH);
}

static void test_feed(void **state)
{
	struct office *office = *state;
	struct error err;
	static const struct {
		const char *json;
		bool good;
	} rows[] = {
	        {"{\"number\":1001,\"name\":\"A\",\"email\":\"a@example.com\"}", true},
	        {"{\"number\":\"1001\",\"city\":\"Denver\"}", true},
	        {"{\"number\":\"1001\",\"name\":null}", false},
	        {"{\"name\":\"B\"}", false},
	        {"{\"number\":\"1002\"}", false},
	        {"[]", false},
	        {"{\"number\":\"1003\",\"name\":\"C\"} x", false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct records_upsert row = {.json = rows[i].json, .len = strlen(rows[i].json)};
		assert_true(records_upsert(&office->boss, &row, 1, &err));
		if (row.refused == rows[i].good)
			fail_msg("%s: %s", rows[i].json, row.err.text);
		assert_false(db_in_transaction(customers_db(office->store)));
	}
	office_has(office_show(office, "customer", "1001"), "'city':'Denver'");
	office_has(office_list(office, "contact", "1001"), "'email':'a@example.com'");
	office_has(office_list(office, "customer", NULL), "[{'id':1,'number':'1001','name':'A'");
}

/* One that can't be taken leaves nothing behind, those around it are taken; the index follows. */
static void test_feed_in_one_go(void **state)
{
	struct office *office = *state;
	struct error err;
	const char *json[] = {
	        "{\"number\":\"1\",\"name\":\"Anna Hauling\",\"email\":\"a@example.com\"}",
	        "{\"number\":\"2\",\"name\":\"Burt\",\"contacts\":[{\"email\":\"no address\"}]}",
	        "{\"number\":\"3\",\"name\":\"Carl Hauling\",\"parent\":\"1\"}"};
	struct records_upsert rows[3];
	for (size_t i = 0; i < 3; i++)
		rows[i] = (struct records_upsert){.json = json[i], .len = strlen(json[i])};
	assert_true(records_upsert(&office->boss, rows, 3, &err));
	assert_false(rows[0].refused || rows[2].refused);
	assert_true(rows[1].refused);
	assert_non_null(strstr(rows[1].err.text, "no address"));
	json_t *found;
	assert_true(customers_search(office->store, "hauling", BY_ALL, 50, &found, &err));
	assert_int_equal(json_array_size(found), 2);
	json_decref(found);
	assert_true(customers_search(office->store, "burt", BY_ALL, 50, &found, &err));
	assert_int_equal(json_array_size(found), 0);
	json_decref(found);
	int64_t n;
	assert_true(
	        db_run_int(db_query(customers_db(office->store), "SELECT count(*) FROM customer"),
	                   0, &n, NULL));
	assert_int_equal(n, 2);
}

#define OFFICE_TEST(name) cmocka_unit_test_setup_teardown(name, office_open, office_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        OFFICE_TEST(test_rows),
	        OFFICE_TEST(test_bad_rows),
	        OFFICE_TEST(test_rights),
	        OFFICE_TEST(test_dry_run_and_map),
	        OFFICE_TEST(test_sites_before_parents),
	        OFFICE_TEST(test_hostile),
	        OFFICE_TEST(test_round_trip),
	        OFFICE_TEST(test_crash),
	        OFFICE_TEST(test_two_writers),
	        OFFICE_TEST(test_feed),
	        OFFICE_TEST(test_feed_in_one_go),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
