/* SPDX-License-Identifier: MIT */
#ifndef MAIL_REPORT_H
#define MAIL_REPORT_H

#include "base/mem.h"
#include "mail/report_code.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * What a mail that came back says (contract, section 11): a report about a mail (RFC 3464, RFC
 * 5965, and those that keep to neither), an automatic reply (RFC 3834), a person's reply, a wish to
 * get no more mails. Whoever reads MIME hands over the parts that count (daemon/bounce/read); here
 * they become typed facts and a verdict. Nothing is acted on, and nothing here is trusted: a mail
 * may say whatever its author likes.
 */

/* ---- in: a mail without its MIME ---- */

enum mail_report_part_type {
	MAIL_REPORT_TEXT,     /* words for a person; of HTML the text */
	MAIL_REPORT_STATUS,   /* message/delivery-status (RFC 3464, section 2.1), or message/
	                         global-delivery-status (RFC 6533, section 4) */
	MAIL_REPORT_FEEDBACK, /* message/feedback-report (RFC 5965, section 2) */
	MAIL_REPORT_RETURNED, /* the header of the mail that is reported about, or all of it */
};

struct mail_report_part {
	enum mail_report_part_type type;
	const char *text; /* UTF-8, lines end in "\n" or "\r\n" */
};

enum { MAIL_REPORT_PARTS_MAX = 32, MAIL_REPORT_TEXT_MAX = 64 * 1024 };
struct mail_report_mail {
	const char *header;      /* fields as lines, decoded to UTF-8 */
	const char *report_type; /* of multipart/report (RFC 6522, section 3), "" for none */
	struct mail_report_part parts[MAIL_REPORT_PARTS_MAX];
	size_t n_parts;
	bool excessive; /* too large, too many parts, or nested too deeply: not to be understood */
};

/* ---- out: facts and a verdict ---- */

enum mail_report_kind {
	MAIL_REPORT_UNKNOWN,    /* not understood */
	MAIL_REPORT_FAILED,     /* a recipient doesn't get the mail */
	MAIL_REPORT_DELAYED,    /* not yet; the mail server tries again */
	MAIL_REPORT_DELIVERED,  /* delivered, relayed or expanded */
	MAIL_REPORT_COMPLAINT,  /* the recipient calls it spam (RFC 5965) */
	MAIL_REPORT_OPT_OUT,    /* the recipient wants no more of them */
	MAIL_REPORT_AUTO_REPLY, /* out of office, "we have received your mail" (RFC 3834) */
	MAIL_REPORT_REPLY,      /* a person's */
	MAIL_REPORT_KINDS,
};
/* The contract's word: "failed", "opt_out", …. */
const char *mail_report_kind_name(enum mail_report_kind kind);

/* RFC 3464, section 2.3.3; MAIL_REPORT_ACTION_NONE where it says nothing or something else. */
enum mail_report_action {
	MAIL_REPORT_ACTION_NONE,
	MAIL_REPORT_ACTION_FAILED,
	MAIL_REPORT_ACTION_DELAYED,
	MAIL_REPORT_ACTION_DELIVERED,
	MAIL_REPORT_ACTION_RELAYED,
	MAIL_REPORT_ACTION_EXPANDED,
	MAIL_REPORT_ACTIONS,
};
const char *mail_report_action_name(enum mail_report_action action); /* "failed"; "" for none */

/* Which command was refused, as far as the report says so. */
enum mail_report_stage {
	MAIL_REPORT_STAGE_UNKNOWN,
	MAIL_REPORT_STAGE_CONNECT,
	MAIL_REPORT_STAGE_MAIL,
	MAIL_REPORT_STAGE_RCPT,
	MAIL_REPORT_STAGE_DATA, /* or the body: the address had been accepted */
	MAIL_REPORT_STAGES,
};
const char *mail_report_stage_name(enum mail_report_stage stage); /* "rcpt"; "" for unknown */

/* What it means for the address (contract, section 11). */
enum mail_report_verdict {
	MAIL_REPORT_NONE,    /* nothing: delivered, delayed */
	MAIL_REPORT_GONE,    /* there is no such address */
	MAIL_REPORT_BUSY,    /* full, switched off, given up for now */
	MAIL_REPORT_REFUSED, /* this mail, for policy or content */
	MAIL_REPORT_VERDICTS,
};
const char *mail_report_verdict_name(enum mail_report_verdict verdict); /* "gone" */
/* MAIL_REPORT_NONE where it is no such name. */
enum mail_report_verdict mail_report_verdict_find(const char *name);

enum { MAIL_REPORT_ADDRESS_MAX = 320, MAIL_REPORT_DIAGNOSTIC_MAX = 1000 };
struct mail_report_recipient {
	const char *address;    /* where our mail went: Original-Recipient if there is one */
	const char *final;      /* Final-Recipient where that is another, else "" */
	const char *diagnostic; /* the mail server's words, one line; "" for none */
	enum mail_report_action action;
	enum mail_report_stage stage;
	struct mail_report_code status; /* enhanced code and reply; zeros where there is none */
	enum mail_report_verdict verdict;
	const char
	        *why; /* what decided: a code, or the phrase of the table; static or the arena's */
};

enum { MAIL_REPORT_RECIPIENTS_MAX = 50 };
struct mail_report {
	enum mail_report_kind kind;
	const char *format; /* "rfc3464", "rfc5965", or the row of the table of patterns; "" */
	struct mail_report_recipient recipients[MAIL_REPORT_RECIPIENTS_MAX];
	size_t n_recipients;
	/* Of the mail that is reported about; a reply's In-Reply-To. Without brackets. */
	const char *message_id;
	const char *envelope_id;   /* Original-Envelope-Id (RFC 3464, section 2.2.1) */
	const char *returned_path; /* its Return-Path or Original-Mail-From: our envelope sender */
	const char *own_id;        /* of this mail itself; "" for none */
	const char *from;          /* who wrote this mail; bare address */
	const char *token;         /* ours, by its shape: of whom this mail came to, else of the
	                              mail that is reported about; "" for none */
	const char *feedback;      /* Feedback-Type (RFC 5965, section 3.1) */
	bool automatic; /* a program may have sent it: it is not to be answered (RFC 3834, section
	                   2) */
	bool all;       /* an opt-out of all states, not of this one */
};

/*
 * Reads facts out of a mail and judges them. `ret` is filled whatever comes in; texts are valid
 * UTF-8 without control characters, never NULL, and live as long as `arena` or are static. Time
 * and memory are linear in the size of the mail.
 *
 * A code decides first (RFC 3463, section 3; report_judge.h), then the words (report_phrases.h):
 * they may soften any verdict, and harden only a failure for good. Who had accepted the address
 * and refused the body didn't say that the address is gone.
 */
void mail_report_read(const struct mail_report_mail *mail, struct arena *arena,
                      struct mail_report *ret);

#endif
