/* SPDX-License-Identifier: MIT */
#ifndef BOUNCE_TAKE_H
#define BOUNCE_TAKE_H

#include "base/buf.h"
#include "base/error.h"
#include "bounce/send.h"

#include <stdbool.h>

/*
 * One mail, whichever way it came: read, and handed to the daemon for each of its recipients.
 * mime_start() comes first.
 */
struct taking;

/* Reads the mail. `bytes` are borrowed until taking_free(); more than MIME_BYTES_MAX of them are
 * too many to be understood, which the daemon hears. */
struct taking *taking_new(const struct buf *bytes);
struct taking *taking_free(struct taking *taking); /* takes NULL; returns NULL */

/*
 * Where it was delivered to, from what a mail server or a fetching program has put before it, or
 * from To: the first address that may bear a token; else "". It lives as long as `taking`.
 */
const char *taking_recipient(const struct taking *taking);

/*
 * Hands it over; faults and `ret_did` as in send.h. `sender` is that of the envelope, "" for the
 * null sender; NULL where nobody knows it: then Return-Path says, if there is one.
 */
bool taking_send(struct taking *taking, const char *socket, const char *recipient,
                 const char *sender, char ret_did[SEND_ANSWER_MAX], struct error *err) MUST_CHECK;

#endif
