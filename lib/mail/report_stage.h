/* SPDX-License-Identifier: MIT */
#ifndef MAIL_REPORT_STAGE_H
#define MAIL_REPORT_STAGE_H

#include "mail/report.h"

/* Which command was refused, in the words of those who say so. */
enum mail_report_stage mail_report_stage_of(const char *text, struct arena *arena);

#endif
