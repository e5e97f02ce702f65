/* SPDX-License-Identifier: MIT */
#include "overview/suspension_preview.h"

#include "model/job_state.h"
#include "model/suspension.h"
#include "model/words.h"
#include "records/records.h"
#include "rules/rules.h"
#include "spool/spool_read.h"

struct counting {
	const struct suspension *planned;
	const struct zone *zone;
	struct instant now;
	json_int_t mails, jobs;
};

/* When a row's time comes; now where it has none, or where it is over. */
static struct instant time_at(const struct counting *counting, const json_t *row, const char *key)
{
	struct instant at;
	const char *text = json_string_value(json_object_get(row, key));
	if (text == NULL || !instant_parse(text, &at) || instant_before(at, counting->now))
		return counting->now;
	return at;
}

static bool covers(const struct counting *counting, unsigned scopes, struct instant at)
{
	return (counting->planned->scopes & scopes) != 0 &&
	       suspension_holds(counting->planned, counting->zone, at);
}

static void count_mails(struct counting *counting, const json_t *mails)
{
	size_t i;
	const json_t *mail;
	json_array_foreach(mails, i, mail)
	{
		enum job_state state =
		        job_state_find(json_string_value(json_object_get(mail, "state")));
		unsigned scopes = SCOPE_EMAILS |
		                  (job_state_row(state)->needs_route ? (unsigned)SCOPE_ROUTES : 0);
		counting->mails += covers(counting, scopes, time_at(counting, mail, "due"));
	}
}

static void count_jobs(struct counting *counting, const json_t *pending)
{
	size_t i;
	const json_t *job;
	json_array_foreach(json_object_get(pending, "held"), i, job)
	{
		struct instant at = time_at(counting, job, "scheduled");
		counting->jobs += covers(counting, SCOPE_ROUTES, at);
	}
	json_array_foreach(json_object_get(pending, "under_way"), i, job) counting->jobs +=
	        covers(counting, SCOPE_JOBS | SCOPE_ROUTES, counting->now);
}

static bool count_one(const struct overview *view, struct spool *spool, const char *number,
                      struct counting *counting, struct error *err)
{
	const struct customer *customer;
	json_t *pending;
	if (!spool_read_pending(spool, number, &pending, err))
		return false;
	bool good = customers_load(view->customers, view->arena, number, &customer, err);
	if (good && customer) {
		counting->zone = rules_zone(view->settings, view->zones, customer);
		count_mails(counting, json_object_get(pending, "mails"));
		count_jobs(counting, pending);
	}
	json_decref(pending);
	return good;
}

bool suspension_preview(const struct overview *view, struct spool *spool, const char *number,
                        const struct suspension *planned, json_t **ret, struct error *err)
{
	struct counting counting = {.planned = planned, .now = view->now};
	json_t *sites, *site;
	size_t i;
	bool good = true;
	if (!customer_below(view->customers, number, &sites, err))
		return false;
	json_array_foreach(sites, i, site) good =
	        good && count_one(view, spool, json_string_value(site), &counting, err);
	if (good)
		*ret = json_pack("{s:I, s:I, s:I}", "mails", counting.mails, "jobs", counting.jobs,
		                 "sites", (json_int_t)json_array_size(sites) - 1);
	json_decref(sites);
	return good;
}
