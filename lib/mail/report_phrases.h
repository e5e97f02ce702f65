/* SPDX-License-Identifier: MIT */
#ifndef MAIL_REPORT_PHRASES_H
#define MAIL_REPORT_PHRASES_H

#include "mail/report.h"

/*
 * What mail servers say in words, as a table: the first row whose phrase is found decides. Rows
 * that soften come before those that harden.
 */
struct mail_report_phrase {
	enum mail_report_verdict verdict;
	const char *phrase; /* as mail_report_phrase_in() has it */
	bool sure;          /* hardens where the command isn't known, too */
	bool full;          /* counts in the words for a person, too */
};

/* What words may harden: nothing, what they can't but mean, or all that they say. */
enum mail_report_hardening {
	MAIL_REPORT_HARDEN_NOTHING,
	MAIL_REPORT_HARDEN_SURE,
	MAIL_REPORT_HARDEN_ANY,
};

/* The first row that is found in plain text and applies; NULL for none. */
const struct mail_report_phrase *mail_report_phrase_find(const char *plain,
                                                         enum mail_report_hardening hardening);

/* Whether words for a person say that a mailbox or a disk is full. */
bool mail_report_says_full(const char *text, struct arena *arena);

#endif
