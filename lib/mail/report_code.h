/* SPDX-License-Identifier: MIT */
#ifndef MAIL_REPORT_CODE_H
#define MAIL_REPORT_CODE_H

#include <stdbool.h>
#include <stddef.h>

/* A reply code (RFC 5321, section 4.2) and an enhanced one (RFC 3463, section 2). */
struct mail_report_code {
	int reply;                  /* 400 to 599; 0: none */
	int class, subject, detail; /* 5.1.1; all 0: none */
};

/*
 * The codes that a mail server's words contain: a reply code, an enhanced one, or both, in any of
 * the spellings "550 5.1.1", "550-5.1.1", "#5.1.1", "(#5.1.1)". The first pair of both wins, then
 * the first of each. False where there is none. Numbers inside of addresses, hosts and versions
 * are none.
 */
bool mail_report_code_find(const char *text, struct mail_report_code *ret);

/* A Status field's value (RFC 3464, section 2.3.4): "5.1.1 (comment)". False if it is none. */
bool mail_report_code_parse(const char *text, struct mail_report_code *ret);

/* Whether it says more than its class: not X.0.0, and something at all. */
bool mail_report_code_specific(const struct mail_report_code *code);

/* "5.1.1", or "" where there is no enhanced code. */
enum { MAIL_REPORT_CODE_TEXT_MAX = 16 };
const char *mail_report_code_text(const struct mail_report_code *code,
                                  char ret[MAIL_REPORT_CODE_TEXT_MAX]);

/* The class: of the enhanced code, else of the reply; 2, 4, 5, or 0 where there is neither. */
int mail_report_code_class(const struct mail_report_code *code);

#endif
