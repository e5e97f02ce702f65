/* SPDX-License-Identifier: MIT */
#ifndef MAIL_FORWARD_H
#define MAIL_FORWARD_H

#include "base/address.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/instant.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * A person's reply on its way to the sales rep or the office (contract, section 11): a header of
 * our own before an entity of theirs. dispatch-bounce makes the entity out of the reply, with its
 * attachments, at 7 bits; what the daemon gets is checked here, so that it needs no parser.
 */
enum { FORWARD_BYTES_MAX = 10 * 1024 * 1024 };

/*
 * Whether it can stand behind a header as it is: fields about the content alone (RFC 2045, section
 * 3: "Content-…") with their continuations, a blank line, then anything of ASCII without NUL; each
 * line of at most 998 bytes (RFC 5322, section 2.1.1) and ended by CRLF; at most FORWARD_BYTES_MAX.
 * `err` has code 65.
 */
bool forward_check(const char *entity, size_t len, struct error *err) MUST_CHECK;

/* In place of a job's state, of mails that are one (`mail.state`). */
#define FORWARD_STATE "reply"

struct forward {
	const struct mailbox *from; /* ours */
	const char *to;
	const char *meant_for;  /* the true recipient, where it is redirected to `to`; else NULL */
	const char *reply_to;   /* whose reply it is: a checked address */
	const char *job;        /* named in front of the subject; "" for none */
	const char *subject;    /* of the reply */
	const char *message_id; /* with angle brackets, as is */
	const char *thread_id;  /* the root of the job's thread; "" for none */
	struct instant made;
	const char *entity; /* that forward_check() let through; "": there is none anymore */
	size_t len;
};

/* Adds the whole message (RFC 5322), with CRLF, at 7 bits. It is to go with the null sender. */
void forward_compose(const struct forward *forward, struct buf *ret);

#endif
