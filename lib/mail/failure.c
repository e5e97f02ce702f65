/* SPDX-License-Identifier: MIT */
/*
 * The failure policy, and the only place that knows it. Mailers report what happened; the first row
 * that matches says whose fault it is and what happens to the mail. The order of the rows is part
 * of the policy: rows about the session come before those about the relay, and these before those
 * about the mail, so that a relay's bad day never costs a mail its tries or marks a customer's
 * address invalid. refusals.c has the evidence that no single reply contains, relay.c the breaker.
 */
#include "mail/failure.h"

#include <limits.h>
#include <stddef.h>

enum { MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS };

/* ---- a reply ---- */

/* Facts that a row requires; all of them have to be true. */
enum { BEGUN = 1, NOT_BEGUN = 2, PARAMETERS = 4, RENEWABLE = 8 };

struct row {
	enum smtp_stage from, to; /* both included */
	int low, high;            /* reply codes, both included */
	int subject, detail;      /* the enhanced code 5.SUBJECT.DETAIL; -1: any, or none */
	unsigned when;
	enum failure_scope scope;
	enum failure_next next; /* FAILURE_END: that of the delivery */
	enum delivery delivery;
	enum delivery alone; /* since MAIL, FAILURE_RELAY: the result if only this mail fails so
	                        while others go through; then it is the mail's fault */
	bool hangs_up;       /* the connection is unusable afterwards, even then */
};

#define ANYWHERE       .from = SMTP_CONNECT, .to = SMTP_BODY
#define BEFORE_MAIL    .from = SMTP_CONNECT, .to = SMTP_AUTH
#define SINCE_MAIL     .from = SMTP_MAIL, .to = SMTP_BODY
#define BEFORE_BODY    .from = SMTP_MAIL, .to = SMTP_DATA
#define ENVELOPE       .from = SMTP_MAIL, .to = SMTP_RCPT
#define AT(stage)      .from = (stage), .to = (stage)
#define CODE(code)     .low = (code), .high = (code), .subject = -1, .detail = -1
#define CLASS(n)       .low = (n)*100, .high = (n)*100 + 99, .subject = -1, .detail = -1
#define ENHANCED(s, d) .low = 500, .high = 599, .subject = (s), .detail = (d)
#define ANY_CODE       .low = 0, .high = 999, .subject = -1, .detail = -1
#define ANYTHING       .low = INT_MIN, .high = INT_MAX, .subject = -1, .detail = -1

#define SEND_BARE                                                                                  \
	.when = PARAMETERS, .scope = FAILURE_SESSION, .next = FAILURE_BARE,                        \
	.delivery = DELIVERY_RELAY
#define RENEW   .scope = FAILURE_SESSION, .next = FAILURE_FRESH, .delivery = DELIVERY_RELAY
#define DOUBT   .scope = FAILURE_SESSION, .delivery = DELIVERY_DOUBT
#define RELAY   .scope = FAILURE_RELAY, .delivery = DELIVERY_RELAY, .alone = DELIVERY_BUSY
#define MAIL(d) .scope = FAILURE_MAIL, .delivery = (d)
#define TO(d)   .scope = FAILURE_ADDRESS, .delivery = (d)

static const struct row rows[] = {
        /* The parameters of MAIL and RCPT (RFC 5321, section 4.1.1.11; RFC 3463: invalid
           arguments). */
        {ENVELOPE, CODE(501), SEND_BARE},
        {ENVELOPE, CODE(504), SEND_BARE},
        {ENVELOPE, CODE(555), SEND_BARE},
        {ENVELOPE, ENHANCED(5, 4), SEND_BARE},

        /* Limits of a connection: so many mails, then 421, another 4xx or nothing. The body must
           not have been taken. */
        {BEFORE_BODY, CLASS(4), .when = RENEWABLE, RENEW},
        {BEFORE_BODY, CODE(0), .when = RENEWABLE | NOT_BEGUN, RENEW},
        {AT(SMTP_BODY), CODE(421), .when = RENEWABLE, RENEW},

        /* No reply: before the first byte of the body certainly not sent, after it unknown. */
        {ANYWHERE, CODE(0), .when = BEGUN, DOUBT},
        {ANYWHERE, CODE(0), RELAY, .hangs_up = true},

        /* The relay reports a problem of its own, or with us. */
        {ANYWHERE, CODE(421), RELAY, .hangs_up = true},
        {ANYWHERE, CODE(454), RELAY},
        {ANYWHERE, CODE(530), RELAY},
        {ANYWHERE, CODE(534), RELAY},
        {ANYWHERE, CODE(535), RELAY},
        {ANYWHERE, CODE(538), RELAY},
        {BEFORE_MAIL, ANY_CODE, RELAY},
        /* About the sender: permanent if only this mail is affected. */
        {AT(SMTP_MAIL), ENHANCED(7, -1), .scope = FAILURE_RELAY, .delivery = DELIVERY_RELAY,
         .alone = DELIVERY_REFUSED},

        /* Success. */
        {AT(SMTP_BODY), CLASS(2), .scope = FAILURE_NONE, .delivery = DELIVERY_SENT},

        {SINCE_MAIL, CLASS(4), MAIL(DELIVERY_BUSY)},

        /* Codes by which a mailbox or its domain doesn't exist or has moved away. */
        {AT(SMTP_RCPT), ENHANCED(1, 1), TO(DELIVERY_ADDRESS_DEAD)},
        {AT(SMTP_RCPT), ENHANCED(1, 2), TO(DELIVERY_ADDRESS_DEAD)},
        {AT(SMTP_RCPT), ENHANCED(1, 3), TO(DELIVERY_ADDRESS_DEAD)},
        {AT(SMTP_RCPT), ENHANCED(1, 6), TO(DELIVERY_ADDRESS_DEAD)},
        {AT(SMTP_RCPT), ENHANCED(1, 10), TO(DELIVERY_ADDRESS_DEAD)},
        {AT(SMTP_RCPT), CLASS(5), TO(DELIVERY_ADDRESS)},

        {SINCE_MAIL, CLASS(5), MAIL(DELIVERY_REFUSED)},

        /* Our own faults: the relay was not asked. */
        {AT(SMTP_NOT_ADDRESSABLE), ANYTHING, TO(DELIVERY_ADDRESS)},
        {AT(SMTP_NOT_RENDERED), ANYTHING, MAIL(DELIVERY_REFUSED)},

        /* Replies that have no business there (a 2xx to DATA), or are none: the two sides no longer
           agree on what was sent. */
        {ANYWHERE, ANYTHING, .when = BEGUN, DOUBT},
        {ANYWHERE, ANYTHING, RELAY},
};

