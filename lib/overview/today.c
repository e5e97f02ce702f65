/* SPDX-License-Identifier: MIT */
/*
 * A morning's lists over all customers: renewals, suspensions that end, jobs under way against a
 * suspension, jobs that failed. Read by the customer center for its page of today; what `check`
 * finds is the engine's (engine/check.h).
 */
#include "overview/today.h"

#include "base/jsontext.h"
#include "overview/local_times.h"
#include "records/records.h"
#include "rules/rules.h"
#include "spool/spool_read.h"

#include <string.h>

static struct day today_of(const struct overview *view)
{
	return zone_day(rules_zone(view->settings, view->zones, NULL), view->now);
}

/* -- customers --------------------------------------------------------------------------------- */

static bool read_renewals(const struct overview *view, json_t *rows, struct error *err)
{
	static const char *const keys[] = {"customer", "name", "renewal"};
	struct db_query *q = db_query(
	        customers_db(view->customers),
	        "SELECT number, name, renewal FROM customer WHERE renewal BETWEEN ?1 AND ?2 AND "
	        "status = 'active' ORDER BY renewal, number");
	char from[DAY_TEXT_MAX], to[DAY_TEXT_MAX];
	enum db_step step;
	struct day today = today_of(view);
	db_bind_text(q, 1, day_format((struct day){today.n - TODAY_RENEWAL_DAYS}, from));
	db_bind_text(q, 2, day_format((struct day){today.n + TODAY_RENEWAL_DAYS}, to));
	while ((step = db_step(q, err)) == DB_ROW) {
		json_t *row = json_object();
		for (int i = 0; i < 3; i++)
			json_object_set_new(row, keys[i], json_string(db_text(q, i, view->arena)));
		json_array_append_new(rows, row);
	}
	return step == DB_DONE;
}

static bool ends_soon(const json_t *suspension, struct day today)
{
	struct day until;
	return json_is_true(json_object_get(suspension, "holds")) &&
	       day_parse(jsontext_at(suspension, "until"), &until) &&
	       until.n - today.n <= TODAY_ENDING_DAYS;
}

static bool all_suspensions(const struct overview *view, json_t **ret, struct error *err)
{
	const char *zone = view->settings->rules.timezone;
	return suspensions_list(view->customers, NULL, zone && *zone ? zone : NULL, view->now,
	                        false, ret, err);
}

bool today_customers(const struct overview *view, json_t **ret, struct error *err)
{
	json_t *renewals = json_array(), *ending = json_array(), *all, *row;
	size_t i;
	if (!read_renewals(view, renewals, err) || !all_suspensions(view, &all, err)) {
		json_decref(renewals);
		json_decref(ending);
		return false;
	}
	json_array_foreach(all, i, row)
	{
		if (!ends_soon(row, today_of(view)))
			continue;
		json_object_set_new(row, "name",
		                    json_string(overview_name(view, jsontext_at(row, "customer"))));
		json_array_append(ending, row);
	}
	json_decref(all);
	*ret = json_pack("{s:o, s:o}", "renewals", renewals, "ending", ending);
	return true;
}

/* -- jobs -------------------------------------------------------------------------------------- */

static bool stops_jobs(const json_t *suspension)
{
	size_t i;
	const json_t *scope;
	if (!json_is_true(json_object_get(suspension, "holds")))
		return false;
	json_array_foreach(json_object_get(suspension, "scopes"), i, scope)
	{
		if (strcmp(json_string_value(scope), "emails") != 0)
			return true;
	}
	return false;
}

static bool add_jobs(const struct overview *view, struct spool *spool, const char *number,
                     json_t *suspension, json_t *rows, struct error *err)
{
	json_t *pending, *job;
	size_t i;
	if (!spool_read_pending(spool, number, &pending, err))
		return false;
	json_array_foreach(json_object_get(pending, "under_way"), i, job) json_array_append_new(
	        rows, json_pack("{s:s, s:s, s:O, s:O, s:O}", "customer", number, "name",
	                        overview_name(view, number), "job", json_object_get(job, "job"),
	                        "state", json_object_get(job, "state"), "suspension", suspension));
	json_decref(pending);
	return true;
}

/* A customer that several of them cover comes once. */
static bool add_covered(const struct overview *view, struct spool *spool, json_t *suspension,
                        json_t *seen, json_t *rows, struct error *err)
{
	json_t *below, *number;
	size_t i;
	bool good = true;
	if (!customer_below(view->customers, jsontext_at(suspension, "customer"), &below, err))
		return false;
	json_array_foreach(below, i, number)
	{
		const char *text = json_string_value(number);
		if (!good || json_object_get(seen, text))
			continue;
		json_object_set_new(seen, text, json_true());
		good = add_jobs(view, spool, text, suspension, rows, err);
	}
	json_decref(below);
	return good;
}

bool today_collisions(const struct overview *view, struct spool *spool, json_t **ret,
                      struct error *err)
{
	json_t *all, *suspension, *rows, *seen;
	size_t i;
	bool good = true;
	if (!all_suspensions(view, &all, err))
		return false;
	rows = json_array();
	seen = json_object();
	json_array_foreach(all, i, suspension) good =
	        good &&
	        (!stops_jobs(suspension) || add_covered(view, spool, suspension, seen, rows, err));
	json_decref(seen);
	json_decref(all);
	if (good)
		*ret = rows;
	else
		json_decref(rows);
	return good;
}

bool today_failed_jobs(const struct overview *view, struct spool *spool, json_t **ret,
                       struct error *err)
{
	enum { DAY_MS = 24 * 60 * 60 * 1000 };
	struct instant since = {view->now.ms - (int64_t)TODAY_FAILED_DAYS * DAY_MS};
	if (!spool_read_failed_jobs(spool, since, TODAY_FAILED_MAX, ret, err))
		return false;
	overview_add_names(view, *ret);
	local_rows(view, *ret);
	return true;
}
