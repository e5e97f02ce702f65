/* SPDX-License-Identifier: MIT */
/*
 * Codes in the words of mail servers. They stand anywhere, beside versions, IP addresses, dates and
 * sizes, so what is taken for a code is what stands by itself.
 */
#include "mail/report_code.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Up to three digits at `*at`; -1 if there is none, or there are more. */
static int number(const char **at)
{
	const char *from = *at;
	int value = 0;
	while (is_digit(**at) && *at - from < 4)
		value = value * 10 + (*(*at)++ - '0');
	return *at > from && *at - from <= 3 ? value : -1;
}

/* "5.1.1" at `at`, and nothing behind it that makes it something else: its length, else 0. */
static size_t enhanced_at(const char *at, struct mail_report_code *ret)
{
	const char *begin = at;
	int class = number(&at);
	if ((class != 2 && class != 4 && class != 5) || at != begin + 1 || *at++ != '.')
		return 0;
	int subject = number(&at);
	if (subject < 0 || *at++ != '.')
		return 0;
	int detail = number(&at);
	if (detail < 0 || *at == '@' || isalpha((unsigned char)*at) ||
	    (*at == '.' && is_digit(at[1])))
		return 0;
	ret->class = class;
	ret->subject = subject;
	ret->detail = detail;
	return (size_t)(at - begin);
}

/* "550" at `at`, by itself: 3, else 0. */
static size_t reply_at(const char *at, struct mail_report_code *ret)
{
	if ((at[0] != '4' && at[0] != '5') || !is_digit(at[1]) || !is_digit(at[2]) || at[1] > '5' ||
	    (at[3] && strchr(" -:;,#'\"\r\n", at[3]) == NULL))
		return 0;
	ret->reply = atoi((const char[]){at[0], at[1], at[2], '\0'});
	return 3;
}

/* Whether a code may begin at `at`: nothing in front makes it part of something. */
static bool begins(const char *text, const char *at)
{
	return at == text || strchr(" \t\n<>(['\"#:;,=", at[-1]) != NULL ||
	       (at[-1] == '-' && at - text >= 4 && is_digit(at[-2]) && is_digit(at[-4]));
}

static bool agrees(const struct mail_report_code *code)
{
	return code->reply / 100 == code->class;
}

bool mail_report_code_find(const char *text, struct mail_report_code *ret)
{
	struct mail_report_code found = {0}, pair = {0};
	const char *behind = NULL; /* the last reply code, and what may be between the two */
	for (const char *at = text; *at; at++) {
		struct mail_report_code here = {0};
		if (!is_digit(*at) || !begins(text, at))
			continue;
		if (enhanced_at(at, &here)) {
			if (behind && at - behind <= 3) {
				here.reply = pair.reply;
				if (agrees(&here)) {
					*ret = here;
					return true;
				}
			}
			if (found.class == 0) {
				here.reply = found.reply;
				found = here;
			}
		} else if (reply_at(at, &here)) {
			pair.reply = here.reply;
			behind = at + 3;
			if (found.reply == 0)
				found.reply = here.reply;
		}
	}
	if (found.reply == 0 && found.class == 0)
		return false;
	*ret = found;
	return true;
}

bool mail_report_code_parse(const char *text, struct mail_report_code *ret)
{
	struct mail_report_code code = {0};
	if (enhanced_at(text + strspn(text, " "), &code) == 0)
		return false;
	*ret = code;
	return true;
}

bool mail_report_code_specific(const struct mail_report_code *code)
{
	return code->class != 0 && (code->subject != 0 || code->detail != 0);
}

const char *mail_report_code_text(const struct mail_report_code *code,
                                  char ret[MAIL_REPORT_CODE_TEXT_MAX])
{
	ret[0] = '\0';
	if (code->class)
		(void)snprintf(ret, MAIL_REPORT_CODE_TEXT_MAX, "%d.%d.%d", code->class,
		               code->subject, code->detail);
	return ret;
}

int mail_report_code_class(const struct mail_report_code *code)
{
	return code->class ? code->class : code->reply / 100;
}
