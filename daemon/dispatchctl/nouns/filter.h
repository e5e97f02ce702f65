/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_NOUNS_FILTER_H
#define DISPATCHCTL_NOUNS_FILTER_H

#include "dispatchctl/base/ctl.h"
#include "spool/spool_read.h"

/* The options that narrow lists of jobs and mails; all that are given must match. `statuses` are
 * the words that --status accepts, for the help and for completion. */
#define FILTER_OPTIONS(statuses)                                                                   \
	{.name = "status", .value = (statuses), .help = "only those with this status"},            \
	        {.name = "state",                                                                  \
	         .value = OPTION_JOB_STATE,                                                        \
	         .help = "only those with this job state"},                                        \
	        {.name = "customer", .value = "NUMBER", .help = "only those of this customer"},    \
	        {.name = "to", .value = "ADDRESS", .help = "only mails to this address"},          \
	        {.name = "job", .value = "JOB", .help = "only those of this job"},                 \
	        {.name = "reason", .value = "REASON", .help = "only those with this reason"},      \
	{                                                                                          \
		.name = "older-than", .value = "DURATION",                                         \
		.help = "only those older than this, such as 2h or 7d"                             \
	}

/* Every status of a mail; the contract's other words are for events. */
#define FILTER_MAIL_STATUSES                                                                       \
	"queued|deferred|sending|sent|retrying|failed|bounced|superseded|expired|suppressed|"      \
	"cancelled"

/* Reads them and --limit; `limit` is the default. `statuses` as above. */
bool filter_read(const struct ctl *ctl, const char *statuses, int64_t limit,
                 struct spool_filter *ret, struct error *err) MUST_CHECK;

#endif
