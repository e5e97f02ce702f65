/* SPDX-License-Identifier: MIT */
#ifndef OVERVIEW_PROOF_SUMMARY_H
#define OVERVIEW_PROOF_SUMMARY_H

#include "base/buf.h"
#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>

/* Appends the page that says in words what `record` (job_proof.h) has. Code 65: the page would
 * become too large. */
bool proof_summary_add(const json_t *record, struct buf *ret, struct error *err) MUST_CHECK;

#endif
