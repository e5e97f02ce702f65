/* SPDX-License-Identifier: MIT */
#ifndef MAIL_REPORT_SES_H
#define MAIL_REPORT_SES_H

#include "mail/report.h"

/*
 * Amazon SES tells of bounces, complaints and deliveries as JSON, which SNS sends as a mail to
 * whoever asked for that. Fills `ret`'s kind, recipients (without verdict), Message-ID and
 * envelope sender; false, and nothing changed, where the mail is none of these.
 */
bool mail_report_ses_read(const struct mail_report_mail *mail, struct arena *arena,
                          struct mail_report *ret);

#endif
