/* SPDX-License-Identifier: MIT */
#ifndef MAIL_COMPOSE_HEADER_H
#define MAIL_COMPOSE_HEADER_H

#include "base/buf.h"
#include "base/instant.h"

/* The composer's headers; only compose.c and forward.c include this. Each function adds lines with
 * CRLF. */

enum { HEADER_LINE_MAX = 76 };

/* Date (RFC 5322, section 3.3), in UTC. */
void header_date(struct buf *out, struct instant made);

/* Unstructured text (RFC 5322, section 3.6.5), as encoded words (RFC 2047) where it is not plain
 * ASCII. */
void header_text(struct buf *out, const char *name, const char *value);

/* Subject, and where a mail is redirected X-Dispatchd-To above it with the true recipient, who then
 * stands in front of the subject, too. `meant_for` NULL: it isn't. */
void header_subject(struct buf *out, const char *subject, const char *meant_for);

/* One mailbox. */
void header_mailbox(struct buf *out, const char *name, const char *display, const char *address);

/* A token of printable ASCII; other characters are left out. */
void header_token(struct buf *out, const char *name, const char *value);

/* Percent-encodes `%`, what isn't printable ASCII, and spaces that a reader would lose. */
void header_percent(struct buf *out, const char *name, const char *value);

/* The length of the valid UTF-8 character at `text` (of `len` bytes, > 0); 0 if there is none. */
size_t compose_char_length(const char *text, size_t len);

/* Reads `text` as UTF-8 and adds it; invalid bytes become U+FFFD. */
void compose_add_utf8(struct buf *out, const char *text, size_t len);

#endif
