/* SPDX-License-Identifier: MIT */
#ifndef MAIL_COMPOSE_H
#define MAIL_COMPOSE_H

#include "base/buf.h"
#include "base/instant.h"

#include <stdbool.h>
#include <stddef.h>

/* All texts are UTF-8; invalid bytes become U+FFFD. None is NULL except where it says so. */
struct compose_mail {
	const char *from_name, *from; /* a checked address; the name may be "" */
	const char *to_name, *to;     /* the same */
	const char *meant_for;        /* the true recipient of a redirected mail; NULL for others */
	const char *reply_to_name, *reply_to; /* the same; no header if `reply_to` is "" */
	const char *subject;
	const char *message_id; /* with angle brackets */
	const char *thread_id;  /* for In-Reply-To and References; "" for none */
	/* For List-Unsubscribe: an address, and a page that acts on POST alone (RFC 2369, RFC
	 * 8058); NULL for none, and without an address there is no page. */
	const char *opt_out_address, *opt_out_url;
	bool answers; /* it is the answer to a mail (RFC 3834, section 3.1.7) */
	struct instant made;
	const char *const *jobs; /* one X-Dispatchd-Job each */
	size_t n_jobs;
	const char *text;
	const char *html; /* NULL: text/plain alone */
};

/*
 * Adds the whole message (RFC 5322) to `ret`: CRLF throughout, 7-bit, the same bytes for the same
 * mail. Cannot fail, whatever the texts contain: line breaks and control characters in a header
 * become spaces; in a body, control characters other than tab and line break become spaces, and
 * lines end in CRLF, the last one too.
 */
void compose_mail(const struct compose_mail *mail, struct buf *ret);

#endif
