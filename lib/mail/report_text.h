/* SPDX-License-Identifier: MIT */
#ifndef MAIL_REPORT_TEXT_H
#define MAIL_REPORT_TEXT_H

#include "base/mem.h"
#include "mail/report.h"

/*
 * Reports in words, by a table of patterns: a row a program that writes them. A row names what
 * gives the program away, how it lists recipients, and whether what it reports is final.
 */

/* What a text says of one recipient. */
struct mail_report_mention {
	const char *address;
	const char *said; /* what stands about it, up to the next one: one line */
	enum mail_report_stage stage;
};

struct mail_report_words {
	const char *format; /* the row's name, "" where none fits */
	bool delayed;       /* it is tried again */
	bool permanent;
	struct mail_report_mention mentions[MAIL_REPORT_RECIPIENTS_MAX];
	size_t n_mentions;
	const char *own;      /* all of it, without the mail that it returns */
	const char *returned; /* where the returned mail's header begins in the text; "" */
};

/*
 * Reads the first text of a mail, up to the mail that it returns. `by_system`: its author is a mail
 * server; rows that match ordinary words want that.
 */
void mail_report_words_read(const struct mail_report_mail *mail, bool by_system,
                            struct arena *arena, struct mail_report_words *ret);

#endif
