/* SPDX-License-Identifier: MIT */
/*
 * The verdict about a failure. The code decides first; then the first row of phrases that is found
 * in the words. Rows that soften apply to everything: in doubt no address is marked. Rows that
 * harden apply only to a failure for good, to codes that leave it open, and not where the body was
 * refused: whoever got that far had accepted the address.
 */
#include "mail/report_judge.h"

#include "mail/report_phrases.h"
#include "mail/report_plain.h"

/* ---- codes ---- */

enum { ANY = -1 };

/* Of class 5; the first row that matches. */
struct code_row {
	int subject, detail;
	enum mail_report_verdict verdict;
	bool open;  /* words may say that the address is gone where the code doesn't */
	bool vague; /* words tell better whether it is busy or refused */
};

static const struct code_row codes[] = {
        /* The contract's five (section 5). */
        {1, 1, MAIL_REPORT_GONE, true, false},
        {1, 2, MAIL_REPORT_GONE, true, false},
        {1, 3, MAIL_REPORT_GONE, true, false},
        {1, 6, MAIL_REPORT_GONE, true, false},
        {1, 10, MAIL_REPORT_GONE, true, false},
        /* The sender's address (RFC 3463, section 3.2). */
        {1, 7, MAIL_REPORT_REFUSED, false, false},
        {1, 8, MAIL_REPORT_REFUSED, false, false},
        {1, 9, MAIL_REPORT_REFUSED, false, false},
        {1, ANY, MAIL_REPORT_REFUSED, true, true},
        /* The mailbox (RFC 3463, section 3.3): there is one, but for 5.2.1, which many say of any.
         */
        {2, 0, MAIL_REPORT_REFUSED, false, true},
        {2, 1, MAIL_REPORT_BUSY, true, true},
        {2, 2, MAIL_REPORT_BUSY, false, false},
        {2, ANY, MAIL_REPORT_REFUSED, false, false},
        /* The mail system (RFC 3463, section 3.4): full, not reachable, too small, set up wrongly.
         */
        {3, 1, MAIL_REPORT_BUSY, false, false},
        {3, 2, MAIL_REPORT_BUSY, true, true},
        {3, 4, MAIL_REPORT_REFUSED, false, false},
        {3, 5, MAIL_REPORT_BUSY, true, true},
        {3, ANY, MAIL_REPORT_REFUSED, true, true},
        /* The way there (RFC 3463, section 3.5). */
        {4, ANY, MAIL_REPORT_BUSY, true, false},
        {5, ANY, MAIL_REPORT_REFUSED, true, true},
        {6, ANY, MAIL_REPORT_REFUSED, false, false},
        /* Policy; filters say it of users, too, whatever they know of them. */
        {7, 13, MAIL_REPORT_BUSY, false, false}, /* RFC 5248: account switched off */
        {7, ANY, MAIL_REPORT_REFUSED, false, false},
        {ANY, ANY, MAIL_REPORT_REFUSED, true, true},
};

static const struct code_row *code_row(const struct mail_report_code *code)
{
	const struct code_row *row = codes;
	while ((row->subject != ANY && row->subject != code->subject) ||
	       (row->detail != ANY && row->detail != code->detail))
		row++;
	return row;
}

/* ---- the verdict ---- */

/*
 * A bare "550 unknown user" may come from a filter after the body, too: it counts where the command
 * is known, or the code says as much as the words do. Else only words count that no filter says:
 * of hosts and domains, or a mail server's about its own users.
 */
static enum mail_report_hardening hardening_of(const struct code_row *row,
                                               const struct mail_report_code *code,
                                               enum mail_report_stage stage)
{
	if (!row->open)
		return MAIL_REPORT_HARDEN_NOTHING;
	if (stage == MAIL_REPORT_STAGE_RCPT)
		return MAIL_REPORT_HARDEN_ANY;
	if (stage != MAIL_REPORT_STAGE_UNKNOWN)
		return MAIL_REPORT_HARDEN_NOTHING;
	return mail_report_code_specific(code) ? MAIL_REPORT_HARDEN_ANY : MAIL_REPORT_HARDEN_SURE;
}

static const char *code_shown(const struct mail_report_code *code, struct arena *arena)
{
	char text[MAIL_REPORT_CODE_TEXT_MAX];
	if (code->class)
		return arena_strdup(arena, mail_report_code_text(code, text));
	return code->reply ? arena_printf(arena, "%d", code->reply) : "";
}

enum mail_report_verdict mail_report_judge(const struct mail_report_code *code,
                                           enum mail_report_stage stage, bool permanent,
                                           const char *diagnostic, struct arena *arena,
                                           const char **ret_why)
{
	int class = mail_report_code_class(code);
	bool for_good = class == 5 ? code->reply / 100 != 4 : class == 0 && permanent;
	const struct code_row *row = code_row(code);
	enum mail_report_verdict by_code = for_good ? row->verdict : MAIL_REPORT_BUSY;
	enum mail_report_hardening hardening =
	        for_good ? hardening_of(row, code, stage) : MAIL_REPORT_HARDEN_NOTHING;
	const struct mail_report_phrase *words =
	        mail_report_phrase_find(mail_report_plain(arena, diagnostic), hardening);
	if (words && (by_code == MAIL_REPORT_GONE || words->verdict == MAIL_REPORT_GONE ||
	              (for_good && row->vague) || !mail_report_code_specific(code))) {
		*ret_why = words->phrase;
		return words->verdict;
	}
	*ret_why = code_shown(code, arena);
	return by_code;
}
