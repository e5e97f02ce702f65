/* SPDX-License-Identifier: MIT */
#ifndef MAIL_REPORT_STATUS_H
#define MAIL_REPORT_STATUS_H

#include "mail/report.h"

/*
 * Adds the recipients of a delivery status (RFC 3464, section 2.3; RFC 6533, section 4) to `ret`,
 * with all that their fields say, and takes its Original-Envelope-Id (RFC 3464, section 2.2.1). No
 * verdict yet. A group with a status whose recipient can't be read has the address ""; groups with
 * neither are skipped.
 */
void mail_report_status_read(const char *block, struct arena *arena, struct mail_report *ret);

#endif
