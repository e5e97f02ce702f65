/* SPDX-License-Identifier: MIT */
#ifndef BOUNCE_READ_PRINT_H
#define BOUNCE_READ_PRINT_H

#include "base/buf.h"
#include "mail/report.h"

#include <jansson.h>
#include <stdbool.h>

/*
 * A report as one JSON object on a line: the keys of the contract, section 11; with `facts` also
 * what led there.
 */
void print_report(struct buf *buf, const struct mail_report *report, bool facts);
/* The object itself, the caller's. */
json_t *print_report_json(const struct mail_report *report, bool facts);

#endif
