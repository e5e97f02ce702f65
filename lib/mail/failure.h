/* SPDX-License-Identifier: MIT */
#ifndef MAIL_FAILURE_H
#define MAIL_FAILURE_H

#include "base/instant.h"
#include "model/rendering.h"
#include "model/words.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The failure policy (contract, section 5). Senders report facts: the stage, the code, what is
 * known about the connection and about other mails. One table decides whose fault it is, and what
 * happens to the mail, the connection and the relay; a second one decides what follows from the
 * result.
 */
enum smtp_stage {                /* the command whose reply, or lack of one, is reported */
	          SMTP_CONNECT,  /* resolve, connect */
	          SMTP_GREETING, /* 220, EHLO */
	          SMTP_TLS,      /* STARTTLS, handshake, certificate */
	          SMTP_AUTH,
	          SMTP_MAIL,
	          SMTP_RCPT,
	          SMTP_DATA, /* the answer to DATA itself */
	          SMTP_BODY, /* the answer after the final dot */
	          /* our own faults, before the relay hears of the mail */
	          SMTP_NOT_ADDRESSABLE, /* the address can't be written in a command */
	          SMTP_NOT_RENDERED,
};

struct smtp_report {
	enum smtp_stage stage;
	int code;        /* of the reply; 0: none came (refused, timed out, broken) */
	int enhanced[3]; /* RFC 3463; zeros where the reply had none */
	bool body_begun; /* some of the message was handed to the library when it broke */
};

/* What else is known at the time of the report. */
struct failure_facts {
	bool parameters; /* the command bore parameters that nobody asked for, and can be given
	                    without */
	bool renewable; /* the connection has delivered before, and the mail may have a fresh one */
	bool alone;     /* the relay failed at this mail before, and has delivered others since */
};

/* The result of a try to deliver a mail. */
enum delivery {
	DELIVERY_SENT,         /* 250 after the body */
	DELIVERY_RELAY,        /* the relay's fault: nothing counts against the mail */
	DELIVERY_BUSY,         /* the mail, for now: mail_busy */
	DELIVERY_ADDRESS,      /* the address was refused */
	DELIVERY_ADDRESS_DEAD, /* and its code says that it doesn't exist */
	DELIVERY_REFUSED,      /* the mail, for good: mail_refused */
	DELIVERY_DOUBT,        /* unknown: in_doubt */
	DELIVERY_COUNT,
};
const char *delivery_name(enum delivery delivery); /* "sent", for messages */

/* Whose fault it is. */
enum failure_scope {
	FAILURE_NONE,    /* sent */
	FAILURE_SESSION, /* this connection's, or how we spoke over it */
	FAILURE_RELAY,
	FAILURE_MAIL,
	FAILURE_ADDRESS,
};

/* What is next for the mail. */
enum failure_next {
	FAILURE_END,   /* nothing */
	FAILURE_BARE,  /* now, over this connection: the command without its parameters */
	FAILURE_FRESH, /* now, over a fresh connection to this relay */
	/* Now, at another relay or connection; else it goes back as DELIVERY_RELAY, waits until a
	 * relay is usable, and no try is counted. */
	FAILURE_ELSEWHERE,
	FAILURE_LATER,     /* after failure_retry_wait_ms() */
	FAILURE_ALTERNATE, /* at once to the alternate address, since this one is marked invalid */
};

struct failure {
	enum failure_scope scope;
	enum failure_next next;
	enum delivery delivery;
	bool ends_session; /* no further mail over this connection */
	bool suspect;      /* the relay failed at this very mail: others go first */
};
struct failure failure_judge(const struct smtp_report *report, const struct failure_facts *facts);

/* What a result means for the relay. */
enum failure_relay {
	FAILURE_RELAY_WELL,
	FAILURE_RELAY_AT_FAULT,
	FAILURE_RELAY_UNSURE, /* it may refuse everybody: other mails will show (refusals.h) */
};

/* What follows from a result. */
struct failure_course {
	const char *name;
	enum failure_relay relay;
	enum delivery everybody; /* FAILURE_RELAY_UNSURE: the result if everybody is refused so */
	enum failure_next next;
	/* Of the mail, and why; with FAILURE_LATER until the next try. */
	enum status status;
	enum reason reason;
};
const struct failure_course *failure_course(enum delivery delivery);

/* The wait before try number `attempts` + 1 (attempts ≥ 1): 1, 2, 4 … minutes, of which up to an
 * eighth is taken or added by `random` (any 64 bits), and never more than 1 h. Milliseconds. */
int64_t failure_retry_wait_ms(int attempts, uint64_t random);

/* This many mails failing in a row are worth a warning, whatever the replies. */
enum { FAILURES_MANY = 10 };

/* What a mailer reports of one outgoing mail. */
enum { DELIVERY_REPLY_MAX = 512 };
struct delivery_result {
	int64_t mail;
	enum delivery delivery;
	bool yields;          /* DELIVERY_RELAY because of this very mail: others go first */
	bool template_broken; /* the mail was sent without the broken part; `fault` names it */
	struct rendering rendering;     /* of what was tried */
	char to[330];                   /* the address that was tried */
	char relay[128];                /* as configured; "" if none was reached */
	char reply[DELIVERY_REPLY_MAX]; /* the server's, or our own words; one line, valid UTF-8 */
	char fault[256];
	struct instant at; /* when it ended */
};

#endif
