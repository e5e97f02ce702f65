/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_NOUNS_FILTER_H
#define DISPATCHCTL_NOUNS_FILTER_H

#include "dispatchctl/base/ctl.h"
#include "spool/spool_read.h"

/* The options by which lists of jobs and mails are narrowed: all that are given must hold.
 * `statuses` is what
 * --status may be, in the help and for completion. */
#define FILTER_OPTIONS(statuses)                                                                   \
	{.name = "status", .value = (statuses), .help = "only those of this status"},              \
	        {.name = "state",                                                                  \
	         .value = "dispatched|started|completed|failed|paused|cancelled",                  \
	         .help = "only those of this state of the job"},                                   \
	        {.name = "customer", .value = "NUMBER", .help = "only those of this customer"},    \
	        {.name = "to",                                                                     \
	         .value = "ADDRESS",                                                               \
	         .help = "only what goes, or went, to this address"},                              \
	        {.name = "job", .value = "JOB", .help = "only those of this job"},                 \
	        {.name = "reason", .value = "REASON", .help = "only those with this reason"},      \
	{                                                                                          \
		.name = "older-than", .value = "DURATION",                                         \
		.help = "only what is older than that: 2h, 7d"                                     \
	}

/* The states that a mail can have; the contract's other words are of events. */
#define FILTER_MAIL_STATUSES                                                                       \
	"queued|deferred|sending|sent|retrying|failed|superseded|expired|suppressed|cancelled"

/* Reads them; --limit too, `limit` where it is left out. `statuses` as above. */
bool filter_read(const struct ctl *ctl, const char *statuses, int64_t limit,
                 struct spool_filter *ret, struct error *err) MUST_CHECK;

#endif
