/* SPDX-License-Identifier: MIT */
/*
 * The failure policy, the only place that knows it. A mailer reports what it saw; the first row
 * that fits says what becomes of the mail. The order of the rows is part of the policy: what speaks
 * of the relay stands before what speaks of the mail, so that one relay's bad day never costs a
 * mail its tries nor a customer the address.
 */
#include "mail/failure.h"

#include <stddef.h>

enum { MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS };

static const char *const names[DELIVERY_COUNT] = {
        [DELIVERY_SENT] = "sent",
        [DELIVERY_RELAY] = "relay",
        [DELIVERY_BUSY] = "mail_busy",
        [DELIVERY_ADDRESS] = "address_refused",
        [DELIVERY_REFUSED] = "mail_refused",
        [DELIVERY_ADDRESS_DEAD] = "address_invalid",
        [DELIVERY_DOUBT] = "in_doubt",
};

enum body { BODY_ANY, BODY_BEGUN };

struct row {
	enum smtp_stage from, to; /* both included */
	int low, high;            /* reply codes, both included */
	int subject, detail;      /* the enhanced code 5.SUBJECT.DETAIL; -1: whatever, or none */
	enum body body;
	enum delivery delivery;
};

#define ANYWHERE       .from = SMTP_CONNECT, .to = SMTP_BODY
#define BEFORE_MAIL    .from = SMTP_CONNECT, .to = SMTP_AUTH
#define SINCE_MAIL     .from = SMTP_MAIL, .to = SMTP_BODY
#define AT(stage)      .from = (stage), .to = (stage)
#define CODE(code)     .low = (code), .high = (code), .subject = -1, .detail = -1
#define CLASS(n)       .low = (n)*100, .high = (n)*100 + 99, .subject = -1, .detail = -1
#define ENHANCED(s, d) .low = 500, .high = 599, .subject = (s), .detail = (d)
#define ANY_CODE       .low = 0, .high = 999, .subject = -1, .detail = -1

static const struct row rows[] = {
        /* No reply: before the first byte of the body certainly not sent, after it nobody knows. */
        {ANYWHERE, CODE(0), .body = BODY_BEGUN, .delivery = DELIVERY_DOUBT},
        {ANYWHERE, CODE(0), .delivery = DELIVERY_RELAY},

        /* The relay speaks of itself, or of our standing with it. */
        {ANYWHERE, CODE(421), .delivery = DELIVERY_RELAY},
        {ANYWHERE, CODE(454), .delivery = DELIVERY_RELAY},
        {ANYWHERE, CODE(530), .delivery = DELIVERY_RELAY},
        {ANYWHERE, CODE(534), .delivery = DELIVERY_RELAY},
        {ANYWHERE, CODE(535), .delivery = DELIVERY_RELAY},
        {ANYWHERE, CODE(538), .delivery = DELIVERY_RELAY},
        {BEFORE_MAIL, ANY_CODE, .delivery = DELIVERY_RELAY},
        {AT(SMTP_MAIL), ENHANCED(7, -1), .delivery = DELIVERY_RELAY},

        /* The one good end. */
        {AT(SMTP_BODY), CLASS(2), .delivery = DELIVERY_SENT},

        {SINCE_MAIL, CLASS(4), .delivery = DELIVERY_BUSY},

        /* Codes by which a mailbox or its domain doesn't exist or has moved away. */
        {AT(SMTP_RCPT), ENHANCED(1, 1), .delivery = DELIVERY_ADDRESS_DEAD},
        {AT(SMTP_RCPT), ENHANCED(1, 2), .delivery = DELIVERY_ADDRESS_DEAD},
        {AT(SMTP_RCPT), ENHANCED(1, 3), .delivery = DELIVERY_ADDRESS_DEAD},
        {AT(SMTP_RCPT), ENHANCED(1, 6), .delivery = DELIVERY_ADDRESS_DEAD},
        {AT(SMTP_RCPT), ENHANCED(1, 10), .delivery = DELIVERY_ADDRESS_DEAD},
        {AT(SMTP_RCPT), CLASS(5), .delivery = DELIVERY_ADDRESS},

        {SINCE_MAIL, CLASS(5), .delivery = DELIVERY_REFUSED},

        /* Replies that have no business there (a 2xx to DATA): the two sides no longer agree on what was
           said. */
        {ANYWHERE, ANY_CODE, .body = BODY_BEGUN, .delivery = DELIVERY_DOUBT},
        {ANYWHERE, ANY_CODE, .delivery = DELIVERY_RELAY},
};

