/* SPDX-License-Identifier: MIT */
#ifndef MAIL_OUTGOING_MAIL_H
#define MAIL_OUTGOING_MAIL_H

#include "base/instant.h"
#include "base/mem.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A mail on its way from the engine to a mailer: everything needed to render and send it, with no
 * further look-ups. It owns its arena; its last owner calls outgoing_mail_free().
 */
struct outgoing_forward;
struct outgoing_mail {
	struct arena *arena;
	int64_t mail;        /* its row in the spool */
	const char *to;      /* the one recipient: a checked address, no display name */
	const char *to_name; /* for the header To; may be "" */
	/* The true recipient, where the mail is redirected to `to`; NULL where it isn't */
	const char *meant_for;
	int64_t contact;  /* its id; 0: the office */
	const char *link; /* of the contact, over which its opt-out is signed; "": there is none */
	const char *template;    /* "dispatched" … "cancelled", "collision" */
	const char *locale;      /* "fr-CA"; "" for the default */
	const char *timezone;    /* an IANA name */
	const char *message_id;  /* with angle brackets */
	const char *thread_id;   /* the thread's root for In-Reply-To and References, with angle
	                            brackets; ""   for none */
	struct instant made;     /* the Date */
	const char *const *jobs; /* ids for X-Dispatchd-Job, as they came */
	size_t n_jobs;
	const char *context; /* JSON: what the template sees */
	struct instant due;  /* for the delivery histogram */
	bool signs;          /* a mailer has a key: what its context says of tokens counts */
	const struct outgoing_forward *forward; /* a person's reply that goes on: no template has a
	                                           part in it; NULL for all others */
};

/* What mail/forward.h needs, besides. */
struct outgoing_forward {
	const char *reply_to, *job, *subject, *entity;
	size_t len;
};

struct outgoing_mail *outgoing_mail_new(void); /* empty, with an arena */
struct outgoing_mail *
outgoing_mail_free(struct outgoing_mail *outgoing);               /* takes NULL; returns NULL */
size_t outgoing_mail_bytes(const struct outgoing_mail *outgoing); /* of memory */

/* The template of the mail that answers a wish for fewer mails (engine/opt_out_answer.h), and
 * whether it is one: it answers (RFC 3834), and bears neither an opt-out of its own nor an envelope
 * sender. */
#define OPT_OUT_ANSWER "opted_out"
bool outgoing_mail_is_answer(const struct outgoing_mail *outgoing);

/* A mail that was tried is in the same language, by the same clock and to the same name again,
 * whatever has become of the customer's and contact's since: as its context says. */
void outgoing_mail_read(struct outgoing_mail *outgoing, const json_t *context);
/* The jobs of a mail that reports no event (of recalled jobs): they are in its context alone. */
void outgoing_mail_read_jobs(struct outgoing_mail *outgoing, const json_t *context);

/*
 * Message-ID from what names the mail (contract, section 5): the same for a retry, a second copy,
 * the alternate address; `domain` is that of From. With angle brackets, in the arena.
 */
const char *outgoing_mail_message_id(struct arena *arena, const char *source, const char *event,
                                     int64_t contact, const char *state, const char *domain);
/* The root of a job's thread: made from customer and job. With angle brackets, in the arena. */
const char *outgoing_mail_thread_id(struct arena *arena, const char *customer, const char *job,
                                    const char *domain);

#endif
