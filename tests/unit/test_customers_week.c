/* SPDX-License-Identifier: MIT */
/*
 * Some weeks of an office at random, by everything that writes customers.db, and a copy that
 * follows: at the end of each the two are equal, row by row. The seed is the week's number; a
 * failure names it.
 */
#include "base/buf.h"
#include "cluster.h"
#include "records/bulk_edit.h"
#include "records/contact_choice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { WEEKS = 6, STEPS = 260, NUMBERS = 24 };

struct week {
	struct office *office;
	struct cluster cluster;
	uint64_t state;
	size_t done; /* steps that changed something */
};

static unsigned below(struct week *week, unsigned n)
{
	week->state = week->state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(week->state >> 33) % n;
}

#define ANY(week, list) list[below((week), sizeof(list) / sizeof(list)[0])]

static const char *const names[] = {"Müller Hauling", "Haul & Sons", "Łukasz Builders",
                                    "The Müller Group", "Anna Farms"};
static const char *const cities[] = {"Denver", "Aurora", "Reno", "San José"};
static const char *const reps[] = {"Sam", "Robin"};

static const char *number(struct week *week)
{
	return arena_printf(week->office->arena, "%u", 1000 + below(week, NUMBERS));
}

/* Of one that there is. */
static const char *customer(struct week *week)
{
	int64_t n = cluster_number(
	        week->office->store,
	        arena_printf(week->office->arena,
	                     "SELECT coalesce((SELECT CAST(number AS INTEGER) FROM customer ORDER "
	                     "BY id LIMIT 1 OFFSET %u %% max(1, (SELECT count(*) FROM customer))), "
	                     "0)",
	                     below(week, 1000)));
	return office_id(week->office, n);
}

/* What the office asks for may be impossible: nothing has happened then. */
static void tried(struct week *week, bool good, const struct error *err)
{
	if (!good && err->code != EX_DATAERR && err->code != EX_NOINPUT)
		fail_msg("%s (%d)", err->text, err->code);
	week->done += good;
}

static void try_add(struct week *week, const char *kind, const char *owner, const char *values)
{
	struct error err = {0};
	json_t *json = office_json(values);
	tried(week, records_add(&week->office->boss, kind_find(kind), owner, json, NULL, &err),
	      &err);
	json_decref(json);
}

static void try_set(struct week *week, const char *kind, const char *name, const char *values)
{
	struct error err = {0};
	json_t *json = office_json(values);
	tried(week, records_set(&week->office->boss, kind_find(kind), name, json, &err), &err);
	json_decref(json);
}

/* The id of any record of a kind, as text; "0" where there is none. */
static const char *any_id(struct week *week, const char *table)
{
	int64_t n = cluster_number(
	        week->office->store,
	        arena_printf(week->office->arena,
	                     "SELECT coalesce((SELECT id FROM %s ORDER BY id LIMIT 1 OFFSET %u %% "
	                     "max(1, (SELECT count(*) FROM %s))), 0)",
	                     table, below(week, 1000), table));
	return office_id(week->office, n);
}

/* ---- what an office does */

static void adds_a_customer(struct week *week)
{
	const char *at = number(week);
	try_add(week, "customer", NULL,
	        arena_printf(week->office->arena,
	                     "{'number':'%s','name':'%s','city':'%s','phone':'+1 303 555 %04u',"
	                     "'email':'mail%u@example.com','contact':'Anna %u','sales_rep':'%s'}",
	                     at, ANY(week, names), ANY(week, cities), below(week, 10000),
	                     below(week, 50), below(week, 9), ANY(week, reps)));
}

static void adds_a_site(struct week *week)
{
	try_add(week, "customer", NULL,
	        arena_printf(week->office->arena, "{'number':'%s','name':'Site','parent':'%s'}",
	                     number(week), customer(week)));
}

