/* SPDX-License-Identifier: MIT */
/* Which command was refused: what the programs that send mails say about it, a row each. */
#include "mail/report_stage.h"

#include "mail/report_plain.h"

#include <string.h>

struct stage_row {
	enum mail_report_stage stage;
	const char *phrase;
};

static const struct stage_row stages[] = {
        /* Postfix */
        {MAIL_REPORT_STAGE_DATA, "in reply to end of data"},
        {MAIL_REPORT_STAGE_DATA, "in reply to data"},
        {MAIL_REPORT_STAGE_RCPT, "in reply to rcpt"},
        {MAIL_REPORT_STAGE_MAIL, "in reply to mail"},
        {MAIL_REPORT_STAGE_CONNECT, "in reply to ehlo"},
        {MAIL_REPORT_STAGE_CONNECT, "in reply to helo"},
        {MAIL_REPORT_STAGE_CONNECT, "refused to talk to me"},
        /* Exim, GMX */
        {MAIL_REPORT_STAGE_DATA, "after end of data"},
        {MAIL_REPORT_STAGE_DATA, "after sending data block"},
        {MAIL_REPORT_STAGE_DATA, "after pipelined end of data"},
        {MAIL_REPORT_STAGE_DATA, "after data"},
        {MAIL_REPORT_STAGE_DATA, "after pipelined data"},
        {MAIL_REPORT_STAGE_RCPT, "after rcpt"},
        {MAIL_REPORT_STAGE_RCPT, "after pipelined rcpt"},
        {MAIL_REPORT_STAGE_MAIL, "after mail"},
        {MAIL_REPORT_STAGE_MAIL, "after pipelined mail"},
        {MAIL_REPORT_STAGE_CONNECT, "after initial connection"},
        {MAIL_REPORT_STAGE_CONNECT, "after helo"},
        {MAIL_REPORT_STAGE_CONNECT, "after ehlo"},
        /* qmail */
        {MAIL_REPORT_STAGE_DATA, "failed after i sent the message"},
        {MAIL_REPORT_STAGE_DATA, "failed on data command"},
        {MAIL_REPORT_STAGE_RCPT, "does not like recipient"},
        {MAIL_REPORT_STAGE_RCPT, "most progress was rcpt to"},
        {MAIL_REPORT_STAGE_MAIL, "but sender was rejected"},
        {MAIL_REPORT_STAGE_CONNECT, "but greeting failed"},
        {MAIL_REPORT_STAGE_CONNECT, "but my name was rejected"},
        /* DragonFly Mail Agent */
        {MAIL_REPORT_STAGE_DATA, "did not like our final data"},
        {MAIL_REPORT_STAGE_DATA, "did not like our data"},
        {MAIL_REPORT_STAGE_RCPT, "did not like our rcpt"},
        {MAIL_REPORT_STAGE_MAIL, "did not like our mail"},
        /* Gmail, formerly */
        {MAIL_REPORT_STAGE_RCPT, "(state 13)"},
        {MAIL_REPORT_STAGE_RCPT, "(state 14)"},
        {MAIL_REPORT_STAGE_DATA, "(state 15)"},
        {MAIL_REPORT_STAGE_DATA, "(state 16)"},
        {MAIL_REPORT_STAGE_DATA, "(state 17)"},
        {MAIL_REPORT_STAGE_DATA, "(state 18)"},
        /* McAfee's gateway, which lists whom a mail server refused */
        {MAIL_REPORT_STAGE_RCPT, "the following addresses had delivery problems"},
        /* Oracle Messaging Server */
        {MAIL_REPORT_STAGE_RCPT, "remote smtp server has rejected address"},
        /* Sendmail's transcript, m-FILTER, Yahoo, others */
        {MAIL_REPORT_STAGE_DATA, ">>> data"},
        {MAIL_REPORT_STAGE_DATA, "smtp command data"},
        {MAIL_REPORT_STAGE_DATA, "step: data"},
        {MAIL_REPORT_STAGE_RCPT, "smtp:rcpt"},
        {MAIL_REPORT_STAGE_DATA, "smtp:data"},
        {MAIL_REPORT_STAGE_DATA, "[data]"},
        {MAIL_REPORT_STAGE_DATA, "(data)"},
        {MAIL_REPORT_STAGE_RCPT, ">>> rcpt"},
        {MAIL_REPORT_STAGE_RCPT, "smtp command rcpt"},
        {MAIL_REPORT_STAGE_RCPT, "[rcpt_to]"},
        {MAIL_REPORT_STAGE_MAIL, ">>> mail"},
        {MAIL_REPORT_STAGE_MAIL, "[mail_from]"},
};

/* Which one comes first: a transcript goes on after what was refused. */
enum mail_report_stage mail_report_stage_of(const char *text, struct arena *arena)
{
	const char *plain = mail_report_plain(arena, text), *first = NULL;
	enum mail_report_stage stage = MAIL_REPORT_STAGE_UNKNOWN;
	for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++) {
		const char *at = strstr(plain, stages[i].phrase);
		if (at && (first == NULL || at < first)) {
			first = at;
			stage = stages[i].stage;
		}
	}
	return stage;
}
