/* SPDX-License-Identifier: MIT */
#ifndef MAIL_FAILURE_H
#define MAIL_FAILURE_H

#include "base/instant.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The failure policy (contract, section 5): the protocol code reports what was seen, one table here
 * decides what that means for the mail.
 */
enum smtp_stage {                /* the command whose answer, or whose want of one, is reported */
	          SMTP_CONNECT,  /* resolve, connect */
	          SMTP_GREETING, /* 220, EHLO */
	          SMTP_TLS,      /* STARTTLS, handshake, certificate */
	          SMTP_AUTH,
	          SMTP_MAIL,
	          SMTP_RCPT,
	          SMTP_DATA, /* the answer to DATA itself */
	          SMTP_BODY, /* the answer after the final dot */
};

struct smtp_report {
	enum smtp_stage stage;
	int code;        /* of the reply; 0: none came (refused, timed out, broken) */
	int enhanced[3]; /* RFC 3463; zeros where the reply had none */
	bool body_begun; /* some of the message was handed to the library when it broke */
};

enum delivery {
	DELIVERY_SENT,         /* 250 after the body */
	DELIVERY_RELAY,        /* the relay's fault: nothing counts against the mail */
	DELIVERY_BUSY,         /* the mail, for now: mail_busy */
	DELIVERY_ADDRESS,      /* the address was refused */
	DELIVERY_ADDRESS_DEAD, /* and its code says that it doesn't exist: it is marked invalid */
	DELIVERY_REFUSED,      /* the mail, for good: mail_refused */
	DELIVERY_DOUBT,        /* nobody knows: in_doubt */
	DELIVERY_COUNT,
};
const char *delivery_name(enum delivery delivery); /* "sent", for messages */

enum delivery failure_judge(const struct smtp_report *report);

/* Whether an answer may be that of a connection that has carried enough, where it has delivered before: the
 * mail, of which nothing was taken, is sent once more over another one. */
bool failure_of_connection(const struct smtp_report *report);

/* What a DELIVERY_RELAY since MAIL becomes where only this mail meets it, while others go through. */
enum delivery failure_alone(const struct smtp_report *report);

/* The wait before try number `attempts` + 1 (attempts ≥ 1): 1, 2, 4 … minutes, of which up to an eighth is
 * taken or added by `random` (any 64 bits), and never more than 1 h. Milliseconds. */
int64_t failure_retry_wait_ms(int attempts, uint64_t random);

/* So many mails that fail with no delivery between are worth a warning, whatever the words. */
enum { FAILURES_MANY = 10 };

/* What a mailer reports of one outgoing mail. */
enum { DELIVERY_REPLY_MAX = 512 };
struct delivery_result {
	int64_t mail;
	enum delivery delivery;
	bool yields;                    /* DELIVERY_RELAY, in answer to this very mail: others go first */
	bool template_broken;           /* the mail went without what is broken; `fault` says what */
	char to[330];                   /* the address that was tried */
	char relay[128];                /* as configured; "" where none was reached */
	char reply[DELIVERY_REPLY_MAX]; /* the server's words, one line, valid UTF-8; or ours where it said
	                                   none */
	char fault[256];
	struct instant at; /* when it ended */
};

#endif
