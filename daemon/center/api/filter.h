/* SPDX-License-Identifier: MIT */
#ifndef CENTER_API_FILTER_H
#define CENTER_API_FILTER_H

#include "center/http/request.h"
#include "overview/overview.h"
#include "spool/spool_read.h"

/*
 * Which jobs or mails a list has, by `status`, `state`, `customer` (a former number, too), `to`,
 * `job`, `reason` and `older_than` (a duration: a mail made, a job changed before that) of a query
 * or a form; an empty one doesn't count. A word that can match nothing is a mistyped one: 64,
 * "state: there is no "…"". The piece of the list is the caller's to set.
 */
bool filter_read(const struct overview *overview, const struct request_pairs *pairs,
                 struct spool_filter *ret, struct error *err) MUST_CHECK;

#endif
