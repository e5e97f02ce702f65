/* SPDX-License-Identifier: MIT */
#ifndef MAIL_REPORT_SENDER_H
#define MAIL_REPORT_SENDER_H

#include "base/mem.h"

#include <stdbool.h>

/* Who wrote a mail, by its header: a mail server, a program that answers, or a person. */

/* A mail server, by its name or the field that only reports have. */
bool mail_report_by_system(const char *header, struct arena *arena);

/* The null sender (RFC 5321, section 4.5.5): a mail server, or a program that answers. */
bool mail_report_by_nobody(const char *header, struct arena *arena);

/* An address that nobody reads (no-reply@…): a program, whatever it says. */
bool mail_report_by_robot(const char *header, struct arena *arena);

/*
 * A program that answers by itself: RFC 3834, section 5 (Auto-Submitted), the fields that were used
 * before it, and subjects of those that set no field at all.
 */
bool mail_report_by_responder(const char *header, struct arena *arena);

/* A list or bulk mail: nobody answered (RFC 2919; RFC 3834, section 2). */
bool mail_report_by_list(const char *header, struct arena *arena);

#endif
