/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_NOUNS_MANY_H
#define DISPATCHCTL_NOUNS_MANY_H

#include "dispatchctl/base/ctl.h"
#include "model/request.h"
#include "spool/spool_read.h"

/* Something that is done to many mails at once. */
struct many {
	enum control_request request;
	unsigned statuses;    /* of mails that it is for, */
	const char *reason;   /* and the reason; NULL: any */
	const char *but;      /* left out unless the filter asks for a reason; NULL: none */
	const char *question; /* with %zu and %s for "mail" or "mails" */
};

/*
 * Does it to those that match, batch by batch: the count first, a question on a terminal, --yes
 * without one (64); --dry-run counts alone. Prints how many, as JSON {"matched", "done"}.
 */
bool many_change(struct ctl *ctl, const struct many *many, struct spool_filter *filter,
                 struct error *err) MUST_CHECK;

#endif
