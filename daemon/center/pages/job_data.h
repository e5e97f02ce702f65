/* SPDX-License-Identifier: MIT */
#ifndef CENTER_PAGES_JOB_DATA_H
#define CENTER_PAGES_JOB_DATA_H

#include "center/entry/call.h"

#include <jansson.h>

/*
 * What the dispatch software said of a job (`data` of its events and requests), in words. The
 * caller's.
 */

/* What is known of a job, as job_timeline() gives it, by the latest event that says it: service,
 * scheduled, route, driver, reference: [{"label", "text"}]. */
json_t *job_data_facts(const struct call *call, const json_t *job);

/* What one event or request said besides these, first its reason and note: likewise. A driver or
 * another fact that isn't the job's anymore is there, too. */
json_t *job_data_said(const struct call *call, const json_t *job, const json_t *row);

#endif
