/* SPDX-License-Identifier: MIT */
#ifndef MAIL_REPORT_JUDGE_H
#define MAIL_REPORT_JUDGE_H

#include "mail/report.h"

/*
 * Judges a failure by code and words (report.h). `permanent`: the report calls it final where no
 * code says so. `*ret_why` is set to what decided. Never MAIL_REPORT_NONE.
 */
enum mail_report_verdict mail_report_judge(const struct mail_report_code *code,
                                           enum mail_report_stage stage, bool permanent,
                                           const char *diagnostic, struct arena *arena,
                                           const char **ret_why);

#endif
