/* SPDX-License-Identifier: MIT */
/*
 * Customers by the million: how long an import takes, what a search and a load cost then.
 *
 *	bench_customers DIRECTORY [CUSTOMERS]
 *
 * Makes customers.db and customers.csv there (some 1.5 GB for a million), prints what it measured,
 * and ends with 1 where a promise is broken: a million in 60 s, any first 50 in 20 ms.
 */
#include "base/buf.h"
#include "records/records.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SEARCH_MAX_MS = 20, IMPORT_MAX_S = 60 }; /* more is called slow; a million rows */

static double now_ms(void)
{
	struct timespec at;
	(void)clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec * 1e3 + (double)at.tv_nsec / 1e6;
}

static double cpu_s(void)
{
	return (double)clock() / CLOCKS_PER_SEC;
}

/* A generator of our own, so that each run has the same customers. */
static unsigned below(unsigned n)
{
	static uint64_t state = 42;
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(state >> 33) % n;
}

static const char *const firsts[] = {"James",  "Mary",  "Robert", "Patricia", "José",  "Jennifer",
                                     "Łukasz", "Linda", "Søren",  "Anna",     "Peter", "Ama",
                                     "Zoë",    "Ivan",  "Mei",    "Omar"};
static const char *const lasts[] = {
        "Smith", "Müller",   "Williams", "Brown",  "Jones",  "García", "Miller", "Davis",
        "Lopez", "Kowalski", "Ångström", "Wilson", "Nguyen", "Taylor", "Moore",  "Okafor"};
static const char *const trades[] = {"Hauling",  "Construction", "Roofing", "Builders",
                                     "Services", "Recycling",    "Waste",   "Demolition",
                                     "Plumbing", "Farms"};
static const char *const streets[] = {"Oak",   "Maple",      "Main",  "Park", "Cedar",
                                      "Elm",   "Washington", "Lake",  "Hill", "Walnut",
                                      "North", "Ridge",      "Church"};
static const char *const ways[] = {"Street", "Avenue", "Road", "Drive", "Lane", "Court"};
static const char *const towns[] = {"Springfield", "Greenville", "Fairburg", "Riverton",
                                    "Lakewood",    "Denver",     "Aurora",   "Reno",
                                    "San José",    "Woodport"};
static const char *const states[] = {"CO", "TX", "CA", "NV", "WA", "NM"};
#define ANY(list) list[below(sizeof list / sizeof list[0])]

static void write_csv(FILE *file, int n)
{
	(void)fputs(
	        "number,name,account,address,city,state,postal_code,country,phone,timezone,status,"
	        "contact,email\n",
	        file);
	for (int i = 0; i < n; i++) {
		const char *first = ANY(firsts), *last = ANY(lasts);
		(void)fprintf(file,
		              "%d,%s %s %u,AC-%07d,%u %s %s,%s,%s,%05u,US,+1 %u %03u "
		              "%04u,America/Denver,active,%s %s,"
		              "c%d@example.com\n",
		              100000 + i, last, ANY(trades), below(9999), i * 7, 1 + below(9999),
		              ANY(streets), ANY(ways), ANY(towns), ANY(states), below(99999),
		              200 + below(800), below(1000), below(10000), first, last, i);
	}
}

static void fail_with(const struct error *err)
{
	(void)fprintf(stderr, "%s\n", err->text);
	exit(1);
}

static void time_import(struct customers *store, FILE *file, int n)
{
	struct change_context context = {.store = store,
	                                 .actor = {.user = "bench", .manager = true},
	                                 .when = {1770000000000}};
	struct records_import how = {.format = RECORDS_CSV};
	struct records_counts counts;
	struct error err;
	rewind(file);
	double from = now_ms(), cpu = cpu_s();
	if (!records_import(&context, kind_find("customer"), file, &how, &counts, &err))
		fail_with(&err);
	double seconds = (now_ms() - from) / 1e3;
	(void)printf(
	        "import   %lld rows in %.1f s (%.1f s of it on a processor), %.0f a second%s\n",
	        (long long)counts.rows, seconds, cpu_s() - cpu, (double)counts.rows / seconds,
	        seconds * 1e6 / n < IMPORT_MAX_S ? "" : ": slow");
}

static void time_searches(struct customers *store)
{
	static const char *const texts[] = {
	        "smith",   "muller",  "street",      "oak street", "12345",   "example.com",
	        "555 01",  "zzzz",    "xyz street",  "lane court", "AC-0000", "100",
	        "hauling", "san jos", "kowalski ro", "co",         "c77777@", "avenue lake"};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		double best = 1e9;
		size_t n = 0;
		for (int k = 0; k < 3; k++) {
			json_t *json;
			struct error err;
			double from = now_ms();
			if (!customers_search(store, texts[i], BY_ALL, 50, &json, &err))
				fail_with(&err);
			double took = now_ms() - from;
			best = took < best ? took : best;
			n = json_array_size(json);
			json_decref(json);
		}
		(void)printf("search   %-12s %3zu found, %6.2f ms%s\n", texts[i], n, best,
		             best < SEARCH_MAX_MS ? "" : ": slow");
	}
}

static void time_loads(struct customers *store, int n)
{
	struct arena *arena = arena_new();
	struct error err;
	enum { LOADS = 20000 };
	double from = now_ms();
	for (int i = 0; i < LOADS; i++) {
		char number[16];
		const struct customer *customer;
		(void)snprintf(number, sizeof number, "%u", 100000 + below((unsigned)n));
		if (!customers_load(store, arena, number, &customer, &err))
			fail_with(&err);
		arena_reset(arena);
	}
	(void)printf("load     %.1f us each\n", (now_ms() - from) * 1e3 / LOADS);
	arena_free(arena);
}

static void time_related(struct customers *store)
{
	struct error err;
	json_t *json;
	double from = now_ms();
	if (!customers_related(store, "100500", 50, &json, &err))
		fail_with(&err);
	(void)printf("related  %zu found, %.1f ms\n", json_array_size(json), now_ms() - from);
	json_decref(json);
	from = now_ms();
	if (!customers_duplicates(store, 50, &json, &err))
		fail_with(&err);
	(void)printf("duplicates %zu groups, %.1f ms\n", json_array_size(json), now_ms() - from);
	json_decref(json);
}

int main(int argc, char **argv)
{
	char path[4096];
	struct error err;
	if (argc < 2) {
		(void)fprintf(stderr, "usage: bench_customers DIRECTORY [CUSTOMERS]\n");
		return 64;
	}
	int n = argc > 2 ? atoi(argv[2]) : 1000000;
	(void)snprintf(path, sizeof path, "%s/customers.csv", argv[1]);
	FILE *file = fopen(path, "w+");
	(void)snprintf(path, sizeof path, "%s/customers.db", argv[1]);
	struct customers *store = file ? customers_open(path, DB_WRITE, &err) : NULL;
	if (store == NULL)
		fail_with(&err);
	write_csv(file, n);
	time_import(store, file, n);
	(void)fclose(file);
	time_searches(store);
	time_loads(store, n);
	time_related(store);
	(void)customers_close(store);
	return 0;
}
