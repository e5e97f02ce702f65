/* SPDX-License-Identifier: MIT */
#ifndef MAIL_REPORT_TOKEN_H
#define MAIL_REPORT_TOKEN_H

#include "base/mem.h"

/*
 * Where a mail that came back bears a token (mail/token.h), by its shape alone: what it says is
 * worth nothing until the daemon has verified it.
 */

/* The token at the end of an address' local part, behind whatever delimiter; "" for none. */
const char *mail_report_token_of(const char *address, struct arena *arena);

/* The first address with a token among those that the mail came to: in the fields of those who
 * deliver mails, then in To and Cc. "" for none. */
const char *mail_report_token_recipient(const char *header, struct arena *arena);

/* The token in the List-Unsubscribe of a header; "" for none. */
const char *mail_report_token_unsubscribe(const char *header, struct arena *arena);

#endif
