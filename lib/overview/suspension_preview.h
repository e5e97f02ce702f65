/* SPDX-License-Identifier: MIT */
#ifndef OVERVIEW_SUSPENSION_PREVIEW_H
#define OVERVIEW_SUSPENSION_PREVIEW_H

#include "model/customer.h"
#include "overview/overview.h"
#include "spool/spool.h"

#include <jansson.h>

/*
 * What a suspension would do if it were entered now: {"mails": those waiting that it would
 * suppress, "jobs": held or under way ones that it would cover, "sites": customers below that
 * inherit it}, as numbers, each with the sites'. `planned` has from, until and scopes; its days are
 * each site's own (model/suspension.h). Code 66: no such customer.
 */
bool suspension_preview(const struct overview *view, struct spool *spool, const char *number,
                        const struct suspension *planned, json_t **ret,
                        struct error *err) MUST_CHECK;

#endif
