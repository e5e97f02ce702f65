/* SPDX-License-Identifier: MIT */
/* Filters of job and mail lists. A word that can't match anything is a fault, not an empty list. */
#include "dispatchctl/nouns/filter.h"

#include "base/units.h"
#include "dispatchctl/base/command_options.h"
#include "model/words.h"

#include <string.h>
#include <sysexits.h>

enum { LIMIT_MAX = 1000000 };

/* Whether `word` is one of `a|b|c`. */
static bool among(const char *words, const char *word)
{
	size_t len = strlen(word);
	for (const char *at = words; *at != '\0';) {
		size_t n = strcspn(at, "|");
		if (n == len && strncmp(at, word, len) == 0)
			return true;
		at += n + (at[n] == '|');
	}
	return false;
}

static bool check_words(const struct spool_filter *filter, const char *statuses, struct error *err)
{
	if (filter->status && !among(statuses, filter->status))
		return error_set(err, EX_USAGE, "--status must be one of %s (got \"%s\")", statuses,
		                 filter->status);
	char states[JOB_STATES_TEXT_MAX];
	if (filter->state && job_state_find(filter->state) == JOB_NONE)
		return error_set(err, EX_USAGE, "--state must be %s (got \"%s\")",
		                 job_states_join("", ", ", " or ", states), filter->state);
	if (filter->reason && reason_find(filter->reason) == REASON_NONE)
		return error_set(err, EX_USAGE,
		                 "--reason must be a reason such as outside_hours, suspended or "
		                 "mail_refused (got \"%s\")",
		                 filter->reason);
	return true;
}

bool filter_read(const struct ctl *ctl, const char *statuses, int64_t limit,
                 struct spool_filter *ret, struct error *err)
{
	const char *older = ctl_option(ctl, "older-than");
	int64_t age_ms = 0;
	*ret = (struct spool_filter){.status = ctl_option(ctl, "status"),
	                             .state = ctl_option(ctl, "state"),
	                             .customer = ctl_option(ctl, "customer"),
	                             .to = ctl_option(ctl, "to"),
	                             .job = ctl_option(ctl, "job"),
	                             .reason = ctl_option(ctl, "reason"),
	                             .before = INSTANT_NONE,
	                             .limit = limit};
	if (!check_words(ret, option_value(statuses, ctl->arena), err) ||
	    !ctl_option_number(ctl, "limit", 1, LIMIT_MAX, &ret->limit, err))
		return false;
	if (older == NULL)
		return true;
	if (!duration_parse(older, &age_ms))
		return error_set(
		        err, EX_USAGE,
		        "--older-than must be a duration such as 30m, 2h or 7d (got \"%s\")",
		        older);
	ret->before = instant_add(ctl->now, -age_ms);
	return true;
}
