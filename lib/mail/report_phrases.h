/* SPDX-License-Identifier: MIT */
#ifndef MAIL_REPORT_PHRASES_H
#define MAIL_REPORT_PHRASES_H

#include "base/mem.h"
#include "mail/report.h"

/*
 * What mail servers say in words, as a table: the first row whose phrase is found decides. Rows
 * that soften come before those that harden.
 */

/*
 * `text` as the table has it: lower case, one space between words; without addresses, URLs, and the
 * codes that begin each line of a reply in several, so that a phrase may cross lines.
 */
char *mail_report_plain(struct arena *arena, const char *text);

/* Whether plain text holds a phrase; `*` in it stands for at most 60 characters. */
bool mail_report_phrase_in(const char *plain, const char *phrase);

/*
 * Judges a failure by code and words (report.h). `permanent`: the report calls it final where no
 * code says so. `*ret_why` is set to what decided. Never MAIL_REPORT_NONE.
 */
enum mail_report_verdict mail_report_judge(const struct mail_report_code *code,
                                           enum mail_report_stage stage, bool permanent,
                                           const char *diagnostic, struct arena *arena,
                                           const char **ret_why);

/* Whether words for a person say that a mailbox or a disk is full. */
bool mail_report_says_full(const char *text, struct arena *arena);

/* Which command was refused, in the words of those who say so. */
enum mail_report_stage mail_report_stage_of(const char *text, struct arena *arena);

#endif