static void changes_a_customer(struct week *week)
{
	static const char *const values[] = {"{'city':'Pueblo','account':'A-7'}",
	                                     "{'address':'1 First Street'}",
	                                     "{'name':'Haul x1'}",
	                                     "{'sales_rep':'Robin'}",
	                                     "{'parent':null}",
	                                     "{'timezone':'America/Denver'}",
	                                     "{'reference':'R 10','county':'Weld'}"};
	try_set(week, "customer", customer(week), ANY(week, values));
}

static void renumbers(struct week *week)
{
	try_set(week, "customer", customer(week),
	        arena_printf(week->office->arena, "{'number':'%s'}", number(week)));
}

static void writes_something(struct week *week)
{
	static const struct {
		const char *kind, *values;
	} rows[] = {
	        {"contact", "{'first_name':'Zoë','email':'zoe@example.com','notify':['failed']}"},
	        {"note", "{'text':'gate code 10'}"},
	        {"comment", "{'text':'late','job':'4711'}"},
	        {"asset", "{'kind':'bin','serial':'SN-10'}"},
	        {"system", "{'type':'router','ip':'::1'}"},
	        {"third-party", "{'name':'Bins Inc','role':'owner'}"},
	        {"activity", "{'kind':'call','text':'call back'}"},
	        {"quote", "{'number':'Q1','state':'draft','items':[{'text':'bin','quantity':'1',"
	                  "'price':'2'}]}"},
	        {"sale", "{'product':'bin','payments':[{'amount':'2','day':'2026-11-01'}]}"},
	};
	unsigned i = below(week, sizeof rows / sizeof rows[0]);
	try_add(week, rows[i].kind, customer(week), rows[i].values);
}

static void changes_something(struct week *week)
{
	static const struct {
		const char *kind, *table, *values;
	} rows[] = {
	        {"contact", "contact", "{'email':'new@example.com','cell_phone':'555 10'}"},
	        {"contact", "contact", "{'notify':['started','completed']}"},
	        {"note", "note", "{'text':'other'}"},
	        {"asset", "asset", "{'size':'20 yd'}"},
	        {"system", "system", "{'ip':'::2','label':'hall'}"},
	        {"activity", "activity", "{'text':'done'}"},
	        {"rep", "rep", "{'phone':'555'}"},
	        {"system-type", "system_type", "{'about':'a box'}"},
	};
	unsigned i = below(week, sizeof rows / sizeof rows[0]);
	try_set(week, rows[i].kind, any_id(week, rows[i].table), rows[i].values);
}

static void removes_something(struct week *week)
{
	static const char *const removable[] = {"contact", "note", "asset",   "system",
	                                        "quote",   "sale", "picture", "document"};
	struct error err = {0};
	const char *kind = ANY(week, removable);
	tried(week, records_remove(&week->office->boss, kind_find(kind), any_id(week, kind), &err),
	      &err);
}

static void removes_a_customer(struct week *week)
{
	struct error err = {0};
	tried(week,
	      records_remove(&week->office->boss, kind_find("customer"), customer(week), &err),
	      &err);
}

static void erases(struct week *week)
{
	struct error err = {0};
	tried(week, customer_erase(&week->office->boss, customer(week), &err), &err);
}

static void merges(struct week *week)
{
	struct error err = {0};
	tried(week, customer_merge(&week->office->boss, customer(week), customer(week), &err),
	      &err);
}

static void renames_a_rep(struct week *week)
{
	static const char *const more[] = {"Sam", "Robin", "Kim"};
	try_set(week, "rep", ANY(week, more),
	        arena_printf(week->office->arena, "{'name':'%s'}", ANY(week, more)));
}

static void links_a_rep(struct week *week)
{
	struct error err = {0};
	bool link = below(week, 3) > 0;
	tried(week,
	      link ? rep_link(&week->office->boss, customer(week), ANY(week, reps), below(week, 2),
	                      &err)
	           : rep_unlink(&week->office->boss, customer(week), ANY(week, reps), &err),
	      &err);
}