static bool enhanced_fits(const struct row *row, const int enhanced[3])
{
	if (row->subject < 0)
		return true;
	return enhanced[0] == 5 && enhanced[1] == row->subject &&
	       (row->detail < 0 || enhanced[2] == row->detail);
}

static bool fits(const struct row *row, const struct smtp_report *report, unsigned facts)
{
	return report->stage >= row->from && report->stage <= row->to && report->code >= row->low &&
	       report->code <= row->high && enhanced_fits(row, report->enhanced) &&
	       (row->when & ~facts) == 0;
}

/* The last row but one matches whatever the others don't. */
static const struct row *find_row(const struct smtp_report *report,
                                  const struct failure_facts *facts)
{
	unsigned holds = (report->body_begun ? BEGUN : NOT_BEGUN) |
	                 (facts->parameters ? PARAMETERS : 0) | (facts->renewable ? RENEWABLE : 0);
	size_t i = 0;

	while (i + 1 < sizeof rows / sizeof *rows && !fits(&rows[i], report, holds))
		i++;
	return &rows[i];
}

struct failure failure_judge(const struct smtp_report *report, const struct failure_facts *facts)
{
	const struct row *row = find_row(report, facts);
	bool since_mail = report->stage >= SMTP_MAIL;
	bool mails_own = row->scope == FAILURE_RELAY && since_mail && facts->alone;
	struct failure failure = {
	        .scope = mails_own ? FAILURE_MAIL : row->scope,
	        .delivery = mails_own ? row->alone : row->delivery,
	        .next = row->next,
	};

	if (failure.next == FAILURE_END)
		failure.next = failure_course(failure.delivery)->next;
	failure.suspect = failure.scope == FAILURE_RELAY && since_mail;
	failure.ends_session =
	        row->hangs_up || failure.scope == FAILURE_RELAY || failure.next == FAILURE_FRESH;
	return failure;
}

/* ---- a result ---- */

static const struct failure_course courses[DELIVERY_COUNT] = {
        [DELIVERY_SENT] = {.name = "sent",
                           .relay = FAILURE_RELAY_WELL,
                           .next = FAILURE_END,
                           .status = STATUS_SENT,
                           .reason = REASON_OK},
        [DELIVERY_RELAY] = {.name = "relay",
                            .relay = FAILURE_RELAY_AT_FAULT,
                            .next = FAILURE_ELSEWHERE,
                            .status = STATUS_QUEUED,
                            .reason = REASON_OK},
        [DELIVERY_BUSY] = {.name = "mail_busy",
                           .relay = FAILURE_RELAY_WELL,
                           .next = FAILURE_LATER,
                           .status = STATUS_RETRYING,
                           .reason = REASON_MAIL_BUSY},
        [DELIVERY_ADDRESS] = {.name = "address_refused",
                              .relay = FAILURE_RELAY_UNSURE,
                              .everybody = DELIVERY_RELAY,
                              .next = FAILURE_END,
                              .status = STATUS_FAILED,
                              .reason = REASON_ADDRESS_REFUSED},
        [DELIVERY_ADDRESS_DEAD] = {.name = "address_invalid",
                                   .relay = FAILURE_RELAY_UNSURE,
                                   .everybody = DELIVERY_RELAY,
                                   .next = FAILURE_ALTERNATE,
                                   .status = STATUS_FAILED,
                                   .reason = REASON_ADDRESS_REFUSED},
        [DELIVERY_REFUSED] = {.name = "mail_refused",
                              .relay = FAILURE_RELAY_UNSURE,
                              .everybody = DELIVERY_RELAY,
                              .next = FAILURE_END,
                              .status = STATUS_FAILED,
                              .reason = REASON_MAIL_REFUSED},
        [DELIVERY_DOUBT] = {.name = "in_doubt",
                            .relay = FAILURE_RELAY_AT_FAULT,
                            .next = FAILURE_LATER,
                            .status = STATUS_RETRYING,
                            .reason = REASON_IN_DOUBT},
};

const struct failure_course *failure_course(enum delivery delivery)
{
	return &courses[delivery];
}

const char *delivery_name(enum delivery delivery)
{
	return delivery >= 0 && delivery < DELIVERY_COUNT ? courses[delivery].name : "";
}

/* ---- time ---- */

int64_t failure_retry_wait_ms(int attempts, uint64_t random)
{
	int64_t wait = HOUR_MS;
	if (attempts < 7) /* 1, 2, 4, 8, 16, 32 minutes; the next would be 64 */
		wait = (int64_t)MINUTE_MS << (attempts > 1 ? attempts - 1 : 0);
	int64_t low = wait - wait / 8, high = wait + wait / 8;
	/* At the maximum only the part below it is left; that is still a spread, not one value. */
	if (high > HOUR_MS)
		high = HOUR_MS;
	return low + (int64_t)(random % (uint64_t)(high - low + 1));
}
