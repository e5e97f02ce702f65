/* SPDX-License-Identifier: MIT */
#ifndef MAIL_COMPOSE_BODY_H
#define MAIL_COMPOSE_BODY_H

#include "base/buf.h"

/*
 * The composer's bodies; only compose.c includes this. Adds Content-Type,
 * Content-Transfer-Encoding, an empty line and the text in the smallest of 7bit, quoted-printable
 * and base64, with CRLF at the end. What is added never has a line that begins with "--=_".
 */
void body_part(struct buf *out, const char *subtype, const char *text);

#endif