static void suspends(struct week *week)
{
	struct error err = {0};
	json_t *values = office_json("{'note':'unpaid','scopes':'emails'}");
	int64_t id;
	tried(week,
	      below(week, 2)
	              ? suspend(&week->office->boss, customer(week), "Etc/UTC", values, &id, &err)
	              : resume(&week->office->boss, customer(week), "Etc/UTC", 0, NULL, &err),
	      &err);
	json_decref(values);
}

static void sets_hours(struct week *week)
{
	struct error err = {0};
	struct day day;
	const struct change_context *boss = &week->office->boss;
	const char *whose = below(week, 4) ? customer(week) : NULL;
	assert_true(day_parse("2026-12-24", &day));
	switch (below(week, 4)) {
	case 0:
		tried(week, hours_set(boss, customer(week), "mon-fri", "07:00-12:00", &err), &err);
		break;
	case 1:
		tried(week, hours_except(boss, whose, day, day, "closed", &err), &err);
		break;
	case 2:
		tried(week, hours_except(boss, whose, day, day, NULL, &err), &err);
		break;
	default:
		tried(week, hours_clear(boss, customer(week), &err), &err);
	}
}

static void imports(struct week *week)
{
	struct error err = {0};
	struct records_import how = {.format = RECORDS_CSV, .dry_run = below(week, 4) == 0};
	struct records_counts counts;
	struct buf csv = {0};
	buf_adds(&csv, "number,name,email,contact,city,parent\n");
	for (unsigned n = 2 + below(week, 30); n > 0; n--) {
		const char *at = number(week), *parent = below(week, 5) ? "" : customer(week);
		buf_printf(&csv, "%s,%s %u,mail%u@example.com,Anna %u,%s,%s\n", at,
		           ANY(week, names), below(week, 9), below(week, 50), below(week, 9),
		           ANY(week, cities), parent);
	}
	FILE *in = fmemopen(csv.data, csv.len, "r");
	tried(week,
	      records_import(&week->office->boss, kind_find("customer"), in, &how, &counts, &err),
	      &err);
	(void)fclose(in);
	buf_free(&csv);
}

static void is_fed(struct week *week)
{
	struct error err = {0};
	struct records_upsert rows[3];
	for (size_t i = 0; i < 3; i++) {
		const char *json = arena_printf(
		        week->office->arena,
		        "{\"number\":\"%s\",\"name\":\"Fed %u\",\"contacts\":[{\"email\":\"%s\"}]}",
		        number(week), below(week, 9), i == 1 ? "none" : "fed@example.com");
		rows[i] = (struct records_upsert){.json = json, .len = strlen(json)};
	}
	tried(week, records_upsert(&week->office->boss, rows, 3, &err), &err);
}

static void edits_many(struct week *week)
{
	static const char *const values[] = {"{'city':'Golden'}",
	                                     "{'how':'add','states':['paused']}"};
	struct error err = {0};
	struct customer_filter filter = {0};
	char digest[BULK_DIGEST_SIZE];
	enum bulk_verb verb = below(week, 2) ? BULK_SET : BULK_NOTIFY;
	struct bulk_edit edit = {.verb = verb,
	                         .values = office_json(values[verb == BULK_NOTIFY]),
	                         .default_zone = "Etc/UTC"};
	json_t *rows;
	int64_t n;
	struct office *office = week->office;
	office_ok(office, customer_list(office->store, &filter, &rows, &office->err));
	office_ok(office, bulk_preview(&office->boss, &edit, rows, &office->err));
	bulk_digest(&edit, rows, digest);
	tried(week, bulk_apply(&office->boss, &edit, rows, digest, &n, &err), &err);
	json_decref(rows);
	json_decref((json_t *)(uintptr_t)edit.values);
}

static void changes_together(struct week *week)
{
	struct error err = {0};
	struct office *office = week->office;
	office_ok(office, changes_begin(office->store, &office->err));
	renumbers(week);
	writes_something(week);
	renumbers(week);
	removes_something(week);
	tried(week, changes_end(office->store, true, &err), &err);
}

static void hears_of_an_address(struct week *week)
{
	struct error err = {0};
	struct office *office = week->office;
	tried(week,
	      customers_mark_invalid(office->store, atoll(any_id(week, "contact")),
	                             "fed@example.com", office->boss.when, "550 no", &err),
	      &err);
}

