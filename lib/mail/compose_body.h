/* SPDX-License-Identifier: MIT */
#ifndef MAIL_COMPOSE_BODY_H
#define MAIL_COMPOSE_BODY_H

#include "base/buf.h"

/*
 * The composer's bodies; only files of lib/mail include this. Adds Content-Type,
 * Content-Transfer-Encoding, an empty line and the text in the smallest of 7bit, quoted-printable
 * and base64, with CRLF at the end. What is added never has a line that begins with "--=_".
 */
void body_part(struct buf *out, const char *subtype, const char *text);

/* A part's text as its reader gets it, with LF at the end of each line. */
void body_read(struct buf *out, const char *text);

#endif
