/* SPDX-License-Identifier: MIT */
#include "center/api/filter.h"

#include "base/units.h"
#include "base/utf8.h"
#include "model/words.h"

#include <sysexits.h>

static const char *asked(const struct request_pairs *pairs, const char *name)
{
	const char *text = request_value(pairs, name);
	return text && *text ? text : NULL;
}

static bool refuse(struct error *err, const char *name, const char *word)
{
	enum { SHOWN_MAX = 80 };
	char shown[SHOWN_MAX];
	return error_set(err, EX_USAGE, "%s: there is no \"%s\"", name,
	                 utf8_show(word, shown, sizeof shown));
}

bool filter_read(const struct overview *overview, const struct request_pairs *pairs,
                 struct spool_filter *ret, struct error *err)
{
	*ret = (struct spool_filter){.status = asked(pairs, "status"),
	                             .state = asked(pairs, "state"),
	                             .customer =
	                                     overview_number(overview, asked(pairs, "customer")),
	                             .to = asked(pairs, "to"),
	                             .job = asked(pairs, "job"),
	                             .reason = asked(pairs, "reason"),
	                             .before = INSTANT_NONE};
	const char *older = asked(pairs, "older_than");
	int64_t age_ms;
	if (ret->status && status_find(ret->status) == STATUS_NONE &&
	    job_state_find(ret->status) == JOB_NONE)
		return refuse(err, "status", ret->status);
	if (ret->state && job_state_find(ret->state) == JOB_NONE)
		return refuse(err, "state", ret->state);
	if (ret->reason && reason_find(ret->reason) == REASON_NONE)
		return refuse(err, "reason", ret->reason);
	if (older && !duration_parse(older, &age_ms))
		return error_set(err, EX_USAGE,
		                 "older_than: expected a duration such as 30m, 2h or 7d");
	if (older)
		ret->before = instant_add(overview->now, -age_ms);
	return true;
}