/* Limits of a connection: so many mails, then 421, another 4xx or nothing. The body must not have been taken.
 */
static const struct row of_connection[] = {
        {.from = SMTP_MAIL, .to = SMTP_DATA, CLASS(4)},
        {.from = SMTP_MAIL, .to = SMTP_DATA, CODE(0)},
        {AT(SMTP_BODY), CODE(421)},
};

/* What seems to be the relay's fault is the mail's: for good only where the relay means its sender. */
static const struct row alone[] = {
        {ANYWHERE, CODE(530), .delivery = DELIVERY_BUSY},
        {ANYWHERE, CODE(534), .delivery = DELIVERY_BUSY},
        {ANYWHERE, CODE(535), .delivery = DELIVERY_BUSY},
        {ANYWHERE, CODE(538), .delivery = DELIVERY_BUSY},
        {AT(SMTP_MAIL), ENHANCED(7, -1), .delivery = DELIVERY_REFUSED},
        {ANYWHERE, ANY_CODE, .delivery = DELIVERY_BUSY},
};

const char *delivery_name(enum delivery delivery)
{
	return delivery >= 0 && delivery < DELIVERY_COUNT ? names[delivery] : "";
}

static bool enhanced_fits(const struct row *row, const int enhanced[3])
{
	if (row->subject < 0)
		return true;
	return enhanced[0] == 5 && enhanced[1] == row->subject &&
	       (row->detail < 0 || enhanced[2] == row->detail);
}

static bool fits(const struct row *row, const struct smtp_report *report)
{
	return report->stage >= row->from && report->stage <= row->to && report->code >= row->low &&
	       report->code <= row->high && enhanced_fits(row, report->enhanced) &&
	       (row->body == BODY_ANY || report->body_begun);
}

static const struct row *find(const struct row *table, size_t n, const struct smtp_report *report)
{
	for (size_t i = 0; i < n; i++)
		if (fits(&table[i], report))
			return &table[i];
	return NULL;
}

#define FIND(table, report) find(table, sizeof(table) / sizeof *(table), report)

enum delivery failure_judge(const struct smtp_report *report)
{
	const struct row *row = FIND(rows, report);

	if (row)
		return row->delivery;
	return report->body_begun ? DELIVERY_DOUBT : DELIVERY_RELAY; /* a code that is no code */
}

bool failure_of_connection(const struct smtp_report *report)
{
	return FIND(of_connection, report) != NULL && !(report->body_begun && report->code == 0);
}

enum delivery failure_alone(const struct smtp_report *report)
{
	const struct row *row = FIND(alone, report);

	return row ? row->delivery : DELIVERY_BUSY;
}

int64_t failure_retry_wait_ms(int attempts, uint64_t random)
{
	int64_t wait = HOUR_MS;
	if (attempts < 7) /* 1, 2, 4, 8, 16, 32 minutes; the next would be 64 */
		wait = (int64_t)MINUTE_MS << (attempts > 1 ? attempts - 1 : 0);
	int64_t low = wait - wait / 8, high = wait + wait / 8;
	/* At the ceiling only what is below it is left; it is still a spread, not one value. */
	if (high > HOUR_MS)
		high = HOUR_MS;
	return low + (int64_t)(random % (uint64_t)(high - low + 1));
}
