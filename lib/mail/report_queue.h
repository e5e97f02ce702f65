/* SPDX-License-Identifier: MIT */
#ifndef MAIL_REPORT_QUEUE_H
#define MAIL_REPORT_QUEUE_H

#include "base/mem.h"
#include "mail/report.h"

#include <stddef.h>

/*
 * Ids under which mail servers had the mail that is reported about, as the report says: those of
 * the returned mail's Received fields (RFC 5321, section 4.4), and of fields such as
 * X-Postfix-Queue-ID in a delivery status. The relay named one of them when it took the mail, which
 * only it and the sender saw. At most `max`, each once, in the arena; returns how many.
 */
size_t mail_report_queue_ids(const struct mail_report_mail *mail, struct arena *arena,
                             const char **ret, size_t max);

#endif