static void is_opted_out_of(struct week *week)
{
	struct error err = {0};
	struct office *office = week->office;
	unsigned off = below(week, 64), on = below(week, 64);
	tried(week,
	      contact_choice_set(office->store, atoll(any_id(week, "contact")), "", off, on,
	                         office->boss.when, &err),
	      &err);
}

static void files_a_picture(struct week *week)
{
	static const char png[] = "\x89PNG\r\n\x1a\n....";
	struct error err = {0};
	json_t *values = office_json(below(week, 2) ? "{'description':'a','plan':true}"
	                                            : "{'description':'b'}");
	FILE *in = fmemopen((void *)(uintptr_t)png, sizeof png, "r");
	int64_t id;
	tried(week,
	      file_add(&week->office->boss, kind_find("picture"), customer(week), "x.png", in, 100,
	               values, &id, &err),
	      &err);
	(void)fclose(in);
	json_decref(values);
	try_set(week, "picture", any_id(week, "picture"), "{'plan':true}");
}

static const struct {
	void (*step)(struct week *week);
	unsigned weight;
} steps[] = {{adds_a_customer, 10},
             {adds_a_site, 3},
             {changes_a_customer, 6},
             {renumbers, 3},
             {writes_something, 12},
             {changes_something, 8},
             {removes_something, 4},
             {removes_a_customer, 1},
             {erases, 1},
             {merges, 2},
             {renames_a_rep, 2},
             {links_a_rep, 4},
             {suspends, 4},
             {sets_hours, 5},
             {imports, 2},
             {is_fed, 3},
             {edits_many, 1},
             {changes_together, 4},
             {hears_of_an_address, 3},
             {is_opted_out_of, 4},
             {files_a_picture, 3}};

static size_t useful[sizeof steps / sizeof steps[0]]; /* of each, over all weeks */

static void take_a_step(struct week *week)
{
	unsigned all = 0, i = 0;
	for (size_t s = 0; s < sizeof steps / sizeof steps[0]; s++)
		all += steps[s].weight;
	unsigned at = below(week, all);
	while (at >= steps[i].weight)
		at -= steps[i++].weight;
	size_t before = week->done;
	steps[i].step(week);
	useful[i] += week->done - before;
}

static void begin(struct week *week)
{
	struct office *office = week->office;
	office_add(office, "rep", NULL, "{'name':'Sam'}");
	office_add(office, "rep", NULL, "{'name':'Robin'}");
	office_add(office, "system-type", NULL, "{'name':'router'}");
	office_add(office, "system-field", "router", "{'name':'ip'}");
	for (int i = 0; i < 10; i++)
		adds_a_customer(week);
	cluster_open(&week->cluster, office);
}

static void test_a_week(void **state)
{
	static uint64_t seed;
	struct week week = {.office = *state, .state = ++seed};
	size_t followed = 0;
	print_message("week %d\n", (int)seed);
	begin(&week);
	for (int i = 1; i <= STEPS; i++) {
		take_a_step(&week);
		if (below(&week, 4) == 0)
			followed += cluster_follow(&week.cluster);
		if (i % 65 == 0) {
			followed += cluster_follow(&week.cluster);
			cluster_equal(&week.cluster);
		}
	}
	print_message("%zu steps, %zu changes followed\n", week.done, followed);
	assert_true(followed > STEPS / 2);
	cluster_close(&week.cluster);
}

static void test_each_step_was_made(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		if (useful[i] < 4)
			fail_msg("step %zu changed something %zu times", i, useful[i]);
	}
}

int main(void)
{
	struct CMUnitTest tests[WEEKS + 1];
	for (size_t i = 0; i < WEEKS; i++)
		tests[i] = (struct CMUnitTest)cmocka_unit_test_setup_teardown(
		        test_a_week, office_open, office_close);
	tests[WEEKS] = (struct CMUnitTest)cmocka_unit_test(test_each_step_was_made);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
