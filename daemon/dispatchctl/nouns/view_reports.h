/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_NOUNS_VIEW_REPORTS_H
#define DISPATCHCTL_NOUNS_VIEW_REPORTS_H

#include "dispatchctl/base/ctl.h"

#include <jansson.h>

/* Reports about the mails of a job or about a mail, as a section; nothing where there are none. */
void view_reports(const struct ctl *ctl, const json_t *reports);

#endif
