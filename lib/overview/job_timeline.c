/* SPDX-License-Identifier: MIT */
#include "overview/job_timeline.h"

#include "base/jsontext.h"
#include "model/kind.h"
#include "overview/local_times.h"
#include "records/records.h"
#include "spool/spool_read.h"

#include <string.h>

/* Those of the customer's records that name the job. */
static json_t *records_of(const struct overview *view, const char *kind, const json_t *job)
{
	struct error ignored;
	size_t i;
	json_t *rows, *row, *own = json_array();
	if (!records_list(view->customers, kind_find(kind), jsontext_at(job, "customer"), &rows,
	                  &ignored))
		return own;
	json_array_foreach(rows, i, row)
	{
		if (strcmp(jsontext_at(row, "job"), jsontext_at(job, "job")) == 0)
			json_array_append(own, row);
	}
	json_decref(rows);
	return own;
}

static void add_records(const struct overview *view, json_t *job)
{
	static const struct {
		const char *key, *kind;
	} parts[] = {{"sales", "sale"},
	             {"comments", "comment"},
	             {"documents", "document"},
	             {"pictures", "picture"}};
	for (size_t p = 0; p < sizeof parts / sizeof *parts; p++)
		json_object_set_new(job, parts[p].key, records_of(view, parts[p].kind, job));
}

bool job_notices(const struct overview *view, struct spool *spool, const char *job,
                 const char *customer, json_t **ret, struct error *err)
{
	static const char *const lists[] = {"events", "requests", "outcomes", "mails", "reports"};
	json_t *json;
	if (!spool_read_job(spool, job, overview_number(view, customer), &json, err))
		return false;
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		local_members(view, json_object_get(json, lists[i]), jsontext_at(json, "customer"));
	*ret = json;
	return true;
}

bool job_timeline(const struct overview *view, struct spool *spool, const char *job,
                  const char *customer, json_t **ret, struct error *err)
{
	if (!job_notices(view, spool, job, customer, ret, err))
		return false;
	if (view->customers)
		add_records(view, *ret);
	return true;
}
